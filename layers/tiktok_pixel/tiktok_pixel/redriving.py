"""Parked events on their second way: sent until TikTok takes them or says no for good."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tiktok_pixel.forwarding import Report
from tiktok_pixel.outcomes import Outcome, Status
from tiktok_pixel.tiktok.bisection import Fate, Parcel
from tiktok_pixel.tiktok.delivery import Delivery
from tiktok_pixel.tiktok.events import OLDEST_SECONDS

if TYPE_CHECKING:
    from tiktok_pixel.aws.queue import ParkedEvent
    from tiktok_pixel.deadline import Deadline
    from tiktok_pixel.destination import Destination

# TikTok drops a copy that comes within 48 h of the first; later ones count twice.
_DEDUPLICATED_SECONDS: Final = 48 * 3600
# The first tries come soon, for what is mended at once; the later ones once an hour, which in
# the fourteen days of the queue stays far below SQS's thousand receives.
_FIRST_WAIT_SECONDS: Final = 60
_LONGEST_WAIT_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of the events of one message.

    Attributes:
        report: Outcomes, for metrics and log; ``parked`` and ``retry`` mean: still waiting.
        waiting: The events that stay parked.
    """

    report: Report
    waiting: tuple[ParkedEvent, ...]


def redrive(
    events: Sequence[ParkedEvent], destination: Destination, *, deadline: Deadline, now: float
) -> Redriven:
    """Send parked events again; each is isolated from the others to its own end."""
    fates = {
        index: Fate(Status.REJECTED, reason)
        for index, event in enumerate(events)
        if (reason := _too_late(event, destination, now)) is not None
    }
    delivery = Delivery(destination.client, destination.credentials, deadline, thorough=True)
    fates |= delivery.deliver(
        [
            (event.route, Parcel(index, event.body))
            for index, event in enumerate(events)
            if index not in fates
        ]
    )
    outcomes = tuple(
        Outcome(event.message_id, fates[index].status, fates[index].reason, event.event)
        for index, event in enumerate(events)
    )
    waiting = tuple(
        event
        for event, outcome in zip(events, outcomes, strict=True)
        if outcome.status in (Status.PARKED, Status.RETRY)
    )
    return Redriven(Report(outcomes, {}, tuple(delivery.calls)), waiting)


def wait_seconds(receive_count: int) -> int:
    """How long a message stays invisible after its n-th try."""
    doublings = min(max(receive_count, 1) - 1, 10)
    return min(_FIRST_WAIT_SECONDS << doublings, _LONGEST_WAIT_SECONDS)


def _too_late(event: ParkedEvent, destination: Destination, now: float) -> str | None:
    age = now - json.loads(event.body)["event_time"]
    if age > OLDEST_SECONDS:
        return "event_time_too_old"
    if destination.settings.use_existing_pixel and age > _DEDUPLICATED_SECONDS:
        return "deduplication_window_passed"
    return None
