"""Find the bad events of a batch that TikTok refuses for its content.

TikTok accepts or refuses a request as a whole. So a refused chunk is halved until a bad event
stands alone. Two levels of halving go out at once: four quarters need no more requests than two
halves twice, and half the waiting. Where TikTok's message names an event, that event is sent alone
first and the others together; the message may be wrong, so this happens once in a batch.

The search ends early in two cases. When nothing was accepted and the first events that were sent
alone are all refused in the same words, the fault probably lies in what they share. And when the
time is up, what is unresolved ends as unfinished.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tiktok_pixel.tiktok.verdicts import Verdict, VerdictKind

UNFINISHED: Final = Verdict(VerdictKind.TRANSIENT, "isolation_unfinished")
REFUSES_ALL: Final = Verdict(VerdictKind.CONTENT, "tiktok_refuses_all")
NO_TIME: Final = Verdict(VerdictKind.TRANSIENT, "budget_exhausted")

_DIGITS: Final = re.compile(r"\d+")
# "data[3].event_id", "data.3.event_id" or "Batch.3.event_id": the index in the request.
_INDEX: Final = re.compile(r"\b(?:data\[|data\.|Batch\.)(\d{1,4})\b")
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
    _hinted: int | None = None
    _isolated: list[tuple[int, Verdict, str]] = field(default_factory=list)

    def settle(self, results: Sequence[tuple[Chunk, Verdict, str]]) -> list[Chunk]:
        """Process the results of one round and return the chunks to send next.

        Args:
            results: Each chunk with the verdict on it and TikTok's message.
        """
        refused: list[Chunk] = []
        hint: int | None = None
        for chunk, verdict, message in results:
            if verdict.kind is not VerdictKind.CONTENT:
                self._end(chunk, self._final(verdict))
                self._accepted |= verdict.kind is VerdictKind.ACCEPTED
            elif len(chunk) == 1:
                self._isolated.append((chunk[0], verdict, wording(message)))
            else:
                refused.append(chunk)
                hint = _hint(chunk, message)
        self._whole_refused |= bool(refused)
        refused += self._held
        self._held = []
        if not self.thorough and self._refuses_all():
            for chunk in refused:
                self._end(chunk, REFUSES_ALL)
            return []
        if hint is not None and self._hinted is None and len(refused) == 1:
            self._hinted = hint
            return [[hint], [position for position in refused[0] if position != hint]]
        if self._worth_probing(refused):
            return self._probe(refused)
        return [part for chunk in refused for part in split(chunk)]

    def conclude(self) -> None:
        """Decide on the events that were refused alone, once nothing is left to send."""
        shared = not self.thorough and self._refuses_all()
        for position, verdict, _ in self._isolated:
            self.verdicts[position] = REFUSES_ALL if shared else verdict

    def _refuses_all(self) -> bool:
        # An event that TikTok named is bad itself: it proves nothing about the others.
        wordings = [words for position, _, words in self._isolated if position != self._hinted]
        return not self._accepted and len(wordings) > 1 and len(set(wordings)) == 1

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


def _hint(chunk: Chunk, message: str) -> int | None:
    """Return the position of the event that TikTok's message names."""
    found = _INDEX.search(message)
    if found is None or int(found[1]) >= len(chunk):
        return None
    return chunk[int(found[1])]


def wording(message: str) -> str:
    """Return the words of a message, which are the same for all events with the same fault."""
    # Positions and values differ from event to event; the words around them do not.
    return _DIGITS.sub("", message)
