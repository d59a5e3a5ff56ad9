"""HTTP connections whose read time-out bounds the whole answer.

A socket's time-out bounds each single receive, so a server that sends a byte now and then can
hold a request for ever. These connections read every answer, headers included, against one
moment: the start of reading plus the read time-out.
"""

from __future__ import annotations

import io
import socket
import time
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


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


class _BoundedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        timeout = sock.gettimeout()
        if timeout is not None:
            self.fp.close()
            self.fp = io.BufferedReader(_BoundedReader(sock, time.monotonic() + timeout))


class _BoundedHTTPConnection(HTTPConnection):
    response_class = _BoundedResponse


class _BoundedHTTPSConnection(HTTPSConnection):
    response_class = _BoundedResponse


class _BoundedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _BoundedHTTPConnection


class _BoundedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedHTTPSConnection


POOL_CLASSES = {"http": _BoundedHTTPPool, "https": _BoundedHTTPSPool}
"""For ``PoolManager.pool_classes_by_scheme``."""
