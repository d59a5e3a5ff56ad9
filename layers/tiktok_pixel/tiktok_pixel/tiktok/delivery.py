"""Deliver outgoing events: in requests of at most 1,000 events, retried while time allows."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

from tiktok_pixel.errors import TikTokPixelError
from tiktok_pixel.outcomes import Outcome, Status
from tiktok_pixel.tiktok.bisection import NO_TIME, Bisection, Chunk
from tiktok_pixel.tiktok.client import NoResponseError, TikTokClient
from tiktok_pixel.tiktok.events import OutgoingEvent, Route
from tiktok_pixel.tiktok.verdicts import TikTokResponse, Verdict, VerdictKind, judge
from tiktok_pixel.values.json_text import compact

if TYPE_CHECKING:
    from tiktok_pixel.deadline import Deadline

# TikTok refuses a request with more events as a whole.
EVENTS_PER_REQUEST: Final = 1000

# Seconds; a call with less time left would only be cut off.
_SHORTEST_CALL: Final = 0.2
_TRIES: Final = 3
# Full jitter below base * 2^try; TikTok's shortest rate limit counts per second.
_BACKOFF_SECONDS: Final = 0.2
_THROTTLED_SECONDS: Final = 1.0
# Seven bad events keep 28 chunks in flight: all of them go out at once.
_PARALLEL: Final = 32
# Shorter values, such as a country, are often words of TikTok's own.
_SHORTEST_QUOTE: Final = 3

_STATUS: Final = {
    VerdictKind.ACCEPTED: Status.FORWARDED,
    VerdictKind.TRANSIENT: Status.RETRY,
    VerdictKind.CONTENT: Status.REJECTED,
    VerdictKind.OPERATOR: Status.PARKED,
}

Batch = Sequence[OutgoingEvent]
"""The events of one request: all of one route."""


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
        message: TikTok's ``message`` without the values that it quotes.
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
class Delivery:
    """The delivery of the events of one invocation.

    Attributes:
        client: The connections to TikTok.
        credentials: Where pixel codes and tokens come from.
        deadline: When the last response has to be in.
        thorough: Isolate every refused event (see :mod:`tiktok_pixel.tiktok.bisection`).
        sleep: Waits between two tries.
    """

    client: TikTokClient
    credentials: CredentialSource
    deadline: Deadline
    thorough: bool = False
    sleep: Callable[[float], None] = time.sleep

    def deliver(self, events: Sequence[OutgoingEvent]) -> tuple[list[Outcome], list[Call]]:
        """Send events and return the outcome of each, in order, and the calls that were made."""
        by_route: dict[Route, list[int]] = {}
        for index, event in enumerate(events):
            by_route.setdefault(event.route, []).append(index)
        searches = [
            Bisection(indexes[start : start + EVENTS_PER_REQUEST], self.thorough)
            for indexes in by_route.values()
            for start in range(0, len(indexes), EVENTS_PER_REQUEST)
        ]
        calls: list[Call] = []
        pending = [(search, [search.batch]) for search in searches]
        while pending:
            results = self._send_all(events, [chunk for _, chunks in pending for chunk in chunks])
            calls += [call for _, _, of_chunk in results for call in of_chunk]
            verdicts = iter(results)
            settled: list[tuple[Bisection, list[Chunk]]] = []
            for search, chunks in pending:
                of_search = [(chunk, *next(verdicts)[:2]) for chunk in chunks]
                settled.append((search, search.settle(of_search)))
            pending = [(search, chunks) for search, chunks in settled if chunks]
        final: dict[int, Verdict] = {}
        for search in searches:
            search.conclude()
            final.update(search.verdicts)
        return [_outcome(event, final[index]) for index, event in enumerate(events)], calls

    def _send_all(
        self, events: Sequence[OutgoingEvent], chunks: list[Chunk]
    ) -> list[tuple[Verdict, str, list[Call]]]:
        batches = [[events[index] for index in chunk] for chunk in chunks]
        if len(batches) == 1:
            return [self._send(batches[0])]
        # Imported here because a request with one chunk, as nearly all are, needs no threads.
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

        with ThreadPoolExecutor(min(_PARALLEL, len(batches))) as pool:
            return list(pool.map(self._send, batches))

    def _send(self, batch: Batch) -> tuple[Verdict, str, list[Call]]:
        """Send one batch, again while verdict and time allow it.

        Returns:
            The last verdict, TikTok's message, and all calls.
        """
        verdict, message = NO_TIME, ""
        calls: list[Call] = []
        pixel = batch[0].route.pixel
        renewed = False
        for attempt in range(_TRIES + 1):
            if self.deadline.remaining() < _SHORTEST_CALL:
                break
            try:
                credentials = self.credentials.pixel(pixel, self.deadline)
            except CredentialsUnavailableError as error:
                return error.verdict, "", calls
            verdict, message, call = self._call(batch, credentials)
            calls.append(call)
            if verdict.credentials and not renewed:
                renewed = True
                if self.credentials.renew(pixel, credentials, self.deadline):
                    continue
            if verdict.kind is not VerdictKind.TRANSIENT or attempt + 1 >= _TRIES:
                break
            pause = _pause(attempt, throttled=verdict.throttled)
            if self.deadline.remaining() < pause + _SHORTEST_CALL:
                break
            self.sleep(pause)
        return verdict, message, calls

    def _call(self, batch: Batch, credentials: PixelCredentials) -> tuple[Verdict, str, Call]:
        """Make one request; return the verdict, TikTok's message, and the call for the log."""
        body = request_body(batch, credentials.pixel_code)
        try:
            response = self.client.track(body, credentials.access_token, self.deadline)
        except NoResponseError as error:
            reason = error.verdict.reason
            call = Call(reason, None, None, "", "", error.seconds, len(batch))
            return error.verdict, "", call
        verdict = judge(response)
        return verdict, response.message, _call_of(response, verdict, batch, credentials)


def request_body(batch: Batch, pixel_code: str) -> bytes:
    """Return the body of one request: the fields that its events share, then the events."""
    route = batch[0].route
    head = _head(route.event_source, pixel_code, route.test_event_code)
    return f'{head},"data":[{",".join([event.json for event in batch])}]}}'.encode()


# Cached: there are few heads, and writing one takes as long as the rest of a single event.
@lru_cache(maxsize=64)
def _head(event_source: str, pixel_code: str, test_event_code: str | None) -> str:
    shared: dict[str, str] = {"event_source": event_source, "event_source_id": pixel_code}
    if test_event_code:
        shared["test_event_code"] = test_event_code
    return compact(shared)[:-1]


def _outcome(event: OutgoingEvent, verdict: Verdict) -> Outcome:
    status = _STATUS[verdict.kind]
    return Outcome(event.message_id, status, verdict.reason, event.name, verdict.throttled)


def _call_of(
    response: TikTokResponse, verdict: Verdict, batch: Batch, credentials: PixelCredentials
) -> Call:
    message = ""
    if verdict.kind is not VerdictKind.ACCEPTED:
        message = _without_values(response.message, batch)
        message = message.replace(credentials.access_token, "…")
    return Call(
        verdict.reason,
        response.code,
        response.http_status,
        response.request_id,
        message,
        response.seconds,
        len(batch),
    )


def _without_values(message: str, batch: Batch) -> str:
    """Remove the values of the events from TikTok's message: they may be personal."""
    quoted = {
        value
        for event in batch
        for value in _texts(json.loads(event.json))
        if len(value) >= _SHORTEST_QUOTE and value in message
    }
    for value in sorted(quoted, key=len, reverse=True):
        message = message.replace(value, "…")
    return message


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _texts(member)


def _pause(attempt: int, *, throttled: bool) -> float:
    base = _THROTTLED_SECONDS if throttled else _BACKOFF_SECONDS
    return random.uniform(base / 4, base * 2**attempt)  # noqa: S311  # jitter, no secret
