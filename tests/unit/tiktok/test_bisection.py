"""A refused batch is halved until the bad events stand alone, or until that is hopeless."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_pixel.tiktok.bisection import (
    NO_TIME,
    REFUSES_ALL,
    UNFINISHED,
    Bisection,
    Chunk,
    split,
)
from tiktok_pixel.tiktok.verdicts import (
    ACCEPTED,
    CODES,
    TIMEOUT,
    UNKNOWN,
    Verdict,
    VerdictKind,
)

THROTTLED = CODES[40100]
TOKEN = CODES[40105]
BAD = CODES[40002]
OK = (ACCEPTED, "OK")

Responder = Callable[[list[int]], tuple[Verdict, str]]


def refused(message: str = "Invalid request parameters.") -> tuple[Verdict, str]:
    """A refusal for content."""
    return BAD, message


@dataclass(slots=True)
class Search:
    """A finished search: the verdict on each event, and what it took."""

    verdicts: dict[int, Verdict]
    requests: int
    rounds: int

    @property
    def kinds(self) -> Counter[VerdictKind]:
        """How many events have a verdict of each kind."""
        return Counter(verdict.kind for verdict in self.verdicts.values())

    def positions(self, verdict: Verdict) -> set[int]:
        """The events with this verdict."""
        return {position for position, found in self.verdicts.items() if found == verdict}


def search(size: int, respond: Responder, *, thorough: bool = False) -> Search:
    """Send a batch to a TikTok that responds by the positions of a request's events."""
    bisection = Bisection(range(size), thorough)
    chunks: list[Chunk] = [bisection.batch]
    requests = rounds = 0
    while chunks:
        requests += len(chunks)
        rounds += 1
        chunks = bisection.settle([(chunk, *respond(list(chunk))) for chunk in chunks])
    bisection.conclude()
    assert set(bisection.verdicts) == set(range(size)), "a verdict on every event"
    return Search(bisection.verdicts, requests, rounds)


def refuses(bad: Collection[int], message: str = "Invalid request parameters.") -> Responder:
    """A TikTok that refuses every request with one of these events in it."""
    refusals = frozenset(bad)

    def respond(positions: list[int]) -> tuple[Verdict, str]:
        return OK if refusals.isdisjoint(positions) else refused(message)

    return respond


def refuses_in_different_words(bad: Collection[int]) -> Responder:
    """The same, in words that differ from event to event by more than their digits."""

    def respond(positions: list[int]) -> tuple[Verdict, str]:
        found = [position for position in positions if position in bad]
        letters = "".join(chr(ord("a") + int(digit)) for digit in str(min(found, default=0)))
        return refused(f"{letters} is wrong") if found else OK

    return respond


def plain_halving(size: int, bad: Collection[int]) -> int:
    """The number of requests when one half is sent after the other."""
    refusals = frozenset(bad)

    def requests(start: int, end: int) -> int:
        if end - start == 1 or refusals.isdisjoint(range(start, end)):
            return 1
        middle = (start + end) // 2
        return 1 + requests(start, middle) + requests(middle, end)

    return requests(0, size)


@pytest.mark.parametrize("size", [1, 2, 3, 999, 1000])
def test_an_accepted_batch_takes_one_request(size: int) -> None:
    done = search(size, refuses([]))

    assert (done.requests, done.verdicts) == (1, dict.fromkeys(range(size), ACCEPTED))


@pytest.mark.parametrize("position", [0, 1, 249, 250, 499, 500, 777, 998, 999])
def test_one_bad_event_of_a_thousand_is_isolated(position: int) -> None:
    done = search(1000, refuses([position]))

    assert done.verdicts == dict.fromkeys(range(1000), ACCEPTED) | {position: BAD}
    assert done.requests <= plain_halving(1000, [position])
    assert done.rounds <= 7


@pytest.mark.parametrize("seed", range(50))
def test_seven_bad_events_of_a_thousand_are_isolated(seed: int) -> None:
    bad = random.Random(seed).sample(range(1000), 7)  # noqa: S311  # positions, no secret

    done = search(1000, refuses(bad))

    assert done.kinds == {VerdictKind.ACCEPTED: 993, VerdictKind.CONTENT: 7}
    assert done.positions(BAD) == set(bad)
    # The two events that are sent alone may cost a few more, if all quarters hold a bad event.
    assert done.requests <= plain_halving(1000, bad) + 4
    assert done.rounds <= 8


def test_on_average_the_search_takes_fewer_requests_than_plain_halving() -> None:
    draws = [random.Random(seed).sample(range(1000), 7) for seed in range(50)]  # noqa: S311  # the same

    searched = sum(search(1000, refuses(bad)).requests for bad in draws)

    assert searched < sum(plain_halving(1000, bad) for bad in draws)


@given(st.integers(1, 130), st.data())
def test_no_event_is_sent_again_after_it_was_accepted(size: int, data: st.DataObject) -> None:
    bad = data.draw(st.sets(st.integers(0, size - 1)))
    thorough = data.draw(st.booleans())
    accepted: Counter[int] = Counter()
    tiktok = refuses(bad)

    def respond(positions: list[int]) -> tuple[Verdict, str]:
        assert positions == sorted(set(positions))
        response = tiktok(positions)
        if response is OK:
            accepted.update(positions)
        return response

    done = search(size, respond, thorough=thorough)

    assert accepted == dict.fromkeys(done.positions(ACCEPTED), 1)
    assert done.positions(ACCEPTED).isdisjoint(bad)
    assert done.positions(BAD) <= bad
    if thorough:
        assert done.positions(ACCEPTED) == set(range(size)) - bad
        assert done.positions(BAD) == bad


@pytest.mark.parametrize("size", [1000, 100, 9, 8])
def test_a_fault_that_all_events_share_is_found_at_once(size: int) -> None:
    done = search(size, refuses(range(size)))

    assert done.verdicts == dict.fromkeys(range(size), REFUSES_ALL)
    assert done.requests <= 7


@pytest.mark.parametrize("good", [1, 100, 500, 998])
def test_one_good_event_among_refused_ones_does_not_prolong_the_search(good: int) -> None:
    done = search(1000, refuses(set(range(1000)) - {good}))

    assert done.verdicts == dict.fromkeys(range(1000), REFUSES_ALL)
    assert done.requests <= 7


def test_messages_that_differ_in_positions_only_are_the_same() -> None:
    def respond(positions: list[int]) -> tuple[Verdict, str]:
        return refused(f"data[{positions[0]}].event_id: 5 is not a valid string")

    assert search(1000, respond).verdicts == dict.fromkeys(range(1000), REFUSES_ALL)


def test_refusals_in_different_words_are_refusals_of_content() -> None:
    done = search(64, refuses_in_different_words(range(64)))

    assert done.verdicts == dict.fromkeys(range(64), BAD)


@pytest.mark.parametrize("good", [0, 750])
def test_an_accepted_event_proves_that_the_shared_fields_are_right(
    good: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The two events that are sent alone: here the first ones of the outer quarters.
    monkeypatch.setattr("random.randrange", lambda _: 0)

    done = search(1000, refuses(set(range(1000)) - {good}))

    assert done.kinds == {VerdictKind.ACCEPTED: 1, VerdictKind.CONTENT: 999}


@pytest.mark.parametrize("bad", [{3}, set(range(1000)), set(range(999)), set(range(0, 1000, 2))])
def test_a_thorough_search_isolates_every_bad_event(bad: set[int]) -> None:
    done = search(1000, refuses(bad), thorough=True)

    assert done.positions(BAD) == bad
    assert done.kinds[VerdictKind.ACCEPTED] == 1000 - len(bad)


@pytest.mark.parametrize(
    ("size", "bad", "verdicts"),
    [
        (1, [0], [BAD]),
        (2, [0], [BAD, ACCEPTED]),
        (2, [1], [ACCEPTED, BAD]),
        (2, [0, 1], [REFUSES_ALL, REFUSES_ALL]),
        (3, [1], [ACCEPTED, BAD, ACCEPTED]),
        (3, [0, 2], [BAD, ACCEPTED, BAD]),
    ],
)
def test_small_batches(size: int, bad: list[int], verdicts: list[Verdict]) -> None:
    done = search(size, refuses(bad))

    assert [done.verdicts[position] for position in range(size)] == verdicts


@pytest.mark.parametrize("verdict", [THROTTLED, TIMEOUT, NO_TIME, TOKEN, UNKNOWN, CODES[40050]])
def test_a_verdict_that_is_not_about_content_applies_to_the_whole_batch(verdict: Verdict) -> None:
    done = search(1000, lambda _: (verdict, ""))

    assert (done.requests, set(done.verdicts.values())) == (1, {verdict})


@pytest.mark.parametrize(
    ("later", "expected"),
    [(NO_TIME, UNFINISHED), (THROTTLED, UNFINISHED), (TIMEOUT, UNFINISHED), (TOKEN, TOKEN)],
)
@pytest.mark.parametrize("thorough", [False, True])
def test_what_a_search_leaves_open_is_unfinished(
    later: Verdict,
    expected: Verdict,
    thorough: bool,  # a table's column
) -> None:
    requests = 0

    def respond(positions: list[int]) -> tuple[Verdict, str]:
        nonlocal requests
        requests += 1
        return (later, "") if requests > 5 else refuses([3])(positions)

    done = search(1000, respond, thorough=thorough)

    assert set(done.verdicts.values()) == {ACCEPTED, expected}
    assert done.positions(expected) == set(range(250))


def test_a_transient_verdict_on_one_chunk_does_not_affect_the_others() -> None:
    def respond(positions: list[int]) -> tuple[Verdict, str]:
        if len(positions) < 1000 and 600 in positions:
            return THROTTLED, "Too many requests"
        return refuses([3])(positions)

    done = search(1000, respond)

    assert done.verdicts[3] == BAD
    assert done.kinds == {
        VerdictKind.ACCEPTED: 749,
        VerdictKind.CONTENT: 1,
        VerdictKind.TRANSIENT: 250,
    }


def names_the_first(bad: Collection[int], prefix: str) -> Responder:
    """A TikTok that names the first bad event of a request."""

    def respond(positions: list[int]) -> tuple[Verdict, str]:
        for index, position in enumerate(positions):
            if position in bad:
                return refused(f"{prefix}{index}].event_id: invalid")
        return OK

    return respond


@pytest.mark.parametrize("message", ["data[{}]: bad", "data.{}.user is bad", "Batch.{}.event: bad"])
@pytest.mark.parametrize("position", [0, 777, 999])
def test_an_event_that_tiktok_names_is_sent_alone_first(message: str, position: int) -> None:
    done = search(1000, refuses([position], message.format(position)))

    assert done.positions(BAD) == {position}
    assert (done.requests, done.rounds) == (3, 2)


@pytest.mark.parametrize("size", [3, 5, 64, 1000])
@pytest.mark.parametrize("share", [0.01, 0.1])
def test_named_events_do_not_condemn_the_others(size: int, share: float) -> None:
    bad = set(range(0, size, int(1 / share)))
    # Two bad events sent alone in a row, a draw in a hundred, would end the search early.
    random.seed(1)

    done = search(size, names_the_first(bad, "data["))

    assert done.positions(BAD) == bad
    assert done.positions(ACCEPTED) == set(range(size)) - bad


@pytest.mark.parametrize(
    "message", ["data[5]: bad", "data[1000]: bad", "data[99999]: bad", "data[x]"]
)
def test_a_wrong_index_costs_one_round(message: str) -> None:
    done = search(1000, refuses([777], message))

    assert done.positions(BAD) == {777}
    assert done.positions(ACCEPTED) == set(range(1000)) - {777}
    assert done.rounds <= 8


@pytest.mark.parametrize("size", range(1, 20))
def test_the_parts_of_a_chunk_add_up_to_it(size: int) -> None:
    parts = split(range(size))

    assert [position for part in parts for position in part] == list(range(size))
    assert all(parts)
    assert size == 1 or len(parts) > 1
