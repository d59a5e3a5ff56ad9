"""The events and results on the page, on wide and narrow screens, and who may open it."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.studio.browser import open_page, running
from tests.studio.parts import choose, edit, event, mappings, result
from tools.sandbox.samples import read

pytestmark = pytest.mark.studio


def test_the_sample_event_has_a_result(page: Any) -> None:
    expect(result(page)).to_contain_text("1 of 7 mappings matches")
    expect(result(page)).to_contain_text("Place an Order")
    expect(result(page)).to_contain_text("$.context.traits.email")
    expect(result(page).get_by_text("forwarded", exact=True)).to_be_visible()


def test_events_are_judged_by_the_template_parameters(browser: Any, folder: Path) -> None:
    with running(folder, "--parameter", "UseExistingPixel=true") as url:
        page = open_page(browser, url)
        expect(result(page)).to_contain_text("shared_event_id_missing")
        page.close()


def test_another_event_changes_the_result(page: Any) -> None:
    choose(page, "Sample event", "rejected-no-identifier")
    expect(result(page)).to_contain_text("identifier_missing")
    choose(page, "Sample event", "ignored-identify")
    expect(result(page)).to_contain_text("None of 7 mappings matches")
    expect(page.get_by_label("Sample event")).to_have_value("ignored-identify")


def test_pasted_events_show_coverage_and_can_be_chosen(page: Any) -> None:
    events = [
        {"type": "page", "messageId": "m1", "userId": "u1"},
        {"type": "track", "event": "Product Added", "messageId": "m2"},
    ]
    page.get_by_role("button", name="Paste").click()
    page.get_by_label("Segment event as JSON").fill(json.dumps(events))
    expect(result(page)).to_contain_text("All 2 events")
    expect(result(page)).to_contain_text("External ID")
    choose(page, "2 events; shown is", "2: Product Added")
    expect(result(page)).to_contain_text("identifier_missing")


def test_pasted_text_that_is_not_json_is_refused_at_the_field(page: Any) -> None:
    field = page.get_by_label("Segment event as JSON")
    field.fill("{")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(event(page)).to_contain_text("not JSON")
    expect(result(page)).to_contain_text("No event to show")


def test_events_that_the_sandbox_receives_are_shown(
    page: Any, endpoint: Callable[[dict[str, Any]], None]
) -> None:
    page.get_by_role("button", name="Live").click()
    expect(event(page)).to_contain_text("Waiting for signed events")
    endpoint({**read("add-to-cart"), "messageId": "live"})
    row = page.get_by_role("button", name=re.compile("Show Product Added of"))
    expect(event(page)).to_contain_text("forwarded")
    row.click()
    expect(page.get_by_label("Segment event as JSON")).to_have_value(re.compile('"live"'))
    expect(result(page)).to_contain_text("Add to Cart")


def test_without_a_sandbox_the_page_says_how_to_start_one(page: Any) -> None:
    page.get_by_role("button", name="Live").click()
    expect(event(page)).to_contain_text("Start one with “pixel sandbox”")


def test_text_of_events_and_mappings_is_not_html(page: Any) -> None:
    text = '<img src=x onerror="window.attacked=1">'
    edit(page, "Place an Order")
    page.get_by_label("Name", exact=True).fill(text)
    attack = {"type": "track", "event": "Order Completed", "messageId": "m", "userId": text}
    page.get_by_label("Segment event as JSON").fill(json.dumps(attack))
    expect(result(page).get_by_text(text).first).to_be_visible()
    page.get_by_role("button", name="Back to all mappings").click()
    expect(mappings(page)).to_contain_text(text)
    assert page.evaluate("window.attacked") is None


def test_a_narrow_screen_has_one_part_at_a_time(opened: Callable[..., Any]) -> None:
    page = opened(viewport={"width": 390, "height": 844})
    expect(mappings(page)).to_be_visible()
    expect(result(page)).to_be_hidden()
    page.get_by_role("tab", name="Result").click()
    expect(result(page)).to_be_visible()
    expect(mappings(page)).to_be_hidden()


@pytest.mark.parametrize("tab", ["Mappings", "Event", "Result"])
def test_nothing_is_wider_than_a_narrow_screen(opened: Callable[..., Any], tab: str) -> None:
    page = opened(viewport={"width": 390, "height": 844})
    page.get_by_role("tab", name=tab).click()
    expect(page.get_by_role("region", name=tab, exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_each_page_has_a_draft_of_its_own(opened: Callable[..., Any]) -> None:
    first, second = opened(), opened()
    first.get_by_role("switch", name="Search is on").click()
    expect(first.get_by_text("Not saved")).to_be_visible()
    expect(second.get_by_text("No changes")).to_be_visible()


def test_no_event_is_stored(page: Any, folder: Path) -> None:
    page.get_by_label("Segment event as JSON").fill('{"type": "page", "userId": "secret"}')
    expect(result(page)).to_contain_text("message_id")
    # The server's working folder, where NiceGUI would keep its storage.
    assert [file.name for file in folder.iterdir()] == ["dev.json"]
    kept = page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert "secret" not in kept
    assert page.context.cookies() == []


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {"Host": "evil.example"}),
        ("/", {"Origin": "https://evil.example"}),
        ("/_nicegui_ws/socket.io/?EIO=4&transport=polling", {"Origin": "https://evil.example"}),
        (
            "/_nicegui_ws/socket.io/?EIO=4&transport=websocket",
            {
                "Origin": "https://evil.example",
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            },
        ),
    ],
    ids=["host", "origin", "polling", "websocket"],
)
def test_other_sites_are_refused(server: str, path: str, headers: dict[str, str]) -> None:
    assert _status(server, path, headers) == 403


def test_the_same_requests_of_the_page_are_answered(server: str) -> None:
    origin = {"Origin": server.rstrip("/")}
    assert _status(server, "/", {}) == 200
    assert _status(server, "/_nicegui_ws/socket.io/?EIO=4&transport=polling", origin) == 200


def _status(server: str, path: str, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=5)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()
