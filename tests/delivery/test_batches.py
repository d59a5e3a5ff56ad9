"""Batches: read in every form, signed by their first event, and no event harms another."""

from __future__ import annotations

import dataclasses
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.delivery.world import BUDGET, World, expire_parameters, plain_halving, visit, visits
from tiktok_pixel.mapping import load_mapping_set
from tiktok_pixel.tiktok import schema
from tiktok_pixel.tiktok.bisection import REFUSES_ALL, UNFINISHED
from tools.sandbox import faults, samples
from tools.sandbox.application import FOLDER, ForwardApplication
from tools.sandbox.tiktok import ACCESS_TOKEN, PIXEL_CODE

FORWARDED: Final = ("forwarded", "tiktok_accepted")
PARAMETER: Final = ("rejected", "tiktok_parameter_invalid")


def request_of(body: str, signed: str, **headers: str) -> dict[str, Any]:
    """A request whose signature covers a part of its body."""
    request = samples.http_event(body, samples.sign(signed.encode()))
    request["headers"] |= headers
    return request


PAGE: Final = '"context":{"page":{"url":"https://shop.example/"}}'
# What no other writer of JSON would write in the same way.
FIRST: Final = f'{{"type": "page","messageId":"m-0", "userId":"ü\\u00fc","x":1e-7,{PAGE}}}'
SECOND: Final = f'{{"type":"page","messageId":"m-1","userId":"user-2",{PAGE}}}'
FORMS: Final[dict[str, tuple[str, str]]] = {
    "an array, signed whole": (f"[{FIRST},{SECOND}]", f"[{FIRST},{SECOND}]"),
    "an array, its first event signed": (f"[{FIRST},{SECOND}]", FIRST),
    "an array with white space": (f" [\n {FIRST} ,\n{SECOND} ]\n", FIRST),
    "wrapped in json": (f'[{{"json":{FIRST}}},{{"json":{SECOND}}}]', FIRST),
    "wrapped in json, the wrapper signed": (
        f'[{{"json":{FIRST}}},{{"json":{SECOND}}}]',
        f'{{"json":{FIRST}}}',
    ),
    "a batch object": (f'{{"batch":[{FIRST},{SECOND}]}}', f'{{"batch":[{FIRST},{SECOND}]}}'),
}


@pytest.mark.parametrize(("body", "signed"), FORMS.values(), ids=FORMS)
def test_every_form_of_a_batch_is_read(world: World, body: str, signed: str) -> None:
    sent = world.post(world.start(), request_of(body, signed))

    assert (sent.status, sent.ends) == (200, Counter({FORWARDED: 2}))
    (request,) = world.tiktok.requests
    assert request.event_ids == ["m-0", "m-1"]


def test_a_batch_of_one_is_a_batch(world: World) -> None:
    sent = world.post(world.start(), request_of(f"[{FIRST}]", FIRST))

    assert sent.end == FORWARDED


UNSIGNED: Final[dict[str, tuple[str, str]]] = {
    "its second event signed": (f"[{FIRST},{SECOND}]", SECOND),
    "its first event written anew": (f"[{FIRST},{SECOND}]", json.dumps(json.loads(FIRST))),
    "the first event of a batch object signed": (f'{{"batch":[{FIRST},{SECOND}]}}', FIRST),
    "the inside of the array signed": (f"[{FIRST},{SECOND}]", f"{FIRST},{SECOND}"),
    "nothing signed": (f"[{FIRST},{SECOND}]", ""),
}


@pytest.mark.parametrize(("body", "signed"), UNSIGNED.values(), ids=UNSIGNED)
def test_any_other_signature_is_none(world: World, body: str, signed: str) -> None:
    sent = world.post(world.start(), request_of(body, signed))

    assert (sent.status, sent.rows) == (401, [])
    assert sent.answer.body["reason"] == "signature_invalid"
    assert world.tiktok.requests == []


BEARER: Final = "a-bearer-token"
AUTHORIZATIONS: Final[dict[str, tuple[dict[str, str], int]]] = {
    "right": ({"authorization": f"Bearer {BEARER}"}, 200),
    "scheme in lower case": ({"Authorization": f"bearer {BEARER}"}, 200),
    "missing": ({}, 401),
    "wrong": ({"authorization": "Bearer another"}, 401),
    "another scheme": ({"authorization": f"Basic {BEARER}"}, 401),
    "no scheme": ({"authorization": BEARER}, 401),
    "empty": ({"authorization": "Bearer "}, 401),
}


@pytest.mark.parametrize(("headers", "status"), AUTHORIZATIONS.values(), ids=AUTHORIZATIONS)
def test_a_bearer_token_closes_what_the_signature_leaves_open(
    world: World, headers: dict[str, str], status: int
) -> None:
    world.put(bearer_token=BEARER)
    application = world.start(REQUIRE_BEARER_TOKEN="true")
    forged = f"[{FIRST},{SECOND}]"

    sent = world.post(application, request_of(forged, FIRST, **headers))

    assert sent.status == status
    assert bool(world.tiktok.requests) is (status == 200)


def test_the_bearer_token_is_no_substitute_for_the_signature(world: World) -> None:
    world.put(bearer_token=BEARER)
    application = world.start(REQUIRE_BEARER_TOKEN="true")
    request = samples.http_event(f"[{FIRST}]", None, authorization=f"Bearer {BEARER}")

    assert world.post(application, request).status == 401


@pytest.mark.parametrize("value", [None, " \n "], ids=["deleted", "blank"])
def test_without_its_parameter_the_bearer_token_is_still_required(
    world: World, value: str | None
) -> None:
    """503: Segment keeps the events until an operator has put it back."""
    world.put(bearer_token=BEARER)
    application = world.start(REQUIRE_BEARER_TOKEN="true")
    request = request_of(FIRST, FIRST, authorization=f"Bearer {BEARER}")
    assert world.post(application, request).status == 200
    if value is None:
        world.aws.delete_parameters(f"{FOLDER}/bearer-token")
    else:
        world.put(bearer_token=value)
    expire_parameters(application)

    answers = [
        world.post(application, one)
        for one in (request, request_of(FIRST, FIRST, authorization="Bearer "))
    ]

    assert [one.status for one in answers] == [503, 503]
    assert answers[0].answer.body["reason"] == "bearer_token_unavailable"


def test_unless_it_is_required_the_bearer_token_does_not_count(world: World) -> None:
    world.put(bearer_token=BEARER)

    assert world.post(world.start(), request_of(FIRST, FIRST)).status == 200


def test_more_than_four_thousand_events(world: World) -> None:
    sent = world.send(world.start(), visits(4321))

    assert (sent.status, sent.ends) == (200, Counter({FORWARDED: 4321}))
    sizes = sorted(len(one.events) for one in world.tiktok.requests)
    assert sizes == [321, 1000, 1000, 1000, 1000]
    assert [row["message_id"] for row in sent.rows] == [f"m-{number}" for number in range(4321)]


def preset(name: str, event: str, **more: Any) -> dict[str, Any]:
    """A mapping of track calls, with the default fields."""
    return {
        "name": name,
        "partnerAction": "reportWebEvent",
        "subscribe": f'type = "track" and event = "{name}"',
        "type": "automatic",
        "defaults": True,
        "mapping": {"event": event, **more.pop("mapping", {})},
        **more,
    }


@pytest.fixture
def with_mappings(tmp_path: Path) -> Callable[[ForwardApplication, list[dict[str, Any]]], None]:
    """Give an application other mappings."""

    def use(application: ForwardApplication, presets: list[dict[str, Any]]) -> None:
        file = tmp_path / "mappings.json"
        file.write_text(json.dumps(presets))
        module: Any = application.module
        module._destination = dataclasses.replace(
            module._destination, mappings=load_mapping_set(file, schema)
        )

    return use


def test_pixels_event_sources_and_test_codes_go_apart(
    world: World,
    with_mappings: Callable[[ForwardApplication, list[dict[str, Any]]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    another = "CSANDBOXPIXEL0000002"
    world.tiktok.settings.pixels.add(another)
    world.aws.put_parameters(
        {
            f"{FOLDER}/pixels/eu/pixel-code": ("String", another),
            f"{FOLDER}/pixels/eu/access-token": ("SecureString", ACCESS_TOKEN),
        }
    )
    application = world.start()
    presets = [
        preset("Bought", "CompletePayment"),
        preset("Bought in EU", "CompletePayment", pixel="eu"),
        preset("Bought in shop", "CompletePayment", mapping={"event_source": "offline"}),
        preset("Tried", "CompletePayment", mapping={"test_event_code": "TEST1"}),
    ]
    with_mappings(application, presets)
    names = [
        f"{FOLDER}/{name}"
        for name in (
            *("webhook-secret", "pixel-code", "access-token"),
            *("pixels/eu/pixel-code", "pixels/eu/access-token"),
        )
    ]
    parameters = application.module._destination.credentials.parameters
    monkeypatch.setattr(parameters, "_names", tuple(names))
    events = [
        visit(f"{number}-{one['name']}", type="track", event=one["name"])
        for number in range(3)
        for one in presets
    ]

    sent = world.send(application, events)

    assert (sent.status, sent.ends) == (200, Counter({FORWARDED: 12}))
    shared = {
        (body["event_source_id"], body["event_source"], body.get("test_event_code"))
        for body in (one.parsed for one in world.tiktok.requests)
        if body
    }
    assert shared == {
        (PIXEL_CODE, "web", None),
        (another, "web", None),
        (PIXEL_CODE, "offline", None),
        (PIXEL_CODE, "web", "TEST1"),
    }
    assert [len(one.events) for one in world.tiktok.requests] == [3] * 4
    assert [row["message_id"] for row in sent.rows] == [event["messageId"] for event in events]


def test_a_pixel_that_fails_does_not_harm_another(
    world: World, with_mappings: Callable[[ForwardApplication, list[dict[str, Any]]], None]
) -> None:
    application = world.start()
    with_mappings(
        application, [preset("Bought", "CompletePayment"), preset("Kept", "Download", pixel="eu")]
    )
    events = [
        visit(f"{name}-{number}", type="track", event=name)
        for number in range(2)
        for name in ("Bought", "Kept")
    ]

    sent = world.send(application, events)

    assert sent.status == 202
    assert sent.ends == {FORWARDED: 2, ("parked", "credentials_missing"): 2}
    assert sent.ids("parked") == {"Kept-0", "Kept-1"}


INVALID: Final[dict[str, tuple[Any, str]]] = {
    "no object": ("m", "event_not_an_object"),
    "null": (None, "event_not_an_object"),
    "no type": ({"messageId": "bad", "userId": "u"}, "type_missing"),
    "no messageId": ({"type": "page", "userId": "u"}, "message_id_missing"),
    "nobody": (visit("bad", userId=None), "identifier_missing"),
    "no time": (visit("bad", timestamp="yesterday"), "event_time_unparsable"),
    "long ago": (visit("bad", timestamp="2020-01-01T00:00:00Z"), "event_time_too_old"),
}


def test_an_invalid_event_is_not_sent_and_harms_no_other(world: World) -> None:
    events = [visit("first"), *(event for event, _ in INVALID.values()), visit("last")]

    sent = world.send(world.start(), events)

    assert sent.status == 200
    assert [row["reason"] for row in sent.rows[1:-1]] == [reason for _, reason in INVALID.values()]
    assert {row["status"] for row in sent.rows[1:-1]} == {"rejected"}
    (request,) = world.tiktok.requests
    assert request.event_ids == ["first", "last"]


def test_a_batch_of_invalid_events_only_is_refused(world: World) -> None:
    sent = world.send(world.start(), [event for event, _ in INVALID.values()])

    assert sent.status == 400
    assert world.tiktok.requests == []


SENT: Final = "tiktok_accepted"
COPY: Final = "duplicate_in_batch"
DUPLICATES: Final[dict[str, tuple[list[dict[str, Any]], list[str]]]] = {
    "a copy": ([visit("a"), visit("b"), visit("a")], [SENT, SENT, COPY]),
    "many copies": ([visit("a")] * 4, [SENT, COPY, COPY, COPY]),
    "a copy of a rejected one": (
        [visit("a", userId=None), visit("a"), visit("a")],
        ["identifier_missing", SENT, COPY],
    ),
    "a copy of an ignored one": (
        [visit("a", type="identify"), visit("a", type="identify")],
        ["not_mapped", COPY],
    ),
}


@pytest.mark.parametrize(("events", "reasons"), DUPLICATES.values(), ids=DUPLICATES)
def test_copies_are_sent_once(
    world: World, events: list[dict[str, Any]], reasons: list[str]
) -> None:
    sent = world.send(world.start(), events)

    assert [row["reason"] for row in sent.rows] == reasons
    assert len(world.tiktok.accepted) == reasons.count(SENT)


def poison(world: World, indexes: list[int]) -> set[str]:
    """Events that TikTok will refuse for a reason nobody can know before."""
    bad = {f"m-{index}" for index in indexes}
    world.tiktok.settings.poisoned = bad
    return bad


PLACES: Final[dict[str, list[int]]] = {
    "the first": [0],
    "the last": [999],
    "one inside": [421],
    "seven, far apart": [70, 211, 352, 493, 634, 775, 916],
    "seven, at the borders": [0, 249, 250, 499, 500, 750, 999],
    "seven in a row": list(range(333, 340)),
    "seven anywhere": random.Random(7).sample(range(1000), 7),  # noqa: S311  # no secret
}


@pytest.mark.parametrize("bad", PLACES.values(), ids=PLACES)
def test_a_few_bad_ones_of_a_thousand_are_found(world: World, bad: list[int]) -> None:
    ids = poison(world, bad)

    sent = world.send(world.start(), visits(1000))

    assert sent.status == 200
    assert sent.ends == {FORWARDED: 1000 - len(bad), PARAMETER: len(bad)}
    assert sent.ids("rejected") == ids
    assert len(world.tiktok.requests) <= plain_halving(bad, 0, 1000)
    assert Counter(one.key for one in world.tiktok.accepted).most_common(1)[0][1] == 1


@pytest.mark.parametrize("name", ["one inside", "seven, far apart"])
def test_a_few_bad_ones_are_found_at_300_ms_too(world: World, name: str) -> None:
    ids = poison(world, PLACES[name])
    world.tiktok.settings.latency = 0.3

    sent = world.send(world.start(), visits(1000))

    assert sent.ids("rejected") == ids
    assert len(sent.ids("forwarded")) == 1000 - len(ids)
    assert sent.seconds <= BUDGET - 0.6, "found before what is kept back for parking"
    assert len(world.tiktok.requests) <= plain_halving(PLACES[name], 0, 1000)


@pytest.mark.parametrize("size", [2, 3, 5, 9])
def test_one_bad_event_of_few(world: World, size: int) -> None:
    for bad in range(size):
        poison(world, [bad])
        world.tiktok.forget()

        sent = world.send(world.start(), visits(size))

        assert sent.ids("rejected") == {f"m-{bad}"}
        assert len(sent.ids("forwarded")) == size - 1
        assert len(world.tiktok.requests) <= plain_halving([bad], 0, size)


def test_what_the_budget_leaves_unresolved_is_parked(world: World) -> None:
    """Sent again by Segment, it would only meet the same search again."""
    ids = poison(world, PLACES["seven, far apart"])
    world.tiktok.settings.latency = 0.3

    sent = world.send(world.start(budget=1.8), visits(1000))

    assert sent.status == 202
    assert ("parked", UNFINISHED.reason) in sent.ends
    # One that was tried alone by chance may be known already.
    assert sent.ids("parked", "rejected") >= ids >= sent.ids("rejected")
    assert sent.ids("retry") == set()


def test_time_for_parking_is_kept_back(world: World) -> None:
    """TikTok goes silent in the middle of the search, and everything gets into the queue."""
    world.tiktok.next(faults.answer(40002))
    world.tiktok.always(faults.hang(60))

    sent = world.send(world.start(budget=1.5), visits(1000))

    assert (sent.status, sent.end) == (202, ("parked", UNFINISHED.reason))


@pytest.mark.parametrize("good", [[], [500]], ids=["1000", "999"])
def test_when_nearly_all_are_refused_the_search_stops_early(world: World, good: list[int]) -> None:
    """Nothing is lost: it is parked, and redriven until every event has its end."""
    bad = [index for index in range(1000) if index not in good]
    poison(world, bad)

    sent = world.send(world.start(), visits(1000))

    assert sent.status == 202
    assert sent.ends == {("parked", REFUSES_ALL.reason): 1000}
    assert len(world.tiktok.requests) <= 10

    assert world.redrive(world.start_redrive()) == set()

    assert world.parked_ids() == []
    assert world.tiktok.event_ids == {f"m-{index}" for index in good}
    refused_alone = {
        one.event_ids[0] for one in world.tiktok.requests if one.code and len(one.events) == 1
    }
    assert refused_alone == {f"m-{index}" for index in bad}


def test_two_bad_events_of_two_are_the_operators(world: World) -> None:
    poison(world, [0, 1])

    sent = world.send(world.start(), visits(2))

    assert (sent.status, sent.end) == (202, ("parked", REFUSES_ALL.reason))


@pytest.mark.parametrize(
    "field", ["event_source", "event_source_id", "test_event_code", "partner_name"]
)
def test_a_refusal_of_the_envelope_is_the_operators(world: World, field: str) -> None:
    world.tiktok.always(faults.answer(40002, f"Invalid value for {field}: not valid."))

    sent = world.send(world.start(), visits(1000))

    assert (sent.status, sent.end) == (202, ("parked", "tiktok_envelope_refused"))
    assert len(world.tiktok.requests) <= 2, "credentials read again, and one more try"


def test_throttled_while_isolating_nothing_is_lost(world: World) -> None:
    ids = poison(world, [421])
    world.tiktok.always(faults.answer(40100), when=lambda one: len(one.body) < 5000)

    sent = world.send(world.start(budget=2.0), visits(1000))

    assert ids <= sent.ids("parked")
    assert sent.ids("parked", "forwarded") == {f"m-{one}" for one in range(1000)}
