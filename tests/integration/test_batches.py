"""Batches: one bad event never costs the others."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import pytest

from tests.integration.harness import FORWARDED, SHORT_BUDGET, Forward, World, visit, visits
from tiktok_pixel.tiktok.bisection import REFUSES_ALL, UNFINISHED
from tools.sandbox import faults

REFUSED: Final = ("parked", "tiktok_parameter_invalid")


def test_a_request_to_tiktok_has_at_most_a_thousand_events(
    world: World, application: Forward
) -> None:
    answer = application.send(visits(4321))

    assert (answer.status, answer.ends) == (200, {FORWARDED: 4321})
    sizes = sorted(len(one.events) for one in world.tiktok.requests)
    assert sizes == [321, 1000, 1000, 1000, 1000]
    assert [row["message_id"] for row in answer.rows] == [f"m-{number}" for number in range(4321)]


INVALID: Final[dict[str, tuple[Any, str]]] = {
    "not an object": ("m", "event_not_an_object"),
    "null": (None, "event_not_an_object"),
    "no type": ({"messageId": "bad", "userId": "u"}, "type_missing"),
    "no message id": ({"type": "page", "userId": "u"}, "message_id_missing"),
    "no identifier": (visit("bad", userId=None), "identifier_missing"),
    "unparsable time": (visit("bad", timestamp="yesterday"), "event_time_unparsable"),
    "too old": (visit("bad", timestamp="2020-01-01T00:00:00Z"), "event_time_too_old"),
}


def test_an_invalid_event_is_rejected_and_the_others_are_sent(
    world: World, application: Forward
) -> None:
    events = [visit("first"), *(event for event, _ in INVALID.values()), visit("last")]

    answer = application.send(events)

    assert answer.status == 200
    assert answer.reasons[1:-1] == [reason for _, reason in INVALID.values()]
    assert {row["status"] for row in answer.rows[1:-1]} == {"rejected"}
    (request,) = world.tiktok.requests
    assert request.event_ids == ["first", "last"]


def test_a_batch_without_a_valid_event_is_rejected(world: World, application: Forward) -> None:
    answer = application.send([event for event, _ in INVALID.values()])

    assert (answer.status, answer.body["status"]) == (400, "rejected")
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
def test_copies_in_a_batch_are_sent_once(
    world: World, application: Forward, events: list[dict[str, Any]], reasons: list[str]
) -> None:
    answer = application.send(events)

    assert answer.reasons == reasons
    assert len(world.tiktok.accepted) == reasons.count(SENT)


def poison(world: World, indexes: Sequence[int]) -> set[str]:
    """Let TikTok refuse these events, for a reason that only TikTok knows."""
    bad = {f"m-{index}" for index in indexes}
    world.tiktok.settings.poisoned = bad
    return bad


def plain_halving(bad: Sequence[int], start: int, end: int) -> int:
    """How many requests it takes to find the bad events of a range by halving alone."""
    requests = 1
    if end - start > 1 and any(start <= one < end for one in bad):
        middle = (start + end) // 2
        requests += plain_halving(bad, start, middle) + plain_halving(bad, middle, end)
    return requests


PLACES: Final[dict[str, list[int]]] = {
    "the first": [0],
    "the last": [999],
    "one inside": [421],
    "seven, far apart": [70, 211, 352, 493, 634, 775, 916],
    "seven, at the borders": [0, 249, 250, 499, 500, 750, 999],
    "seven in a row": list(range(333, 340)),
    "seven anywhere": random.Random(7).sample(range(1000), 7),  # noqa: S311  # not a secret
}


@pytest.mark.parametrize("bad", PLACES.values(), ids=PLACES)
def test_bad_events_among_a_thousand_are_isolated(
    world: World, application: Forward, bad: list[int]
) -> None:
    ids = poison(world, bad)

    answer = application.send(visits(1000))

    assert answer.status == 202
    assert answer.ends == {FORWARDED: 1000 - len(bad), REFUSED: len(bad)}
    assert answer.ids("parked") == ids
    assert len(world.tiktok.requests) <= plain_halving(bad, 0, 1000)
    assert set(Counter(one.key for one in world.tiktok.accepted).values()) == {1}


@pytest.mark.parametrize("name", ["one inside", "seven, far apart"])
def test_bad_events_are_isolated_in_time_when_tiktok_takes_300_ms(
    world: World, application: Forward, name: str
) -> None:
    ids = poison(world, PLACES[name])
    world.tiktok.settings.latency = 0.3

    answer = application.send(visits(1000))

    assert answer.ends == {FORWARDED: 1000 - len(ids), REFUSED: len(ids)}
    assert answer.ids("parked") == ids
    assert answer.in_time


@pytest.mark.parametrize("size", [2, 3, 5, 9])
def test_a_bad_event_in_a_small_batch_is_isolated(
    world: World, application: Forward, size: int
) -> None:
    for bad in range(size):
        poison(world, [bad])
        world.tiktok.forget()

        answer = application.send(visits(size))

        assert answer.ends == {FORWARDED: size - 1, REFUSED: 1}
        assert answer.ids("parked") == {f"m-{bad}"}
        assert len(world.tiktok.requests) <= plain_halving([bad], 0, size)


def test_events_that_are_not_isolated_within_the_budget_are_parked(world: World) -> None:
    ids = poison(world, PLACES["seven, far apart"])
    world.tiktok.settings.latency = 0.6

    answer = world.start().within(2.8).send(visits(1000))

    assert answer.status == 202
    assert ("parked", UNFINISHED.reason) in answer.ends
    assert answer.ids("parked") >= ids
    assert answer.ids("retry", "rejected") == set()


def test_part_of_the_budget_is_reserved_for_parking(world: World) -> None:
    """TikTok stops responding in the middle of the search."""
    world.tiktok.next(faults.answer(40002))
    world.tiktok.always(faults.hang(60))

    answer = world.start().within(SHORT_BUDGET).send(visits(1000))

    assert (answer.status, answer.end) == (202, ("parked", UNFINISHED.reason))


def refused_earlier(message: Any) -> Any:
    """Move the first refusal of a message's events 48 hours back: one more try, then they end."""
    content = json.loads(message["Body"])
    for row in content["events"]:
        row["refused_at"] -= 48 * 3600
    return message | {"Body": json.dumps(content)}


@pytest.mark.parametrize("good", [[], [500]], ids=["1000", "999"])
def test_if_nearly_all_events_are_refused_they_are_parked_and_isolated_by_the_redrive(
    world: World, application: Forward, good: list[int]
) -> None:
    bad = [index for index in range(1000) if index not in good]
    poison(world, bad)

    answer = application.send(visits(1000))

    assert answer.status == 202
    assert answer.ends == {("parked", REFUSES_ALL.reason): 1000}
    assert len(world.tiktok.requests) <= 10

    redrive = world.start_redrive()
    assert world.redrive(redrive, change=refused_earlier) == []

    assert world.parked_ids() == []
    assert world.tiktok.event_ids == {f"m-{index}" for index in good}
    refused_alone = {
        one.event_ids[0] for one in world.tiktok.requests if one.code and len(one.events) == 1
    }
    assert refused_alone == {f"m-{index}" for index in bad}


def test_two_refused_events_of_two_are_parked(world: World, application: Forward) -> None:
    """What is wrong is more likely something that they share."""
    poison(world, [0, 1])

    answer = application.send(visits(2))

    assert (answer.status, answer.end) == (202, ("parked", REFUSES_ALL.reason))


@pytest.mark.parametrize("field", ["event_source", "event_source_id", "partner_name"])
def test_a_refusal_of_a_field_that_all_events_share_is_an_operator_error(
    world: World, application: Forward, field: str
) -> None:
    world.tiktok.always(faults.answer(40002, f"Invalid value for {field}: not valid."))

    answer = application.send(visits(1000))

    assert (answer.status, answer.end) == (202, ("parked", "tiktok_envelope_refused"))
    assert len(world.tiktok.requests) <= 2, "one more try, with the credentials read again"


def test_a_search_that_tiktok_throttles_loses_nothing(world: World) -> None:
    ids = poison(world, [421])
    world.tiktok.always(faults.answer(40100), when=lambda one: len(one.body) < 5000)

    answer = world.start().within(SHORT_BUDGET).send(visits(1000))

    assert ids <= answer.ids("parked")
    assert answer.ids("parked", "forwarded") == {f"m-{one}" for one in range(1000)}
