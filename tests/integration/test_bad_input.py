"""Bad input gets the documented response, and never costs another event."""

from __future__ import annotations

import base64
import copy
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.harness import STATUSES, Answer, Forward, Output, World
from tests.problems import PROBLEM_CODES, PROBLEMS
from tiktok_pixel.mapping import load_mapping_set
from tiktok_pixel.tiktok import schema
from tools.sandbox import samples

GOOD = samples.read("place-an-order")
# Why an event is ignored.
IGNORED = {"not_mapped", "type_unknown", "duplicate_in_batch", "integration_disabled"}


def post(application: Forward, text: str) -> Answer:
    """Post a body, signed."""
    return application.post(samples.http_event(text, samples.sign(text.encode())))


def assert_sound(answer: Answer, output: Output) -> None:
    """Check that no bug was hit, and that reasons and metrics are in the closed lists."""
    for row in answer.rows:
        assert row["status"] in ("forwarded", "ignored", "rejected"), row
        assert row["reason"] in PROBLEM_CODES | IGNORED | {"tiktok_accepted"}, row
    failures = {f"ValidationFailure[{field},{rule}]" for field, rule in PROBLEMS}
    known = {
        "EventsReceived",
        "EventsForwarded",
        "EventsIgnored",
        "EventsRejected",
        "ValidationFailure",
    }
    forwarded = {f"EventsForwarded[{row['event']}]" for row in answer.rows}
    known |= forwarded | {"PurchasesForwarded", "TikTokLatency"}
    assert output.metrics.keys() <= known | failures
    assert output.metrics["EventsReceived"] == len(answer.rows)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "body_missing"),
        ("{", "body_not_json"),
        ("null", "body_not_an_event"),
        ("[]", "batch_empty"),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "body_nested_too_deeply"),
    ],
    ids=lambda text: text[:24],
)
def test_a_body_without_an_event_is_refused(
    world: World, application: Forward, output: Output, text: str, reason: str
) -> None:
    answer = post(application, text)

    assert answer.status == 400
    assert answer.body == {
        "status": "rejected",
        **dict.fromkeys(STATUSES, 0),
        "results": [],
        "reason": reason,
    }
    assert world.tiktok.requests == []
    assert output.metrics == {"RequestsRefused": 1}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("%%%", "body_not_base64"),
        ("e30", "body_not_base64"),
        ("ü", "body_not_base64"),
        ("e30=\n", "body_not_base64"),
        (base64.b64encode(b"\xff\xfe").decode(), "body_not_utf8"),
        (
            base64.b64encode('{"a":"\ud83d"}'.encode("utf-8", "surrogatepass")).decode(),
            "body_not_utf8",
        ),
    ],
)
def test_a_body_that_cannot_be_decoded_is_refused(
    world: World, application: Forward, text: str, reason: str
) -> None:
    answer = application.post(samples.http_event(text, "0" * 40, base64=True))

    assert (answer.status, answer.body["reason"]) == (400, reason)
    assert world.tiktok.requests == []


@pytest.mark.parametrize("event", [[], "text", None, 5])
def test_a_direct_invocation_without_an_event_is_rejected(application: Forward, event: Any) -> None:
    body = application.invoke(event)

    assert (body["status"], body["results"]) == ("rejected", [])


def padded(size: int, filling: str = "x") -> str:
    """A valid event in a body of exactly so many bytes."""
    empty = json.dumps(GOOD | {"padding": ""}, separators=(",", ":"), ensure_ascii=False)
    room = size - len(empty.encode())
    width = len(filling.encode())
    fill = filling * (room // width) + "x" * (room % width)
    return empty.replace('"padding":""', f'"padding":"{fill}"')


@pytest.mark.parametrize("filling", ["x", "ü", "東", "\U0001f600"])
@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize(("size", "http_status"), [(5_000_000, 200), (5_000_001, 413)])
def test_a_body_has_at_most_five_million_bytes(
    application: Forward,
    filling: str,
    encoded: bool,
    size: int,
    http_status: int,
) -> None:
    text = padded(size, filling)
    signature = samples.sign(text.encode())
    body = base64.b64encode(text.encode()).decode() if encoded else text

    answer = application.post(samples.http_event(body, signature, base64=encoded))

    assert answer.status == http_status
    assert answer.body.get("reason") == (None if http_status == 200 else "body_too_large")


@pytest.mark.parametrize(
    ("event", "status", "reason"),
    [
        ({}, "rejected", "type_missing"),
        (GOOD | {"type": None}, "rejected", "type_missing"),
        (GOOD | {"type": 5}, "rejected", "type_not_a_string"),
        (GOOD | {"type": "delete"}, "ignored", "type_unknown"),
        (GOOD | {"type": "TRACK"}, "ignored", "type_unknown"),
        (GOOD | {"messageId": None}, "rejected", "message_id_missing"),
        (GOOD | {"messageId": " "}, "rejected", "message_id_missing"),
        (GOOD | {"messageId": {}}, "rejected", "message_id_not_a_string"),
        ({k: GOOD[k] for k in GOOD if k != "messageId"}, "rejected", "message_id_missing"),
        (GOOD | {"event": "Something Else"}, "ignored", "not_mapped"),
        (GOOD | {"event": None}, "ignored", "not_mapped"),
        (GOOD | {"timestamp": "soon"}, "rejected", "event_time_unparsable"),
        (GOOD | {"timestamp": 5}, "rejected", "event_time_unparsable"),
        (GOOD | {"timestamp": "2999-01-01T00:00:00Z"}, "rejected", "event_time_in_future"),
        (GOOD | {"userId": None, "anonymousId": None, "context": None}, "forwarded", None),
        (
            GOOD | {"userId": None, "anonymousId": None, "context": None, "properties": None},
            "rejected",
            "identifier_missing",
        ),
        (GOOD | {"properties": None}, "forwarded", None),
        (GOOD | {"properties": []}, "forwarded", None),
        (GOOD | {"properties": "text"}, "forwarded", None),
        (GOOD | {"context": [GOOD]}, "forwarded", None),
        (GOOD | {"messageId": "\ud83d"}, "forwarded", None),
        (GOOD | {"messageId": "x" * 10_000}, "forwarded", None),
    ],
)
def test_an_event_has_one_outcome_and_reason(
    world: World,
    application: Forward,
    event: dict[str, Any],
    status: str,
    reason: str | None,
) -> None:
    world.tiktok.settings.page_url_required = False

    answer = post(application, json.dumps(event))

    assert (answer.row["status"], answer.row["reason"]) == (status, reason or "tiktok_accepted")
    assert answer.status == (400 if status == "rejected" else 200)


def test_junk_in_a_batch_is_rejected_alone(
    world: World, application: Forward, output: Output
) -> None:
    junk: list[Any] = [None, True, 5, 1.5, "text", [], [GOOD], {}, {"json": 5}, {"a": {"b": []}}]
    body = [*junk, GOOD, *junk]

    answer = post(application, json.dumps(body))

    assert (answer.status, answer.body["forwarded"]) == (200, 1)
    assert world.tiktok.event_ids == {GOOD["messageId"]}
    assert len(answer.rows) == 21
    assert_sound(answer, output)


@pytest.mark.parametrize(
    "token",
    ["9" * 5000, "-" + "9" * 5000, "1e999", "9" * 400, "0." + "1" * 5000, "1e-400", "-0"],
    ids=lambda text: f"{text[:5]} of {len(text)} digits",
)
def test_a_number_without_bounds_costs_at_most_its_field(
    application: Forward, output: Output, token: str
) -> None:
    event = copy.deepcopy(GOOD)
    event["properties"]["total"] = event["properties"]["revenue"] = "@@"
    event["properties"]["order_id"] = event["properties"]["products"][0]["quantity"] = "@@"
    text = json.dumps([event, GOOD | {"messageId": "m-2"}]).replace('"@@"', token)

    answer = post(application, text)

    assert (answer.status, answer.body["forwarded"]) == (200, 2)
    assert len(answer.rows) == 2
    assert_sound(answer, output)


@pytest.mark.parametrize("depth", [50, 200])
def test_a_deeply_nested_value_costs_at_most_its_field(application: Forward, depth: int) -> None:
    event = copy.deepcopy(GOOD)
    nested: Any = "x"
    for _ in range(depth):
        nested = [nested]
    event["properties"]["order_id"] = event["context"]["traits"] = nested

    answer = post(application, json.dumps(event))

    assert answer.end == ("forwarded", "tiktok_accepted")


def _paths(node: Any) -> Iterator[tuple[str, ...]]:
    """Every path of an event that a mapping reads."""
    for key, value in node.items() if isinstance(node, dict) else ():
        if key == "@path":
            yield tuple(value.removeprefix("$.").split("."))
        elif key == "@first":
            for candidate in value:
                yield from _paths({"@path": candidate} if isinstance(candidate, str) else candidate)
        elif key == "@arrayPath":
            root = tuple(value[0].removeprefix("$.").split("."))
            yield root
            yield from ((*root, "0", *below) for below in _paths(value[1]))
            yield from ((*root, *below) for below in _paths(value[1]))
        else:
            yield from _paths(value)


MAPPED_PATHS = sorted(
    {
        *itertools.chain.from_iterable(
            _paths(mapping.fields)
            for mapping in load_mapping_set(schema.shipped("default"), schema).mappings
        ),
        *(("type",), ("event",), ("messageId",), ("timestamp",), ("originalTimestamp",)),
        *(("properties",), ("traits",), ("context",), ("integrations",), ("context", "page")),
        *(("context", "traits"), ("context", "traits", "address"), ("context", "consent")),
        *(("integrations", "All"), ("integrations", "TikTok Pixel"), ("context", "externalIds")),
        *(("context", "externalIds", "0"), ("context", "externalIds", "0", "id")),
    }
)
OF_EVERY_TYPE: list[Any] = [
    *(None, True, False, 0, -1, 7, 1.5, 1e300, 10**400),
    *("", " ", "text", "0", "\ud83d", "\u2028\x00", "x" * 2000),
    *([], [None], [[]], [{}], ["a", "b"], [1, 2]),
    *({}, {"a": {"b": []}}, {"id": "text"}),
]


def put(event: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Put a value into an event, with the objects above it."""
    node: Any = event
    for here, below in itertools.pairwise(path):
        if isinstance(node, list):
            node = node[int(here)]
        else:
            if not isinstance(node.get(here), dict | list):
                node[here] = [{}] if below == "0" else {}
            node = node[here]
    if isinstance(node, list):
        node[0 if path[-1] == "0" else slice(None)] = value if path[-1] == "0" else [value]
    else:
        node[path[-1]] = value


def test_the_paths_include_those_of_the_default_mappings() -> None:
    assert len(MAPPED_PATHS) > 80
    assert {
        ("properties", "products", "0", "price"),
        ("properties", "price"),
        ("context", "traits", "address", "postalCode"),
        ("integrations", "Tiktok Conversions", "ttclid"),
        ("userId",),
    } <= set(MAPPED_PATHS)


@pytest.mark.parametrize("name", ["view-content", "search", "add-to-cart", "place-an-order"])
@pytest.mark.parametrize("minimal", [False, True])
def test_wrong_types_in_every_field(
    world: World,
    application: Forward,
    output: Output,
    name: str,
    minimal: bool,
) -> None:
    """Whatever a field holds, TikTok accepts what is sent."""
    world.tiktok.settings.page_url_required = False
    base = samples.read(name)
    if minimal:
        base = {key: base[key] for key in ("type", "event", "anonymousId") if key in base}
    events = []
    for number, (path, value) in enumerate(itertools.product(MAPPED_PATHS, OF_EVERY_TYPE)):
        event = copy.deepcopy(base) | {"messageId": f"m-{number}"}
        put(event, path, value)
        events.append(event)

    for start in range(0, len(events), 500):
        world.tiktok.forget()
        output.clear()
        part = events[start : start + 500]
        answer = post(application, json.dumps(part))

        assert len(answer.rows) == len(part)
        assert_sound(answer, output)
        # Events without a page go in a request of their own.
        assert len(world.tiktok.requests) <= 2
        assert not answer.ids("parked", "retry"), "TikTok refused something"
