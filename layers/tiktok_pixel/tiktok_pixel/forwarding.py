"""The way through: Segment events in, one outcome for each of them out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tiktok_pixel.aws.queue import ParkedEvent
from tiktok_pixel.outcomes import Outcome, Status
from tiktok_pixel.preparing import prepare
from tiktok_pixel.tiktok.bisection import Fate, Parcel
from tiktok_pixel.tiktok.delivery import Call, Delivery
from tiktok_pixel.tiktok.events import OutgoingEvent

if TYPE_CHECKING:
    from tiktok_pixel.deadline import Deadline
    from tiktok_pixel.destination import Destination
    from tiktok_pixel.values.validation import Problem

# Kept back from the time for TikTok; putting a thousand events into SQS takes a tenth of it.
_PARKING_SECONDS: Final = 0.6
# Kept back for metrics, log lines and the answer's own text, which grow with the events.
_ANSWERING_SECONDS_PER_EVENT: Final = 0.000_04


@dataclass(slots=True)
class Report:
    """What happened: for the answer, the metrics and the log.

    Attributes:
        outcomes: One for every event and mapping that matched it, in order.
        problems: What was left out of events or cost them, counted.
        calls: The requests to TikTok.
    """

    outcomes: Final[tuple[Outcome, ...]]
    problems: Final[Mapping[Problem, int]]
    calls: Final[tuple[Call, ...]]


def forward(
    events: Sequence[object], destination: Destination, *, deadline: Deadline, now: float
) -> Report:
    """Map, check and send events, and say what became of each.

    Args:
        events: Parsed JSON values, as :func:`tiktok_pixel.segment.body.parse_events` gives.
        destination: What the environment holds ready.
        deadline: When the answer has to be out.
        now: Unix time in seconds.
    """
    problems: list[Problem] = []
    rows = prepare(events, destination.mappings, destination.settings, now, problems)
    ready = {index: row for index, row in enumerate(rows) if isinstance(row, OutgoingEvent)}
    fates: dict[int, Fate] = {}
    calls: list[Call] = []
    if ready:
        deadline = deadline.earlier(len(rows) * _ANSWERING_SECONDS_PER_EVENT)
        delivery = Delivery(
            destination.client, destination.credentials, _delivery_deadline(destination, deadline)
        )
        fates = delivery.deliver(
            [(row.route, Parcel(index, row.json)) for index, row in ready.items()]
        )
        calls = delivery.calls
        _park(ready, fates, destination, deadline, now)
    outcomes = tuple(
        _outcome(row, fates[index]) if isinstance(row, OutgoingEvent) else row
        for index, row in enumerate(rows)
    )
    return Report(outcomes, Counter(problems) if problems else {}, tuple(calls))


def _delivery_deadline(destination: Destination, deadline: Deadline) -> Deadline:
    # What has to be parked in the end needs time for it.
    return deadline if destination.parking is None else deadline.earlier(_PARKING_SECONDS)


def _park(
    ready: dict[int, OutgoingEvent],
    fates: dict[int, Fate],
    destination: Destination,
    deadline: Deadline,
    now: float,
) -> None:
    """Put what has to wait into the queue; Segment keeps what does not get there."""
    indexes = [index for index, fate in fates.items() if fate.status is Status.PARKED]
    if not indexes:
        return
    parked = [False] * len(indexes)
    if destination.parking is not None:
        rows = [ready[index] for index in indexes]
        parked = destination.parking.park(
            [ParkedEvent(row.route, row.message_id, row.name, row.json, now) for row in rows],
            deadline,
        )
    for index, is_parked in zip(indexes, parked, strict=True):
        if not is_parked:
            fates[index] = Fate(Status.RETRY, "parking_failed")


def _outcome(row: OutgoingEvent, fate: Fate) -> Outcome:
    return Outcome(row.message_id, fate.status, fate.reason, row.name, fate.throttled)
