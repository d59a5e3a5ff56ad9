"""Find the bad events of a batch that TikTok refuses for its content.

TikTok accepts or refuses a request as a whole, and its message does not say which event is bad.
So a refused chunk is halved until a bad event stands alone. Two levels of halving go out at once:
four quarters need no more requests than two halves twice, and half the waiting.

The search ends early in two cases. When nothing was accepted and the first events that were sent
alone are all refused in the same words, the fault lies in what they share: an operator error. And
what is unresolved when the time is up is parked: Segment would only start the same search again.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tiktok_pixel.tiktok.verdicts import Verdict, VerdictKind

UNFINISHED: Final = Verdict(VerdictKind.OPERATOR, "isolation_unfinished")
REFUSES_ALL: Final = Verdict(VerdictKind.OPERATOR, "tiktok_refuses_all")
NO_TIME: Final = Verdict(VerdictKind.TRANSIENT, "budget_exhausted")

_DIGITS: Final = re.compile(r"\d+")
# Below this, sending two events alone costs as much as halving on.
_WORTH_PROBING: Final = 8

Chunk = Sequence[int]
"""Part of a batch, as positions in it."""


@dataclass(slots=True)
class Bisection:
    """The search in one batch; it knows positions and verdicts only.

    Attributes:
        batch: The positions of all events.
        thorough: Isolate every event, also when all are refused in the same words.
        verdicts: The final verdict on each event, by position.
    """

    batch: Chunk
    thorough: bool = False
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    _whole_refused: bool = False
    _probed: bool = False
    _held: list[Chunk] = field(default_factory=list)
    _accepted: bool = False
    _isolated: list[tuple[int, Verdict, str]] = field(default_factory=list)

    def settle(self, results: Sequence[tuple[Chunk, Verdict, str]]) -> list[Chunk]:
        """Process the results of one round and return the chunks to send next.

        Args:
            results: Each chunk with the verdict on it and TikTok's message.
        """
        refused: list[Chunk] = []
        for chunk, verdict, message in results:
            if verdict.kind is not VerdictKind.CONTENT:
                self._end(chunk, self._final(verdict))
                self._accepted |= verdict.kind is VerdictKind.ACCEPTED
            elif len(chunk) == 1:
                self._isolated.append((chunk[0], verdict, _wording(message)))
            else:
                refused.append(chunk)
        self._whole_refused |= bool(refused)
        refused += self._held
        self._held = []
        if not self.thorough and self._refuses_all():
            for chunk in refused:
                self._end(chunk, REFUSES_ALL)
            return []
        if self._worth_probing(refused):
            return self._probe(refused)
        return [part for chunk in refused for part in split(chunk)]

    def conclude(self) -> None:
        """Decide on the events that were refused alone, once nothing is left to send."""
        park = not self.thorough and self._refuses_all()
        for position, verdict, _ in self._isolated:
            self.verdicts[position] = REFUSES_ALL if park else verdict

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
        # Two events alone; the others wait for the result. They are chosen at random, because bad
        # events often stand in a row or at an end.
        self._probed = True
        first, *inner, last = chunks
        one, rest_of_first = _pick(first)
        other, rest_of_last = _pick(last)
        self._held = [chunk for chunk in (rest_of_first, *inner, rest_of_last) if chunk]
        return [one, other]

    def _final(self, verdict: Verdict) -> Verdict:
        is_open = verdict.kind is VerdictKind.TRANSIENT and self._whole_refused
        return UNFINISHED if is_open else verdict

    def _end(self, chunk: Chunk, verdict: Verdict) -> None:
        self.verdicts.update(dict.fromkeys(chunk, verdict))


def split(chunk: Chunk) -> list[Chunk]:
    """Return both halves of both halves; three events are halved once, which is cheaper."""
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
    """Return one event of a chunk, and the others."""
    place = random.randrange(len(chunk))  # noqa: S311  # no secret
    return chunk[place : place + 1], [*chunk[:place], *chunk[place + 1 :]]


def _wording(message: str) -> str:
    # Positions and values differ from event to event; the words around them do not.
    return _DIGITS.sub("", message)
