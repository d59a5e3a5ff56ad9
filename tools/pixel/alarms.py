"""Read the alarms of a stack."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class AlarmState:
    """An alarm of the stack: its name, its state (`ALARM` if it rings), and since when."""

    name: str
    state: str
    since: datetime


def read_alarms(cloudwatch: Any, stack: str) -> list[AlarmState]:
    """Return the alarms of a stack."""
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{stack}-")
    return [
        AlarmState(one["AlarmName"], one["StateValue"], one["StateUpdatedTimestamp"])
        for page in pages
        for one in page["MetricAlarms"]
    ]
