"""Whatever comes in is answered as documented, and nothing is lost on the way."""

from __future__ import annotations

import base64
import copy
import itertools
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tiktok_pixel.mapping import load_mapping_set
from tiktok_pixel.outcomes import shown_message_id
from tiktok_pixel.tiktok import schema
from tiktok_pixel.values.validation import FIELDS, RULES, Problem
from tools.sandbox import samples

if TYPE_CHECKING:
    from tests.integration.conftest import Output
    from tools.sandbox.application import ForwardApplication, HttpAnswer
    from tools.sandbox.tiktok import TikTokSandbox

COUNTS = ("forwarded", "ignored", "rejected", "parked", "retry")
GOOD = samples.read("place-an-order")
# Why a well-formed event is not sent, besides a problem of a field.
IGNORED = {"not_mapped", "type_unknown", "duplicate_in_batch", "integration_disabled"}


def post(application: ForwardApplication, text: str) -> HttpAnswer:
    """Post a body as it is, signed."""
    return application.post(samples.http_event(text, samples.sign(text.encode())))


def assert_nothing_lost(http: HttpAnswer, tiktok: TikTokSandbox, received: int) -> None:
    """Every event has one outcome, and TikTok has what is said to be forwarded."""
    assert len(http.body["results"]) == received
    assert sum(http.body[status] for status in COUNTS) == received
    for status in COUNTS:
        rows = [row for row in http.body["results"] if row["status"] == status]
        assert http.body[status] == len(rows)
    forwarded = [row["message_id"] for row in http.body["results"] if row["status"] == "forwarded"]
    accepted = [shown_message_id(accepted.event["event_id"]) for accepted in tiktok.accepted]
    assert accepted == forwarded


def assert_sound(http: HttpAnswer, output: Output) -> None:
    """No event met a mistake of ours, and reasons and metrics are of the closed lists."""
    codes = {Problem(field, rule).code for field in FIELDS for rule in RULES}
    for row in http.body["results"]:
        assert row["status"] in ("forwarded", "ignored", "rejected"), row
        assert row["reason"] in codes | IGNORED | {"tiktok_accepted"}, row
    failures = {f"ValidationFailure[{field},{rule}]" for field in FIELDS for rule in RULES}
    known = {"EventsReceived", "EventsForwarded", "EventsIgnored", "EventsRejected"}
    assert output.metrics.keys() <= known | failures | {"TikTokLatency"}
    assert output.metrics["EventsReceived"] == len(http.body["results"])


@pytest.mark.parametrize(
    ("text", "http_status", "reason"),
    [
        pytest.param("", 400, "body_missing", id="no body"),
        pytest.param("  \n", 400, "body_missing", id="blank"),
        pytest.param("{", 400, "body_not_json", id="cut off"),
        pytest.param("a=1&b=2", 400, "body_not_json", id="a form"),
        pytest.param('{"value":NaN}', 400, "body_not_json", id="NaN"),
        pytest.param('{"value":Infinity}', 400, "body_not_json", id="Infinity"),
        pytest.param("null", 400, "body_not_an_event", id="null"),
        pytest.param("5", 400, "body_not_an_event", id="a number"),
        pytest.param('"event"', 400, "body_not_an_event", id="a text"),
        pytest.param("[]", 400, "batch_empty", id="an empty batch"),
        pytest.param("[" * 50_000 + "]" * 50_000, 400, "body_nested_too_deeply", id="brackets"),
        pytest.param('{"a":' * 50_000, 400, "body_nested_too_deeply", id="braces"),
        pytest.param(
            f"[{'9' * 5000},{'[' * 50_000}",
            400,
            "body_nested_too_deeply",
            id="brackets after 5,000 digits",
        ),
    ],
)
def test_a_body_that_holds_no_event_is_refused_whole(  # a table's columns and what they meet
    application: ForwardApplication,
    tiktok: TikTokSandbox,
    output: Output,
    text: str,
    http_status: int,
    reason: str,
) -> None:
    http = post(application, text)

    assert http.status == http_status
    assert http.body == {
        "status": "rejected",
        **dict.fromkeys(COUNTS, 0),
        "results": [],
        "reason": reason,
    }
    assert tiktok.requests == []
    assert output.metrics == {"RequestsRefused": 1}


@pytest.mark.parametrize("body", [None, "absent"])
def test_a_request_without_a_body_is_not_authenticated(
    application: ForwardApplication, body: str | None
) -> None:
    event = samples.http_event("", None)
    if body is None:
        event["body"] = None
    else:
        del event["body"]

    assert application.post(event).status == 401


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
    application: ForwardApplication, tiktok: TikTokSandbox, text: str, reason: str
) -> None:
    http = application.post(samples.http_event(text, "0" * 40, base64=True))

    assert (http.status, http.body["reason"]) == (400, reason)
    assert tiktok.requests == []


def test_a_raw_lone_surrogate_is_not_signed_by_anybody(application: ForwardApplication) -> None:
    """It has no UTF-8, so no one could have sent it."""
    http = application.post(samples.http_event('{"type":"track","a":"\ud83d"}', "0" * 40))

    assert http.status == 401


def padded(size: int, filling: str = "x") -> str:
    """A good event in a body of exactly so many bytes."""
    empty = json.dumps(GOOD | {"padding": ""}, separators=(",", ":"), ensure_ascii=False)
    room = size - len(empty.encode())
    width = len(filling.encode())
    fill = filling * (room // width) + "x" * (room % width)
    return empty.replace('"padding":""', f'"padding":"{fill}"')


@pytest.mark.parametrize("filling", ["x", "ü", "東", "\U0001f600"])
@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize(("size", "http_status"), [(5_000_000, 200), (5_000_001, 413)])
def test_the_largest_body_has_five_million_bytes(
    application: ForwardApplication,
    filling: str,
    encoded: bool,  # a table's column
    size: int,
    http_status: int,
) -> None:
    text = padded(size, filling)
    signature = samples.sign(text.encode())
    body = base64.b64encode(text.encode()).decode() if encoded else text

    http = application.post(samples.http_event(body, signature, base64=encoded))

    assert http.status == http_status
    assert http.body.get("reason") == (None if http_status == 200 else "body_too_large")


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
def test_one_bad_event_has_one_reason(
    application: ForwardApplication,
    tiktok: TikTokSandbox,
    event: dict[str, Any],
    status: str,
    reason: str | None,
) -> None:
    tiktok.settings.page_url_required = False

    http = post(application, json.dumps(event))

    assert (http.row["status"], http.row["reason"]) == (status, reason or "tiktok_accepted")
    assert http.status == (400 if status == "rejected" else 200)
    assert_nothing_lost(http, tiktok, 1)


def test_junk_in_a_batch_costs_only_itself(
    application: ForwardApplication, tiktok: TikTokSandbox, output: Output
) -> None:
    junk: list[Any] = [None, True, 5, 1.5, "text", [], [GOOD], {}, {"json": 5}, {"a": {"b": []}}]
    body = [*junk, GOOD, *junk]

    http = post(application, json.dumps(body))

    assert (http.status, http.body["forwarded"]) == (200, 1)
    assert tiktok.event_ids == {GOOD["messageId"]}
    assert_nothing_lost(http, tiktok, 21)
    assert_sound(http, output)


def test_a_batch_of_nothing_but_junk_is_rejected(
    application: ForwardApplication, tiktok: TikTokSandbox
) -> None:
    http = post(application, json.dumps([1, None, "x", []]))

    assert (http.status, http.body["status"], http.body["rejected"]) == (400, "rejected", 4)
    assert tiktok.requests == []


@pytest.mark.parametrize(
    "token",
    ["9" * 5000, "-" + "9" * 5000, "1e999", "9" * 400, "0." + "1" * 5000, "1e-400", "-0"],
    ids=lambda text: f"{text[:5]} of {len(text)} digits",
)
def test_a_number_beyond_all_bounds_costs_a_field(
    application: ForwardApplication, tiktok: TikTokSandbox, output: Output, token: str
) -> None:
    event = copy.deepcopy(GOOD)
    event["properties"]["total"] = event["properties"]["revenue"] = "@@"
    event["properties"]["order_id"] = event["properties"]["products"][0]["quantity"] = "@@"
    text = json.dumps([event, GOOD | {"messageId": "m-2"}]).replace('"@@"', token)

    http = post(application, text)

    assert (http.status, http.body["forwarded"]) == (200, 2)
    assert_nothing_lost(http, tiktok, 2)
    assert_sound(http, output)


def test_of_duplicate_keys_the_last_counts(
    application: ForwardApplication, tiktok: TikTokSandbox
) -> None:
    text = json.dumps(GOOD)[:-1] + ',"messageId":"m-1","event":"Product Added","messageId":"m-2"}'

    http = post(application, text)

    assert (http.row["message_id"], http.row["event"]) == ("m-2", "AddToCart")
    assert tiktok.event_ids == {"m-2"}


def test_a_copy_in_the_batch_is_sent_once(
    application: ForwardApplication, tiktok: TikTokSandbox
) -> None:
    http = post(application, json.dumps([GOOD, GOOD]))

    assert [row["reason"] for row in http.body["results"]] == [
        "tiktok_accepted",
        "duplicate_in_batch",
    ]
    assert len(tiktok.accepted) == 1


@pytest.mark.parametrize("depth", [50, 200])
def test_nesting_that_can_be_read_costs_nothing(
    application: ForwardApplication, tiktok: TikTokSandbox, depth: int
) -> None:
    event = copy.deepcopy(GOOD)
    nested: Any = "x"
    for _ in range(depth):
        nested = [nested]
    event["properties"]["order_id"] = event["context"]["traits"] = nested

    http = post(application, json.dumps(event))

    assert http.row["status"] == "forwarded"
    assert_nothing_lost(http, tiktok, 1)


def _paths(node: Any) -> Iterator[tuple[str, ...]]:
    """Every place of an event that a mapping reads."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "@path" and isinstance(value, str):
                yield tuple(value.removeprefix("$.").split("."))
            else:
                yield from _paths(value)
    elif isinstance(node, list):
        if len(node) == 2 and isinstance(node[0], str) and node[0].startswith("$."):
            root = tuple(node[0].removeprefix("$.").split("."))
            yield root
            yield from ((*root, "0", *below) for below in _paths(node[1]))
            yield from ((*root, *below) for below in _paths(node[1]))
        else:
            for value in node:
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
    """Put a value into an event, with what is needed above it."""
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


def test_the_paths_are_those_that_the_default_mappings_read() -> None:
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
    application: ForwardApplication,
    tiktok: TikTokSandbox,
    output: Output,
    name: str,
    minimal: bool,  # a table's column
) -> None:
    """Whatever stands in a field, what is sent is what TikTok takes."""
    tiktok.settings.page_url_required = False
    base = samples.read(name)
    if minimal:
        base = {key: base[key] for key in ("type", "event", "anonymousId") if key in base}
    events = []
    for number, (path, value) in enumerate(itertools.product(MAPPED_PATHS, OF_EVERY_TYPE)):
        event = copy.deepcopy(base) | {"messageId": f"m-{number}"}
        put(event, path, value)
        events.append(event)

    for start in range(0, len(events), 500):
        tiktok.forget()
        output.text = ""
        part = events[start : start + 500]
        http = post(application, json.dumps(part))

        assert_nothing_lost(http, tiktok, len(part))
        assert_sound(http, output)
        assert len(tiktok.requests) == 1, "TikTok refused something"


def test_many_hostile_events_at_once_keep_the_good_ones(
    application: ForwardApplication, tiktok: TikTokSandbox, output: Output
) -> None:
    good = [GOOD | {"messageId": f"good-{number}"} for number in range(50)]
    bad: list[Any] = [{"type": "track", "messageId": f"bad-{number}"} for number in range(50)]
    body = [event for pair in zip(good, bad, strict=True) for event in pair]

    http = post(application, json.dumps(body))

    assert (http.body["forwarded"], http.body["ignored"]) == (50, 50)
    assert tiktok.event_ids == {f"good-{number}" for number in range(50)}
    assert_nothing_lost(http, tiktok, 100)
    assert_sound(http, output)
