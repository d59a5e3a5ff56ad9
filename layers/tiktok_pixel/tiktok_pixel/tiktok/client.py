"""Send request bodies to TikTok over one connection pool; return a :class:`TikTokResponse`.

What a response means for the events is decided in :mod:`tiktok_pixel.tiktok.verdicts`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as UrllibTimeoutError
from urllib3.util import parse_url

from tiktok_pixel.connections import ConnectionPool
from tiktok_pixel.errors import TikTokPixelError
from tiktok_pixel.tiktok.verdicts import (
    TIMEOUT,
    UNREACHABLE,
    TikTokResponse,
    Verdict,
    read_response,
)

if TYPE_CHECKING:
    from tiktok_pixel.deadline import Deadline

TRACK_PATH: Final = "/open_api/v1.3/event/track/"

# Cap reads at 64 KiB; real responses are far smaller.
_LONGEST_RESPONSE: Final = 65_536
_CONNECT_SECONDS: Final = 1.0
# Leaves time for a second try within Segment's time-out.
_READ_SECONDS: Final = 2.0
_CONNECTIONS: Final = 32


class NoResponseError(TikTokPixelError):
    """TikTok did not respond; ``verdict`` is what that means for the events."""

    def __init__(self, verdict: Verdict, seconds: float) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict
        self.seconds = seconds


class TikTokClient:
    """Keep-alive connections to TikTok's Events API.

    Args:
        api_url: Scheme and host, for example ``https://business-api.tiktok.com``.
    """

    def __init__(self, api_url: str) -> None:
        url = api_url.rstrip("/") + TRACK_PATH
        self._path = parse_url(url).request_uri
        self._pool = ConnectionPool(url, _CONNECTIONS)

    def track(self, body: bytes, access_token: str, deadline: Deadline) -> TikTokResponse:
        """POST one request body.

        Raises:
            NoResponseError: No complete response arrived before ``deadline``.
        """
        started = time.perf_counter()
        left = deadline.remaining()
        try:
            response = self._pool.request(
                "POST",
                self._path,
                headers={"Access-Token": access_token, "Content-Type": "application/json"},
                body=body,
                timeout=urllib3.Timeout(
                    total=left,
                    connect=min(_CONNECT_SECONDS, left),
                    read=min(_READ_SECONDS, left),
                ),
                longest=_LONGEST_RESPONSE,
            )
        except NewConnectionError as error:
            # For urllib3 this is a time-out, even where the connection was refused at once.
            raise NoResponseError(UNREACHABLE, time.perf_counter() - started) from error
        except (UrllibTimeoutError, TimeoutError) as error:
            # The idle connections may be dead for the same reason.
            self._pool.forget()
            raise NoResponseError(TIMEOUT, time.perf_counter() - started) from error
        except (HTTPError, OSError) as error:
            raise NoResponseError(UNREACHABLE, time.perf_counter() - started) from error
        return read_response(response.status, response.body, time.perf_counter() - started)

    def close(self) -> None:
        """Close all connections; the next request opens a new one."""
        self._pool.forget()
