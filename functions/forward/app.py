"""Lambda entry point of the endpoint."""

from __future__ import annotations

import gc

# Everything created during init stays for good: searching it for garbage costs 7 % of a cold start.
gc.disable()

import os
import random
from typing import TYPE_CHECKING, Any

from tiktok_pixel import observability
from tiktok_pixel.deadline import StartupWait
from tiktok_pixel.destination import build_destination
from tiktok_pixel.endpoint import respond

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

try:
    _destination = build_destination(os.environ, authenticates=True)
    _startup = StartupWait()
finally:
    gc.enable()
    gc.freeze()
if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    from snapshot_restore_py import register_after_restore

    # Environments that start from one snapshot would draw the same random numbers.
    register_after_restore(random.seed)
observability.count("ColdStarts")  # written with the first request


@observability.metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: Any, context: LambdaContext) -> dict[str, Any]:
    """Respond to one invocation."""
    return respond(event, context, _destination, _startup)
