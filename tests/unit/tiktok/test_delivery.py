"""Events are sent in bounded requests; each ends accepted, or parked with a cause."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, cast

import pytest

from tiktok_pixel.deadline import Deadline
from tiktok_pixel.outcomes import Cause, Outcome, Status
from tiktok_pixel.tiktok.batches import batches
from tiktok_pixel.tiktok.breaker import CircuitBreaker
from tiktok_pixel.tiktok.client import NoResponseError, TikTokClient
from tiktok_pixel.tiktok.delivery import (
    Call,
    CredentialsUnavailableError,
    Delivery,
    PixelCredentials,
)
from tiktok_pixel.tiktok.outgoing import OutgoingEvent, Route, Traffic
from tiktok_pixel.tiktok.verdicts import (
    CODES,
    CREDENTIALS_UNAVAILABLE,
    TIMEOUT,
    UNREACHABLE,
    TikTokResponse,
    Verdict,
    VerdictKind,
)

WEB: Final = Route(None, "web")
NOW: Final = 1_767_225_600.0
PAGE: Final = {"url": "https://shop.example/"}

Responder = Callable[[list[str]], TikTokResponse]


def response(code: int | None = 0, message: str = "", http_status: int = 200) -> TikTokResponse:
    return TikTokResponse(http_status, code, message, "r-1", 0.01)


def outgoing(name: str, route: Route = WEB, size: int = 0, **fields: Any) -> OutgoingEvent:
    body = {"event": "E", "event_id": name, "page": PAGE, "padding": "x" * size, **fields}
    return OutgoingEvent(route, name, "E", json.dumps(body, separators=(",", ":")))


@dataclass
class Clock:
    """A monotonic clock and a wall clock that only sleeping moves."""

    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return NOW + self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class TikTok:
    """A TikTok in memory, with the credentials and the clock of a test."""

    respond: Responder = lambda _: response()
    clock: Clock = field(default_factory=Clock)
    unavailable: Verdict | None = None
    ssm_seconds: float = 0.0
    requests: list[list[str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    times_left: list[float] = field(default_factory=list)
    renewals: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.breaker = CircuitBreaker(self.clock.wall, lambda low, _: low)

    def track(self, body: bytes, access_token: str, deadline: Deadline) -> TikTokResponse:
        assert access_token == "token"
        ids = [event["event_id"] for event in json.loads(body)["data"]]
        with self._lock:
            self.requests.append(ids)
            self.bodies.append(body)
            self.times_left.append(deadline.remaining())
        return self.respond(ids)

    def pixel(self, name: str | None, deadline: Deadline) -> PixelCredentials:
        assert name is None
        self.clock.now += min(self.ssm_seconds, deadline.remaining())
        if self.unavailable is not None:
            raise CredentialsUnavailableError(self.unavailable)
        return PixelCredentials("C1", "token")

    def renew(self, name: str | None, refused: PixelCredentials, deadline: Deadline) -> bool:
        assert (name, refused.pixel_code) == (None, "C1")
        assert deadline.remaining() >= 0
        self.renewals += 1
        return True

    def deliver(
        self, events: list[OutgoingEvent], budget: float = 4.0
    ) -> tuple[list[Outcome], list[Call]]:
        return Delivery(
            cast("TikTokClient", self),
            self,
            self.breaker,
            Deadline.after(budget, self.clock.monotonic),
            sleep=self.clock.sleep,
            clock=self.clock.wall,
        ).deliver(events)


def raises(verdict: Verdict, *, sent: bool) -> Responder:
    """A TikTok that does not respond."""

    def respond(_: list[str]) -> TikTokResponse:
        raise NoResponseError(verdict, 0.01, sent=sent)

    return respond


def refuses(*bad: str) -> Responder:
    """A TikTok that refuses requests with one of these events for its content."""
    return lambda ids: response(40002 if set(bad) & set(ids) else 0, "Invalid value")


def test_accepted_events_are_forwarded() -> None:
    tiktok = TikTok()

    outcomes, calls = tiktok.deliver([outgoing("a"), outgoing("b")])

    assert outcomes == [
        Outcome(name, Status.FORWARDED, "tiktok_accepted", "E") for name in ("a", "b")
    ]
    assert [(call.code, call.http_status, call.events) for call in calls] == [(0, 200, 2)]


KINDS: Final = {
    VerdictKind.TRANSIENT: Cause.TRANSIENT,
    VerdictKind.CONTENT: Cause.CONTENT,
    VerdictKind.OPERATOR: Cause.OPERATOR,
}


@pytest.mark.parametrize("code", [code for code in CODES if CODES[code].kind in KINDS])
@pytest.mark.parametrize("size", [1, 3])
def test_what_tiktok_does_not_accept_is_parked_with_its_cause(code: int, size: int) -> None:
    tiktok = TikTok(lambda _: response(code))

    outcomes, _ = tiktok.deliver([outgoing(str(number)) for number in range(size)])

    assert {(one.status, one.cause) for one in outcomes} == {
        (Status.PARKED, KINDS[CODES[code].kind])
    }


@pytest.mark.parametrize("verdict", [TIMEOUT, UNREACHABLE])
def test_without_a_response_events_are_parked(verdict: Verdict) -> None:
    outcomes, calls = TikTok(raises(verdict, sent=False)).deliver([outgoing("a")])

    (outcome,) = outcomes
    assert (outcome.status, outcome.reason, outcome.cause) == (
        Status.PARKED,
        verdict.reason,
        Cause.TRANSIENT,
    )
    assert [call.http_status for call in calls] == [None, None, None]


def test_only_the_refused_event_of_a_batch_is_parked() -> None:
    tiktok = TikTok(refuses("7"))

    outcomes, _ = tiktok.deliver([outgoing(str(number)) for number in range(20)])

    parked = [one for one in outcomes if one.status is Status.PARKED]
    assert [(one.message_id, one.cause) for one in parked] == [("7", Cause.CONTENT)]


def test_credentials_that_were_never_readable_are_a_retry() -> None:
    outcomes, calls = TikTok(unavailable=CREDENTIALS_UNAVAILABLE).deliver([outgoing("a")])

    assert outcomes == [Outcome("a", Status.RETRY, "credentials_unavailable", "E")]
    assert calls == []


def test_missing_credentials_are_an_operator_error() -> None:
    missing = Verdict(VerdictKind.OPERATOR, "credentials_missing")

    (outcome,), _ = TikTok(unavailable=missing).deliver([outgoing("a")])

    assert (outcome.status, outcome.reason, outcome.cause) == (
        Status.PARKED,
        "credentials_missing",
        Cause.OPERATOR,
    )


def test_without_time_events_are_parked_without_a_call() -> None:
    tiktok = TikTok()

    (outcome,), _ = tiktok.deliver([outgoing("a")], budget=0.1)

    assert (outcome.status, outcome.reason) == (Status.PARKED, "budget_exhausted")
    assert tiktok.requests == []


def test_ssm_that_uses_up_the_time_leaves_no_call() -> None:
    tiktok = TikTok(ssm_seconds=4.0)

    (outcome,), _ = tiktok.deliver([outgoing("a")])

    assert (outcome.status, outcome.reason) == (Status.PARKED, "budget_exhausted")
    assert tiktok.requests == []


@pytest.mark.parametrize(
    ("respond", "may_have_counted"),
    [
        (raises(TIMEOUT, sent=True), True),
        (raises(UNREACHABLE, sent=True), True),
        (lambda _: response(None), True),
        (raises(TIMEOUT, sent=False), False),
        (raises(UNREACHABLE, sent=False), False),
        (lambda _: response(None, http_status=503), False),
        (lambda _: response(40100), False),
        (lambda _: response(50000), False),
        (lambda _: response(40105), False),
        (lambda _: response(40002), False),
    ],
    ids=[
        "time-out after sending",
        "reset after sending",
        "unreadable",
        "time-out of connecting",
        "refused",
        "HTTP 503",
        "throttled",
        "server error",
        "token",
        "content",
    ],
)
def test_only_an_attempt_without_a_readable_response_may_have_counted(
    respond: Responder,
    may_have_counted: bool,  # a table's column
) -> None:
    (outcome,), _ = TikTok(respond).deliver([outgoing("a")])

    assert outcome.unanswered_at == (NOW if may_have_counted else None)


def test_events_of_different_routes_do_not_share_a_request() -> None:
    events = [
        outgoing("web"),
        outgoing("crm", Route(None, "crm")),
        outgoing("eu", Route("eu", "web")),
        outgoing("test", Route(None, "web", Traffic.MAPPING, "TEST1")),
    ]

    assert batches(events) == [[0], [1], [2], [3]]


def test_web_events_without_a_page_go_in_requests_of_their_own() -> None:
    crm = Route(None, "crm")
    events = [
        outgoing("a"),
        outgoing("b", page=None),
        outgoing("c", description='"page":{'),
        outgoing("d", page=None, description='"page":{'),
        outgoing("e", crm, page=None),
        outgoing("f", crm),
    ]

    assert batches(events) == [[0, 2], [1, 3], [4, 5]]


@pytest.mark.parametrize(
    ("count", "size", "requests"),
    [(1000, 0, [1000]), (1001, 0, [1000, 1]), (1000, 2_700, [358, 358, 284]), (2, 600_000, [1, 1])],
)
def test_requests_are_bounded_and_sent_in_parallel(
    count: int, size: int, requests: list[int]
) -> None:
    barrier = threading.Barrier(len(requests), timeout=5)
    tiktok = TikTok(lambda _: (barrier.wait(), response())[1])

    outcomes, _ = tiktok.deliver([outgoing(f"{number:04}", size=size) for number in range(count)])

    assert sorted(map(len, tiktok.requests)) == sorted(requests)
    assert max(map(len, tiktok.bodies)) <= 1_000_000
    assert {one.status for one in outcomes} == {Status.FORWARDED}


def test_an_event_that_is_too_large_goes_alone() -> None:
    events = [outgoing("a"), outgoing("b", size=1_100_000), outgoing("c")]

    assert batches(events) == [[0], [1], [2]]


def test_throttling_is_retried() -> None:
    codes = iter([40100, 40100, 0])
    tiktok = TikTok(lambda _: response(next(codes)))

    (outcome,), calls = tiktok.deliver([outgoing("a")], budget=60.0)

    assert outcome.status is Status.FORWARDED
    assert [call.code for call in calls] == [40100, 40100, 0]


def test_an_invalid_token_is_read_again_and_tried_once_more() -> None:
    codes = iter([40105, 0])
    tiktok = TikTok(lambda _: response(next(codes)))

    (outcome,), _ = tiktok.deliver([outgoing("a")])

    assert (outcome.status, tiktok.renewals) == (Status.FORWARDED, 1)


class TestCircuitBreaker:
    """After three failures in a row, events are parked without a call."""

    @pytest.mark.parametrize(
        "respond",
        [
            raises(TIMEOUT, sent=True),
            raises(UNREACHABLE, sent=False),
            lambda _: response(None),
            lambda _: response(None, http_status=502),
            lambda _: response(50000),
            lambda _: response(50002, http_status=500),
        ],
        ids=["time-out", "refused", "unreadable", "HTTP 502", "50000", "HTTP 500 with 50002"],
    )
    def test_it_opens(self, respond: Responder) -> None:
        tiktok = TikTok(respond)
        tiktok.deliver([outgoing("a")])

        (outcome,), calls = tiktok.deliver([outgoing("b")])

        assert len(tiktok.requests) == 3
        assert (outcome.status, outcome.reason, outcome.cause) == (
            Status.PARKED,
            "tiktok_circuit_open",
            Cause.TRANSIENT,
        )
        assert (outcome.unanswered_at, calls) == (None, [])

    @pytest.mark.parametrize(
        "found",
        [
            response(40100),
            response(40100, http_status=503),
            response(40105),
            response(40002),
            response(40202),
            response(None, http_status=404),
        ],
        ids=["throttled", "throttled with HTTP 503", "token", "content", "conflict", "HTTP 404"],
    )
    def test_an_answer_does_not_open_it(self, found: TikTokResponse) -> None:
        tiktok = TikTok(lambda _: found)
        for _ in range(4):
            tiktok.deliver([outgoing("a")])
        before = len(tiktok.requests)

        tiktok.deliver([outgoing("b")])

        assert len(tiktok.requests) > before

    def test_calls_of_a_bisection_do_not_count(self) -> None:
        def respond(ids: list[str]) -> TikTokResponse:
            return response(40002) if len(ids) == 100 else response(50000)

        tiktok = TikTok(respond)
        tiktok.deliver([outgoing(str(number)) for number in range(100)])
        tiktok.respond = lambda _: response()

        (outcome,), _ = tiktok.deliver([outgoing("a")])

        assert outcome.status is Status.FORWARDED

    def test_a_trial_is_one_short_call_without_a_retry(self) -> None:
        tiktok = TikTok(raises(TIMEOUT, sent=True))
        tiktok.deliver([outgoing("a")])
        tiktok.clock.now += 5.0
        tiktok.requests.clear()

        tiktok.deliver([outgoing("b")])
        tiktok.deliver([outgoing("c")])

        assert tiktok.requests == [["b"]]
        assert tiktok.times_left[-1] <= 1.0

    def test_a_successful_trial_closes_it(self) -> None:
        tiktok = TikTok(raises(TIMEOUT, sent=True))
        tiktok.deliver([outgoing("a")])
        tiktok.clock.now += 5.0
        tiktok.respond = lambda _: response()

        outcomes = [tiktok.deliver([outgoing(name)])[0][0].status for name in "bc"]

        assert outcomes == [Status.FORWARDED, Status.FORWARDED]


def test_the_log_gets_the_known_words_of_a_message() -> None:
    tiktok = TikTok(lambda _: response(40002, "Invalid value 'jane@example.com' for user.email"))

    _, calls = tiktok.deliver([outgoing("a")])

    assert [call.message for call in calls] == ["Invalid value '…' for user.email"]
