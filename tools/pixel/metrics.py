"""Read the stage's metrics from CloudWatch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tools.ops.cloudwatch import NAMESPACE

CAUSES: Final = ("transient", "operator", "content")
# The redrive reports what waits at least every 15 minutes.
_REDRIVE_MINUTES: Final = 20


def total(cloudwatch: Any, service: str, name: str, minutes: int = 60) -> float:
    """Return the sum of a metric over the last minutes."""
    values = _statistics(cloudwatch, name, {"service": service}, "Sum", minutes)
    return sum(values)


def parked_by_cause(cloudwatch: Any, service: str) -> Mapping[str, float]:
    """Return how many events the redrive last left in the queue, by cause."""
    found = {
        cause: sum(
            _statistics(
                cloudwatch,
                "ParkedEvents",
                {"service": service, "cause": cause},
                "Sum",
                _REDRIVE_MINUTES,
            )
        )
        for cause in CAUSES
    }
    return {cause: count for cause, count in found.items() if count}


def oldest_parked_hours(cloudwatch: Any, service: str) -> float | None:
    """Return how long the oldest parked event has waited, in hours."""
    dimensions = {"service": service}
    values = _statistics(cloudwatch, "OldestParkedHours", dimensions, "Maximum", _REDRIVE_MINUTES)
    return max(values, default=None)


def _statistics(
    cloudwatch: Any, name: str, dimensions: Mapping[str, str], statistic: str, minutes: int
) -> list[float]:
    now = datetime.now(UTC)
    response = cloudwatch.get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(minutes=minutes),
        EndTime=now + timedelta(minutes=1),
        Period=60 * minutes,
        Statistics=[statistic],
    )
    return [point[statistic] for point in response["Datapoints"]]
