"""What is counted of each event."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tiktok_pixel.mapping import compile_mapping_set, load_mapping_set
from tiktok_pixel.settings import Settings
from tiktok_pixel.tiktok import schema
from tiktok_pixel.tiktok.identifiers import MATCH_KEYS as LAYER_KEYS
from tools.pixel.audit import tally as tally_module
from tools.pixel.audit.tally import MATCH_KEYS, OTHERS, Tally
from tools.pixel.audit.workers import Auditor
from tools.sandbox import samples

SETTINGS = Settings(stage="dev", parameter_prefix="/p", default_phone_region="US")


def audit(*events: Any) -> Tally:
    auditor = Auditor(load_mapping_set(schema.shipped("default"), schema), SETTINGS)
    return auditor.audit_lines("\n".join(map(json.dumps, events)).encode())


def visit(**changes: Any) -> dict[str, Any]:
    page = {"url": "https://shop.example/"}
    visit = {"type": "page", "messageId": "m", "userId": "u", "context": {"page": page}}
    return visit | changes


def test_the_match_keys_are_those_of_the_layer() -> None:
    assert set(MATCH_KEYS) == {row.key for row in LAYER_KEYS} - {"locale"}


def test_an_event_that_would_be_sent() -> None:
    counted = audit(samples.read("place-an-order")).as_json()
    assert counted["events"] == 1
    assert counted["outcomes"] == {"forwarded": 1}
    assert counted["reasons"] == {}
    (order,) = counted["tiktok_events"].values()
    assert (order["events"], order["with_value"]) == (1, 1)
    assert {key for key, count in order["match_keys"].items() if count} == {
        *("email", "phone", "external_id", "ip", "user_agent"),
        *("first_name", "last_name", "city", "state", "zip_code", "country"),
    }


def test_a_value_without_a_currency_does_not_count() -> None:
    cart = samples.read("add-to-cart")
    del cart["properties"]["currency"]
    assert audit(cart).tiktok_events["AddToCart"].with_value == 0


def test_a_rejected_event() -> None:
    counted = audit(samples.read("rejected-no-identifier")).as_json()
    assert counted["outcomes"] == {"rejected": 1}
    assert counted["reasons"] == {"identifier_missing": 1}
    assert counted["tiktok_events"] == {}
    assert counted["problems"]["identifier_missing"] == {
        "events": 1,
        "examples": ["sample-rejected-no-identifier"],
    }


def test_values_that_are_left_out_are_counted_once_for_each_event() -> None:
    events = [samples.read("partly-unusable") | {"messageId": f"m-{n}"} for n in range(5)]
    problem = audit(*events).problems["email_not_an_address"]
    assert (problem.events, problem.examples) == (5, ["m-0", "m-1", "m-2"])


def test_example_ids_are_shown_whole() -> None:
    message_id = "ajs-next-1695116400000-5f0c5a1e"
    counted = audit(samples.read("partly-unusable") | {"messageId": message_id})
    assert counted.problems["email_not_an_address"].examples == [message_id]


def test_unmapped_events_are_counted_by_name_or_type() -> None:
    tracked = {"type": "track", "messageId": "m", "userId": "u", "event": "Signed In"}
    counted = audit(tracked, tracked, {"type": "identify", "messageId": "m", "userId": "u"})
    assert counted.as_json()["unmapped"] == {"Signed In": 2, "(identify)": 1}


def test_events_are_counted_by_mapping() -> None:
    assert audit(visit(), visit(), samples.read("search")).mappings == {
        "View Content": 2,
        "Search": 1,
    }


@pytest.mark.parametrize("line", [b"{", b"1", b"\xff", b"[" * 100_000, b'{"a": NaN}'])
def test_bad_lines_are_counted(line: bytes) -> None:
    auditor = Auditor(load_mapping_set(schema.shipped("default"), schema), SETTINGS)
    good = json.dumps(visit()).encode()
    counted = auditor.audit_lines(b"\n".join([good, line, b"", b"  \r", good]))
    assert (counted.events, counted.bad_lines) == (2, 1)


@pytest.mark.parametrize("name", ["receivedAt", "timestamp"])
def test_history_is_not_too_old(name: str) -> None:
    old = "2020-01-01T00:00:00.000Z"
    assert audit(visit(timestamp=old) | {name: old}).outcomes == {"forwarded": 1}


def test_an_event_that_was_old_when_it_was_received_is_too_old() -> None:
    old = visit(timestamp="2020-01-01T00:00:00Z", receivedAt="2020-03-01T00:00:00Z")
    assert audit(old).reasons == {"event_time_too_old": 1}


def test_names_and_message_ids_have_no_personal_data() -> None:
    person = "jane.doe@example.com"
    tracked = {"type": "track", "messageId": person, "event": f"Mail to {person}"}
    cart = samples.read("partly-unusable") | {"messageId": person}
    assert person not in json.dumps(audit(tracked, cart, visit(type=person)).as_json())


def test_a_dynamic_event_name_has_no_personal_data() -> None:
    mapping = {"name": "A", "subscribe": 'type = "track"', "defaults": True}
    mapping["mapping"] = {"event": {"@path": "$.event"}}
    auditor = Auditor(compile_mapping_set([mapping], schema, source="test"), SETTINGS)
    event = visit(type="track", event="jane@example.com")
    assert "jane" not in json.dumps(auditor.audit_lines(json.dumps(event).encode()).as_json())


def test_the_number_of_names_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally_module, "_MOST_NAMES", 3)
    monkeypatch.setattr(tally_module, "_SHOWN_NAMES", 2)
    names = ["A", "A", "A", "B", "B", "C", "D", "E"]
    tracked = [{"type": "track", "messageId": "m", "event": name} for name in names]
    total = Tally()
    for part in (tracked[:4], tracked[4:]):
        total.merge(audit(*part))
    assert set(total.unmapped) == {"A", "B", "C", OTHERS}
    assert total.shown_unmapped() == {"A": 3, "B": 2, OTHERS: 3}


def test_rare_tiktok_events_are_shown_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally_module, "_SHOWN_NAMES", 1)
    shown = dict(audit(visit(), visit(), samples.read("search")).sorted_events())
    assert {name: events.events for name, events in shown.items()} == {"ViewContent": 2, OTHERS: 1}


def test_merging_sums_everything() -> None:
    events = [samples.read(name) for name in samples.names()]
    total = Tally()
    for event in events:
        total.merge(audit(event))
    assert total.as_json() == audit(*events).as_json()
