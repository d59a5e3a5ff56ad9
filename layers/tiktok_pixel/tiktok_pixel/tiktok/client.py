"""Send request bodies to TikTok over one connection pool; return a :class:`TikTokResponse`.

Whether the events were taken is not decided here: see :mod:`tiktok_pixel.tiktok.verdicts`.
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
from tiktok_pixel.tiktok.verdicts import TIMEOUT, UNREACHABLE, TikTokResponse, Verdict
from tiktok_pixel.timeouts import POOL_CLASSES

if TYPE_CHECKING:
    from tiktok_pixel.deadline import Deadline

TRACK_PATH: Final = "/open_api/v1.3/event/track/"

# An envelope is a few hundred bytes; what is longer is none and need not be read.
_LONGEST_ANSWER: Final = 65_536
_CONNECT_SECONDS: Final = 1.0
# Leaves room for a second try in the time that Segment waits.
_ANSWER_SECONDS: Final = 2.0
# Routers on the way forget idle connections silently; a new one is cheaper than a lost second.
_IDLE_SECONDS: Final = 45.0
_CONNECTIONS: Final = 32


class NoResponseError(TikTokPixelError):
    """TikTok gave no answer; ``verdict`` is what that means for the events."""

    def __init__(self, verdict: Verdict, seconds: float) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict
        self.seconds = seconds


class TikTokClient:
    """A kept-alive connection pool to TikTok's Events API.

    Made once per Lambda environment, since making the TLS context is expensive.

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
        # The wall clock: a monotonic one may stand still while the environment is frozen.
        self._last_used = time.time()

    def track(self, body: bytes, access_token: str, deadline: Deadline) -> TikTokResponse:
        """POST one request body.

        Raises:
            NoResponseError: Nothing usable came back before ``deadline``.
        """
        now = time.time()
        if now - self._last_used > _IDLE_SECONDS:
            self._forget_connections()
        self._last_used = now
        started = time.perf_counter()
        left = deadline.remaining()
        try:
            # Of the one pool that is needed: its manager would look for it anew each time.
            response = self._pool.urlopen(
                "POST",
                self._path,
                body=body,
                headers={"Access-Token": access_token, "Content-Type": "application/json"},
                timeout=urllib3.Timeout(
                    total=left,
                    connect=min(_CONNECT_SECONDS, left),
                    read=min(_ANSWER_SECONDS, left),
                ),
                redirect=False,
                preload_content=False,
            )
            try:
                # Nothing is asked for in another encoding. Read without decoding, it is read once,
                # so that an answer which is shorter than it says has to be found here.
                is_encoded = "content-encoding" in response.headers
                content = response.read(_LONGEST_ANSWER, decode_content=is_encoded)
                if len(content) == _LONGEST_ANSWER:
                    response.close()
                elif response.length_remaining:
                    response.close()
                    raise IncompleteRead(len(content), response.length_remaining)
            finally:
                response.release_conn()
        except NewConnectionError as error:
            # To urllib3 it is a time-out, though nobody may have been waited for.
            raise NoResponseError(UNREACHABLE, time.perf_counter() - started) from error
        except (UrllibTimeoutError, TimeoutError) as error:
            # What made this connection go silent may have done so to the idle ones.
            self._forget_connections()
            raise NoResponseError(TIMEOUT, time.perf_counter() - started) from error
        except (HTTPError, OSError) as error:
            raise NoResponseError(UNREACHABLE, time.perf_counter() - started) from error
        return TikTokResponse(response.status, content, time.perf_counter() - started)

    def close(self) -> None:
        """Close all connections; the next request makes a new one."""
        self._forget_connections()

    def _forget_connections(self) -> None:
        # One thread at a time, or a pool that another thread has cleared could stay for good. A
        # request that is under way with the old pool fails at most once, and is tried again.
        with self._lock:
            self._pools.clear()
            self._pool = self._pools.connection_from_url(self._url)
