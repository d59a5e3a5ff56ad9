"""Send request bodies to TikTok over one connection pool; return a :class:`TikTokResponse`.

What a response means for the events is decided in :mod:`tiktok_pixel.tiktok.verdicts`.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

import urllib3
from urllib3.exceptions import HTTPError, IncompleteRead, NewConnectionError
from urllib3.exceptions import TimeoutError as UrllibTimeoutError
from urllib3.util import parse_url
from urllib3.util.ssl_ import create_urllib3_context

from tiktok_pixel.errors import TikTokPixelError
from tiktok_pixel.tiktok.verdicts import (
    TIMEOUT,
    UNREACHABLE,
    TikTokResponse,
    Verdict,
    read_response,
)
from tiktok_pixel.timeouts import POOL_CLASSES

if TYPE_CHECKING:
    from tiktok_pixel.deadline import Deadline

TRACK_PATH: Final = "/open_api/v1.3/event/track/"

# Cap reads at 64 KiB; real responses are far smaller.
_LONGEST_RESPONSE: Final = 65_536
_CONNECT_SECONDS: Final = 1.0
# Leaves time for a second try within Segment's time-out.
_READ_SECONDS: Final = 2.0
# Routers drop idle connections silently; a new connection costs less than a lost second.
_IDLE_SECONDS: Final = 45.0
_CONNECTIONS: Final = 32


class NoResponseError(TikTokPixelError):
    """TikTok did not respond; ``verdict`` is what that means for the events."""

    def __init__(self, verdict: Verdict, seconds: float) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict
        self.seconds = seconds


class TikTokClient:
    """A kept-alive connection pool to TikTok's Events API.

    Created once per Lambda environment, because creating the TLS context is expensive.

    Args:
        api_url: Scheme and host, for example ``https://business-api.tiktok.com``.
    """

    def __init__(self, api_url: str) -> None:
        self._url = api_url.rstrip("/") + TRACK_PATH
        self._path = parse_url(self._url).request_uri
        context = create_urllib3_context()
        context.load_default_certs()
        self._pools = urllib3.PoolManager(maxsize=_CONNECTIONS, retries=False, ssl_context=context)
        self._pools.pool_classes_by_scheme = POOL_CLASSES
        self._pool = self._pools.connection_from_url(self._url)
        self._lock = threading.Lock()
        # Wall clock: a monotonic one may stand still while the environment is frozen.
        self._last_used = time.time()

    def track(self, body: bytes, access_token: str, deadline: Deadline) -> TikTokResponse:
        """POST one request body.

        Raises:
            NoResponseError: No complete response arrived before ``deadline``.
        """
        now = time.time()
        if now - self._last_used > _IDLE_SECONDS:
            self._forget_connections()
        self._last_used = now
        started = time.perf_counter()
        left = deadline.remaining()
        try:
            # Straight from the one pool: the manager would look it up for every request.
            response = self._pool.urlopen(
                "POST",
                self._path,
                body=body,
                headers={"Access-Token": access_token, "Content-Type": "application/json"},
                timeout=urllib3.Timeout(
                    total=left,
                    connect=min(_CONNECT_SECONDS, left),
                    read=min(_READ_SECONDS, left),
                ),
                redirect=False,
                preload_content=False,
            )
            try:
                # No encoding is asked for, so the body is normally read raw and in one piece; a
                # body shorter than its Content-Length has to be detected here.
                is_encoded = "content-encoding" in response.headers
                content = response.read(_LONGEST_RESPONSE, decode_content=is_encoded)
                if len(content) == _LONGEST_RESPONSE:
                    response.close()
                elif response.length_remaining:
                    response.close()
                    raise IncompleteRead(len(content), response.length_remaining)
            finally:
                response.release_conn()
        except NewConnectionError as error:
            # For urllib3 this is a time-out, even where the connection was refused at once.
            raise NoResponseError(UNREACHABLE, time.perf_counter() - started) from error
        except (UrllibTimeoutError, TimeoutError) as error:
            # The idle connections may be dead for the same reason.
            self._forget_connections()
            raise NoResponseError(TIMEOUT, time.perf_counter() - started) from error
        except (HTTPError, OSError) as error:
            raise NoResponseError(UNREACHABLE, time.perf_counter() - started) from error
        return read_response(response.status, content, time.perf_counter() - started)

    def close(self) -> None:
        """Close all connections; the next request opens a new one."""
        self._forget_connections()

    def _forget_connections(self) -> None:
        # Under a lock, or a pool that another thread has cleared could stay in use. A request in
        # flight on the old pool fails at most once, and is retried.
        with self._lock:
            self._pools.clear()
            self._pool = self._pools.connection_from_url(self._url)
