"""Deliver outgoing events: in bounded requests, in parallel, retried while time allows."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from tiktok_pixel.errors import TikTokPixelError
from tiktok_pixel.outcomes import Cause, Outcome, Status
from tiktok_pixel.tiktok.batches import Batch, batches, request_body
from tiktok_pixel.tiktok.bisection import NO_TIME, Bisection, Chunk
from tiktok_pixel.tiktok.breaker import TRIAL_SECONDS, CircuitBreaker, Permission
from tiktok_pixel.tiktok.client import NoResponseError, TikTokClient
from tiktok_pixel.tiktok.messages import cleaned
from tiktok_pixel.tiktok.verdicts import (
    CIRCUIT_OPEN,
    CREDENTIALS_UNAVAILABLE,
    UNREADABLE,
    TikTokResponse,
    Verdict,
    VerdictKind,
    judge,
)

if TYPE_CHECKING:
    from tiktok_pixel.deadline import Deadline
    from tiktok_pixel.tiktok.outgoing import OutgoingEvent

# Seconds; a call with less time left would only be cut off.
_SHORTEST_CALL: Final = 0.2
_TRIES: Final = 3
# Full jitter below base * 2^try; TikTok's shortest rate limit counts per second.
_BACKOFF_SECONDS: Final = 0.2
_THROTTLED_SECONDS: Final = 1.0
# Seven bad events keep 28 chunks in flight: all of them go out at once.
_PARALLEL: Final = 32
CAUSES: Final = {
    VerdictKind.TRANSIENT: Cause.TRANSIENT,
    VerdictKind.CONTENT: Cause.CONTENT,
    VerdictKind.OPERATOR: Cause.OPERATOR,
}


@dataclass(frozen=True, slots=True)
class PixelCredentials:
    """Pixel code and access token of one pixel; ``repr`` leaves the token out."""

    pixel_code: str
    access_token: str = field(repr=False)


class CredentialsUnavailableError(TikTokPixelError):
    """The credentials of a pixel are missing; ``verdict`` is what that means for its events."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


class CredentialSource(Protocol):
    """Where the delivery gets pixel codes and tokens from."""

    def pixel(self, name: str | None, deadline: Deadline) -> PixelCredentials:
        """Return the credentials of a pixel, ``None`` for the default one.

        Raises:
            CredentialsUnavailableError: There are none.
        """

    def renew(self, name: str | None, refused: PixelCredentials, deadline: Deadline) -> bool:
        """Read the credentials again and return whether another try makes sense."""


@dataclass(slots=True)
class Call:
    """One request to TikTok, for logs and metrics. It holds nothing personal.

    Attributes:
        reason: The reason of the verdict.
        code: TikTok's ``code``; ``None`` where there was none.
        http_status: ``None`` where there was no response.
        request_id: TikTok's ``request_id``.
        message: The known words of TikTok's ``message``.
        seconds: How long the call took.
        events: How many events it carried.
    """

    reason: Final[str]
    code: Final[int | None]
    http_status: Final[int | None]
    request_id: Final[str]
    message: Final[str]
    seconds: Final[float]
    events: Final[int]


@dataclass(slots=True)
class Result:
    """What sending one chunk came to.

    Attributes:
        verdict: The last verdict.
        message: TikTok's message with it.
        calls: All calls that were made.
        unanswered_at: Wall clock of the first call that TikTok may have counted without a
            readable response.
    """

    verdict: Verdict = NO_TIME
    message: str = ""
    calls: list[Call] = field(default_factory=list)
    unanswered_at: float | None = None


@dataclass(slots=True)
class Delivery:
    """The delivery of the events of one invocation.

    Attributes:
        client: The connections to TikTok.
        credentials: Where pixel codes and tokens come from.
        breaker: Stops calls while TikTok does not answer.
        deadline: When the last response has to be in.
        test_event_code: The test event code of the settings.
        tries: How often a request with a transient failure is sent.
        sleep: Waits between two tries.
        clock: Wall clock in seconds.
    """

    client: TikTokClient
    credentials: CredentialSource
    breaker: CircuitBreaker
    deadline: Deadline
    test_event_code: str | None = None
    tries: int = _TRIES
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time

    def deliver(self, events: Sequence[OutgoingEvent]) -> tuple[list[Outcome], list[Call]]:
        """Send events and return the outcome of each, in order, and the calls that were made.

        An event that TikTok did not accept has the status ``parked``: the caller parks it. Only
        when its credentials were never readable is it ``retry``.
        """
        searches = [Bisection(batch) for batch in batches(events)]
        calls: list[Call] = []
        unanswered: dict[int, float] = {}
        is_first = True
        pending = [(search, [search.batch]) for search in searches]
        while pending:
            chunks = [chunk for _, of_search in pending for chunk in of_search]
            results = self.send_all(
                [[events[index] for index in chunk] for chunk in chunks], counts=is_first
            )
            is_first = False
            for chunk, result in zip(chunks, results, strict=True):
                calls += result.calls
                if result.unanswered_at is not None:
                    for index in chunk:
                        unanswered.setdefault(index, result.unanswered_at)
            answers = iter(results)
            settled = [
                (search, search.settle([_judged(chunk, next(answers)) for chunk in of_search]))
                for search, of_search in pending
            ]
            pending = [(search, chunks) for search, chunks in settled if chunks]
        verdicts: dict[int, Verdict] = {}
        for search in searches:
            search.conclude()
            verdicts.update(search.verdicts)
        outcomes = [
            _outcome(event, verdicts[index], unanswered.get(index))
            for index, event in enumerate(events)
        ]
        return outcomes, calls

    def send_all(self, requests: Sequence[Batch], *, counts: bool) -> list[Result]:
        """Send batches at the same time and return their results in the same order.

        Args:
            requests: Batches within TikTok's limits (see :func:`batches`).
            counts: Whether the calls obey the circuit breaker and count for it, which those of a
                bisection do not.
        """
        if len(requests) == 1:
            return [self._send(requests[0], counts=counts)]
        # Imported here because nearly all invocations send one request and need no threads.
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

        with ThreadPoolExecutor(min(_PARALLEL, len(requests))) as pool:
            return list(pool.map(lambda batch: self._send(batch, counts=counts), requests))

    def _send(self, batch: Batch, *, counts: bool) -> Result:
        """Send one batch, again while verdict and time allow it."""
        result = Result()
        pixel = batch[0].route.pixel
        renewed = False
        for attempt in range(self.tries + 1):
            try:
                credentials = self.credentials.pixel(pixel, self.deadline)
            except CredentialsUnavailableError as error:
                result.verdict = error.verdict
                break
            # Only now: reading the credentials may have taken all the time.
            if self.deadline.remaining() < _SHORTEST_CALL:
                break
            permission = self.breaker.permission() if counts else Permission.CALL
            if permission is Permission.PARK:
                if not result.calls:
                    result.verdict = CIRCUIT_OPEN
                break
            verdict = self._call(batch, credentials, permission, result)
            if counts:
                self._count(result.calls[-1], verdict)
            if permission is Permission.TRIAL:
                break
            if verdict.credentials and not renewed:
                renewed = True
                if self.credentials.renew(pixel, credentials, self.deadline):
                    continue
            if verdict.kind is not VerdictKind.TRANSIENT or attempt + 1 >= self.tries:
                break
            pause = _pause(attempt, throttled=verdict.throttled)
            if self.deadline.remaining() < pause + _SHORTEST_CALL:
                break
            self.sleep(pause)
        return result

    def _call(
        self, batch: Batch, credentials: PixelCredentials, permission: Permission, result: Result
    ) -> Verdict:
        """Make one call and enter it in ``result``."""
        body = request_body(batch, credentials.pixel_code, self.test_event_code)
        deadline = self.deadline
        if permission is Permission.TRIAL:
            deadline = deadline.at_most(TRIAL_SECONDS)
        started = self.clock()
        try:
            response = self.client.track(body, credentials.access_token, deadline)
        except NoResponseError as error:
            verdict, message, may_have_counted = error.verdict, "", error.sent
            call = Call(verdict.reason, None, None, "", "", error.seconds, len(batch))
        else:
            verdict, message = judge(response), response.message
            may_have_counted = verdict is UNREADABLE
            call = _call_of(response, verdict, len(batch))
        result.verdict, result.message = verdict, message
        result.calls.append(call)
        if may_have_counted and result.unanswered_at is None:
            result.unanswered_at = started
        return verdict

    def _count(self, call: Call, verdict: Verdict) -> None:
        """Report a call to the circuit breaker."""
        if _is_failure(call, verdict):
            self.breaker.fail()
        else:
            self.breaker.succeed()


def _judged(chunk: Chunk, result: Result) -> tuple[Chunk, Verdict, str]:
    return chunk, result.verdict, result.message


def _is_failure(call: Call, verdict: Verdict) -> bool:
    """Whether a call shows that TikTok does not work: no response, HTTP 5xx or a code 5xxxx."""
    if call.http_status is None or verdict is UNREADABLE:
        return True
    if call.code is not None and 50000 <= call.code < 60000:  # noqa: PLR2004  # TikTok's codes
        return True
    is_transient = verdict.kind is VerdictKind.TRANSIENT and not verdict.throttled
    return call.http_status >= 500 and is_transient  # noqa: PLR2004  # HTTP


def _outcome(event: OutgoingEvent, verdict: Verdict, unanswered_at: float | None) -> Outcome:
    cause = CAUSES.get(verdict.kind)
    if cause is None:
        return Outcome(event.message_id, Status.FORWARDED, verdict.reason, event.name)
    if verdict is CREDENTIALS_UNAVAILABLE:
        return Outcome(event.message_id, Status.RETRY, verdict.reason, event.name)
    return Outcome(
        event.message_id,
        Status.PARKED,
        verdict.reason,
        event.name,
        verdict.throttled,
        cause,
        unanswered_at,
    )


def _call_of(response: TikTokResponse, verdict: Verdict, events: int) -> Call:
    accepted = verdict.kind is VerdictKind.ACCEPTED
    return Call(
        verdict.reason,
        response.code,
        response.http_status,
        response.request_id,
        "" if accepted else cleaned(response.message),
        response.seconds,
        events,
    )


def _pause(attempt: int, *, throttled: bool) -> float:
    base = _THROTTLED_SECONDS if throttled else _BACKOFF_SECONDS
    return random.uniform(base / 4, base * 2**attempt)  # noqa: S311  # jitter, no secret
