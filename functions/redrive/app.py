"""Lambda entry of the queue: parked events are sent again until TikTok takes them.

A message whose events still have to wait fails on purpose, so that SQS keeps it, and is made
invisible for a while that grows with its tries. Of a message that TikTok took in part, the rest
goes into the queue anew: sending the whole again would count twice after TikTok's 48 hours.
"""

from __future__ import annotations

import gc

# As in the other function: what the start makes stays, and need not be searched for garbage.
gc.disable()

import os
import time
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)

from tiktok_pixel import observability
from tiktok_pixel.aws.queue import UnreadableMessageError, read_message
from tiktok_pixel.deadline import Deadline
from tiktok_pixel.destination import build_destination
from tiktok_pixel.errors import TikTokPixelError
from tiktok_pixel.redriving import redrive, wait_seconds
from tiktok_pixel.telemetry import record_redriven

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

# Kept back from Lambda's time for SQS and the answer; seconds.
_MARGIN: Final = 5.0
# One message has no more than this, so that the others of the invocation have their turn.
_MESSAGE_SECONDS: Final = 20.0

try:
    _destination = build_destination(os.environ)
finally:
    gc.enable()
    gc.freeze()
_processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


class StillParkedError(TikTokPixelError):
    """A message that SQS has to keep."""


@observability.metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Work off one batch of the queue; the answer names the messages to keep."""
    end = Deadline.after(context.get_remaining_time_in_millis() / 1000 - _MARGIN)

    def work_off(record: SQSRecord) -> None:
        deadline = Deadline.after(min(_MESSAGE_SECONDS, end.remaining()))
        try:
            is_done = _redrive_message(record, deadline)
        except Exception as error:  # noqa: BLE001  # a mistake of ours: the message waits for its end
            observability.report_crash(error)
            is_done = False
        if not is_done:
            _set_wait(record)
            raise StillParkedError("not taken by TikTok yet")

    return process_partial_response(
        event=event, record_handler=work_off, processor=_processor, context=context
    )


def _redrive_message(record: SQSRecord, deadline: Deadline) -> bool:
    """Send the events of one message; whether the message is done with."""
    parking = _destination.parking
    if parking is None:
        return False
    try:
        events = read_message(record.body)
    except UnreadableMessageError:
        observability.count("UnreadableMessages")
        # Without the error's text, which may quote what stands there.
        extra = {"sqs_message_id": record.message_id}
        observability.logger.error("a message that cannot be read", extra=extra)
        return False
    redriven = redrive(events, _destination, deadline=deadline, now=time.time())
    record_redriven(redriven.report)
    waiting = redriven.waiting
    if len(waiting) == len(events):
        return False
    return not waiting or all(parking.park(waiting, Deadline.after(_MARGIN)))


def _set_wait(record: SQSRecord) -> None:
    """Keep the message out of sight for a while that grows with its tries."""
    parking = _destination.parking
    if parking is None:
        return
    try:
        parking.client().change_message_visibility(
            QueueUrl=parking.queue_url,
            ReceiptHandle=record.receipt_handle,
            VisibilityTimeout=wait_seconds(int(record.attributes.approximate_receive_count)),
        )
    except Exception:  # noqa: BLE001  # then the queue's own visibility time-out does it
        observability.logger.warning("cannot set the visibility time-out")
