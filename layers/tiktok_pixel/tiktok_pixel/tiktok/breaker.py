"""A circuit breaker: while TikTok does not answer, do not wait for it.

After three failures in a row the circuit opens, and events are parked without a call. After a
random time one trial call is allowed; a success closes the circuit, a failure opens it for twice
as long. Each Lambda environment has a breaker of its own; the random times keep the trials apart.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

_FAILURES: Final = 3
_SHORTEST_SECONDS: Final = 5.0
_LONGEST_FIRST_SECONDS: Final = 15.0
# Doubled twice it is random between 20 and 60 seconds. Without the spread, all environments would
# make their trials at one time, and leave none for other requests.
_MOST_DOUBLINGS: Final = 2
# A trial without a result after this long was lost, for example in a frozen environment.
_LOST_TRIAL_SECONDS: Final = 10.0

TRIAL_SECONDS: Final = 1.0
"""How long the trial call may take."""


class Permission(Enum):
    """Whether a call may be made."""

    CALL = "call"
    TRIAL = "trial"
    """One call of at most :data:`TRIAL_SECONDS`, without a retry."""
    PARK = "park"
    """No call: TikTok does not answer."""


@dataclass(slots=True)
class CircuitBreaker:
    """Counts failures in a row and decides on calls.

    Attributes:
        clock: Wall clock in seconds: a monotonic one stands still in a frozen environment.
        uniform: Returns a random number between two bounds.
    """

    clock: Callable[[], float] = time.time
    uniform: Callable[[float, float], float] = random.uniform
    _failures: int = 0
    # The wall clock may be set back: an opening counts only between these times.
    _opened_at: float | None = None
    _opened_until: float = 0.0
    _openings: int = 0
    _trial_at: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def permission(self) -> Permission:
        """Return whether the next call may be made; a trial is granted once."""
        with self._lock:
            if self._opened_at is None:
                return Permission.CALL
            now = self.clock()
            if self._opened_at <= now < self._opened_until:
                return Permission.PARK
            if self._trial_at is not None and 0 <= now - self._trial_at < _LOST_TRIAL_SECONDS:
                return Permission.PARK
            self._trial_at = now
            return Permission.TRIAL

    def succeed(self) -> None:
        """Record that TikTok answered: close the circuit."""
        with self._lock:
            self._failures = 0
            self._openings = 0
            self._opened_at = None
            self._trial_at = None

    def fail(self) -> None:
        """Record a call without an answer, or with a server error."""
        with self._lock:
            self._failures += 1
            # Calls that were in flight when the circuit opened do not prolong it.
            if self._opened_at is None:
                if self._failures >= _FAILURES:
                    self._open()
            elif self._trial_at is not None:
                self._open()

    def _open(self) -> None:
        seconds = self.uniform(_SHORTEST_SECONDS, _LONGEST_FIRST_SECONDS) * 2**self._openings
        self._openings = min(self._openings + 1, _MOST_DOUBLINGS)
        self._opened_at = self.clock()
        self._opened_until = self._opened_at + seconds
        self._trial_at = None
