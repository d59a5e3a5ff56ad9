"""A refused request is halved until every event has its own end, or until that is hopeless."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_pixel.outcomes import Status
from tiktok_pixel.tiktok.bisection import (
    REFUSES_ALL,
    UNFINISHED,
    Chunk,
    Fate,
    Group,
    Parcel,
    Response,
    split,
)
from tiktok_pixel.tiktok.verdicts import CODES, TIMEOUT, UNKNOWN

ACCEPTED = Response(CODES[0], "OK")
THROTTLED = Response(CODES[40100], "Too many requests")
NO_TIME = Response(None)
FORWARDED = Fate(Status.FORWARDED, "tiktok_accepted")
REJECTED = Fate(Status.REJECTED, "tiktok_parameter_invalid")
ALL_REFUSED = Fate(Status.PARKED, REFUSES_ALL)

Answerer = Callable[[list[int]], Response]


def refused(message: str = "Invalid request parameters.") -> Response:
    """A refusal for content."""
    return Response(CODES[40002], message)


@dataclass(slots=True)
class Search:
    """A search that is over: where each event ended, and what it took."""

    fates: dict[int, Fate]
    requests: int
    rounds: int

    @property
    def statuses(self) -> Counter[Status]:
        """How many events ended in each way."""
        return Counter(fate.status for fate in self.fates.values())


def search(size: int, answer: Answerer, *, thorough: bool = False) -> Search:
    """Send a group to a TikTok that answers by the indexes of a request's events."""
    group = Group([Parcel(index, f"{{{index}}}") for index in range(size)], thorough)
    chunks: list[Chunk] = [group.parcels]
    requests = rounds = 0
    while chunks:
        requests += len(chunks)
        rounds += 1
        answered = [(chunk, answer([parcel.index for parcel in chunk])) for chunk in chunks]
        chunks = group.settle(answered)
    group.conclude()
    assert set(group.fates) == set(range(size)), "every event ends, none twice"
    return Search(group.fates, requests, rounds)


def refuses(bad: Collection[int], message: str = "Invalid request parameters.") -> Answerer:
    """A TikTok that refuses every request with one of these events in it."""
    culprits = frozenset(bad)

    def answer(indexes: list[int]) -> Response:
        return ACCEPTED if culprits.isdisjoint(indexes) else refused(message)

    return answer


def words_for_each(bad: Collection[int]) -> Answerer:
    """The same, in words that differ from culprit to culprit by more than their digits."""

    def answer(indexes: list[int]) -> Response:
        culprits = [index for index in indexes if index in bad]
        letters = "".join(chr(ord("a") + int(digit)) for digit in str(min(culprits, default=0)))
        return refused(f"{letters} is wrong") if culprits else ACCEPTED

    return answer


def plain_halving(size: int, bad: Collection[int]) -> int:
    """The requests that halving takes which sends one half, then the other."""
    culprits = frozenset(bad)

    def requests(start: int, end: int) -> int:
        if end - start == 1 or culprits.isdisjoint(range(start, end)):
            return 1
        middle = (start + end) // 2
        return 1 + requests(start, middle) + requests(middle, end)

    return requests(0, size)


@pytest.mark.parametrize("size", [1, 2, 3, 999, 1000])
def test_a_request_that_is_taken_is_the_only_one(size: int) -> None:
    done = search(size, refuses([]))

    assert (done.requests, done.fates) == (1, dict.fromkeys(range(size), FORWARDED))


@pytest.mark.parametrize("position", [0, 1, 249, 250, 499, 500, 777, 998, 999])
def test_one_bad_event_of_a_thousand_costs_only_itself(position: int) -> None:
    done = search(1000, refuses([position]))

    expected = dict.fromkeys(range(1000), FORWARDED) | {position: REJECTED}
    assert done.fates == expected
    assert done.requests <= plain_halving(1000, [position])
    assert done.rounds <= 7


@pytest.mark.parametrize("seed", range(50))
def test_seven_bad_events_of_a_thousand_cost_only_themselves(seed: int) -> None:
    bad = random.Random(seed).sample(range(1000), 7)  # noqa: S311  # positions, no secret

    done = search(1000, refuses(bad))

    assert done.statuses == {Status.FORWARDED: 993, Status.REJECTED: 7}
    assert {index for index, fate in done.fates.items() if fate == REJECTED} == set(bad)
    # The two events that are tried alone may cost a few more, if all quarters hold a culprit.
    assert done.requests <= plain_halving(1000, bad) + 4
    assert done.rounds <= 8


def test_on_the_whole_the_search_takes_fewer_requests_than_plain_halving() -> None:
    draws = [random.Random(seed).sample(range(1000), 7) for seed in range(50)]  # noqa: S311  # the same

    searched = sum(search(1000, refuses(bad)).requests for bad in draws)

    assert searched < sum(plain_halving(1000, bad) for bad in draws)


@given(st.integers(1, 130), st.data())
def test_every_event_ends_once_and_none_is_sent_twice_after_it_was_taken(
    size: int, data: st.DataObject
) -> None:
    bad = data.draw(st.sets(st.integers(0, size - 1)))
    thorough = data.draw(st.booleans())
    taken: Counter[int] = Counter()
    tiktok = refuses(bad)

    def answer(indexes: list[int]) -> Response:
        assert indexes == sorted(set(indexes))
        response = tiktok(indexes)
        if response is ACCEPTED:
            taken.update(indexes)
        return response

    done = search(size, answer, thorough=thorough)

    forwarded = {index for index, fate in done.fates.items() if fate.status is Status.FORWARDED}
    assert taken == dict.fromkeys(forwarded, 1)
    assert forwarded.isdisjoint(bad)
    rejected = {index for index, fate in done.fates.items() if fate.status is Status.REJECTED}
    assert rejected <= bad
    if thorough:
        assert (forwarded, rejected) == (set(range(size)) - bad, bad)


@pytest.mark.parametrize("size", [1000, 100, 9, 8])
def test_a_mistake_that_all_events_share_is_found_at_once_and_parked(size: int) -> None:
    done = search(size, refuses(range(size)))

    assert done.fates == dict.fromkeys(range(size), ALL_REFUSED)
    assert done.requests <= 7


@pytest.mark.parametrize("good", [1, 100, 500, 998])
def test_one_good_event_among_the_refused_does_not_prolong_the_search(good: int) -> None:
    done = search(1000, refuses(set(range(1000)) - {good}))

    assert done.fates == dict.fromkeys(range(1000), ALL_REFUSED)
    assert done.requests <= 7


def test_a_shared_mistake_in_words_that_count_positions_is_still_shared() -> None:
    def answer(indexes: list[int]) -> Response:
        return refused(f"data[{indexes[0]}].event_id: 5 is not a valid string")

    assert search(1000, answer).fates == dict.fromkeys(range(1000), ALL_REFUSED)


def test_refused_each_in_its_own_words_the_events_are_to_blame() -> None:
    done = search(64, words_for_each(range(64)))

    assert done.fates == dict.fromkeys(range(64), REJECTED)


@pytest.mark.parametrize("good", [0, 750])
def test_an_event_that_is_taken_proves_that_the_request_is_right(
    good: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The two events that are tried alone: here the first ones of the outer quarters.
    monkeypatch.setattr("random.randrange", lambda _: 0)

    done = search(1000, refuses(set(range(1000)) - {good}))

    assert done.statuses == {Status.FORWARDED: 1, Status.REJECTED: 999}


@pytest.mark.parametrize("bad", [{3}, set(range(1000)), set(range(999)), set(range(0, 1000, 2))])
def test_a_thorough_search_goes_to_the_end(bad: set[int]) -> None:
    done = search(1000, refuses(bad), thorough=True)

    assert {index for index, fate in done.fates.items() if fate == REJECTED} == bad
    assert done.statuses[Status.FORWARDED] == 1000 - len(bad)


@pytest.mark.parametrize(
    ("size", "bad", "fates"),
    [
        (1, [0], [REJECTED]),
        (2, [0], [REJECTED, FORWARDED]),
        (2, [1], [FORWARDED, REJECTED]),
        (2, [0, 1], [ALL_REFUSED, ALL_REFUSED]),
        (3, [1], [FORWARDED, REJECTED, FORWARDED]),
        (3, [0, 2], [REJECTED, FORWARDED, REJECTED]),
    ],
)
def test_small_batches(size: int, bad: list[int], fates: list[Fate]) -> None:
    done = search(size, refuses(bad))

    assert [done.fates[index] for index in range(size)] == fates


@pytest.mark.parametrize(
    ("response", "fate"),
    [
        (THROTTLED, Fate(Status.RETRY, "tiktok_throttled", throttled=True)),
        (Response(TIMEOUT), Fate(Status.RETRY, "tiktok_timeout")),
        (NO_TIME, Fate(Status.RETRY, "budget_exhausted")),
        (Response(CODES[40105]), Fate(Status.PARKED, "tiktok_token_invalid")),
        (Response(UNKNOWN), Fate(Status.PARKED, "tiktok_code_unknown")),
        (Response(CODES[40050]), Fate(Status.FORWARDED, "tiktok_duplicate_request")),
    ],
)
def test_what_is_not_about_content_ends_the_whole_request(response: Response, fate: Fate) -> None:
    done = search(1000, lambda _: response)

    assert (done.requests, set(done.fates.values())) == (1, {fate})


@pytest.mark.parametrize(
    ("later", "fate"),
    [
        (NO_TIME, Fate(Status.PARKED, UNFINISHED)),
        (THROTTLED, Fate(Status.PARKED, UNFINISHED)),
        (Response(TIMEOUT), Fate(Status.PARKED, UNFINISHED)),
        (Response(CODES[40105]), Fate(Status.PARKED, "tiktok_token_invalid")),
    ],
)
@pytest.mark.parametrize("thorough", [False, True])
def test_what_a_search_leaves_unresolved_is_parked_and_never_sent_again_by_segment(
    later: Response,
    fate: Fate,
    thorough: bool,  # a table's column
) -> None:
    """Segment would resend it and meet the same search, until the events are lost."""
    requests = 0

    def answer(indexes: list[int]) -> Response:
        nonlocal requests
        requests += 1
        return later if requests > 5 else refuses([3])(indexes)

    done = search(1000, answer, thorough=thorough)

    assert set(done.fates.values()) == {FORWARDED, fate}
    assert [index for index, one in done.fates.items() if one == fate] == list(range(250))


def test_an_answer_that_is_late_for_one_piece_does_not_touch_the_others() -> None:
    def answer(indexes: list[int]) -> Response:
        if len(indexes) < 1000 and 600 in indexes:
            return THROTTLED
        return refuses([3])(indexes)

    done = search(1000, answer)

    assert done.fates[3] == REJECTED
    assert done.statuses == {Status.FORWARDED: 749, Status.REJECTED: 1, Status.PARKED: 250}


@pytest.mark.parametrize("size", range(1, 20))
def test_the_parts_of_a_piece_are_the_piece(size: int) -> None:
    chunk = [Parcel(index, "") for index in range(size)]

    parts = split(chunk)

    assert [parcel for part in parts for parcel in part] == chunk
    assert all(parts)
    assert size == 1 or len(parts) > 1
