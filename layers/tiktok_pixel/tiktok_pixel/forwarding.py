"""Process Segment events and return one outcome per event."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tiktok_pixel.observability import log_timings
from tiktok_pixel.outcomes import Cause, Outcome, Status
from tiktok_pixel.preparing import prepare
from tiktok_pixel.telemetry import Report
from tiktok_pixel.tiktok.delivery import Call, Delivery
from tiktok_pixel.tiktok.outgoing import OutgoingEvent, Parked

if TYPE_CHECKING:
    from tiktok_pixel.deadline import Deadline
    from tiktok_pixel.destination import Destination

# Seconds kept back for parking: SQS's slow moments, and the messages, which grow with the events.
_PARKING_SECONDS: Final = 0.6
_PARKING_SECONDS_PER_EVENT: Final = 0.000_03
# Seconds kept back for metrics, log lines and the response's text, which grow with the events; as
# measured with the share of a core that 512 MB give.
_RESPONSE_SECONDS_PER_EVENT: Final = 0.000_15


def forward(
    events: Sequence[object], destination: Destination, *, deadline: Deadline, now: float
) -> Report:
    """Map, check and send events, and report what happened to each.

    Args:
        events: Parsed JSON values, as :func:`tiktok_pixel.segment.body.parse_events` returns them.
        destination: What the requests of an environment share.
        deadline: When the response has to be sent.
        now: Unix time in seconds.
    """
    deadline = deadline.earlier(len(events) * _RESPONSE_SECONDS_PER_EVENT)
    # Mapping and delivery leave time for parking what they do not finish.
    early = deadline
    if destination.queue is not None:
        early = deadline.earlier(_PARKING_SECONDS + len(events) * _PARKING_SECONDS_PER_EVENT)
    started = time.perf_counter()
    rows, problems = prepare(events, destination.mappings, destination.settings, now, early)
    mapped = time.perf_counter()
    log_timings(map=mapped - started)
    ready = [row for row in rows if isinstance(row, OutgoingEvent)]
    calls: list[Call] = []
    outcomes: Sequence[Outcome | OutgoingEvent] = rows
    if ready:
        delivery = Delivery(
            destination.client,
            destination.credentials,
            destination.breaker,
            early,
            test_event_code=destination.settings.test_event_code,
        )
        delivered, calls = delivery.deliver(ready)
        answered = time.perf_counter()
        delivered = _park(ready, delivered, destination, deadline, now)
        log_timings(deliver=answered - mapped, park=time.perf_counter() - answered)
        of_event = iter(delivered)
        outcomes = [next(of_event) if isinstance(row, OutgoingEvent) else row for row in rows]
    return Report(
        [row for row in outcomes if isinstance(row, Outcome)],
        [row.summary for row in rows],
        Counter(problems) if problems else {},
        calls,
        destination.mappings.event_names,
    )


def _park(
    events: Sequence[OutgoingEvent],
    outcomes: Sequence[Outcome],
    destination: Destination,
    deadline: Deadline,
    now: float,
) -> list[Outcome]:
    """Park the events that have to wait and return all outcomes."""
    final = list(outcomes)
    waiting = [index for index, one in enumerate(outcomes) if one.status is Status.PARKED]
    if not waiting:
        return final
    parked = [False] * len(waiting)
    if destination.queue is not None:
        parked = destination.queue.park(
            [_parked(events[index], outcomes[index], now) for index in waiting], deadline
        )
    for index, is_parked in zip(waiting, parked, strict=True):
        if not is_parked:
            final[index] = _parking_failed(outcomes[index])
    return final


def _parked(event: OutgoingEvent, outcome: Outcome, now: float) -> OutgoingEvent:
    """Return an event with the state that the queue keeps."""
    cause = outcome.cause or Cause.TRANSIENT
    refused_at = now if cause is Cause.CONTENT else None
    state = Parked(cause, outcome.reason, now, outcome.unanswered_at, refused_at)
    return replace(event, parked=state)


def _parking_failed(outcome: Outcome) -> Outcome:
    return Outcome(
        outcome.message_id,
        Status.RETRY,
        "parking_failed",
        outcome.event,
        outcome.throttled,
    )
