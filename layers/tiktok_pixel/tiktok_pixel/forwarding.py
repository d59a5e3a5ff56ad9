"""Process Segment events and return one outcome per event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tiktok_pixel.outcomes import Outcome, Status
from tiktok_pixel.preparing import prepare
from tiktok_pixel.telemetry import Report
from tiktok_pixel.tiktok.delivery import Call, Delivery
from tiktok_pixel.tiktok.events import OutgoingEvent

if TYPE_CHECKING:
    from tiktok_pixel.deadline import Deadline
    from tiktok_pixel.destination import Destination

# Seconds kept back from the delivery; parking a thousand events takes a tenth of it.
_PARKING_SECONDS: Final = 0.6
# Seconds kept back for metrics, log lines and the response's text, which grow with the events.
_RESPONSE_SECONDS_PER_EVENT: Final = 0.000_04


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
    rows, problems = prepare(events, destination.mappings, destination.settings, now)
    ready = [row for row in rows if isinstance(row, OutgoingEvent)]
    calls: list[Call] = []
    outcomes: Sequence[Outcome | OutgoingEvent] = rows
    if ready:
        deadline = deadline.earlier(len(rows) * _RESPONSE_SECONDS_PER_EVENT)
        delivered, calls = _deliver(ready, destination, deadline, now)
        of_event = iter(delivered)
        outcomes = [next(of_event) if isinstance(row, OutgoingEvent) else row for row in rows]
    return Report(
        [row for row in outcomes if isinstance(row, Outcome)],
        Counter(problems) if problems else {},
        calls,
    )


def _deliver(
    events: Sequence[OutgoingEvent], destination: Destination, deadline: Deadline, now: float
) -> tuple[list[Outcome], list[Call]]:
    """Send events and park those that have to wait; return the outcome of each, and the calls."""
    queue = destination.queue
    delivery = Delivery(
        destination.client,
        destination.credentials,
        deadline if queue is None else deadline.earlier(_PARKING_SECONDS),
    )
    outcomes, calls = delivery.deliver(events)
    waiting = [index for index, one in enumerate(outcomes) if one.status is Status.PARKED]
    if waiting:
        parked = [False] * len(waiting)
        if queue is not None:
            parked = queue.park([events[index] for index in waiting], now, deadline)
        for index, is_parked in zip(waiting, parked, strict=True):
            if not is_parked:
                outcomes[index] = _parking_failed(events[index])
    return outcomes, calls


def _parking_failed(event: OutgoingEvent) -> Outcome:
    return Outcome(event.message_id, Status.RETRY, "parking_failed", event.name)
