"""Finding the culprit when TikTok refuses a request for its content.

TikTok takes or refuses a request as a whole, and its message does not say which event it means.
So a refused piece is halved until the culprit stands alone. Two halvings go out at once: four
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
from tiktok_pixel.tiktok.verdicts import Ruling, Verdict

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
    """A ruling and the words it came in; ``None`` for both is a call there was no time for."""

    ruling: Final[Ruling | None]
    message: Final[str] = ""


Piece = Sequence[Parcel]


@dataclass(slots=True)
class Group:
    """The parcels of one request body, and what is known of them so far.

    Attributes:
        parcels: All of them.
        thorough: Isolate to the last event, also when all are refused alike.
        fates: Where parcels ended, by index.
    """

    parcels: Piece
    thorough: bool = False
    fates: dict[int, Fate] = field(default_factory=dict)
    _whole_refused: bool = False
    _probed: bool = False
    _held: list[Piece] = field(default_factory=list)
    _accepted: bool = False
    _isolated: list[tuple[Parcel, Ruling, str]] = field(default_factory=list)

    def settle(self, answered: Sequence[tuple[Piece, Response]]) -> list[Piece]:
        """Take in the answers of one round; the pieces to send next."""
        refused: list[Piece] = []
        for piece, response in answered:
            ruling = response.ruling
            if ruling is not None and ruling.verdict is Verdict.CONTENT:
                if len(piece) == 1:
                    self._isolated.append((piece[0], ruling, _wording(response.message)))
                else:
                    refused.append(piece)
            else:
                self._end(piece, self._fate(ruling))
                self._accepted |= ruling is not None and ruling.verdict is Verdict.DELIVERED
        self._whole_refused |= bool(refused)
        refused += self._held
        self._held = []
        if not self.thorough and self._refuses_all():
            for piece in refused:
                self._end(piece, Fate(Status.PARKED, REFUSES_ALL))
            return []
        if self._worth_probing(refused):
            return self._probe(refused)
        return [part for piece in refused for part in split(piece)]

    def conclude(self) -> None:
        """Decide on the events that were refused alone, once nothing is left to send."""
        park = not self.thorough and self._refuses_all()
        for parcel, ruling, _ in self._isolated:
            self.fates[parcel.index] = (
                Fate(Status.PARKED, REFUSES_ALL) if park else Fate(Status.REJECTED, ruling.reason)
            )

    def _refuses_all(self) -> bool:
        wordings = {wording for _, _, wording in self._isolated}
        return not self._accepted and len(self._isolated) > 1 and len(wordings) == 1

    def _worth_probing(self, pieces: list[Piece]) -> bool:
        return (
            not self.thorough
            and not self._probed
            and not self._accepted
            and len(pieces) > 1
            and sum(map(len, pieces)) >= _WORTH_PROBING
        )

    def _probe(self, pieces: list[Piece]) -> list[Piece]:
        # Two events alone, while the others wait for what that says about them. Which ones is left
        # to chance: bad events often stand in a row or at an end.
        self._probed = True
        first, *inner, last = pieces
        one, rest_of_first = _pick(first)
        other, rest_of_last = _pick(last)
        self._held = [piece for piece in (rest_of_first, *inner, rest_of_last) if piece]
        return [one, other]

    def _fate(self, ruling: Ruling | None) -> Fate:
        if ruling is not None and ruling.verdict is Verdict.DELIVERED:
            return Fate(Status.FORWARDED, ruling.reason)
        if ruling is not None and ruling.verdict is Verdict.OPERATOR:
            return Fate(Status.PARKED, ruling.reason)
        if self._whole_refused:
            return Fate(Status.PARKED, UNFINISHED)
        if ruling is None:
            return Fate(Status.RETRY, "budget_exhausted")
        return Fate(Status.RETRY, ruling.reason, ruling.throttled)

    def _end(self, piece: Piece, fate: Fate) -> None:
        for parcel in piece:
            self.fates[parcel.index] = fate


def split(piece: Piece) -> list[Piece]:
    """Both halves of both halves; three events are halved once, which is cheaper."""
    halves = _halves(piece)
    if len(piece) <= 3:  # noqa: PLR2004  # see above
        return halves
    return [quarter for half in halves for quarter in _halves(half)]


def _halves(piece: Piece) -> list[Piece]:
    if len(piece) == 1:
        return [piece]
    middle = len(piece) // 2
    return [piece[:middle], piece[middle:]]


def _pick(piece: Piece) -> tuple[Piece, Piece]:
    """One event of a piece, and the others."""
    place = random.randrange(len(piece))  # noqa: S311  # no secret
    return piece[place : place + 1], [*piece[:place], *piece[place + 1 :]]


def _wording(message: str) -> str:
    # Positions and values differ from event to event; the words around them do not.
    return _DIGITS.sub("", message)
