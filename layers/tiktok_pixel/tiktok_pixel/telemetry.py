"""Report what happened to every event, as CloudWatch metrics and log lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tiktok_pixel import observability
from tiktok_pixel.outcomes import (
    NO_SUMMARY,
    Outcome,
    Status,
    Summary,
    count_statuses,
    shown_message_id,
)
from tiktok_pixel.tiktok.event_names import is_standard_event
from tiktok_pixel.tiktok.verdicts import CODES

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
# Outcomes that are logged event by event.
_UNFINISHED: Final = (Status.REJECTED, Status.PARKED, Status.RETRY)
_PURCHASES: Final = ("Purchase", "CompletePayment", "PlaceAnOrder")
_TIKTOK_ACCEPTED: Final = "tiktok_accepted"


@dataclass(slots=True)
class Report:
    """What happened in one invocation: for the response, the metrics and the log.

    Attributes:
        outcomes: One for each event and mapping that matched it, in order.
        summaries: What the same events have; empty when it is not known.
        problems: How often each problem was found in the events.
        calls: The requests to TikTok.
        event_names: The event names that stand in the mappings.
    """

    outcomes: Final[Sequence[Outcome]]
    summaries: Final[Sequence[Summary]]
    problems: Final[Mapping[Problem, int]]
    calls: Final[Sequence[Call]]
    event_names: Final[Collection[str]] = ()


def record(report: Report) -> None:
    """Count and log one request."""
    observability.count("EventsReceived", len(report.outcomes))
    causes = Counter(outcome.cause for outcome in report.outcomes if outcome.cause is not None)
    for cause, times in causes.items():
        observability.count_by("EventsParked", times, {"cause": cause})
    _count_forwarded(report)
    _account("request", report, _METRICS)
    _log_tiktok_events(report)
    _log_events(zip(report.outcomes, report.summaries, strict=True))


def record_redriven(report: Report, waiting: Sequence[Parked], now: float) -> None:
    """Count and log the parked events of one invocation.

    Args:
        report: What happened to all of them.
        waiting: The state of those that stay in the queue.
        now: Unix time in seconds.
    """
    _count_purchases(report)
    _account("redriven", report, _REDRIVEN_METRICS)
    # Events that wait are only counted: there may be many, in every pass.
    ended = [outcome for outcome in report.outcomes if outcome.status is Status.REJECTED]
    _log_events((outcome, NO_SUMMARY) for outcome in ended)
    oldest: dict[Cause, float] = {}
    for state in waiting:
        oldest[state.cause] = min(oldest.get(state.cause, now), state.parked_at)
    for cause, times in Counter(state.cause for state in waiting).items():
        observability.count_by("ParkedEvents", times, {"cause": cause})
        observability.hours("OldestParkedHours", now - oldest[cause], {"cause": cause})
    if waiting:
        observability.count("ParkedEvents", len(waiting))
        observability.hours("OldestParkedHours", now - min(oldest.values()))


def _account(message: str, report: Report, names: Mapping[Status, str]) -> None:
    counts = count_statuses(report.outcomes)
    for status, name in names.items():
        observability.count(name, counts[status])
    observability.count("ValidationFailure", sum(report.problems.values()))
    for problem, times in report.problems.items():
        observability.count_by(
            "ValidationFailure", times, {"field": problem.field, "reason": problem.rule}
        )
    observability.time_taken("TikTokLatency", [call.seconds for call in report.calls])
    refusals = [_code(call) for call in report.calls if call.reason != _TIKTOK_ACCEPTED]
    observability.count("TikTokError", len(refusals))
    for code in dict.fromkeys(refusals):
        observability.count_by("TikTokError", refusals.count(code), {"code": code})
    _log(message, report, counts)


def _log(message: str, report: Report, counts: Mapping[Status, int]) -> None:
    extra: dict[str, Any] = {
        "outcomes": {status: times for status, times in counts.items() if times},
        "problems": {problem.code: times for problem, times in report.problems.items()},
        "events": len(report.outcomes),
        "tiktok": [_call(call) for call in report.calls[:_MOST_CALLS]],
        "tiktok_calls": len(report.calls),
        "tiktok_ms": max((round(call.seconds * 1000) for call in report.calls), default=0),
        "tiktok_codes": " ".join(dict.fromkeys(map(_code, report.calls))),
    }
    if len(report.outcomes) == 1:
        extra |= report.outcomes[0].row()
    ignored = Counter(
        outcome.reason for outcome in report.outcomes if outcome.status is Status.IGNORED
    )
    extra |= {f"ignored_{reason}": times for reason, times in ignored.items()}
    observability.logger.info(message, extra=extra)


def _log_tiktok_events(report: Report) -> None:
    """Log what the events of each TikTok event name have, as flat counts."""
    counts: dict[str, Counter[str]] = {}
    for outcome, summary in _sent(report):
        of_event = counts.setdefault(_event_name(outcome, report), Counter())
        of_event["events"] += 1
        of_event.update(f"with_{key}" for key in summary.match_keys)
        of_event.update(f"problem_{code}" for code in set(summary.problems))
        if summary.has_value:
            of_event["with_value"] += 1
    for event, of_event in counts.items():
        observability.logger.info("tiktok_event", extra={"event": event, **of_event})


def _log_events(rows: Iterable[tuple[Outcome, Summary]]) -> None:
    """Log each event that was rejected, parked, retried, or lost a field."""
    for outcome, summary in rows:
        if outcome.status in _UNFINISHED or summary.problems:
            # CloudWatch Logs Insights reads text, not arrays.
            lists = {
                "match_keys": " ".join(summary.match_keys),
                "problems": " ".join(summary.problems),
            }
            observability.logger.warning("event", extra=outcome.row() | lists)


def _count_forwarded(report: Report) -> None:
    forwarded = [
        _event_name(outcome, report)
        for outcome, _ in _sent(report)
        if outcome.status is Status.FORWARDED
    ]
    for event, times in Counter(forwarded).items():
        observability.count_by("EventsForwarded", times, {"event": event})
    _count_purchases(report)


def _count_purchases(report: Report) -> None:
    purchases = [
        outcome
        for outcome in report.outcomes
        if outcome.status is Status.FORWARDED and outcome.event in _PURCHASES
    ]
    observability.count("PurchasesForwarded", len(purchases))


def _sent(report: Report) -> Iterator[tuple[Outcome, Summary]]:
    """Yield the events that were mapped and could be sent."""
    for outcome, summary in zip(report.outcomes, report.summaries, strict=True):
        if outcome.status not in (Status.IGNORED, Status.REJECTED) and outcome.event is not None:
            yield outcome, summary


def _event_name(outcome: Outcome, report: Report) -> str:
    """Return a name from a closed list: an event can compute any name."""
    name = outcome.event or ""
    return name if is_standard_event(name) or name in report.event_names else "other"


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
    # Dimensions have a closed list of values: TikTok's documented codes, or the reason.
    return str(call.code) if call.code in CODES else call.reason
