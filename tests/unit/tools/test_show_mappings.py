"""`make mappings`: the table, what becomes of one event, and what is wrong with a file."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tiktok_pixel import destination
from tools.pixel import show_mappings
from tools.sandbox import samples

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the files of one's own, and a terminal of no size."""
    folder = tmp_path / "mappings"
    folder.mkdir()
    for module in (destination, show_mappings):
        monkeypatch.setattr(module, "OWN_MAPPINGS", folder)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.chdir(tmp_path)
    return folder


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


def show(capsys: Captured, *arguments: str) -> list[str]:
    """The lines it prints where all is well."""
    assert show_mappings.main(arguments) == 0
    return capsys.readouterr().out.splitlines()


def show_event(capsys: Captured, event: object, tmp_path: Path, *arguments: str) -> list[str]:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event))
    return show(capsys, "--event", str(file), *arguments)


def payload(lines: list[str]) -> Any:
    """The JSON after the line that announces it."""
    start = lines.index("TikTok gets:") + 2
    return json.loads("\n".join(lines[start : lines.index("}", start) + 1]))


def row(lines: list[str], field: str) -> list[str]:
    """The cells of a field's row."""
    (found,) = [line for line in lines if line.split("  ")[0] == field]
    return [cell.strip() for cell in found.split("  ") if cell.strip()]


# ------------------------------------------------------------------ the table


def test_the_table_says_what_each_mapping_does(capsys: Captured) -> None:
    lines = show(capsys)
    assert lines[0].endswith("default.json (default)")
    assert lines[2].split() == ["mapping", "on", "when", "TikTok", "event", "own", "fields"]
    assert set(lines[3]) == {"-", " "}
    assert row(lines, "View Content") == [
        "View Content",
        "yes",
        "a page is viewed",
        "ViewContent",
        "contents",
    ]
    assert row(lines, "Place an Order")[2] == 'track "Order Placed" or "Order Completed"'
    assert len(lines) == 4 + 7


def test_the_sets_can_be_chosen(capsys: Captured, own: Path) -> None:
    write(own, preset(), stage="staging")
    assert row(show(capsys, "--set", "full"), "Purchase")[3] == "Purchase"
    custom = show(capsys, "--set", "custom", "--stage", "staging")
    assert custom[0] == "mappings/staging.json (custom)"
    assert len(custom) == 4 + 1


def test_fields_that_differ_from_the_default_are_named(capsys: Captured, own: Path) -> None:
    fields = {"event": {"@path": "$.event"}, "value": {"@path": "$.v"}, "email": None}
    write(own, preset(mapping=fields, enabled=False))
    assert row(show(capsys, "--set", "custom"), "Cart") == [
        "Cart",
        "no",
        'track "Product Added"',
        "(from the event)",
        "email, value",
    ]


@pytest.mark.parametrize(("terminal", "widest"), [(None, 120), ("80", 100), ("100", 100)])
def test_long_cells_go_on_in_further_lines(
    capsys: Captured,
    own: Path,
    monkeypatch: pytest.MonkeyPatch,
    terminal: str | None,
    widest: int,
) -> None:
    trigger = " and ".join(f'properties.category_{number} = "Shoes"' for number in range(9))
    fields = dict.fromkeys(("email", "phone_number", "order_id", "currency", "value", "url"))
    write(own, preset(name="N" * 60, subscribe=trigger, mapping={"event": "A", **fields}))
    if terminal:
        monkeypatch.setenv("COLUMNS", terminal)
    lines = show(capsys, "--set", "custom")
    assert max(map(len, lines)) <= widest
    printed = " ".join(" ".join(lines).split())
    for number in range(9):
        assert f"category_{number}" in printed
    assert all(field in printed for field in fields)


# ------------------------------------------------------------------ one event


def test_every_field_of_an_event_is_shown_with_where_it_comes_from(
    capsys: Captured, tmp_path: Path
) -> None:
    lines = show_event(capsys, samples.read("add-to-cart"), tmp_path, "--region", "US")
    assert any(line.endswith("event.json: 1 of 7 mappings match") for line in lines)
    lines = lines[lines.index("Add to Cart") :]
    assert row(lines, "event") == ["event", '"AddToCart"', "(constant)"]
    assert row(lines, "email") == [
        "email",
        '" Jane.Doe@Example.com "',
        "$.context.traits.email",
    ]
    assert row(lines, "value") == ["value", "18.99", "$.properties.value"]
    assert row(lines, "content_type") == ["content_type", '"product"', "(constant)"]
    assert row(lines, "contents")[-1] == "$.properties"


def test_the_payload_is_what_the_function_sends(capsys: Captured, tmp_path: Path) -> None:
    sent = payload(show_event(capsys, samples.read("add-to-cart"), tmp_path, "--region", "US"))
    assert (sent["event_source"], sent["event_source_id"]) == ("web", "<pixel code>")
    (event,) = sent["data"]
    assert event["event"] == "AddToCart"
    assert event["user"]["phone"] != []
    assert event["properties"]["contents"][0]["content_id"] == "507f1f77"


def test_each_mapping_that_matches_is_shown(capsys: Captured, own: Path, tmp_path: Path) -> None:
    write(own, preset(), preset(name="Again", mapping={"event": "Again"}))
    lines = show_event(capsys, samples.read("add-to-cart"), tmp_path, "--set", "custom")
    assert any(line.endswith("2 of 2 mappings match") for line in lines)
    assert lines.count("TikTok gets:") == 2


def test_a_mapping_that_is_one_directive_names_no_path_for_a_field(
    capsys: Captured, own: Path, tmp_path: Path
) -> None:
    merge = {"@merge": {"direction": "right", "objects": [{"event": "A"}, {"@path": "$.mapped"}]}}
    write(own, {"name": "All", "subscribe": 'type = "track"', "mapping": merge})
    event = samples.read("add-to-cart") | {"mapped": {"order_id": "o"}}
    lines = show_event(capsys, event, tmp_path, "--set", "custom")
    assert row(lines, "order_id") == ["order_id", '"o"', "(the mapping as a whole)"]


def test_an_object_that_the_event_left_empty_is_no_constant(
    capsys: Captured, tmp_path: Path
) -> None:
    lines = show_event(capsys, samples.read("search"), tmp_path)
    assert row(lines, "address") == ["address", "{}", "(nothing found)"]


@pytest.mark.parametrize(
    ("sample", "told"),
    [
        ("ignored-identify", "ignored: not_mapped"),
        ("rejected-no-identifier", "rejected: identifier_missing"),
        ("rejected-too-old", "rejected: event_time_too_old"),
    ],
)
def test_an_event_that_is_not_sent_says_why(
    capsys: Captured, tmp_path: Path, sample: str, told: str
) -> None:
    assert told in show_event(capsys, samples.read(sample), tmp_path)


def test_what_is_left_out_is_told(capsys: Captured, tmp_path: Path) -> None:
    lines = show_event(capsys, samples.read("partly-unusable"), tmp_path)
    assert "TikTok gets:" in lines
    assert [line for line in lines if line.startswith("cannot be sent: ")]


STRANGE = {
    "type": "track",
    "messageId": "m-\ud83d",
    "userId": "u",
    "event": "Product Added",
    "properties": {"name": "Zürich 東京 \ud83d", "query": "\ud800", "category": "\x1b[31m"},
}


def test_text_of_any_script_and_halves_of_characters_can_be_shown(
    capsys: Captured, tmp_path: Path
) -> None:
    lines = show_event(capsys, STRANGE, tmp_path)
    assert "Zürich 東京 \\ud83d" in "\n".join(lines)


def test_a_terminal_without_these_characters_does_not_stop_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(STRANGE))
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="ascii"))
    assert show_mappings.main(["--event", str(file)]) == 0
    sys.stdout.flush()
    assert b"Z\\xfcrich \\u6771\\u4eac \\ud83d" in written.getvalue()


# ------------------------------------------------------------------ what is wrong


def errors(capsys: Captured, *arguments: str) -> list[str]:
    """The lines it complains with where something cannot be used."""
    assert show_mappings.main(arguments) == 1
    lines = capsys.readouterr().err.splitlines()
    return [line for line in lines if "warning: " not in line]


def test_every_file_is_checked_whichever_is_shown(capsys: Captured, own: Path) -> None:
    write(own, preset(mapping={"event": "AddToCart", "content_type": "car"}), stage="dev")
    write(own, preset(subscribe="event"), stage="prod")
    first, second = errors(capsys)
    assert first == (
        'mappings/dev.json: "Cart": content_type: must be one of: product, product_group; got "car"'
    )
    assert second.startswith('mappings/prod.json: "Cart": subscribe: column 6: expected one of')


def test_warnings_name_the_file_and_stop_nothing(capsys: Captured, own: Path) -> None:
    write(own, preset(mapping={"event": "AddToCart", "emial": {"@path": "$.e"}}))
    assert show_mappings.main(["--set", "custom"]) == 0
    assert (
        'mappings/dev.json: warning: "Cart": emial: is not a field of TikTok\'s and is not sent; '
        "did you mean email?"
    ) in capsys.readouterr().err.splitlines()


def test_a_stage_without_a_file(capsys: Captured, own: Path) -> None:
    write(own, preset())
    assert errors(capsys, "--set", "custom", "--stage", "prod") == [
        "mappings/prod.json: there is no such file; beside it: dev.json"
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file or directory"),
        ("{", "Expecting property name"),
        ("[" * 100_000, "recursion"),
        ("[]", "expected one Segment event, an object"),
    ],
)
def test_an_event_file_that_cannot_be_used(
    capsys: Captured, tmp_path: Path, content: str | None, problem: str
) -> None:
    file = tmp_path / "event.json"
    if content is not None:
        file.write_text(content)
    (error,) = errors(capsys, "--event", str(file))
    assert error.startswith(f"{file}: ")
    assert problem in error
