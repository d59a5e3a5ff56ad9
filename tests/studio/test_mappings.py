"""Edit, import and save mappings in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.studio.parts import choose, edit, mappings, result, save

pytestmark = pytest.mark.studio

Presets = Callable[[], list[dict[str, Any]]]


def test_changing_a_trigger_changes_the_result(page: Any) -> None:
    edit(page, "Place an Order")
    page.get_by_label("Value", exact=True).nth(1).fill("Order Shipped")
    expect(page.get_by_label("Trigger as FQL")).to_have_value(
        'event = "Order Placed" or event = "Order Shipped"'
    )
    expect(result(page)).to_contain_text("None of 7 mappings matches")
    result(page).get_by_text("7 mappings do not match").click()
    expect(result(page)).to_contain_text(
        'event name is "Order Shipped" — the event has Order Completed'
    )


def test_a_trigger_is_built_with_the_form(page: Any) -> None:
    edit(page, "Search")
    page.get_by_role("button", name="Add condition").click()
    expect(page.get_by_label("Value", exact=True)).to_have_count(2)
    page.get_by_label("Value", exact=True).nth(0).fill("Order Completed")
    choose(page, "Look at", "Event property", nth=1)
    choose(page, "Test", "is at least", nth=1)
    page.get_by_label("Property", exact=True).fill("total")
    page.get_by_label("Value", exact=True).nth(1).fill("30")
    expect(page.get_by_label("Trigger as FQL")).to_have_value(
        'event = "Order Completed" and properties.total >= 30'
    )
    expect(result(page)).to_contain_text("2 of 7 mappings match")


def test_a_trigger_has_groups(page: Any) -> None:
    edit(page, "Search")
    page.get_by_role("button", name="Add group").click()
    expect(page.get_by_text("Not applied yet: enter a value.")).to_be_visible()
    page.get_by_label("Value", exact=True).nth(1).fill("A")
    page.get_by_label("Value", exact=True).nth(2).fill("B")
    expect(page.get_by_label("Trigger as FQL")).to_have_value(
        'event = "Products Searched" and (event = "A" or event = "B")'
    )


def test_a_trigger_is_typed_as_fql_and_its_problem_stands_there(page: Any) -> None:
    edit(page, "Search")
    fql = page.get_by_label("Trigger as FQL")
    fql.fill('event = "Order Completed')
    expect(fql).to_have_attribute("aria-invalid", "true")
    expect(mappings(page)).to_contain_text("column 9")
    expect(result(page)).to_contain_text("1 mapping with problems left out")
    fql.fill('event = "Order Completed"')
    expect(page.get_by_label("Value", exact=True)).to_have_value("Order Completed")
    expect(result(page)).to_contain_text("2 of 7 mappings match")


def test_a_custom_event_is_added_and_a_bad_name_is_refused_at_the_field(
    page: Any, presets: Presets
) -> None:
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_label("Name", exact=True).fill("Loyalty")
    choose(page, "TikTok event", "Custom event…")
    name = page.get_by_label("Custom event name")
    name.fill("Loyalty Joined!")
    expect(mappings(page)).to_contain_text("letters, digits, underscores and dashes")
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("1 problem", exact=True)).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Save", exact=True)).to_be_disabled()
    dialog.get_by_role("button", name="Cancel").click()
    name.fill("LoyaltyJoined")
    expect(result(page)).to_contain_text("LoyaltyJoined")
    save(page)
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert presets()[-1]["mapping"]["event"] == "LoyaltyJoined"
    assert presets()[-1]["name"] == "Loyalty"


def test_a_field_is_added_filled_and_removed(page: Any) -> None:
    edit(page, "Place an Order")
    page.get_by_label("Add a field").fill("description")
    page.get_by_role("button", name="Add field").click()
    page.get_by_label("Path for description").fill("$.properties.order_id")
    expect(result(page)).to_contain_text("properties.description")
    choose(page, "How description is filled", "Fixed value")
    page.get_by_label("Value of description").fill("From the shop")
    expect(result(page)).to_contain_text("From the shop")
    page.get_by_role("button", name="Remove description").click()
    expect(result(page)).not_to_contain_text("From the shop")


def test_fields_and_paths_of_the_event_are_suggested(page: Any) -> None:
    edit(page, "Place an Order")
    page.get_by_label("Add a field").fill("query")
    page.get_by_role("button", name="Add field").click()
    suggestions = page.get_by_label("Path for query").evaluate(
        "input => [...input.list.options].map(option => option.value)"
    )
    assert "$.properties.order_id" in suggestions
    known = page.get_by_label("Add a field").evaluate(
        "input => [...input.list.options].map(option => option.value)"
    )
    assert "ttclid" in known


def test_a_problem_of_a_field_stands_at_the_field(page: Any) -> None:
    edit(page, "Place an Order")
    page.get_by_text(re.compile(r"\d+ default fields")).click()
    page.get_by_role("button", name="Override currency").click()
    choose(page, "How currency is filled", "Fixed value")
    field = page.get_by_label("Value of currency")
    field.fill("XXX")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("USD")
    expect(field).not_to_have_attribute("aria-invalid", "true")


def test_a_segment_export_is_imported(page: Any) -> None:
    export = {
        "presets": [
            {
                "name": "Signed Up",
                "subscribe": 'event = "Signed Up"',
                "mapping": {"event": "CompleteRegistration"},
                "type": "automatic",
            }
        ]
    }
    page.get_by_role("button", name="Import").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Mappings as JSON").fill("[1]")
    expect(dialog).to_contain_text("mapping 1 must be an object")
    broken = {"name": "Broken", "subscribe": "event =", "mapping": {"event": "Lead"}}
    dialog.get_by_label("Mappings as JSON").fill(json.dumps(broken))
    expect(dialog).to_contain_text("Broken: subscribe: column 8")
    dialog.get_by_label("Mappings as JSON").fill(json.dumps(export))
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(mappings(page)).to_contain_text("Signed Up")
    expect(mappings(page)).to_contain_text("CompleteRegistration")


def test_save_shows_the_diff_writes_the_file_and_survives_a_reload(
    page: Any, presets: Presets
) -> None:
    before = presets()
    edit(page, "Search")
    page.get_by_label("Name", exact=True).fill("Find")
    expect(page.get_by_text("Not saved")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text('-    "name": "Search",')
    expect(dialog).to_contain_text('+    "name": "Find",')
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert presets()[1] == {**before[1], "name": "Find"}
    page.reload()
    expect(mappings(page)).to_contain_text("Find")


def test_a_save_is_undone(page: Any, file: Path) -> None:
    before = file.read_text()
    page.get_by_role("switch", name="Search is on").click()
    save(page)
    page.get_by_role("button", name="Undo save").click()
    expect(page.get_by_text("Not saved")).to_be_visible()
    assert file.read_text() == before


def test_a_change_made_meanwhile_is_not_overwritten(page: Any, file: Path) -> None:
    page.get_by_role("switch", name="Search is on").click()
    file.write_text("[]\n")
    save(page)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("was changed by another program")
    assert file.read_text() == "[]\n"
    dialog.get_by_role("button", name="Discard my changes and reload").click()
    expect(mappings(page)).to_contain_text("There is no mapping yet")


def test_mappings_are_duplicated_moved_and_deleted_and_this_is_undone(page: Any) -> None:
    def names() -> list[str]:
        buttons = mappings(page).get_by_role("button", name=re.compile("^Edit "))
        labels = buttons.evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
        return [label.removeprefix("Edit ") for label in labels]

    def act(name: str, action: str) -> None:
        page.get_by_role("button", name=f"Actions for {name}", exact=True).click()
        page.get_by_role("menuitem", name=action).click()

    before = names()
    act("Search", "Duplicate")
    expect(mappings(page)).to_contain_text("Search copy")
    assert names()[1:3] == ["Search", "Search copy"]
    act("Search", "Move up")
    expect(mappings(page).get_by_role("listitem").first).to_contain_text("Search")
    act("Search copy", "Delete")
    expect(mappings(page)).not_to_contain_text("Search copy")
    for _ in range(3):
        page.get_by_role("button", name="Undo", exact=True).click()
    expect(mappings(page).get_by_role("listitem").first).to_contain_text("View Content")
    assert names() == before


def test_a_mapping_is_edited_as_json(page: Any) -> None:
    edit(page, "Place an Order")
    page.get_by_text("This mapping as JSON").click()
    area = page.get_by_role("textbox", name="Mapping as JSON")
    expect(area).to_have_value(re.compile('"name": "Place an Order"'))
    preset = {
        "name": "Mine",
        "subscribe": 'event = "Order Completed"',
        "mapping": {"event": "Purchase", "external_id": {"@path": "$.userId"}},
    }
    area.fill(json.dumps(preset))
    expect(result(page)).to_contain_text("→ Purchase")
    page.get_by_role("button", name="Show in the form").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Mine")


def test_a_shipped_set_is_saved_for_a_stage(page: Any, folder: Path) -> None:
    choose(page, "Mapping file", "full (shipped)")
    expect(mappings(page)).to_contain_text("Start Trial")
    page.get_by_role("button", name="Save", exact=True).click()
    choose(page, "Save as", "prod.json")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Changes in prod.json")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert (folder / "prod.json").exists()


def test_the_keyboard_alone_is_enough_to_edit_and_save(page: Any, presets: Presets) -> None:
    def tab_to(name: str) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            # A button with an icon has the icon's name in a line of its own.
            focused = page.evaluate(
                "(() => { const e = document.activeElement;"
                " return e.matches('button, input') ? e.ariaLabel || e.innerText : ''; })()"
            )
            if focused.strip().split("\n")[-1] == name:
                return
        raise AssertionError(f"{name} is not in the tab order")

    tab_to("Edit View Content")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name", exact=True)).to_be_visible()
    tab_to("Name")
    page.keyboard.press("Control+A")
    page.keyboard.type("Page seen")
    expect(page.get_by_text("Not saved")).to_be_visible()
    tab_to("Save")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Save", exact=True)).to_be_visible()
    page.wait_for_function("document.activeElement.closest('[role=dialog]') !== null")
    tab_to("Save")
    page.keyboard.press("Space")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert presets()[0]["name"] == "Page seen"
