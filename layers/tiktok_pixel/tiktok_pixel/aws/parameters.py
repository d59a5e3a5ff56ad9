"""A small cache of SSM parameters that outlives SSM's bad moments.

One ``GetParameters`` call reads all names; absent ones are cached too. When SSM fails, the last
good values serve; and however slow it is, nobody waits longer than they have time for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from tiktok_pixel.errors import TikTokPixelError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

# GetParameters takes ten names.
_NAMES_PER_CALL: Final = 10
# After a failure the stale values serve for a while, or every request would wait for SSM.
_RETRY_SECONDS: Final = 5.0
_FORCED_SECONDS: Final = 1.0
# A read that takes longer hangs, or was frozen with its environment: nobody joins it any more.
_LONGEST_READ_SECONDS: Final = 5.0


class ParametersUnavailableError(TikTokPixelError):
    """SSM has not answered, now or before."""


class _Read:
    """One reading of all parameters, under way in a thread so that it can be left behind."""

    def __init__(self, started: float) -> None:
        self.started = started
        self.done = threading.Event()
        self.succeeded = False


class ParameterCache:
    """The values of some SSM parameters.

    All who need them at one time wait for the same read, each for as long as it can. A read that
    ends after that still counts for those who come later.

    Args:
        client: boto3's SSM client.
        names: Full parameter names.
        ttl_seconds: How long values are good.
        clock: Wall clock in seconds: a monotonic one stands still in a frozen environment.
    """

    def __init__(
        self,
        client: SSMClient,
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
        self._fresh_since = 0.0
        self._fresh_until = 0.0
        self._forced_at = 0.0
        self._under_way: _Read | None = None
        self.failures = 0

    def values(self, wait_seconds: float) -> Mapping[str, str]:
        """The value of every parameter that exists, by name.

        Args:
            wait_seconds: How long to wait for SSM where it has to be asked.

        Raises:
            ParametersUnavailableError: SSM does not answer and never did.
        """
        with self._lock:
            # A clock that was set back must not keep old values fresh for ever.
            if self._values is not None and (
                self._fresh_since <= self._clock() < self._fresh_until
            ):
                return self._values
            read = self._begin()
        self._wait(read, wait_seconds)
        with self._lock:
            if self._values is None:
                raise ParametersUnavailableError("SSM did not answer")
            return self._values

    def force(self, wait_seconds: float) -> bool:
        """Read again now, at most once a second; whether SSM was asked and answered.

        Who comes within that second waits for a read that is still under way.
        """
        with self._lock:
            is_due = not 0 <= self._clock() - self._forced_at < _FORCED_SECONDS
            if is_due:
                self._forced_at = self._clock()
                read = self._begin()
            elif self._under_way is not None:
                read = self._under_way
            else:
                return False
        return self._wait(read, wait_seconds) and is_due

    def _begin(self) -> _Read:
        """The read to wait for: one that is under way, or a new one."""
        now = self._clock()
        read = self._under_way
        if read is None or not 0 <= now - read.started < _LONGEST_READ_SECONDS:
            read = self._under_way = _Read(now)
            threading.Thread(target=self._run, args=(read,), daemon=True).start()
        return read

    def _wait(self, read: _Read, seconds: float) -> bool:
        if not read.done.wait(seconds):
            with self._lock:
                if self._under_way is read:
                    self._serve_for(_RETRY_SECONDS)
        return read.succeeded

    def _run(self, read: _Read) -> None:
        found: Mapping[str, str] | None = None
        try:
            found = self._fetch()
        except Exception as error:  # noqa: BLE001  # whatever it is, the last good values serve
            _log_failure(error)
        with self._lock:
            self.failures += found is None
            if self._under_way is read:
                self._under_way = None
                if found is not None:
                    self._values = found
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
            answer = self._client.get_parameters(Names=list(names), WithDecryption=True)
            found.update((one["Name"], one["Value"]) for one in answer["Parameters"])
        return found


def _log_failure(error: Exception) -> None:
    # Imported here: those who only want a name of `credentials` must not make the logger, which
    # keeps the standard output that it finds.
    from tiktok_pixel.observability import logger  # noqa: PLC0415

    # Its text is left out: that of an unreadable answer may hold a secret.
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    logger.warning(
        "SSM parameters cannot be read", extra={"error": type(error).__name__, "code": code}
    )
