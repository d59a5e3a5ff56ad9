"""Decide which request gets which fault.

script.next(answer(40100), reset())      # the next two requests only
script.always(http(502))                 # every request until cleared
script.always(answer(40002), when=lambda request: b"m-7" in request.body)
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.sandbox.faults import Fault
    from tools.sandbox.wire import Request


class FaultScript:
    """Faults for coming requests: a queue first, then the permanent ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: deque[tuple[Fault, Callable[[Request], bool] | None]] = deque()
        self._always: list[tuple[Fault, Callable[[Request], bool] | None]] = []

    def next(self, *faults: Fault, when: Callable[[Request], bool] | None = None) -> None:
        """Apply each fault to one request, in this order.

        With `when`, a fault stays in the queue until a request matches.
        """
        _refuse_unread(faults, when)
        with self._lock:
            self._next.extend((fault, when) for fault in faults)

    def always(self, fault: Fault, when: Callable[[Request], bool] | None = None) -> None:
        """Apply the fault to every request (or every matching one) until cleared."""
        _refuse_unread((fault,), when)
        with self._lock:
            self._always.append((fault, when))

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._next.clear()
            self._always.clear()

    @property
    def pending(self) -> int:
        """The number of faults in the queue."""
        with self._lock:
            return len(self._next)

    def take_unread(self) -> Fault | None:
        """Take the fault to apply before the request is read, if it is next."""
        with self._lock:
            if self._next:
                if self._next[0][0].before_reading:
                    return self._next.popleft()[0]
                return None
            return next((fault for fault, _ in self._always if fault.before_reading), None)

    def take(self, request: Request) -> Fault | None:
        """Take the fault for this request."""
        with self._lock:
            for index, (fault, when) in enumerate(self._next):
                if not fault.before_reading and (when is None or when(request)):
                    del self._next[index]
                    return fault
            for fault, when in self._always:
                if not fault.before_reading and (when is None or when(request)):
                    return fault
        return None


def _refuse_unread(faults: tuple[Fault, ...], when: Callable[[Request], bool] | None) -> None:
    if when is not None and any(fault.before_reading for fault in faults):
        raise ValueError(
            "a fault that is applied before the request is read cannot depend on the request"
        )
