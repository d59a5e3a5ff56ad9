"""HTTP/1.1 on bare sockets, so that a test can also break it.

The servers of the sandbox answer properly most of the time and fast (one `send` per answer, no
Nagle delay, connections kept alive), and now and then they must do what no HTTP library lets
them do: reset a connection, lie about a length, let an answer drip byte by byte.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from types import TracebackType

_CHUNK: Final = 65_536
_END_OF_HEAD: Final = b"\r\n\r\n"
_MAX_HEAD: Final = 1_048_576
_JOIN_SECONDS: Final = 5.0


class BadRequestError(Exception):
    """What arrived is no HTTP request."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; raises ValueError where it is none."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer; `encode` can lie about its length."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, value: Any, status: int = 200) -> Self:
        """An answer whose body is the value as JSON."""
        return cls(status, json.dumps(value).encode())

    def head(self, content_length: int | None = None) -> bytes:
        """The status line and the headers, up to and with the empty line."""
        try:
            reason = HTTPStatus(self.status).phrase
        except ValueError:
            reason = "Unknown"
        length = len(self.body) if content_length is None else content_length
        lines = [
            f"HTTP/1.1 {self.status} {reason}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {length}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return "\r\n".join(lines).encode("latin-1") + _END_OF_HEAD

    def encode(self, content_length: int | None = None) -> bytes:
        """The whole answer as bytes."""
        return self.head(content_length) + self.body


class Connection:
    """One accepted connection, served by one thread."""

    def __init__(self, sock: socket.socket, number: int, stopping: threading.Event) -> None:
        self.number = number
        self._sock = sock
        self._stopping = stopping
        self._buffer = bytearray()
        self._closed = False

    def peek(self) -> bytes:
        """Wait for the first bytes of a request and leave them; empty at the end."""
        if not self._buffer:
            self._buffer += self._sock.recv(_CHUNK)
        return bytes(self._buffer[:1024])

    def read_request(self) -> Request | None:
        """The next request, or None where the client has hung up."""
        if not self.peek():
            return None
        while (end := self._buffer.find(_END_OF_HEAD)) < 0:
            if len(self._buffer) > _MAX_HEAD or not self._receive():
                raise BadRequestError("the head does not end")
        head = bytes(self._buffer[:end]).decode("latin-1")
        del self._buffer[: end + len(_END_OF_HEAD)]
        start, *lines = head.split("\r\n")
        try:
            method, path, _version = start.split(" ")
            headers = {
                name.strip().lower(): value.strip()
                for name, value in (line.split(":", 1) for line in lines)
            }
        except ValueError as error:
            raise BadRequestError(start) from error
        return Request(method, path, headers, self._read_body(headers))

    def _read_body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("expect", "").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._read_chunks()
        try:
            length = int(headers.get("content-length") or 0)
        except ValueError as error:
            raise BadRequestError("Content-Length is no number") from error
        return self._read_exactly(length)

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while size := self._read_chunk_size():
            body += self._read_exactly(size)
            self._read_line()
        while self._read_line():
            pass
        return bytes(body)

    def _read_chunk_size(self) -> int:
        line = self._read_line()
        try:
            return int(line.split(b";")[0], 16)
        except ValueError as error:
            raise BadRequestError("the size of a chunk is no number") from error

    def _read_line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if not self._receive():
                raise BadRequestError("the line does not end")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _read_exactly(self, length: int) -> bytes:
        while len(self._buffer) < length:
            if not self._receive():
                raise BadRequestError("the body is shorter than announced")
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return body

    def _receive(self) -> int:
        data = self._sock.recv(_CHUNK)
        self._buffer += data
        return len(data)

    def send(self, data: bytes) -> None:
        """Send at once; raises OSError where the client has gone."""
        self._sock.sendall(data)

    def wait(self, seconds: float) -> None:
        """Let time pass; ends early when the server stops."""
        if seconds > 0 and self._stopping.wait(seconds):
            raise ConnectionAbortedError("the sandbox stops")

    def reset(self) -> None:
        """Close with a TCP reset, which the client sees as "connection reset by peer"."""
        with contextlib.suppress(OSError):
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def hang_up(self) -> None:
        """Wake the thread that serves this connection (from another thread)."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close in the ordinary way; doing it twice does no harm."""
        if not self._closed:
            self._closed = True
            self._sock.close()


class HttpServer:
    """Accepts connections and serves each in a daemon thread of its own.

    `serve` is called once per request with the connection and says whether it stays open.
    """

    def __init__(
        self,
        serve: Callable[[Connection], bool],
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._serve = serve
        self._tls = tls
        self._listener = socket.create_server((host, port), backlog=256)
        self.host: str = host
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: dict[Connection, threading.Thread] = {}
        self._acceptor = threading.Thread(target=self._accept, name="sandbox-accept", daemon=True)

    @property
    def url(self) -> str:
        """Where a client on this machine reaches the server."""
        host = "127.0.0.1" if self.host in {"", "0.0.0.0"} else self.host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    def start(self) -> None:
        """Begin to accept."""
        self._acceptor.start()

    def stop(self) -> None:
        """Close every connection and wait for every thread."""
        self._stopping.set()
        if self._acceptor.is_alive():
            # Portable way to wake accept(): closing the socket does not, outside Linux.
            host = "127.0.0.1" if self.host in {"", "0.0.0.0"} else self.host
            with contextlib.suppress(OSError):
                socket.create_connection((host, self.port), timeout=1).close()
            self._acceptor.join(_JOIN_SECONDS)
        self._listener.close()
        with self._lock:
            still_open = dict(self._open)
        for connection in still_open:
            connection.hang_up()
        for thread in still_open.values():
            thread.join(_JOIN_SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                sock, _address = self._listener.accept()
            except OSError:
                return
            if self._stopping.is_set():
                sock.close()
                return
            thread = threading.Thread(
                target=self._run, args=(sock,), name="sandbox-connection", daemon=True
            )
            thread.start()

    def _run(self, sock: socket.socket) -> None:
        connection = self._admit(sock)
        if connection is None:
            return
        try:
            while self._serve(connection):
                pass
        except (OSError, BadRequestError):
            pass  # The client has gone or talks no HTTP: nobody is left to tell.
        finally:
            connection.close()
            with self._lock:
                self._open.pop(connection, None)

    def _admit(self, sock: socket.socket) -> Connection | None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls:
            sock.settimeout(_JOIN_SECONDS)
            try:
                sock = self._tls.wrap_socket(sock, server_side=True)
            except OSError:  # The client refuses the certificate: often what a test wants.
                sock.close()
                return None
            sock.settimeout(None)
        with self._lock:
            self.connections += 1
            connection = Connection(sock, self.connections, self._stopping)
            if self._stopping.is_set():
                connection.close()
                return None
            self._open[connection] = threading.current_thread()
        return connection

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
