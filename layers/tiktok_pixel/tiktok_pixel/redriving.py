"""Retry parked events until TikTok accepts or finally refuses them.

A message whose events still have to wait is reported as failed, so that SQS keeps it, and stays
invisible for a time that grows with each try. When TikTok accepts part of a message, the rest is
parked in a new message: sending all of it again would count twice after TikTok's 48 hours.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)

from tiktok_pixel import observability
from tiktok_pixel.aws.queue import UnreadableMessageError, read_message
from tiktok_pixel.deadline import Deadline
from tiktok_pixel.errors import TikTokPixelError
from tiktok_pixel.outcomes import Cause, Outcome, Status
from tiktok_pixel.telemetry import Report, record_redriven
from tiktok_pixel.tiktok.delivery import Delivery
from tiktok_pixel.tiktok.events import OLDEST_SECONDS, OutgoingEvent

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from tiktok_pixel.destination import Destination

# Seconds kept back from Lambda's time for SQS and the response.
_MARGIN: Final = 5.0
# Seconds for one message, so that the other messages of the invocation get their turn.
_MESSAGE_SECONDS: Final = 20.0
# TikTok drops a copy that comes within 48 h of the first; later ones count twice.
_DEDUPLICATED_SECONDS: Final = 48 * 3600
# The first tries come soon, for faults that are fixed at once; the later ones once an hour, which
# in the queue's fourteen days stays far below SQS's thousand receives.
_FIRST_WAIT_SECONDS: Final = 60
_LONGEST_WAIT_SECONDS: Final = 3600

_processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


class StillParkedError(TikTokPixelError):
    """A message that SQS has to keep."""


@dataclass(frozen=True, slots=True)
class Redriven:
    """What happened to the events of one message.

    Attributes:
        report: For metrics and log; ``parked`` and ``retry`` mean that the event still waits.
        waiting: The events that stay parked, with their outcomes.
    """

    report: Report
    waiting: tuple[tuple[OutgoingEvent, Outcome], ...]


def respond(event: dict[str, Any], context: LambdaContext, destination: Destination) -> Any:
    """Process a batch of messages and return the ids of those that SQS has to keep."""
    end = Deadline.after(context.get_remaining_time_in_millis() / 1000 - _MARGIN)

    def process(record: SQSRecord) -> None:
        deadline = Deadline.after(min(_MESSAGE_SECONDS, end.remaining()))
        try:
            is_done = _redrive_message(record, destination, deadline)
        except Exception as error:  # noqa: BLE001  # an internal error must not lose the message
            observability.report_crash(error)
            is_done = False
        if not is_done:
            _set_wait(record, destination)
            raise StillParkedError("not accepted by TikTok yet")

    return process_partial_response(
        event=event, record_handler=process, processor=_processor, context=context
    )


def redrive(
    events: Sequence[OutgoingEvent], destination: Destination, *, deadline: Deadline, now: float
) -> Redriven:
    """Send parked events again."""
    expired = [_expired(event, destination, now) for event in events]
    delivery = Delivery(
        destination.client,
        destination.credentials,
        destination.breaker,
        deadline,
        thorough=True,
    )
    delivered, calls = delivery.deliver(
        [event for event, reason in zip(events, expired, strict=True) if reason is None]
    )
    of_event = iter(delivered)
    outcomes = [
        _final(next(of_event))
        if reason is None
        else Outcome(event.message_id, Status.REJECTED, reason, event.name)
        for event, reason in zip(events, expired, strict=True)
    ]
    waiting = tuple(
        (event, outcome)
        for event, outcome in zip(events, outcomes, strict=True)
        if outcome.status in (Status.PARKED, Status.RETRY)
    )
    return Redriven(Report(outcomes, {}, calls), waiting)


def wait_seconds(receive_count: int) -> int:
    """Return how long a message stays invisible after its n-th try."""
    doublings = min(max(receive_count, 1) - 1, 10)
    return min(_FIRST_WAIT_SECONDS << doublings, _LONGEST_WAIT_SECONDS)


def _redrive_message(record: SQSRecord, destination: Destination, deadline: Deadline) -> bool:
    """Send the events of one message and return whether SQS can delete it."""
    queue = destination.queue
    if queue is None:
        return False
    try:
        events = read_message(record.body)
    except UnreadableMessageError:
        observability.count("UnreadableMessages")
        # Without the error's text, which may quote the message.
        extra = {"sqs_message_id": record.message_id}
        observability.logger.error("cannot read a message of the queue", extra=extra)
        return False
    now = time.time()
    redriven = redrive(events, destination, deadline=deadline, now=now)
    record_redriven(redriven.report)
    waiting = redriven.waiting
    if len(waiting) == len(events):
        return False
    if not waiting:
        return True
    parked, outcomes = zip(*waiting, strict=True)
    return all(queue.park(parked, outcomes, now, Deadline.after(_MARGIN)))


def _set_wait(record: SQSRecord, destination: Destination) -> None:
    """Hide the message for a time that grows with its tries."""
    queue = destination.queue
    if queue is None:
        return
    try:
        queue.client.change_message_visibility(
            QueueUrl=queue.url,
            ReceiptHandle=record.receipt_handle,
            VisibilityTimeout=wait_seconds(int(record.attributes.approximate_receive_count)),
        )
    except Exception:  # noqa: BLE001  # then the queue's own visibility time-out applies
        observability.logger.warning("cannot set the visibility time-out")


def _final(outcome: Outcome) -> Outcome:
    """End an event that TikTok refuses for its content."""
    if outcome.cause is not Cause.CONTENT:
        return outcome
    return Outcome(outcome.message_id, Status.REJECTED, outcome.reason, outcome.event)


def _expired(event: OutgoingEvent, destination: Destination, now: float) -> str | None:
    """Return the reason why an event can no longer be sent, if there is one."""
    age = now - json.loads(event.json)["event_time"]
    if age > OLDEST_SECONDS:
        return "event_time_too_old"
    if destination.settings.use_existing_pixel and age > _DEDUPLICATED_SECONDS:
        return "deduplication_window_passed"
    return None
