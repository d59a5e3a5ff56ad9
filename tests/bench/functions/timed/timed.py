"""Measure the time of a function's handler, in seconds."""

import time
from typing import Any

import app  # type: ignore[import-not-found]  # the function on the same path


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Call the handler and measure."""
    started = time.perf_counter()
    response = app.handler(event, context)
    return {"seconds": time.perf_counter() - started, "status": response["statusCode"]}
