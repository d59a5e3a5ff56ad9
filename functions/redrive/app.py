"""Lambda entry point of the queue of parked events."""

from __future__ import annotations

import gc

# Everything created during init stays for good: it need not be searched for garbage.
gc.disable()

import os
from typing import TYPE_CHECKING, Any

from tiktok_pixel import observability
from tiktok_pixel.destination import build_destination
from tiktok_pixel.redriving import READ_SECONDS, respond

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

try:
    _destination = build_destination(os.environ, read_seconds=READ_SECONDS)
finally:
    gc.enable()
    gc.freeze()


@observability.metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Process a batch of messages and return the ids of those that SQS has to keep."""
    return respond(event, context, _destination)
