"""Lambda entry of the queue: parked events are sent again until TikTok takes them.

A message whose events still have to wait fails on purpose, so that SQS keeps it, and is made
invisible for a while that grows with its tries. Of a message that TikTok took in part, the rest
goes into the queue anew: sending the whole again would count twice after TikTok's 48 hours.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from botocore.exceptions import BotoCoreError, ClientError

from tiktok_pixel import observability
from tiktok_pixel.accounting import record_redriven
from tiktok_pixel.bootstrap import build_destination
from tiktok_pixel.deadline import Deadline
from tiktok_pixel.errors import TikTokPixelError
from tiktok_pixel.parking import Parking, UnreadableMessageError, read_message
from tiktok_pixel.redriving import redrive, wait_seconds

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

# Kept back from Lambda's time for SQS and the answer; seconds.
_MARGIN: Final = 5.0
# One message has no more than this, so that the others of the invocation have their turn.
_MESSAGE_SECONDS: Final = 20.0

_destination = build_destination(os.environ)
_processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


class StillParkedError(TikTokPixelError):
    """A message that SQS has to keep."""


@observability.metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Work off one batch of the queue; the answer names the messages to keep."""
    end = Deadline.after(context.get_remaining_time_in_millis() / 1000 - _MARGIN)

    def work_off(record: SQSRecord) -> None:
        _redrive_message(record, Deadline.after(min(_MESSAGE_SECONDS, end.remaining())))

    return process_partial_response(
        event=event, record_handler=work_off, processor=_processor, context=context
    )


def _redrive_message(record: SQSRecord, deadline: Deadline) -> None:
    parking = _destination.parking
    if parking is None:
        raise StillParkedError("PARKED_QUEUE_URL is not set")
    try:
        events = read_message(record.body)
    except UnreadableMessageError:
        observability.logger.exception("a message that cannot be read")
        _keep(parking, record)
    redriven = redrive(events, _destination, deadline=deadline, now=time.time())
    waiting = redriven.waiting
    record_redriven(redriven.report)
    if len(waiting) == len(events) or (
        waiting and not all(parking.park(waiting, Deadline.after(_MARGIN)))
    ):
        _keep(parking, record)


def _keep(parking: Parking, record: SQSRecord) -> None:
    """Leave the message in the queue, out of sight for a while.

    Raises:
        StillParkedError: Always; that is what keeps it.
    """
    seconds = wait_seconds(int(record.attributes.approximate_receive_count))
    try:
        parking.client().change_message_visibility(
            QueueUrl=parking.queue_url,
            ReceiptHandle=record.receipt_handle,
            VisibilityTimeout=seconds,
        )
    except (BotoCoreError, ClientError):
        # The queue's own visibility time-out does it then.
        observability.logger.warning("cannot set the visibility time-out")
    raise StillParkedError("not taken by TikTok yet")
