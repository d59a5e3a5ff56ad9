"""Finding the culprit when TikTok refuses a request for its content.

TikTok takes or refuses a request as a whole, and its message does not say which event it means.
So a refused chunk is halved until the culprit stands alone. Two halvings go out at once: four
quarters need no more requests than two halvings one after the other, and half the waiting.

Two things end the search early. When nothing was taken and the first events that were tried
alone are all refused in the same words, the mistake is not in the events but in what they share:
an operator's. And what is still unresolved when the time is up is parked: asking Segment to send
it again would meet the same search again, until the events are lost.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tiktok_pixel.outcomes import Status
from tiktok_pixel.tiktok.verdicts import Verdict, VerdictKind

UNFINISHED: Final = "isolation_unfinished"
REFUSES_ALL: Final = "tiktok_refuses_all"

_DIGITS: Final = re.compile(r"\d+")
# Below this, trying two events alone costs as much as splitting on.
_WORTH_PROBING: Final = 8


@dataclass(slots=True)
class Parcel:
    """One event on its way: its place among the events of the request, and its JSON."""

    index: Final[int]
    body: Final[str]


@dataclass(frozen=True, slots=True)
class Fate:
    """Where a parcel ended."""

    status: Status
    reason: str
    throttled: bool = False


@dataclass(slots=True)
class Response:
    """A verdict and the words it came in; ``None`` for both is a call there was no time for."""

    verdict: Final[Verdict | None]
    message: Final[str] = ""


Chunk = Sequence[Parcel]


@dataclass(slots=True)
class Group:
    """The parcels of one request body, and what is known of them so far.

    Attributes:
        parcels: All of them.
        thorough: Isolate to the last event, also when all are refused alike.
        fates: Where parcels ended, by index.
    """

    parcels: Chunk
    thorough: bool = False
    fates: dict[int, Fate] = field(default_factory=dict)
    _whole_refused: bool = False
    _probed: bool = False
    _held: list[Chunk] = field(default_factory=list)
    _accepted: bool = False
    _isolated: list[tuple[Parcel, Verdict, str]] = field(default_factory=list)

    def settle(self, answered: Sequence[tuple[Chunk, Response]]) -> list[Chunk]:
        """Take in the answers of one round; the chunks to send next."""
        refused: list[Chunk] = []
        for chunk, response in answered:
            verdict = response.verdict
            if verdict is not None and verdict.kind is VerdictKind.CONTENT:
                if len(chunk) == 1:
                    self._isolated.append((chunk[0], verdict, _wording(response.message)))
                else:
                    refused.append(chunk)
            else:
                self._end(chunk, self._fate(verdict))
                self._accepted |= verdict is not None and verdict.kind is VerdictKind.ACCEPTED
        self._whole_refused |= bool(refused)
        refused += self._held
        self._held = []
        if not self.thorough and self._refuses_all():
            for chunk in refused:
                self._end(chunk, Fate(Status.PARKED, REFUSES_ALL))
            return []
        if self._worth_probing(refused):
            return self._probe(refused)
        return [part for chunk in refused for part in split(chunk)]

    def conclude(self) -> None:
        """Decide on the events that were refused alone, once nothing is left to send."""
        park = not self.thorough and self._refuses_all()
        for parcel, verdict, _ in self._isolated:
            self.fates[parcel.index] = (
                Fate(Status.PARKED, REFUSES_ALL) if park else Fate(Status.REJECTED, verdict.reason)
            )

    def _refuses_all(self) -> bool:
        wordings = {wording for _, _, wording in self._isolated}
        return not self._accepted and len(self._isolated) > 1 and len(wordings) == 1

    def _worth_probing(self, chunks: list[Chunk]) -> bool:
        return (
            not self.thorough
            and not self._probed
            and not self._accepted
            and len(chunks) > 1
            and sum(map(len, chunks)) >= _WORTH_PROBING
        )

    def _probe(self, chunks: list[Chunk]) -> list[Chunk]:
        # Two events alone, while the others wait for what that says about them. Which ones is left
        # to chance: bad events often stand in a row or at an end.
        self._probed = True
        first, *inner, last = chunks
        one, rest_of_first = _pick(first)
        other, rest_of_last = _pick(last)
        self._held = [chunk for chunk in (rest_of_first, *inner, rest_of_last) if chunk]
        return [one, other]

    def _fate(self, verdict: Verdict | None) -> Fate:
        if verdict is not None and verdict.kind is VerdictKind.ACCEPTED:
            return Fate(Status.FORWARDED, verdict.reason)
        if verdict is not None and verdict.kind is VerdictKind.OPERATOR:
            return Fate(Status.PARKED, verdict.reason)
        if self._whole_refused:
            return Fate(Status.PARKED, UNFINISHED)
        if verdict is None:
            return Fate(Status.RETRY, "budget_exhausted")
        return Fate(Status.RETRY, verdict.reason, verdict.throttled)

    def _end(self, chunk: Chunk, fate: Fate) -> None:
        for parcel in chunk:
            self.fates[parcel.index] = fate


def split(chunk: Chunk) -> list[Chunk]:
    """Both halves of both halves; three events are halved once, which is cheaper."""
    halves = _halves(chunk)
    if len(chunk) <= 3:  # noqa: PLR2004  # see above
        return halves
    return [quarter for half in halves for quarter in _halves(half)]


def _halves(chunk: Chunk) -> list[Chunk]:
    if len(chunk) == 1:
        return [chunk]
    middle = len(chunk) // 2
    return [chunk[:middle], chunk[middle:]]


def _pick(chunk: Chunk) -> tuple[Chunk, Chunk]:
    """One event of a chunk, and the others."""
    place = random.randrange(len(chunk))  # noqa: S311  # no secret
    return chunk[place : place + 1], [*chunk[:place], *chunk[place + 1 :]]


def _wording(message: str) -> str:
    # Positions and values differ from event to event; the words around them do not.
    return _DIGITS.sub("", message)
