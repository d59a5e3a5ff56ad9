"""HTTP connections whose time-outs bound each phase as a whole.

A socket's time-out bounds a single step, so a server that makes a little progress now and then
can hold a request for ever, and name look-ups are not bounded at all. Here connecting (name
look-up, every address, TLS) and sending share the connect time-out, and the response, headers
included, has to be read within the read time-out. Without a time-out, nothing is waited for.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# One TLS record: the most that one time-out of the socket covers.
_RECORD_BYTES: Final = 16_384


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
        self.send(b"".join(held))

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


class _TimedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _TimedHTTPSConnection


POOL_CLASSES = {"http": _TimedHTTPPool, "https": _TimedHTTPSPool}
"""For ``PoolManager.pool_classes_by_scheme``."""
