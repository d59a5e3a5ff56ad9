"""The result of a load test: where every event ended, and how fast."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Final

from tools.load.ledger import End, account, copies
from tools.load.scenario import WRONG_TEST_CODE
from tools.sandbox.rules import PARAMETER_ERROR

if TYPE_CHECKING:
    from tools.load.ledger import Ledger
    from tools.load.rig import Rig, Run
    from tools.load.segment import Answer
    from tools.load.traffic import Traffic

# By design, test traffic never becomes real: where the setting is removed, it ends.
_TEST_TRAFFIC: Final = "test_event_code_removed"
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Results:
    """The counts of a run.

    Attributes:
        ends: Where each messageId ended.
        unexpected: The messageIds that ended elsewhere than planned, with the place.
        figures: What goes to the file, keys in order.
    """

    ends: Mapping[str, End]
    unexpected: Mapping[str, End]
    figures: dict[str, Any]

    @property
    def lost(self) -> int:
        """How many events were lost."""
        return sum(end is End.LOST for end in self.ends.values())


def evaluate(rig: Rig, traffic: Traffic, ledger: Ledger, run: Run) -> Results:
    """Compare what Segment sent with what TikTok has and what is parked."""
    accepted = rig.tiktok.accepted
    times, keys = copies(accepted, traffic.owners)
    reported = ledger.reported
    ends = account(
        sorted(traffic.message_ids),
        {message_id: status for message_id, (status, _) in reported.items()},
        accepted=times.keys(),
        parked=run.parked.keys(),
        ended=rig.trigger.rejected.keys(),
    )
    never_sent = _meant_as_tests(rig)
    unexpected = {
        message_id: end
        for message_id, end in ends.items()
        if not _is_expected(message_id, end, traffic)
        and not (end is End.REJECTED and message_id in never_sent)
    }
    counts = Counter(ends.values())
    rejections = Counter(
        rig.trigger.rejected.get(message_id) or reported[message_id][1]
        for message_id, end in ends.items()
        if end is End.REJECTED
    )
    answers = ledger.answers
    figures: dict[str, Any] = {
        "received": len(ends),
        **{end.value: counts[end] for end in End},
        "duplicates_with_other_event_id": sum(len(found) - 1 for found in keys.values()),
        "duplicates_with_same_event_id": sum(times.values()) - sum(map(len, keys.values())),
        "planted_poison": len(traffic.poison),
        "unexpected": dict(list(unexpected.items())[:_SHOWN]),
        "rejected_by_reason": dict(rejections.most_common()),
        "parked_by_reason": dict(Counter(run.parked.values()).most_common()),
        "requests": len(answers),
        "responses_by_status": _by_status(answers),
        "retries_by_segment": run.segment.retries,
        "given_up_by_segment": run.segment.given_up,
        "latency_ms": _latency(answers),
        "events_per_second": round(len(ends) / run.sent_seconds, 1),
        "redrive_invocations": rig.trigger.invocations,
        "redrive_failed_messages": rig.trigger.failures,
        "requests_to_tiktok": len(rig.tiktok.requests),
        "seconds": round(run.seconds, 1),
        "steps": [{"at": round(at, 1), "name": name} for at, name in run.steps],
    }
    return Results(ends, unexpected, figures)


def _is_expected(message_id: str, end: End, traffic: Traffic) -> bool:
    if message_id in traffic.ignored:
        return end is End.IGNORED
    if message_id in traffic.rejected:
        return end is End.REJECTED
    if message_id in traffic.poison:
        return end is End.STILL_PARKED
    return end in {End.FORWARDED, End.DELIVERED_AFTER_PARKING}


def _meant_as_tests(rig: Rig) -> set[str]:
    """Return the events that ended with the test event code and that TikTok did not refuse."""
    refused = {
        event_id
        for request in rig.tiktok.requests
        if request.code == PARAMETER_ERROR
        and (request.parsed or {}).get("test_event_code") == WRONG_TEST_CODE
        for event_id in request.event_ids
    }
    ended = {
        message_id for message_id, reason in rig.trigger.rejected.items() if reason == _TEST_TRAFFIC
    }
    return ended - refused


def _by_status(answers: Sequence[Answer]) -> dict[str, int]:
    statuses = Counter(str(one.status or "none") for one in answers)
    return dict(sorted(statuses.items()))


def _latency(answers: Sequence[Answer]) -> dict[str, int]:
    """Return percentiles of the time from a request to its response, in milliseconds."""
    cuts = quantiles([one.seconds * 1000 for one in answers], n=100, method="inclusive")
    return {
        "p50": round(cuts[49]),
        "p95": round(cuts[94]),
        "p99": round(cuts[98]),
        "max": round(max(one.seconds for one in answers) * 1000),
    }
