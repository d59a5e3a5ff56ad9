"""Wraps a function's handler and tells how long it took, in seconds."""

import time
from typing import Any

import app  # type: ignore[import-not-found]  # the function that stands beside it on the path


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Call the handler with the clock running."""
    started = time.perf_counter()
    answer = app.handler(event, context)
    return {"seconds": time.perf_counter() - started, "status": answer["statusCode"]}
