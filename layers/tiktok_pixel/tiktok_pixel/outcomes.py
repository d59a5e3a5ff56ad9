"""The five outcomes of an event, and the response that reports them to Segment.

Every event ends in exactly one outcome; ``reason`` is a stable snake_case code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from tiktok_pixel.values.json_text import compact


class Status(StrEnum):
    """What happened to an event, in order of precedence for the status of a batch."""

    RETRY = "retry"
    """The response asks Segment to send it again, which it does for four hours."""
    PARKED = "parked"
    """Mapped but not delivered: stored in SQS, the redrive function delivers it."""
    FORWARDED = "forwarded"
    """TikTok accepted it."""
    IGNORED = "ignored"
    """Nothing maps it, or the person's consent forbids it."""
    REJECTED = "rejected"
    """It can never be sent; the reason names field and rule."""


class Cause(StrEnum):
    """Why an event is parked."""

    TRANSIENT = "transient"
    """TikTok is unavailable, slow or throttling, or the time budget ended."""
    OPERATOR = "operator"
    """TikTok refuses token, permission, pixel or test event code: the operator has to fix it."""
    CONTENT = "content"
    """TikTok refuses the event itself, which a wrong setting can cause as well."""


# Codes on which all of Segment's documentation agrees: 429 and 503 are retried, 400, 401 and 413
# are dropped, any 2xx is delivered.
_HTTP: Final = {
    Status.RETRY: 503,
    Status.PARKED: 202,
    Status.FORWARDED: 200,
    Status.IGNORED: 200,
    Status.REJECTED: 400,
}
_THROTTLED: Final = 429
# Bytes of all rows; API Gateway's limit is 10 MB, Lambda's 6 MB.
_LONGEST_ROWS: Final = 900_000
# Where not all rows fit, those that need attention come first.
_IMPORTANCE: Final = (
    Status.RETRY,
    Status.REJECTED,
    Status.PARKED,
    Status.IGNORED,
    Status.FORWARDED,
)
# Iterating over an enum takes longer than all the rest of a response.
_PRECEDENCE: Final = tuple(Status)
# The order of the counts in a response.
_COUNTED: Final = (
    Status.FORWARDED,
    Status.IGNORED,
    Status.REJECTED,
    Status.PARKED,
    Status.RETRY,
)
# Segment's own limit for a messageId.
_MESSAGE_ID_LONGEST: Final = 100


class Summary(NamedTuple):
    """What an event has, by names and never by values, for the response, metrics and logs.

    Attributes:
        match_keys: The names in TikTok's ``user`` object.
        has_value: Whether it has a ``value`` with a currency.
        problems: The codes of what was left out of it.
    """

    match_keys: tuple[str, ...] = ()
    has_value: bool = False
    problems: tuple[str, ...] = ()


NO_SUMMARY: Final = Summary()


@dataclass(slots=True)
class Outcome:
    """What happened to one event.

    Attributes:
        message_id: Segment's messageId as it can be shown: bounded, printable.
        status: What became of it.
        reason: Stable code that says why.
        event: TikTok's event name, if a mapping matched.
        throttled: TikTok's rate limits stopped the event: a ``retry`` responds 429, not 503.
        cause: Why it is parked; ``None`` for all other outcomes.
        unanswered_at: Unix time in seconds of the first attempt that was sent whole and got no
            readable response: TikTok may have counted the event.
        summary: What a rejected event had; that of others is with the outgoing event.
    """

    message_id: Final[str | None]
    status: Final[Status]
    reason: Final[str]
    event: Final[str | None] = None
    throttled: Final[bool] = False
    cause: Final[Cause | None] = None
    unanswered_at: Final[float | None] = None
    summary: Final[Summary] = NO_SUMMARY

    def row(self) -> dict[str, Any]:
        """Return the row for the response and the log."""
        return {
            "message_id": self.message_id,
            "status": self.status,
            "reason": self.reason,
            "event": self.event,
        }


def summarise(outcomes: Sequence[Outcome], summaries: Sequence[Summary]) -> tuple[int, str]:
    """Return the HTTP status and the JSON body of the response for all events of a request.

    The rows are in the order of the events. ``results_omitted`` counts those that do not fit.

    Args:
        outcomes: What happened to the events.
        summaries: What the same events have.
    """
    counts = count_statuses(outcomes)
    status = next(one for one in _PRECEDENCE if counts[one])
    http_status = _HTTP[status]
    if status is Status.RETRY and all(
        outcome.throttled for outcome in outcomes if outcome.status is Status.RETRY
    ):
        http_status = _THROTTLED
    rows = [
        outcome.row() | {"match_keys": list(summary.match_keys), "problems": list(summary.problems)}
        for outcome, summary in zip(outcomes, summaries, strict=True)
    ]
    body = _body(status, counts, {"results": rows})
    if len(body) > _LONGEST_ROWS:
        kept = _most_important(outcomes, rows)
        rest = {"results": kept, "results_omitted": len(rows) - len(kept)}
        body = _body(status, counts, rest)
    return http_status, body


def _most_important(
    outcomes: Sequence[Outcome], rows: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the rows that fit, by importance of their status, in the order of the events."""
    indexes = sorted(range(len(rows)), key=lambda index: _IMPORTANCE.index(outcomes[index].status))
    kept: set[int] = set()
    size = 0
    for index in indexes:
        size += len(compact(rows[index])) + 1
        if size > _LONGEST_ROWS:
            break
        kept.add(index)
    return [row for index, row in enumerate(rows) if index in kept]


def count_statuses(outcomes: Sequence[Outcome]) -> dict[Status, int]:
    """Count the events by status."""
    counts = dict.fromkeys(_COUNTED, 0)
    for outcome in outcomes:
        counts[outcome.status] += 1
    return counts


def refusal_body(status: Status, reason: str) -> str:
    """Return the JSON body that refuses a whole request: zero counts and a reason."""
    return _body(status, count_statuses(()), {"results": [], "reason": reason})


def shown_message_id(value: object) -> str | None:
    """Return a messageId that is safe to show: at most 100 characters, all printable ASCII."""
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
