"""The Logger and the Metrics of the functions.

No log line and no metric holds personal data: callers pass outcomes, reason codes and counts,
never events. TikTok's messages are cleaned, because they may quote the values that it refuses.
"""

from __future__ import annotations

import logging
import os
import re
import traceback
from collections.abc import Mapping, Sequence
from typing import Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric

# DEBUG lines of the libraries hold whole requests with their tokens: they stay off whatever level
# the functions log at.
logging.getLogger().setLevel(logging.WARNING)

logger: Final = Logger()
metrics: Final = Metrics()

_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]")


def count(name: str, value: int = 1) -> None:
    """Add to a counter that has the service as its only dimension; 0 adds nothing."""
    if value:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def count_by(name: str, value: int, dimensions: Mapping[str, str]) -> None:
    """Add to a counter with dimensions. Their values must come from closed lists."""
    with single_metric(name=name, unit=MetricUnit.Count, value=value) as metric:
        for dimension, of_dimension in dimensions.items():
            metric.add_dimension(name=dimension, value=of_dimension)


def hours(name: str, seconds: float, dimensions: Mapping[str, str] | None = None) -> None:
    """Record an age, in hours."""
    with single_metric(name=name, unit=MetricUnit.NoUnit, value=round(seconds / 3600, 3)) as metric:
        for dimension, of_dimension in (dimensions or {}).items():
            metric.add_dimension(name=dimension, value=of_dimension)


def time_taken(name: str, seconds: Sequence[float]) -> None:
    """Add durations to a distribution, in milliseconds."""
    for one in seconds:
        metrics.add_metric(name=name, unit=MetricUnit.Milliseconds, value=round(one * 1000, 1))


def log_timings(**seconds: float) -> None:
    """Log at level DEBUG how long stages took, in milliseconds."""
    logger.debug(
        "timings",
        extra={f"{stage}_ms": round(taken * 1000, 2) for stage, taken in seconds.items()},
    )


def shown(value: object, longest: int) -> str:
    """Return text of a caller that is safe to log: short, printable ASCII."""
    return _UNPRINTABLE.sub("?", str(value)[:longest]) if value is not None else ""


def report_crash(error: BaseException) -> None:
    """Log the type and the stack of an error, without its message: it may quote the event."""
    frames = traceback.extract_tb(error.__traceback__)
    logger.error(
        "unexpected error",
        extra={
            "error": type(error).__name__,
            "stack": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
        },
    )
    count("InternalError")
    # A deployment is rolled back for errors of its own version.
    version = {
        "function_name": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "local"),
        "function_version": os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "local"),
    }
    count_by("InternalError", 1, version)
