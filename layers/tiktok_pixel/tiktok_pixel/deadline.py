"""The time budget of one request.

Segment's shortest time-out is 5 s. All work for a request, including calls to AWS and TikTok,
shares one :class:`Deadline`, so that the response is sent before Segment gives up.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Lambda's limit for the start of an environment: one that is older was not started for the request.
_LONGEST_STARTUP: Final = 10.0


@dataclass(slots=True)
class Deadline:
    """A point in time on a monotonic clock, in seconds."""

    at: Final[float]
    clock: Final[Callable[[], float]] = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> Deadline:
        """Return the deadline ``seconds`` from now."""
        return cls(clock() + seconds, clock)

    def earlier(self, seconds: float) -> Deadline:
        """Return a deadline that leaves ``seconds`` for the work after it."""
        return Deadline(self.at - seconds, self.clock)

    def remaining(self) -> float:
        """Return the seconds left; never negative."""
        return max(0.0, self.at - self.clock())


@dataclass(slots=True)
class StartupWait:
    """How long the first request of an environment has waited for the environment to start.

    Attributes:
        counts: False for an environment that was started ahead of its first request.
    """

    counts: bool

    def take(self) -> float:
        """Return the seconds for the first request, and 0 for all others."""
        waited = process_age() if self.counts else 0.0
        self.counts = False
        return waited if waited < _LONGEST_STARTUP else 0.0


def process_age() -> float:
    """Return the seconds since this process started; 0 where that is unknown (not Linux)."""
    try:
        # proc(5): field 22 is the start in clock ticks after boot; the name may hold spaces.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - started)
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.0
