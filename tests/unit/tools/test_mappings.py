"""`pixel mappings`: the table, what happens to an event, and errors in files."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tiktok_pixel import destination
from tools.pixel.app import main
from tools.sandbox import samples

Pixel = Callable[..., list[str]]
ShowEvent = Callable[..., list[str]]


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use an empty folder for the operator's own mapping files."""
    folder = tmp_path / "mappings"
    folder.mkdir()
    monkeypatch.setattr(destination, "OWN_MAPPINGS", folder)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def show_event(pixel: Pixel, tmp_path: Path) -> ShowEvent:
    """Show what happens to a JSON value; return the lines."""

    def show(event: object, *arguments: str) -> list[str]:
        file = tmp_path / "event.json"
        file.write_text(json.dumps(event))
        return pixel("mappings", "--event", file.name, *arguments)

    return show


def write(folder: Path, *presets: dict[str, Any], stage: str = "dev") -> None:
    (folder / f"{stage}.json").write_text(json.dumps(presets))


def preset(**changes: Any) -> dict[str, Any]:
    entry = {
        "name": "Cart",
        "subscribe": 'event = "Product Added"',
        "defaults": True,
        "mapping": {"event": "AddToCart"},
    }
    return {**entry, **changes}


def payload(lines: list[str]) -> Any:
    """Parse the JSON below the line that announces it."""
    start = lines.index("TikTok gets:") + 2
    return json.loads("\n".join(lines[start : lines.index("}", start) + 1]))


def row(lines: list[str], first: str) -> list[str]:
    """Return the cells of the row with this first cell."""
    (found,) = [line for line in lines if line.split("  ")[0] == first]
    return [cell.strip() for cell in found.split("  ") if cell.strip()]


# ------------------------------------------------------------------ the table


def test_the_table_shows_what_each_mapping_does(
    pixel: Pixel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    lines = pixel("mappings")
    assert lines[0].endswith("default.json (default)")
    assert lines[2].split() == ["mapping", "on", "when", "TikTok", "event", "own", "fields"]
    assert row(lines, "View Content") == [
        "View Content",
        "yes",
        "a page is viewed",
        "ViewContent",
        "contents",
    ]
    assert row(lines, "Place an Order")[2] == 'track "Order Placed" or "Order Completed"'
    assert len(lines) == 4 + 7


def test_the_sets_can_be_chosen(pixel: Pixel, own: Path) -> None:
    write(own, preset(), stage="staging")
    assert row(pixel("mappings", "--set", "full"), "Purchase")[3] == "Purchase"
    custom = pixel("mappings", "--set", "custom", "--stage", "staging")
    assert custom[0] == "mappings/staging.json (custom)"
    assert len(custom) == 4 + 1


def test_the_table_as_json(pixel: Pixel) -> None:
    printed = json.loads("\n".join(pixel("mappings", "--json")))
    assert printed["set"] == "default"
    assert printed["mappings"][1] == {
        "name": "Search",
        "enabled": True,
        "subscribe": 'event = "Products Searched"',
        "event": "Search",
        "pixel": None,
        "own_fields": ["contents"],
    }


def test_only_fields_that_the_mapping_itself_sets_are_listed(pixel: Pixel, own: Path) -> None:
    fields = {"event": {"@path": "$.event"}, "value": {"@path": "$.v"}, "email": None}
    write(
        own,
        preset(mapping=fields, enabled=False),
        preset(name="Bare", mapping={"event": "A", "query": "q"}, defaults=False),
    )
    lines = pixel("mappings", "--set", "custom")
    assert row(lines, "Cart") == [
        "Cart",
        "no",
        'track "Product Added"',
        "(from the event)",
        "value",
    ]
    assert row(lines, "Bare")[-1] == "query"


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_fits_the_terminal_without_breaking_words(
    pixel: Pixel, own: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    trigger = " and ".join(f'properties.category_{number} = "Shoes"' for number in range(9))
    fields = dict.fromkeys(("email", "phone_number", "order_id", "description", "query"), "x")
    write(own, preset(subscribe=trigger, mapping={"event": "InitiateCheckout", **fields}))
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = pixel("mappings", "--set", "custom")
    assert max(map(len, lines)) <= columns
    words = " ".join(lines).replace(",", " ").split()
    assert {f"properties.category_{number}" for number in range(9)} <= set(words)
    assert set(fields) <= set(words)


# ------------------------------------------------------------------ one event


def test_every_field_is_shown_with_its_source(show_event: ShowEvent) -> None:
    lines = show_event(samples.read("add-to-cart"), "--parameter", "DefaultPhoneRegion=US")
    assert lines[0] == "event.json: 1 event"
    assert lines[2] == 'track "Product Added" (sample-add-to-cart): 1 of 7 mappings matches'
    assert row(lines, "event") == ["event", '"AddToCart"', "(constant)"]
    assert row(lines, "email") == ["email", '" Jane.Doe@Example.com "', "$.context.traits.email"]
    assert row(lines, "value") == ["value", "18.99", "$.properties.value"]
    assert row(lines, "content_type") == ["content_type", '"product"', "(constant)"]
    assert row(lines, "contents")[-1] == "$.properties"


def test_values_that_are_tried_next_are_shown(show_event: ShowEvent) -> None:
    properties = {"value": "n/a", "revenue": 20, "total": 20, "currency": "USD"}
    order = samples.read("place-an-order") | {"properties": properties}
    lines = show_event(order)
    assert row(lines, "value") == ["value", '"n/a", else 20', "$.properties.value"]
    assert payload(lines)["data"][0]["properties"]["value"] == 20


def test_the_event_view_does_not_repeat_the_table(show_event: ShowEvent) -> None:
    assert not [line for line in show_event(samples.read("search")) if line.startswith("mapping ")]


def test_the_request_is_what_the_function_sends(show_event: ShowEvent) -> None:
    sent = payload(show_event(samples.read("add-to-cart"), "--parameter", "DefaultPhoneRegion=US"))
    assert (sent["event_source"], sent["event_source_id"]) == ("web", "<pixel code>")
    (event,) = sent["data"]
    assert event["event"] == "AddToCart"
    assert event["user"]["phone"] != []
    assert event["properties"]["contents"][0]["content_id"] == "507f1f77"


def test_template_parameters_decide_what_is_sent(show_event: ShowEvent) -> None:
    tracked = {"type": "track", "event": "Products Searched", "messageId": "m", "userId": "u"}
    site = "https://shop.example/"
    lines = show_event(
        tracked, "--parameter", f"DefaultPageUrl={site}", "--parameter", "TestEventCode=T1"
    )
    sent = payload(lines)
    assert sent["test_event_code"] == "T1"
    assert sent["data"][0]["page"] == {"url": site}


def test_each_mapping_that_matches_is_shown(show_event: ShowEvent, own: Path) -> None:
    write(own, preset(), preset(name="Again", mapping={"event": "Again"}))
    lines = show_event(samples.read("add-to-cart"), "--set", "custom")
    assert lines[2].endswith("2 of 2 mappings match")
    assert lines.count("TikTok gets:") == 2


def test_a_path_of_the_mapping_that_finds_nothing_is_shown(
    show_event: ShowEvent, own: Path
) -> None:
    fields = {"event": "AddToCart", "query": {"@path": "$.properties.q"}}
    write(own, preset(mapping=fields))
    lines = show_event(samples.read("add-to-cart"), "--set", "custom")
    assert row(lines, "query") == ["query", "nothing found at $.properties.q"]
    (summary,) = [line for line in lines if line.startswith("nothing found for the default fields")]
    assert "query" not in summary


@pytest.mark.parametrize(
    ("sample", "shown"),
    [
        ("ignored-identify", "ignored: not_mapped"),
        ("rejected-no-identifier", "rejected: identifier_missing"),
        ("rejected-too-old", "rejected: event_time_too_old"),
    ],
)
def test_an_event_that_is_not_sent_shows_the_reason(
    show_event: ShowEvent, sample: str, shown: str
) -> None:
    lines = show_event(samples.read(sample))
    assert any(line.startswith(f"{shown}: ") for line in lines)
    assert not any(line.startswith(shown.split()[1]) for line in lines)


def test_values_that_are_left_out_are_shown(show_event: ShowEvent) -> None:
    lines = show_event(samples.read("partly-unusable"))
    assert "TikTok gets:" in lines
    assert "email_not_an_address: Email: not a valid address." in lines


def test_a_file_of_one_event_per_line_is_shown(pixel: Pixel, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    names = ("search", "view-content")
    file.write_text("\n".join(json.dumps(samples.read(name)) for name in names))
    assert len(json.loads("\n".join(pixel("mappings", "--event", str(file), "--json")))) == 2


def test_the_paths_of_items_are_shown_below_their_array(show_event: ShowEvent) -> None:
    event = samples.read("place-an-order")
    del event["properties"]["products"]
    (shown,) = json.loads("\n".join(show_event(event, "--json")))
    (contents,) = [
        field for field in shown["mappings"][0]["fields"] if field["field"] == "contents"
    ]
    assert contents["origin"] == "nothing_found"
    assert contents["paths"][:2] == ["$.properties.contents", "$.properties.products.price"]


def test_the_events_of_a_batch_are_shown_one_by_one(show_event: ShowEvent) -> None:
    lines = show_event([samples.read("search"), samples.read("view-content")])
    assert lines[0] == "event.json: 2 events"
    assert [line for line in lines if line.endswith("1 of 7 mappings matches")] == [
        'track "Products Searched" (sample-search): 1 of 7 mappings matches',
        "page (sample-view-content): 1 of 7 mappings matches",
    ]


def test_an_event_as_json(show_event: ShowEvent) -> None:
    (shown,) = json.loads("\n".join(show_event(samples.read("partly-unusable"), "--json")))
    assert shown["message_id"] == "sample-partly-unusable"
    (mapping,) = shown["mappings"]
    assert {
        "field": "value",
        "value": 18.99,
        "alternatives": [],
        "origin": "event",
        "paths": ["$.properties.value"],
    } in (mapping["fields"])
    (result,) = shown["results"]
    assert (result["status"], result["event"]) == ("sendable", "AddToCart")
    assert "email_not_an_address" in shown["left_out"]


STRANGE = {
    "type": "track",
    "messageId": "m-\ud83d\x1b[31m",
    "userId": "u",
    "event": "Product Added",
    "properties": {"name": "Zürich 東京 \ud83d", "query": "\ud800", "category": "\x1b[31m"},
}


def test_text_of_any_script_is_shown_and_control_characters_are_escaped(
    show_event: ShowEvent,
) -> None:
    printed = "\n".join(show_event(STRANGE))
    assert '"Zürich 東京 \\ud83d"' in printed
    assert "(m-\\ud83d\\x1b[31m)" in printed
    assert "\x1b" not in printed


def test_a_terminal_that_lacks_characters_does_not_stop_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(STRANGE))
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="ascii"))
    with pytest.raises(SystemExit) as exited:
        main(["mappings", "--event", str(file)])
    sys.stdout.flush()
    assert exited.value.code == 0
    assert b"Z\\xfcrich \\u6771\\u4eac \\ud83d" in written.getvalue()


# ------------------------------------------------------------------ errors


def test_every_file_is_checked_whichever_is_shown(pixel_errors: Pixel, own: Path) -> None:
    write(own, preset(mapping={"event": "AddToCart", "content_type": "car"}), stage="dev")
    write(own, preset(subscribe="event"), stage="prod")
    first, second = pixel_errors("mappings")
    assert first.startswith('mappings/dev.json: "Cart": content_type: ')
    assert second.startswith('mappings/prod.json: "Cart": subscribe: column 6: ')


def test_warnings_name_the_file_and_stop_nothing(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(own, preset(mapping={"event": "AddToCart", "emial": {"@path": "$.e"}}))
    with pytest.raises(SystemExit) as exited:
        main(["mappings", "--set", "custom"])
    assert exited.value.code == 0
    assert 'mappings/dev.json: warning: "Cart": emial: ' in capsys.readouterr().err


def test_a_stage_without_a_file(pixel_errors: Pixel, own: Path) -> None:
    write(own, preset())
    (error,) = pixel_errors("mappings", "--set", "custom", "--stage", "prod")
    assert error.startswith("mappings/prod.json: ")
    assert error.endswith("dev.json")


def test_an_unknown_set_is_a_wrong_usage(pixel_errors: Pixel) -> None:
    errors = " ".join(pixel_errors("mappings", "--set", "all", status=2))
    assert "--set" in errors
    assert "all" in errors
