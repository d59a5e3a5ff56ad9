"""Check what every Segment event must have."""

from __future__ import annotations

from typing import Any

import pytest

from tiktok_pixel.segment.errors import InvalidSegmentEventError
from tiktok_pixel.segment.event import TYPES, read_event

TRACK = {"type": "track", "messageId": "m-1", "event": "Product Added"}


def test_reads_message_id_and_type_and_keeps_the_event() -> None:
    event = read_event(TRACK)

    assert (event.message_id, event.type, event.type in TYPES) == ("m-1", "track", True)
    assert event.raw is TRACK


@pytest.mark.parametrize("kind", ["track", "page", "screen", "identify", "group", "alias"])
def test_knows_the_calls_of_segments_spec(kind: str) -> None:
    assert read_event({"type": kind, "messageId": "m-1"}).type in TYPES


@pytest.mark.parametrize("kind", ["delete", "Track", "track ", "\ud83d"])
def test_another_type_is_unknown_but_valid(kind: str) -> None:
    assert read_event({"type": kind, "messageId": "m-1"}).type not in TYPES


def test_an_unknown_type_needs_no_message_id() -> None:
    assert read_event({"type": "delete"}).message_id == ""


@pytest.mark.parametrize("value", [None, True, 5, 1.5, "track", [], [TRACK]])
def test_refuses_values_that_are_not_objects(value: object) -> None:
    with pytest.raises(InvalidSegmentEventError, match=r"^event_not_an_object$"):
        read_event(value)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (None, "type_missing"),
        ("", "type_missing"),
        (5, "type_not_a_string"),
        (True, "type_not_a_string"),
        (["track"], "type_not_a_string"),
        ({"type": "track"}, "type_not_a_string"),
    ],
)
def test_refuses_an_event_without_a_type_and_reports_its_message_id(kind: Any, reason: str) -> None:
    with pytest.raises(InvalidSegmentEventError) as raised:
        read_event({"type": kind, "messageId": "m-1"})

    assert (raised.value.problem.code, raised.value.message_id) == (reason, "m-1")


def test_an_empty_object_lacks_a_type() -> None:
    with pytest.raises(InvalidSegmentEventError, match=r"^type_missing$"):
        read_event({})


@pytest.mark.parametrize(
    ("message_id", "reason"),
    [
        (None, "message_id_missing"),
        ("", "message_id_missing"),
        (" \t\u00a0\ufeff", "message_id_missing"),
        (True, "message_id_not_a_string"),
        (["m-1"], "message_id_not_a_string"),
        ({}, "message_id_not_a_string"),
        (float("inf"), "message_id_not_a_string"),
        pytest.param(10**400, "message_id_not_a_string", id="401 digits"),
    ],
)
def test_refuses_an_event_without_a_message_id(message_id: Any, reason: str) -> None:
    with pytest.raises(InvalidSegmentEventError) as raised:
        read_event(TRACK | {"messageId": message_id})

    assert (raised.value.problem.code, raised.value.message_id) == (reason, None)


@pytest.mark.parametrize(
    ("message_id", "expected"),
    [(17, "17"), (0, "0"), (1.5, "1.5"), (2.0, "2"), (1e21, "1e+21"), (1e-7, "1e-7")],
)
def test_a_numeric_message_id_is_printed_as_in_javascript(message_id: float, expected: str) -> None:
    """TikTok refuses an ``event_id`` that is a number."""
    assert read_event(TRACK | {"messageId": message_id}).message_id == expected


def test_white_space_around_a_message_id_stays() -> None:
    """The browser pixel sends it too, and deduplication compares exactly."""
    assert read_event(TRACK | {"messageId": " m-1 "}).message_id == " m-1 "
