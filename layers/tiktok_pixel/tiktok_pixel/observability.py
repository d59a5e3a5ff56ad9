"""The one Logger and the one Metrics of the functions.

No line and no metric holds personal data: callers hand over outcomes, reason codes and counts,
never events. What TikTok writes is scrubbed, since it may quote what it refuses.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric

# The libraries' own lines of level DEBUG hold requests as they are, tokens and all: they stay
# silent whatever level is chosen for ours.
logging.getLogger().setLevel(logging.WARNING)

logger: Final = Logger()
metrics: Final = Metrics()

# CloudWatch takes 256 KB in a line; a row is about 120 bytes.
_ROWS_PER_LINE: Final = 500
_MESSAGE_LONGEST: Final = 200
# Addresses, digests, and runs of digits that could be phone numbers or IP addresses.
_PERSONAL: Final = re.compile(
    r"[^\s\"'@]+@[^\s\"'@]+|\b[0-9A-Fa-f]{16,}\b|\+?\d[\d\s().:-]{5,}\d|[0-9a-fA-F]*:[0-9a-fA-F:]{3,}"
)
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]")


def count(name: str, value: int = 1) -> None:
    """Add to a counter without dimensions of its own; 0 adds nothing."""
    if value:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def count_by(name: str, value: int, dimensions: Mapping[str, str]) -> None:
    """Add to a counter with dimensions. Their values must come from closed lists."""
    with single_metric(name=name, unit=MetricUnit.Count, value=value) as metric:
        for dimension, of_dimension in dimensions.items():
            metric.add_dimension(name=dimension, value=of_dimension)


def time_taken(name: str, seconds: Sequence[float]) -> None:
    """Add durations to a distribution, in milliseconds."""
    for one in seconds:
        metrics.add_metric(name=name, unit=MetricUnit.Milliseconds, value=round(one * 1000, 1))


def log_rows(message: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Log many rows in as few lines as fit."""
    for start in range(0, len(rows), _ROWS_PER_LINE):
        logger.info(message, extra={"rows": rows[start : start + _ROWS_PER_LINE]})


def scrubbed(text: str) -> str:
    """Text from outside as it may stand in a log: short, printable, nothing personal."""
    bounded = _UNPRINTABLE.sub("?", text[: 2 * _MESSAGE_LONGEST])
    return _PERSONAL.sub("…", bounded)[:_MESSAGE_LONGEST]


def report_crash(error: BaseException) -> None:
    """Log where a mistake of ours happened. Its message is left out: it may quote the event."""
    frames = traceback.extract_tb(error.__traceback__)
    logger.error(
        "unexpected error",
        extra={
            "error": type(error).__name__,
            "stack": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
        },
    )
    count("InternalError")
