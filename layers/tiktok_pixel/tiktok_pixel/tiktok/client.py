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
from tiktok_pixel.timeouts import Exchange

if TYPE_CHECKING:
    from tiktok_pixel.deadline import Deadline

TRACK_PATH: Final = "/open_api/v1.3/event/track/"

# Cap reads at 64 KiB; real responses are far smaller.
_LONGEST_RESPONSE: Final = 65_536
_CONNECT_SECONDS: Final = 1.0
# Sending takes a second, and a further one for each half megabyte.
_SEND_SECONDS: Final = 1.0
_SEND_BYTES_PER_SECOND: Final = 500_000
READ_SECONDS: Final = 2.0
"""Leaves time for a second try within Segment's time-out."""

_CONNECTIONS: Final = 32


class NoResponseError(TikTokPixelError):
    """TikTok did not respond.

    Attributes:
        verdict: What that means for the events.
        seconds: How long the call took.
        sent: Whether the whole request was sent, so that TikTok may have counted its events.
    """

    def __init__(self, verdict: Verdict, seconds: float, *, sent: bool) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict
        self.seconds = seconds
        self.sent = sent


class TikTokClient:
    """Keep-alive connections to TikTok's Events API, created once per Lambda environment.

    Attributes:
        responded_at: Unix time in seconds of the last response; 0 before the first.

    Args:
        api_url: Scheme and host, for example ``https://business-api.tiktok.com``.
        read_seconds: How long to wait for a response once the request is sent.
    """

    def __init__(self, api_url: str, read_seconds: float = READ_SECONDS) -> None:
        url = api_url.rstrip("/") + TRACK_PATH
        self._path = parse_url(url).request_uri
        self._pool = ConnectionPool(url, _CONNECTIONS)
        self._read_seconds = read_seconds
        self.responded_at = 0.0

    def track(self, body: bytes, access_token: str, deadline: Deadline) -> TikTokResponse:
        """POST one request body.

        Raises:
            NoResponseError: No complete response arrived before ``deadline``.
        """
        started = time.perf_counter()
        left = deadline.remaining()
        if left <= 0:
            raise NoResponseError(TIMEOUT, 0.0, sent=False)
        send_seconds = _SEND_SECONDS + len(body) / _SEND_BYTES_PER_SECOND
        exchange = Exchange(send_seconds, send_by=time.monotonic() + left)
        try:
            response = self._pool.request(
                "POST",
                self._path,
                headers={"Access-Token": access_token, "Content-Type": "application/json"},
                body=body,
                timeout=urllib3.Timeout(
                    total=left,
                    connect=min(_CONNECT_SECONDS, left),
                    read=min(self._read_seconds, left),
                ),
                longest=_LONGEST_RESPONSE,
                exchange=exchange,
            )
        except NewConnectionError as error:
            # For urllib3 this is a time-out, even where the connection was refused at once.
            raise _no_response(UNREACHABLE, started, exchange) from error
        except (UrllibTimeoutError, TimeoutError) as error:
            # The idle connections may be dead for the same reason.
            self._pool.forget()
            raise _no_response(TIMEOUT, started, exchange) from error
        except (HTTPError, OSError) as error:
            raise _no_response(UNREACHABLE, started, exchange) from error
        self.responded_at = time.time()
        return read_response(response.status, response.body, time.perf_counter() - started)

    def close(self) -> None:
        """Close all connections; the next request opens a new one."""
        self._pool.forget()


def _no_response(verdict: Verdict, started: float, exchange: Exchange) -> NoResponseError:
    return NoResponseError(verdict, time.perf_counter() - started, sent=exchange.sent)
