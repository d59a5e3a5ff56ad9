"""The five ends an event can come to, and the answer that tells Segment about them.

Every event ends in exactly one outcome; ``reason`` says why in a stable snake_case code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from tiktok_pixel.values.json_text import compact


class Status(StrEnum):
    """What became of an event. The order is the order in which they decide for a batch."""

    RETRY = "retry"
    """The answer asks Segment to send it again, which it does for four hours."""
    PARKED = "parked"
    """Kept in SQS until an operator's mistake is mended."""
    FORWARDED = "forwarded"
    """TikTok said that it has it."""
    IGNORED = "ignored"
    """Nothing maps it, or the person's choice forbids it."""
    REJECTED = "rejected"
    """It can never be sent; the reason names field and rule."""


# Chosen from what all of Segment's documentation agrees on: 429 and 503 are sent again,
# 400, 401 and 413 are dropped, any 2xx is delivered.
_HTTP: Final = {
    Status.RETRY: 503,
    Status.PARKED: 202,
    Status.FORWARDED: 200,
    Status.IGNORED: 200,
    Status.REJECTED: 400,
}
_THROTTLED: Final = 429
# Enumerating a class takes longer than all the rest of an answer.
_DECIDING: Final = tuple(Status)
# The order of the counts in an answer.
_TOLD: Final = (
    Status.FORWARDED,
    Status.IGNORED,
    Status.REJECTED,
    Status.PARKED,
    Status.RETRY,
)
# Segment's own limit for a messageId; it is cleaned because it is shown in answers and logs.
_MESSAGE_ID_LONGEST: Final = 100


@dataclass(slots=True)
class Outcome:
    """The end of one event.

    Attributes:
        message_id: Segment's messageId as it can be shown: bounded, printable.
        status: What became of it.
        reason: Stable code: why.
        event: TikTok's event name, where a mapping gave it one.
        throttled: A ``retry`` that is due to TikTok's rate limits.
    """

    message_id: Final[str | None]
    status: Final[Status]
    reason: Final[str]
    event: Final[str | None] = None
    throttled: Final[bool] = False

    def row(self) -> dict[str, str | None]:
        """What the answer and the log tell of it."""
        return {
            "message_id": self.message_id,
            "status": self.status,
            "reason": self.reason,
            "event": self.event,
        }


@dataclass(slots=True)
class Reply:
    """An HTTP answer: status code and JSON body."""

    http_status: Final[int]
    body: Final[str]


def reply_to(outcomes: Sequence[Outcome]) -> Reply:
    """The answer for all events of one request."""
    counts = count_statuses(outcomes)
    status = next(one for one in _DECIDING if counts[one])
    http_status = _HTTP[status]
    if status is Status.RETRY and all(
        outcome.throttled for outcome in outcomes if outcome.status is Status.RETRY
    ):
        http_status = _THROTTLED
    rows = [outcome.row() for outcome in outcomes]
    return Reply(http_status, _body(status, counts, {"results": rows}))


def count_statuses(outcomes: Sequence[Outcome]) -> dict[Status, int]:
    """How many events came to each end."""
    counts = dict.fromkeys(_TOLD, 0)
    for outcome in outcomes:
        counts[outcome.status] += 1
    return counts


def refusal(http_status: int, status: Status, reason: str) -> Reply:
    """The answer that refuses a whole request: the same body, zero counts and a reason."""
    return Reply(http_status, _body(status, count_statuses(()), {"results": [], "reason": reason}))


def shown_message_id(value: object) -> str | None:
    """A messageId as answers and logs may carry it: at most 100 characters, all printable."""
    if not isinstance(value, str):
        return None
    if len(value) <= _MESSAGE_ID_LONGEST and value.isascii() and value.isprintable():
        return value
    return "".join(
        character if character.isprintable() and character.isascii() else "?"
        for character in value[:_MESSAGE_ID_LONGEST]
    )


def _body(status: Status, counts: Mapping[Status, int], rest: dict[str, Any]) -> str:
    return compact({"status": status} | dict(counts) | rest)
