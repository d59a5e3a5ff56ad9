"""Keep-alive connections to one host, over the one TLS context of the process."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import urllib3
from urllib3.exceptions import IncompleteRead
from urllib3.util.ssl_ import create_urllib3_context

from tiktok_pixel.timeouts import POOL_CLASSES, Exchange

if TYPE_CHECKING:
    from collections.abc import Mapping

# Routers forget idle connections silently; a new connection is cheaper than a lost second.
_IDLE_SECONDS: Final = 45.0


# Reading the system's certificates takes 15 ms and does not hold the interpreter's lock, so it goes
# on in a thread while the rest is imported. All hosts share them.
_tls_context: Final = create_urllib3_context()
_certificates: Final = threading.Thread(target=_tls_context.load_default_certs, daemon=True)
_certificates.start()


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response that was read to its end, or to the limit of the request.

    Attributes:
        status: HTTP status.
        headers: Header fields; names are case-insensitive.
        body: The content, decoded.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class ConnectionPool:
    """Keep-alive connections to one host.

    Args:
        url: Scheme, host and port.
        size: The most connections that are kept.
    """

    def __init__(self, url: str, size: int) -> None:
        self._url = url
        _certificates.join()
        self._pools = urllib3.PoolManager(maxsize=size, retries=False, ssl_context=_tls_context)
        self._pools.pool_classes_by_scheme = POOL_CLASSES
        self._pool = self._pools.connection_from_url(url)
        self._lock = threading.Lock()
        # The wall clock: a monotonic clock may stop while the environment is frozen.
        self._last_used = time.time()

    def request(  # noqa: PLR0913  # as many as one HTTP request needs
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        timeout: urllib3.Timeout,
        longest: int,
        body: bytes | None = None,
        exchange: Exchange | None = None,
    ) -> HttpResponse:
        """Send one request; read at most ``longest`` bytes of the response.

        ``exchange`` sets a time-out for sending and reports whether the request was sent whole.

        Raises:
            HTTPError: urllib3 found no complete response.
            OSError: The connection failed.
        """
        now = time.time()
        if now - self._last_used > _IDLE_SECONDS:
            self.forget()
        self._last_used = now
        # The pool itself: its manager would look it up for every request.
        response = self._pool.urlopen(
            method,
            path,
            body=body,
            headers=headers,
            timeout=timeout,
            redirect=False,
            preload_content=False,
            exchange=exchange,
        )
        try:
            # Read in one step where nothing needs decoding. A response that is shorter than its
            # Content-Length has to be detected here.
            is_encoded = "content-encoding" in response.headers
            content = response.read(longest, decode_content=is_encoded)
            if len(content) == longest:
                response.close()
            elif response.length_remaining:
                response.close()
                raise IncompleteRead(len(content), response.length_remaining)
        finally:
            response.release_conn()
        return HttpResponse(response.status, response.headers, content)

    def forget(self) -> None:
        """Close all connections; the next request opens a new one."""
        # One thread at a time: otherwise a pool that another thread has cleared could stay. A
        # request in flight with the old pool fails at most once and is retried.
        with self._lock:
            self._pools.clear()
            self._pool = self._pools.connection_from_url(self._url)
