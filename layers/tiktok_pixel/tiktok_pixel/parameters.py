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


class ParametersUnavailableError(TikTokPixelError):
    """SSM has not answered, now or before."""


class ParameterCache:
    """The values of some SSM parameters.

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
        self._fresh_until = 0.0
        self._read_at = 0.0
        self._forced_at = 0.0
        self.failures = 0

    def values(self, wait_seconds: float) -> Mapping[str, str]:
        """The value of every parameter that exists, by name.

        Args:
            wait_seconds: How long to wait for SSM where it has to be asked.

        Raises:
            ParametersUnavailableError: SSM does not answer and never did.
        """
        with self._lock:
            now = self._clock()
            # A clock that was set back must not keep old values fresh for ever.
            if self._values is None or not self._read_at <= now < self._fresh_until:
                self._read(wait_seconds)
            if self._values is None:
                raise ParametersUnavailableError("SSM did not answer")
            return self._values

    def force(self, wait_seconds: float) -> bool:
        """Read again now, at most once a second; whether SSM was asked and answered."""
        with self._lock:
            if 0 <= self._clock() - self._forced_at < _FORCED_SECONDS:
                return False
            self._forced_at = self._clock()
            return self._read(wait_seconds)

    def _read(self, wait_seconds: float) -> bool:
        """Ask SSM, in a thread so that a slow answer can be left behind."""
        box: list[Mapping[str, str]] = []
        thread = threading.Thread(target=self._fetch, args=(box,), daemon=True)
        thread.start()
        thread.join(wait_seconds)
        self._read_at = self._clock()
        if not box:
            self.failures += 1
            self._fresh_until = self._read_at + _RETRY_SECONDS
            return False
        self._values = box[0]
        self._fresh_until = self._read_at + self._ttl
        return True

    def _fetch(self, box: list[Mapping[str, str]]) -> None:
        # Imported with the first call, as boto3 itself has it by then.
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        found: dict[str, str] = {}
        try:
            for start in range(0, len(self._names), _NAMES_PER_CALL):
                names = self._names[start : start + _NAMES_PER_CALL]
                answer = self._client.get_parameters(Names=list(names), WithDecryption=True)
                found.update((one["Name"], one["Value"]) for one in answer["Parameters"])
        except (BotoCoreError, ClientError):
            return
        box.append(found)
