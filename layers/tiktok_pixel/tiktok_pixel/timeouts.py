"""HTTP connections whose time-outs bound each phase as a whole.

A socket's time-out bounds a single step, so a server that makes a little progress now and then
can hold a request for ever, and name look-ups are not bounded at all. Here connecting (name
look-up, every address, TLS) has the connect time-out, sending has a time-out of its own where an
:class:`Exchange` sets one (else the rest of the connect time-out), and the response, headers
included, has to be read within the read time-out. Without a time-out, nothing is waited for.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# One TLS record: the most that one time-out of the socket covers.
_RECORD_BYTES: Final = 16_384


@dataclass(slots=True)
class Exchange:
    """One request on its way, as the caller of :meth:`urlopen` follows it.

    Attributes:
        send_seconds: Time-out of sending, once connected.
        send_by: Monotonic time by which all must be sent, whatever connecting took.
        sent: Whether the whole request was sent: the server may have processed it.
    """

    send_seconds: Final[float]
    send_by: Final[float]
    sent: bool = False


class _TimedReader(io.RawIOBase):
    """Reads a socket until a given time; each receive may use only the time that is left."""

    def __init__(self, sock: socket.socket, at: float) -> None:
        self._socket = sock
        self._at = at
        # http.client may close a connection before the body is read; the socket's own file object
        # keeps the socket open until it is closed too.
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the response took too long")
        self._socket.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedSocket:
    """Replaces the socket from which a response takes its file object."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def makefile(self, _mode: Literal["rb"]) -> io.BufferedReader:
        left = self._socket.gettimeout() or 0.0
        return io.BufferedReader(_TimedReader(self._socket, time.monotonic() + left))


class _TimedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(cast("socket.socket", _TimedSocket(sock)), *args, **kwargs)


class _TimedHTTPConnection(HTTPConnection):
    response_class = _TimedResponse
    # Monotonic time by which the request must be sent; ``None`` between requests.
    _out_by: float | None = None
    # The parts of the request that is being built.
    _held: list[bytes] | None = None
    exchange: Exchange | None = None

    def connect(self) -> None:
        """Connect in a thread, which is abandoned when it takes too long."""
        left = self._left()
        failures: list[BaseException] = []
        connect = super().connect
        abandoned = threading.Event()

        def attempt() -> None:
            try:
                connect()
            except BaseException as error:  # noqa: BLE001  # raised below
                failures.append(error)
            if abandoned.is_set():
                self.close()

        thread = threading.Thread(target=attempt, daemon=True)
        thread.start()
        thread.join(left)
        if thread.is_alive():
            abandoned.set()
            raise ConnectTimeoutError(self, "connecting took too long")
        if failures:
            raise failures[0]

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send head and body together: two packets cost two system calls and two round trips."""
        held = self._held = []
        try:
            super().request(*args, **kwargs)
        finally:
            self._held = None
        if self.sock is None:
            self.connect()
        exchange = self.exchange
        if exchange is not None:
            self._out_by = min(time.monotonic() + exchange.send_seconds, exchange.send_by)
        self.send(b"".join(held))
        if exchange is not None:
            exchange.sent = True

    def send(self, data: Any) -> None:
        """Send data; one time-out covers all of it."""
        if self._held is not None:
            self._held.append(data)
            return
        if self.sock is None:
            self.connect()
        for start in range(0, len(data), _RECORD_BYTES):
            self.sock.settimeout(self._left())
            super().send(memoryview(data)[start : start + _RECORD_BYTES])

    def getresponse(self) -> Any:
        """Wait for the response, which has its own time-out."""
        self._out_by = None
        return super().getresponse()

    def close(self) -> None:
        """Close; the next request opens a new connection."""
        self._out_by = None
        super().close()

    def _left(self) -> float:
        now = time.monotonic()
        if self._out_by is None:
            self._out_by = now + (self.timeout or 0.0)
        if self._out_by <= now:
            raise TimeoutError("the request took too long")
        return self._out_by - now


class _TimedHTTPSConnection(_TimedHTTPConnection, HTTPSConnection):
    pass


class _TimedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _TimedHTTPConnection

    def _make_request(
        self, conn: Any, *args: Any, exchange: Exchange | None = None, **kwargs: Any
    ) -> Any:
        # `urlopen` passes keywords that it does not know on to this method.
        conn.exchange = exchange
        return super()._make_request(conn, *args, **kwargs)


class _TimedHTTPSPool(_TimedHTTPPool, HTTPSConnectionPool):
    ConnectionCls = _TimedHTTPSConnection


POOL_CLASSES = {"http": _TimedHTTPPool, "https": _TimedHTTPSPool}
"""For ``PoolManager.pool_classes_by_scheme``."""
