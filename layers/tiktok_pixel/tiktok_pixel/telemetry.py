"""Report what happened to every event, as CloudWatch metrics and log lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tiktok_pixel import observability
from tiktok_pixel.outcomes import Outcome, Status, count_statuses, shown_message_id

if TYPE_CHECKING:
    from tiktok_pixel.outcomes import Cause
    from tiktok_pixel.tiktok.delivery import Call
    from tiktok_pixel.tiktok.outgoing import Parked
    from tiktok_pixel.values.validation import Problem

_METRICS: Final = {
    Status.FORWARDED: "EventsForwarded",
    Status.IGNORED: "EventsIgnored",
    Status.REJECTED: "EventsRejected",
    Status.PARKED: "EventsParked",
    Status.RETRY: "EventsRetried",
}
# Parked events were counted before: their outcomes have counters of their own.
_REDRIVEN_METRICS: Final = {
    Status.FORWARDED: "RedrivenForwarded",
    Status.REJECTED: "RedrivenRejected",
    Status.PARKED: "RedrivenWaiting",
    Status.RETRY: "RedrivenWaiting",
}
# A bisection makes hundreds of calls: a log line lists the first.
_MOST_CALLS: Final = 50
_TIKTOK_ACCEPTED: Final = "tiktok_accepted"


@dataclass(slots=True)
class Report:
    """What happened in one invocation: for the response, the metrics and the log.

    Attributes:
        outcomes: One for each event and mapping that matched it, in order.
        problems: How often each problem was found in the events.
        calls: The requests to TikTok.
    """

    outcomes: Final[Sequence[Outcome]]
    problems: Final[Mapping[Problem, int]]
    calls: Final[Sequence[Call]]


def record(report: Report) -> None:
    """Count and log one request."""
    observability.count("EventsReceived", len(report.outcomes))
    causes = Counter(outcome.cause for outcome in report.outcomes if outcome.cause is not None)
    for cause, times in causes.items():
        observability.count_by("EventsParked", times, {"cause": cause})
    _account("request", report, _METRICS, report.outcomes)


def record_redriven(report: Report, waiting: Sequence[Parked], now: float) -> None:
    """Count and log the parked events of one invocation.

    Args:
        report: What happened to all of them.
        waiting: The state of those that stay in the queue.
        now: Unix time in seconds.
    """
    # Events that wait are only counted: there may be many, in every pass.
    ended = [outcome for outcome in report.outcomes if outcome.status is Status.REJECTED]
    _account("redriven", report, _REDRIVEN_METRICS, ended)
    oldest: dict[Cause, float] = {}
    for state in waiting:
        oldest[state.cause] = min(oldest.get(state.cause, now), state.parked_at)
    for cause, times in Counter(state.cause for state in waiting).items():
        observability.count_by("ParkedEvents", times, {"cause": cause})
        observability.hours("OldestParkedHours", now - oldest[cause], {"cause": cause})
    if waiting:
        observability.count("ParkedEvents", len(waiting))
        observability.hours("OldestParkedHours", now - min(oldest.values()))


def _account(
    message: str, report: Report, names: Mapping[Status, str], rows: Sequence[Outcome]
) -> None:
    counts = count_statuses(report.outcomes)
    for status, name in names.items():
        observability.count(name, counts[status])
    for problem, times in report.problems.items():
        observability.count_by(
            "ValidationFailure", times, {"field": problem.field, "reason": problem.rule}
        )
    observability.time_taken("TikTokLatency", [call.seconds for call in report.calls])
    refusals = [_code(call) for call in report.calls if call.reason != _TIKTOK_ACCEPTED]
    for code in dict.fromkeys(refusals):
        observability.count_by("TikTokError", refusals.count(code), {"code": code})
    _log(message, report, counts, rows)


def _log(
    message: str, report: Report, counts: Mapping[Status, int], rows: Sequence[Outcome]
) -> None:
    extra: dict[str, Any] = {
        "outcomes": {status: times for status, times in counts.items() if times},
        "problems": {problem.code: times for problem, times in report.problems.items()},
        "tiktok": [_call(call) for call in report.calls[:_MOST_CALLS]],
        "tiktok_calls": len(report.calls),
    }
    if len(report.outcomes) == 1:
        observability.logger.info(message, extra=extra | report.outcomes[0].row())
        return
    observability.logger.info(message, extra=extra)
    observability.log_rows("events", [outcome.row() for outcome in rows])


def _call(call: Call) -> dict[str, Any]:
    row: dict[str, Any] = {
        "reason": call.reason,
        "code": call.code,
        "http_status": call.http_status,
        "request_id": shown_message_id(call.request_id),
        "events": call.events,
        "ms": round(call.seconds * 1000),
    }
    if call.reason != _TIKTOK_ACCEPTED:
        row["message"] = call.message
    return row


def _code(call: Call) -> str:
    # TikTok's codes are a short list; without a code, the reason takes its place.
    return call.reason if call.code is None else str(call.code)
