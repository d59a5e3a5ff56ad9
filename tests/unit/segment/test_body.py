"""Parse request bodies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tiktok_pixel.segment.body import events_of, parse_events
from tiktok_pixel.segment.errors import InvalidBodyError
from tiktok_pixel.segment.nesting import NESTED_TOO_DEEPLY

ONE = {"type": "track", "messageId": "m-1"}
TWO = {"type": "page", "messageId": "m-2"}


@pytest.mark.parametrize(
    ("body", "events"),
    [
        pytest.param(ONE, [ONE], id="one event"),
        pytest.param([ONE], [ONE], id="a batch of one"),
        pytest.param([ONE, TWO], [ONE, TWO], id="Webhooks (Actions)"),
        pytest.param([{"json": ONE}, {"json": TWO}], [ONE, TWO], id="Extensible Webhook"),
        pytest.param([{"json": ONE}, TWO], [ONE, TWO], id="wrapped and bare"),
        pytest.param({"batch": [ONE, TWO]}, [ONE, TWO], id="HTTP Tracking API"),
        pytest.param({"batch": [ONE], "sentAt": "2026-01-01"}, [ONE], id="with its envelope"),
        pytest.param(ONE | {"batch": [TWO]}, [ONE | {"batch": [TWO]}], id="an event with `batch`"),
        pytest.param({"batch": "B-7"}, [{"batch": "B-7"}], id="`batch` that is no list"),
        pytest.param([{"json": "text"}], [{"json": "text"}], id="a wrapper of no event"),
        pytest.param([ONE | {"json": TWO}], [ONE | {"json": TWO}], id="an event with `json`"),
        pytest.param([1, None, "x", []], [1, None, "x", []], id="junk is left to the reader"),
        pytest.param({}, [{}], id="an empty object"),
    ],
)
def test_parses_every_form_of_body(body: Any, events: list[Any]) -> None:
    assert events_of(body) == events
    assert parse_events(json.dumps(body)) == events


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "body_missing"),
        (" \r\n\t", "body_missing"),
        ("{", "body_not_json"),
        ('{"type":"track"', "body_not_json"),
        ("type=track", "body_not_json"),
        ("{'type': 'track'}", "body_not_json"),
        ('{"type":"track"} x', "body_not_json"),
        ('\ufeff{"type":"track"}', "body_not_json"),
        ('{"value":NaN}', "body_not_json"),
        ('{"value":Infinity}', "body_not_json"),
        ('{"value":-Infinity}', "body_not_json"),
        ('{"value":01}', "body_not_json"),
        ('{"value":"\n"}', "body_not_json"),
        ('{"big":' + "9" * 5000 + ',"value":NaN}', "body_not_json"),
        ("null", "body_not_an_event"),
        ("5", "body_not_an_event"),
        ('"track"', "body_not_an_event"),
        ("true", "body_not_an_event"),
        ("[]", "batch_empty"),
        ('{"batch":[]}', "batch_empty"),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "body_nested_too_deeply"),
        ("[" * 50_000, "body_not_json"),
        ("[1," + "[" * 50_000 + "]" * 50_000, "body_not_json"),
        ("[x," + "[" * 50_000 + "]" * 50_001, "body_not_json"),
        ('{"batch":[' + "[" * 50_000 + "]" * 50_000 + "}", "body_not_json"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else None,
)
def test_refuses_bodies_without_an_event(text: str, reason: str) -> None:
    with pytest.raises(InvalidBodyError) as raised:
        parse_events(text)

    assert raised.value.reason == reason


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("9" * 5000, float("inf")),
        ("-" + "9" * 5000, float("-inf")),
        ("1" + "0" * 300, 10**300),
        ("123456789012345678", 123456789012345678),
    ],
)
def test_an_oversized_number_does_not_fail_the_batch(digits: str, expected: float) -> None:
    """Python limits the digits of an integer, JavaScript does not."""
    events = parse_events(f'[{{"messageId":"m-1","value":{digits}}},{{"messageId":"m-2"}}]')

    assert events == [{"messageId": "m-1", "value": expected}, {"messageId": "m-2"}]


def test_integers_next_to_an_oversized_number_stay_exact() -> None:
    (event,) = parse_events(f'{{"a":{"9" * 5000},"b":12345678901234567}}')

    assert event["b"] == 12345678901234567


def test_the_last_of_duplicate_keys_counts_as_in_javascript() -> None:
    assert parse_events('{"messageId":"m-1","messageId":"m-2"}') == [{"messageId": "m-2"}]


def test_lone_surrogates_are_text() -> None:
    assert parse_events('{"messageId":"\\ud83d"}') == [{"messageId": "\ud83d"}]


DEEP = "[" * 50_000 + "]" * 50_000


@pytest.mark.parametrize(
    ("text", "events"),
    [
        (f"[{DEEP}]", [NESTED_TOO_DEEPLY]),
        (f'[ {{"a":[1,"]}}"]}} , {DEEP},7 ]', [{"a": [1, "]}"]}, NESTED_TOO_DEEPLY, 7]),
        (f'[{DEEP},"\\"[{{"]', [NESTED_TOO_DEEPLY, '"[{']),
        (f'[{{"json":{{"b":1}}}},{DEEP}]', [{"b": 1}, NESTED_TOO_DEEPLY]),
        (f'{{"batch":[1.5,{DEEP}]}}', [1.5, NESTED_TOO_DEEPLY]),
        (f'{{"x":{DEEP},"batch":[1]}}', [1]),
        ("[" + "9" * 5000 + f",{DEEP}]", [float("inf"), NESTED_TOO_DEEPLY]),
    ],
    ids=["alone", "inside", "strings", "wrapped", "batch", "beside a batch", "long integer"],
)
def test_a_value_that_is_nested_too_deeply_stands_alone(text: str, events: list[Any]) -> None:
    assert parse_events(text) == events
