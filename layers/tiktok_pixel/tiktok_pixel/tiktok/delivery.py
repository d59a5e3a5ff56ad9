"""From built events to fates: requests of at most 1,000 events, tried again while time allows."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

from tiktok_pixel.errors import TikTokPixelError
from tiktok_pixel.tiktok.bisection import Chunk, Fate, Group, Parcel, Response
from tiktok_pixel.tiktok.client import NoResponseError, TikTokClient
from tiktok_pixel.tiktok.verdicts import Verdict, VerdictKind, judge, read_envelope
from tiktok_pixel.values.json_text import compact

if TYPE_CHECKING:
    from tiktok_pixel.deadline import Deadline
    from tiktok_pixel.tiktok.events import Route

# TikTok refuses a request with more events as a whole.
EVENTS_PER_REQUEST: Final = 1000

# A call that has less time than this would only be cut off; seconds.
_SHORTEST_CALL: Final = 0.2
_TRIES: Final = 3
# Full jitter below base * 2^try; TikTok's shortest rate limit is counted by the second.
_BACKOFF_SECONDS: Final = 0.2
_THROTTLED_SECONDS: Final = 1.0
# Seven culprits keep 28 chunks under way: all of them go out at once.
_PARALLEL: Final = 32
# Shorter values, like a country, are words of TikTok's own as often.
_SHORTEST_QUOTE: Final = 3


@dataclass(frozen=True, slots=True)
class PixelCredentials:
    """What one pixel is reached with; the token never shows in a ``repr``."""

    pixel_code: str
    access_token: str = field(repr=False)


class CredentialsUnavailableError(TikTokPixelError):
    """The credentials of a pixel cannot be had; ``verdict`` is what that means for its events."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


class CredentialSource(Protocol):
    """Where the delivery gets pixel codes and tokens from."""

    def pixel(self, name: str | None, deadline: Deadline) -> PixelCredentials:
        """The credentials of a pixel, ``None`` for the default one.

        Raises:
            CredentialsUnavailableError: There are none.
        """

    def renew(self, name: str | None, refused: PixelCredentials, deadline: Deadline) -> bool:
        """Read the credentials again; whether another try makes sense."""


@dataclass(slots=True)
class Call:
    """One request to TikTok, for logs and metrics. It holds nothing personal."""

    reason: Final[str]
    code: Final[int | None]
    http_status: Final[int | None]
    request_id: Final[str]
    message: Final[str]
    seconds: Final[float]
    events: Final[int]


@dataclass(slots=True)
class Delivery:
    """The way out for the events of one Segment request.

    Attributes:
        client: The connections to TikTok.
        credentials: Where tokens come from.
        deadline: When the last answer has to be in.
        thorough: Isolate refused events to the last one (see :mod:`.isolation`).
        calls: Every request that was made.
    """

    client: TikTokClient
    credentials: CredentialSource
    deadline: Deadline
    thorough: bool = False
    calls: list[Call] = field(default_factory=list)
    sleep: Callable[[float], None] = time.sleep

    def deliver(self, parcels: Sequence[tuple[Route, Parcel]]) -> dict[int, Fate]:
        """Send every parcel; the fate of each by its index."""
        by_route: dict[Route, list[Parcel]] = {}
        for route, parcel in parcels:
            by_route.setdefault(route, []).append(parcel)
        groups = [
            (route, Group(same[start : start + EVENTS_PER_REQUEST], self.thorough))
            for route, same in by_route.items()
            for start in range(0, len(same), EVENTS_PER_REQUEST)
        ]
        pending = [(route, group, [group.parcels]) for route, group in groups]
        while pending:
            responses = iter(
                self._send_all([(route, chunk) for route, _, chunks in pending for chunk in chunks])
            )
            settled = [
                (route, group, group.settle([(chunk, next(responses)) for chunk in chunks]))
                for route, group, chunks in pending
            ]
            pending = [one for one in settled if one[2]]
        fates: dict[int, Fate] = {}
        for _, group in groups:
            group.conclude()
            fates.update(group.fates)
        return fates

    def _send_all(self, requests: list[tuple[Route, Chunk]]) -> list[Response]:
        if len(requests) == 1:
            return [self._send(*requests[0])]
        # Imported here because a request with one chunk, which almost all are, needs no threads.
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

        with ThreadPoolExecutor(min(_PARALLEL, len(requests))) as pool:
            return list(pool.map(lambda request: self._send(*request), requests))

    def _send(self, route: Route, chunk: Chunk) -> Response:
        """Send one chunk, again while its verdict and the time allow it."""
        response = Response(None)
        renewed = False
        for attempt in range(_TRIES + 1):
            if self.deadline.remaining() < _SHORTEST_CALL:
                return response
            try:
                credentials = self.credentials.pixel(route.pixel, self.deadline)
            except CredentialsUnavailableError as error:
                return Response(error.verdict)
            verdict, message = self._call(route, chunk, credentials)
            response = Response(verdict, message)
            if verdict.credentials and not renewed:
                renewed = True
                if self.credentials.renew(route.pixel, credentials, self.deadline):
                    continue
            if verdict.kind is not VerdictKind.TRANSIENT or attempt + 1 >= _TRIES:
                return response
            pause = _pause(attempt, throttled=verdict.throttled)
            if self.deadline.remaining() < pause + _SHORTEST_CALL:
                return response
            self.sleep(pause)
        return response

    def _call(
        self, route: Route, chunk: Chunk, credentials: PixelCredentials
    ) -> tuple[Verdict, str]:
        """Make one request; what it means, and TikTok's words."""
        body = request_body(route, credentials.pixel_code, chunk)
        try:
            answer = self.client.track(body, credentials.access_token, self.deadline)
        except NoResponseError as error:
            self.calls.append(
                Call(error.verdict.reason, None, None, "", "", error.seconds, len(chunk))
            )
            return error.verdict, ""
        envelope = read_envelope(answer)
        verdict = judge(answer, envelope)
        message = envelope.message if envelope else ""
        told = "" if verdict.kind is VerdictKind.ACCEPTED else _without_values(message, chunk)
        self.calls.append(
            Call(
                verdict.reason,
                envelope.code if envelope else None,
                answer.http_status,
                envelope.request_id if envelope else "",
                told.replace(credentials.access_token, "…"),
                answer.seconds,
                len(chunk),
            )
        )
        return verdict, message


def request_body(route: Route, pixel_code: str, chunk: Chunk) -> bytes:
    """The body of one request: what its events share, then the events, serialised before."""
    head = _head(route.event_source, pixel_code, route.test_event_code)
    return f'{head},"data":[{",".join([parcel.body for parcel in chunk])}]}}'.encode()


# There are few, and to write one would take as long as the rest of a single event's request.
@lru_cache(maxsize=64)
def _head(event_source: str, pixel_code: str, test_event_code: str | None) -> str:
    shared: dict[str, str] = {"event_source": event_source, "event_source_id": pixel_code}
    if test_event_code:
        shared["test_event_code"] = test_event_code
    return compact(shared)[:-1]


def _without_values(message: str, chunk: Chunk) -> str:
    """TikTok's words without what they quote of the events, which may be personal."""
    quoted = {
        value
        for parcel in chunk
        for value in _texts(json.loads(parcel.body))
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
