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

# Larger epochs are milliseconds, as API Gateway sends them; `sam local` sends seconds.
_MILLISECONDS_FROM: Final = 1e11


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

    def at_most(self, seconds: float) -> Deadline:
        """Return the earlier of this deadline and the time ``seconds`` from now."""
        return Deadline(min(self.at, self.clock() + seconds), self.clock)

    def remaining(self) -> float:
        """Return the seconds left; never negative."""
        return max(0.0, self.at - self.clock())


def process_age() -> float:
    """Return the seconds since this process started; 0 where that is unknown (not Linux)."""
    try:
        # proc(5): field 22 is the start in clock ticks after boot; the name may hold spaces.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - started)
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.0


@dataclass(slots=True)
class StartupWait:
    """How long the first request of an environment has waited for the environment to start.

    An environment may be started ahead of its first request, so its age is only an upper bound.

    Attributes:
        clock: Wall clock in seconds.
        age: Returns the age of the process.
    """

    clock: Callable[[], float] = time.time
    age: Callable[[], float] = process_age
    _is_first: bool = True

    def take(self, epoch: object) -> float:
        """Return the seconds that a request has waited; 0 for all requests but the first.

        Args:
            epoch: ``requestContext.timeEpoch``, ``None`` for a direct invocation.
        """
        is_first, self._is_first = self._is_first, False
        if not is_first or isinstance(epoch, bool) or not isinstance(epoch, int | float):
            return 0.0
        arrived = epoch / 1000 if epoch >= _MILLISECONDS_FROM else epoch
        return max(0.0, min(self.clock() - arrived, self.age()))
