"""Pasted events and mappings, in the shapes that people have them."""

import json
from typing import Any

import pytest

from tools.studio.pasted import PastedError, parse_events, parse_mappings, paths_in

EVENT = {"type": "track", "event": "A"}
PRESET = {"name": "A", "subscribe": 'event = "A"', "mapping": {"event": "Lead"}}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (json.dumps(EVENT), 1),
        (json.dumps([EVENT, EVENT]), 2),
        (json.dumps({"batch": [EVENT, EVENT, EVENT]}), 3),
        (f"{json.dumps(EVENT)}\n\n{json.dumps(EVENT)}\n", 2),
    ],
)
def test_events_are_read(text: str, count: int) -> None:
    assert parse_events(text) == (EVENT,) * count


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (" \n", "paste a Segment event"),
        ("{", "not JSON"),
        ('{"type": "track"}\n{"type":', "line 2 is not JSON"),
        ("[]", "there is no event in it"),
        ("[1]", "event 1 must be an object"),
        ("7", "event 1 must be an object"),
        (json.dumps([{}] * 10_001), "10,001 events; at most 10,000"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_other_text_is_refused(text: str, problem: str) -> None:
    with pytest.raises(PastedError, match=problem):
        parse_events(text)


SUBSCRIPTION = {"name": "A", "trigger": 'event = "A"', "settings": {"event": "Lead"}}


@pytest.mark.parametrize(
    "content",
    [
        PRESET,
        [PRESET],
        {"presets": [PRESET]},
        {"data": {"subscriptions": [SUBSCRIPTION]}},
        SUBSCRIPTION,
    ],
)
def test_mappings_are_read(content: Any) -> None:
    assert parse_mappings(json.dumps(content)) == (PRESET,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not JSON"),
        ("[]", "there is no mapping in it"),
        ("3", "there is no mapping in it"),
        (json.dumps(EVENT), "there is no mapping in it"),
        (json.dumps([PRESET, 1]), "mapping 2 must be an object"),
    ],
)
def test_what_is_not_a_mapping_is_refused(text: str, problem: str) -> None:
    with pytest.raises(PastedError, match=problem):
        parse_mappings(text)


def test_paths_lead_to_values() -> None:
    event = {"type": "track", "properties": {"total": 1, "a b": 2, "products": [{"id": 1}]}}
    assert paths_in(event) == ("$.type", "$.properties.total", "$.properties.products")


def test_paths_of_a_deep_or_huge_event_are_bounded() -> None:
    deep: dict[str, Any] = {}
    for _ in range(50):
        deep = {"a": deep, "b": 1}
    assert 0 < len(paths_in(deep)) < 50
    assert len(paths_in({str(number): 1 for number in range(10_000)})) == 500
