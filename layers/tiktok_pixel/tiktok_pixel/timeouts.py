"""HTTP connections whose time-outs bound the whole of each phase.

A socket's time-out bounds each single step, so a server that makes a little progress now and then
can hold a request for ever, and a name server is not bounded at all. Here connecting (name
look-up, every address, TLS) and sending share the connect time-out, and the answer, headers
included, is read against one moment: the start of reading plus the read time-out.
Without a time-out, nothing is waited for at all.
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

# A TLS record: the most that one time-out of the socket covers.
_RECORD_BYTES: Final = 16_384


class _BoundedReader(io.RawIOBase):
    """Reads a socket until a moment; each receive may take only what is left."""

    def __init__(self, sock: socket.socket, at: float) -> None:
        self._socket = sock
        self._at = at
        # The socket's own file object keeps the socket open until it is closed itself, which
        # http.client relies on when it closes a connection before the body is read.
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._socket.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _ReadBounded:
    """Stands in for a socket where a response asks for its file object."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def makefile(self, _mode: Literal["rb"]) -> io.BufferedReader:
        left = self._socket.gettimeout() or 0.0
        return io.BufferedReader(_BoundedReader(self._socket, time.monotonic() + left))


class _BoundedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(cast("socket.socket", _ReadBounded(sock)), *args, **kwargs)


class _BoundedHTTPConnection(HTTPConnection):
    response_class = _BoundedResponse
    # When the request has to be out; ``None`` between requests.
    _out_by: float | None = None
    # The parts of a request that is being put together.
    _held: list[bytes] | None = None

    def connect(self) -> None:
        """Connect in a thread, which is left behind where it takes too long."""
        left = self._left()
        failures: list[BaseException] = []
        connect = super().connect
        abandoned = threading.Event()

        def attempt() -> None:
            try:
                connect()
            except BaseException as error:  # noqa: BLE001  # raised where it is waited for
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
        """Send head and body in one: two small packets cost two system calls, and two waits."""
        held = self._held = []
        try:
            super().request(*args, **kwargs)
        finally:
            self._held = None
        self.send(b"".join(held))

    def send(self, data: Any) -> None:
        """Send, with one time-out for all of it."""
        if self._held is not None:
            self._held.append(data)
            return
        if self.sock is None:
            self.connect()
        for start in range(0, len(data), _RECORD_BYTES):
            self.sock.settimeout(self._left())
            super().send(memoryview(data)[start : start + _RECORD_BYTES])

    def getresponse(self) -> Any:
        """Wait for the answer, which has a time-out of its own."""
        self._out_by = None
        return super().getresponse()

    def close(self) -> None:
        """Close; the next request connects anew."""
        self._out_by = None
        super().close()

    def _left(self) -> float:
        now = time.monotonic()
        if self._out_by is None:
            self._out_by = now + (self.timeout or 0.0)
        if self._out_by <= now:
            raise TimeoutError("the request took too long")
        return self._out_by - now


class _BoundedHTTPSConnection(_BoundedHTTPConnection, HTTPSConnection):
    pass


class _BoundedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _BoundedHTTPConnection


class _BoundedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedHTTPSConnection


POOL_CLASSES = {"http": _BoundedHTTPPool, "https": _BoundedHTTPSPool}
"""For ``PoolManager.pool_classes_by_scheme``."""
