"""The time that one request has, as a value that everything on its way can ask.

Segment's shortest wait for an answer is 5 s. All work for a request, calls to AWS and TikTok
included, shares one :class:`Deadline`, so that the answer is out before Segment gives up.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(slots=True)
class Deadline:
    """A moment on a monotonic clock, in seconds."""

    at: Final[float]
    clock: Final[Callable[[], float]] = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> Deadline:
        """The deadline ``seconds`` from now."""
        return cls(clock() + seconds, clock)

    def earlier(self, seconds: float) -> Deadline:
        """A deadline that leaves ``seconds`` for what comes after it."""
        return Deadline(self.at - seconds, self.clock)

    def remaining(self) -> float:
        """Seconds left; never negative."""
        return max(0.0, self.at - self.clock())


def process_age() -> float:
    """Seconds since this process was started, 0 where the system does not tell (not Linux).

    A cold start counts for Segment, which has been waiting since before the process was there.
    """
    try:
        # proc(5): field 22 is the start in clock ticks after boot; the name may hold spaces.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - started)
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.0
