"""Cache SSM parameters, also through failures of SSM.

One ``GetParameters`` call reads ten names; missing parameters are cached too. When SSM fails, the
last good values are used; when SSM is slow, callers wait no longer than they ask to.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from tiktok_pixel.aws.errors import describe
from tiktok_pixel.errors import TikTokPixelError

if TYPE_CHECKING:
    from tiktok_pixel.aws.api import SsmClient

# The limit of GetParameters.
_NAMES_PER_CALL: Final = 10
# After a failure stale values are used for a while, or every request would wait for SSM.
_RETRY_SECONDS: Final = 5.0
_FORCED_SECONDS: Final = 1.0
# A read that takes longer hangs, or was frozen with its environment: start a new one.
_LONGEST_READ_SECONDS: Final = 5.0


class ParametersUnavailableError(TikTokPixelError):
    """SSM does not respond and never did."""


class _Read:
    """One read of all parameters, in a thread so that callers can stop waiting for it."""

    def __init__(self, started: float) -> None:
        self.started = started
        self.done = threading.Event()
        self.succeeded = False


class ParameterCache:
    """A cache of SSM parameters.

    Concurrent callers wait for the same read, each up to its own limit. A read that ends later
    still updates the cache.

    Args:
        client: Reads the parameters.
        names: Full parameter names.
        ttl_seconds: How long values are used before they are read again.
        clock: Wall clock in seconds: a monotonic one stands still in a frozen environment.
    """

    def __init__(
        self,
        client: SsmClient,
        names: Sequence[str],
        ttl_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._names = tuple(names)
        self._ttl = ttl_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._values: Mapping[str, str] | None = None
        self._read_at = 0.0
        self._fresh_since = 0.0
        self._fresh_until = 0.0
        self._forced_at = 0.0
        self._refreshed_at = 0.0
        self._current: _Read | None = None

    def values(self, wait_seconds: float) -> Mapping[str, str]:
        """Return the value of every parameter that exists, by name.

        Args:
            wait_seconds: How long to wait for SSM when a read is due.

        Raises:
            ParametersUnavailableError: SSM does not respond and never did.
        """
        with self._lock:
            # A clock that was set back must not keep old values for ever.
            if self._values is not None and (
                self._fresh_since <= self._clock() < self._fresh_until
            ):
                return self._values
            read = self._begin()
        self._wait(read, wait_seconds)
        with self._lock:
            if self._values is None:
                raise ParametersUnavailableError("SSM did not respond")
            return self._values

    def include(self, names: Sequence[str]) -> None:
        """Read further parameters from now on."""
        with self._lock:
            missing = [name for name in names if name not in self._names]
            if missing:
                self._names += tuple(missing)
                # The next caller reads them; a read in progress lacks them.
                self._fresh_until = 0.0
                self._current = None

    def force(self, wait_seconds: float) -> bool:
        """Read again now, at most once a second; return whether this call read new values.

        A caller within that second waits for a read that is still in progress.
        """
        with self._lock:
            is_due = not 0 <= self._clock() - self._forced_at < _FORCED_SECONDS
            if is_due:
                self._forced_at = self._clock()
                read = self._begin()
            elif self._current is not None:
                read = self._current
            else:
                return False
        return self._wait(read, wait_seconds) and is_due

    def refresh(self, max_age: float, wait_seconds: float) -> bool:
        """Read again if the values are older than ``max_age`` seconds; return whether they are not.

        SSM is read at most once in that time: while it fails, the values stay too old.
        """
        with self._lock:
            now = self._clock()
            if self._values is not None and 0 <= now - self._read_at < max_age:
                return True
            if not 0 <= now - self._refreshed_at < max_age:
                self._refreshed_at = now
                read = self._begin()
            elif self._current is not None:
                read = self._current
            else:
                return False
        return self._wait(read, wait_seconds)

    def _begin(self) -> _Read:
        """Return the read to wait for: the one in progress, or a new one."""
        now = self._clock()
        read = self._current
        if read is None or not 0 <= now - read.started < _LONGEST_READ_SECONDS:
            read = self._current = _Read(now)
            threading.Thread(target=self._run, args=(read,), daemon=True).start()
        return read

    def _wait(self, read: _Read, seconds: float) -> bool:
        if not read.done.wait(seconds):
            with self._lock:
                if self._current is read:
                    self._serve_for(_RETRY_SECONDS)
        return read.succeeded

    def _run(self, read: _Read) -> None:
        found: Mapping[str, str] | None = None
        try:
            found = self._fetch()
        except Exception as error:  # noqa: BLE001  # whatever it is, the last good values are used
            _log_failure(error)
        with self._lock:
            if self._current is read:
                self._current = None
                if found is not None:
                    self._values = found
                    self._read_at = read.started
                    read.succeeded = True
                self._serve_for(self._ttl if read.succeeded else _RETRY_SECONDS)
        read.done.set()

    def _serve_for(self, seconds: float) -> None:
        self._fresh_since = self._clock()
        self._fresh_until = self._fresh_since + seconds

    def _fetch(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for start in range(0, len(self._names), _NAMES_PER_CALL):
            names = self._names[start : start + _NAMES_PER_CALL]
            response = self._client.get_parameters(Names=list(names), WithDecryption=True)
            found.update((one["Name"], one["Value"]) for one in response["Parameters"])
        return found


def _log_failure(error: Exception) -> None:
    # Imported here: tools that only use a name of `credentials` must not create the logger, which
    # keeps the standard output that it finds.
    from tiktok_pixel.observability import logger  # noqa: PLC0415

    logger.warning("SSM parameters cannot be read", extra=describe(error))
