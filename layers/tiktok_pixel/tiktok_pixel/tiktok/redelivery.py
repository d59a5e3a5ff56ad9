"""Send parked events again: one pass over the events of an invocation.

A pass protects three things. An outage must cost few requests: while TikTok does not respond, one
request is sent and all other events wait unsent. A bad event must not hold the others: refused
batches are bisected. And a wrong setting must not cost a request for every event: of a group that
was refused before, two events are tried first, and if both are refused in the same words, the
group waits.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tiktok_pixel.outcomes import Cause
from tiktok_pixel.tiktok.batches import batches
from tiktok_pixel.tiktok.bisection import Bisection, Chunk, wording
from tiktok_pixel.tiktok.outgoing import parked_state
from tiktok_pixel.tiktok.verdicts import (
    TIMEOUT,
    UNAVAILABLE,
    UNKNOWN,
    UNREACHABLE,
    UNREADABLE,
    VALIDATION,
    Verdict,
    VerdictKind,
)

if TYPE_CHECKING:
    from tiktok_pixel.tiktok.batches import Batch
    from tiktok_pixel.tiktok.delivery import Result
    from tiktok_pixel.tiktok.outgoing import OutgoingEvent, Parked

SendAll = Callable[[Sequence["Batch"]], "list[Result]"]
"""Sends batches at the same time and returns their results in the same order."""

# Verdicts on calls without a response, or without one that can be read.
_SILENT: Final = (TIMEOUT, UNREACHABLE, UNREADABLE)
DOUBTFUL: Final = (UNAVAILABLE, UNKNOWN, VALIDATION)
"""Refusals that one bad event can cause although the response does not say so."""

# Most failures are over after two passes; what fails on is searched for a bad event.
_PASSES_BEFORE_SEARCH: Final = 2
_SAMPLE: Final = 2
# One round of parallel requests; twice finds one event in a full request.
_PARTS: Final = 32


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a pass found out about one event.

    Attributes:
        verdict: The last verdict, or that on two others of its group that stand for it;
            ``None`` if nothing was found out.
        is_alone: No other event was in the request.
        unanswered_at: Unix time in seconds of the first request that TikTok may have counted
            without a readable response.
    """

    verdict: Verdict | None = None
    is_alone: bool = False
    unanswered_at: float | None = None


class Pass:
    """One pass over parked events that are due.

    Args:
        events: The events, each with its state in the queue.
        send_all: Sends batches.
        has_time: Returns whether there is time for another request.
        is_responsive: Whether TikTok has just responded: else one event is sent first.
        is_last: For each event, whether it is rejected if its content is refused once more.
    """

    def __init__(
        self,
        events: Sequence[OutgoingEvent],
        send_all: SendAll,
        *,
        has_time: Callable[[], bool],
        is_responsive: bool,
        is_last: Sequence[bool],
    ) -> None:
        self._events = events
        self._is_last = is_last
        self._send_all = send_all
        self._has_time = has_time
        self._is_responsive = is_responsive
        self._attempts = [Attempt() for _ in events]
        # No response, or too many requests: nothing more is sent.
        self._is_stopped = False
        self._throttled: set[str | None] = set()
        self._has_accepted = False

    def run(self) -> list[Attempt]:
        """Send what can be sent and return an attempt for each event, in order."""
        positions = range(len(self._events))
        self._probe(positions)
        fresh: list[int] = []
        groups: dict[tuple[object, ...], list[int]] = {}
        for position in self._unsent(positions):
            state, route = self._state(position), self._events[position].route
            if state.cause is Cause.CONTENT or state.is_alone:
                key = (route.pixel, route.event_source, state.cause, state.reason)
                groups.setdefault(key, []).append(position)
            else:
                fresh.append(position)
        self._send_batches(fresh)
        for group in groups.values():
            self._send_group([position for position in group if not self._is_last[position]])
            # Before an event is rejected, it is refused alone.
            self._send_batches(
                [position for position in group if self._is_last[position]], thorough=True
            )
        return self._attempts

    def _probe(self, positions: Iterable[int]) -> None:
        """Send one event unless TikTok has just responded.

        A pixel without credentials sends nothing and proves nothing: then the next pixel is tried.
        """
        by_pixel: dict[str | None, list[int]] = {}
        for position in positions:
            by_pixel.setdefault(self._events[position].route.pixel, []).append(position)
        for position in sorted(map(self._cheapest, by_pixel.values()), key=self._loss):
            if self._is_responsive:
                return
            self._send([[position]])

    def _cheapest(self, positions: Iterable[int]) -> int:
        """Return the event that loses least when its request gets no response either.

        It is one that TikTok may have counted already, the longest ago.
        """
        return min(positions, key=self._loss)

    def _loss(self, position: int) -> tuple[float, float]:
        found = self._state(position).unanswered_at
        # Random among equals: the same bad event must not be the probe of each pass.
        return float("inf") if found is None else found, random.random()  # noqa: S311  # no secret

    def _send_batches(self, positions: Sequence[int], *, thorough: bool = False) -> None:
        """Send events in full requests: one first, the others once TikTok has responded."""
        chunks = [
            [positions[index] for index in batch]
            for batch in batches([self._events[position] for position in positions])
        ]
        for round_of_chunks in (chunks[:1], chunks[1:]):
            for chunk, result in self._send(round_of_chunks):
                self._examine(chunk, result, thorough=thorough)

    def _examine(self, chunk: Chunk, result: Result, *, thorough: bool) -> None:
        """Search a chunk that was not accepted for the bad event."""
        if result.verdict.kind is VerdictKind.CONTENT or (
            result.verdict in DOUBTFUL and self._is_worth_searching(chunk)
        ):
            self._bisect(chunk, result, thorough=thorough)
        elif result.verdict in _SILENT:
            self._search_silent(chunk, thorough=thorough)

    def _send_group(self, positions: Sequence[int]) -> None:
        """Send events that were refused before, unless two of them are refused alike again."""
        results = self._send_sample(positions)
        words = {(result.verdict, wording(result.message)) for result in results}
        is_accepted = any(result.verdict.kind is VerdictKind.ACCEPTED for result in results)
        if is_accepted or len(words) > 1:
            self._send_batches(self._unsent(positions))
        elif results and not self._is_stopped:
            for position in self._unsent(positions):
                self._attempts[position] = Attempt(results[0].verdict)

    def _is_worth_searching(self, chunk: Chunk) -> bool:
        """Return whether TikTok accepts other events while it refuses these."""
        tries = max(self._state(position).tries for position in chunk)
        if tries < _PASSES_BEFORE_SEARCH or len(chunk) == 1:
            return False
        if not self._has_accepted:
            self._send_sample(chunk)
        return self._has_accepted

    def _bisect(self, chunk: Chunk, result: Result, *, thorough: bool) -> None:
        """Isolate the bad events of a refused batch and deliver the others."""
        # Some of its events may have been sent alone in between.
        rest = [
            position
            for position in chunk
            if (verdict := self._attempts[position].verdict) is None
            or verdict.kind is not VerdictKind.ACCEPTED
        ]
        search = Bisection(rest, thorough)
        chunks = search.settle([(rest, _as_content(result.verdict), result.message)])
        while chunks:
            results = self._send(chunks)
            if len(results) < len(chunks):
                self._forget_refusal(rest)
                return
            chunks = search.settle(
                [(part, _as_content(found.verdict), found.message) for part, found in results]
            )

    def _search_silent(self, chunk: Chunk, *, thorough: bool) -> None:
        """Send parts of a chunk that got no response although TikTok accepts other events.

        Its events may have been counted already: sending them again risks no further event.
        """
        if len(chunk) == 1 or not self._has_accepted:
            return
        self._is_stopped = False
        size = -(-len(chunk) // _PARTS)
        results = self._send([chunk[start : start + size] for start in range(0, len(chunk), size)])
        if all(result.verdict in _SILENT for _, result in results):
            return
        for part, result in results:
            self._is_stopped = False
            self._examine(part, result, thorough=thorough)
        self._is_stopped = False

    def _forget_refusal(self, positions: Iterable[int]) -> None:
        """Undo the refusal of a chunk for the events that an interrupted search did not reach."""
        for position in positions:
            attempt = self._attempts[position]
            is_content = attempt.verdict is not None and attempt.verdict.kind is VerdictKind.CONTENT
            if is_content and not attempt.is_alone:
                self._attempts[position] = replace(attempt, verdict=None)

    def _send_sample(self, positions: Sequence[int]) -> list[Result]:
        """Send two events, each alone."""
        chosen = random.sample(positions, min(_SAMPLE, len(positions)))
        return [result for _, result in self._send([[position] for position in chosen])]

    def _send(self, chunks: Sequence[Chunk]) -> list[tuple[Chunk, Result]]:
        """Send chunks at the same time and note what became of them; nothing after a stop."""
        events = self._events
        chunks = [chunk for chunk in chunks if events[chunk[0]].route.pixel not in self._throttled]
        if not chunks or self._is_stopped or not self._has_time():
            return []
        results = self._send_all([[events[position] for position in chunk] for chunk in chunks])
        for chunk, result in zip(chunks, results, strict=True):
            self._has_accepted |= result.verdict.kind is VerdictKind.ACCEPTED
            self._is_stopped |= result.verdict in _SILENT
            self._is_responsive |= bool(result.calls) and result.verdict not in _SILENT
            if result.verdict.throttled:
                self._throttled.add(events[chunk[0]].route.pixel)
            for position in chunk:
                earlier = self._attempts[position].unanswered_at
                self._attempts[position] = Attempt(
                    result.verdict,
                    len(chunk) == 1,
                    result.unanswered_at if earlier is None else earlier,
                )
        return list(zip(chunks, results, strict=True))

    def _unsent(self, positions: Iterable[int]) -> list[int]:
        return [position for position in positions if self._attempts[position].verdict is None]

    def _state(self, position: int) -> Parked:
        return parked_state(self._events[position])


def _as_content(verdict: Verdict) -> Verdict:
    """Return a verdict that makes the bisection search for the bad event."""
    return replace(verdict, kind=VerdictKind.CONTENT) if verdict in DOUBTFUL else verdict
