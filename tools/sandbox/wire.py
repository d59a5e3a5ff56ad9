"""HTTP servers that can also break the protocol.

They answer like any HTTP/1.1 server (one thread and one `send` per response, connections kept
alive), and on demand reset a connection, announce a wrong length, or send a response byte by byte.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

_MAX_REQUEST_LINE: Final = 65_536
_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as received; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Parse the body as JSON; raise ValueError if it is not."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response; `encode` can announce a wrong length."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, value: Any, status: int = 200) -> Self:
        """Create a response with a JSON body."""
        return cls(status, json.dumps(value).encode())

    def head(self, content_length: int | None = None) -> bytes:
        """Encode the status line and the headers, with the empty line after them."""
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
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def encode(self, content_length: int | None = None) -> bytes:
        """Encode the whole response."""
        return self.head(content_length) + self.body


class Connection(BaseHTTPRequestHandler):
    """One accepted connection, served by one thread."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: HttpServer
    number: int

    def handle(self) -> None:
        """Serve requests until the connection closes."""
        self.number = self.server.add(self)
        # The client closed or reset the connection, or refused the certificate.
        with contextlib.suppress(OSError):
            super().handle()
        self.server.remove(self)

    def handle_one_request(self) -> None:
        """Serve one request; the base class repeats this until `close_connection` is set."""
        if not self.server.serve(self):
            self.close_connection = True

    def peek(self) -> bytes:
        """Wait for a request and return its first bytes without reading them; empty at the end."""
        return self.rfile.peek(1)  # type: ignore[attr-defined,no-any-return]  # a BufferedReader

    def read_request(self) -> Request | None:
        """Read the next request; return None when there is none that can be answered."""
        self.raw_requestline = self.rfile.readline(_MAX_REQUEST_LINE)
        if not self.raw_requestline or not self.parse_request():
            return None
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self.send_error(HTTPStatus.LENGTH_REQUIRED)
            return None
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            return None
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, self.path, headers, body)

    def send(self, data: bytes) -> None:
        """Send bytes at once; raise OSError when the client has closed the connection."""
        self.wfile.write(data)

    def wait(self, seconds: float) -> None:
        """Wait; raise ConnectionAbortedError when the server stops meanwhile."""
        if seconds > 0 and self.server.stopping.wait(seconds):
            raise ConnectionAbortedError("the sandbox stops")

    def reset(self) -> None:
        """Make closing the connection a TCP reset ("connection reset by peer")."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def hang_up(self) -> None:
        """Wake the thread that serves this connection, from another thread."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it
        """Log nothing."""


class HttpServer(ThreadingHTTPServer):
    """Accepts connections and serves each in a thread of its own.

    Args:
        serve: Called once per request with the connection; returns whether it stays open.
        host: The address to listen on.
        port: The port; 0 for any free one.
        tls: The server's TLS context, for HTTPS.
    """

    request_queue_size = 256
    daemon_threads = False  # `stop` waits for them.

    def __init__(
        self,
        serve: Callable[[Connection], bool],
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__((host, port), Connection)
        self.serve = serve
        self.stopping = threading.Event()
        self.connections = 0
        self._host = host
        self._tls = tls
        self._lock = threading.Lock()
        self._open: set[Connection] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(_POLL_SECONDS,))

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return self.server_port

    @property
    def url(self) -> str:
        """The URL for clients on this machine."""
        host = "127.0.0.1" if self._host in {"", "0.0.0.0"} else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    def start(self) -> None:
        """Start to accept connections."""
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and wait for every thread."""
        self.stopping.set()
        if self._thread.is_alive():
            self.shutdown()
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            connection.hang_up()
        self.server_close()

    def add(self, connection: Connection) -> int:
        """Register an open connection and return its number, counted from 1."""
        with self._lock:
            self._open.add(connection)
            self.connections += 1
            number = self.connections
        if self.stopping.is_set():
            connection.hang_up()
        return number

    def remove(self, connection: Connection) -> None:
        """Forget a connection that closes."""
        with self._lock:
            self._open.discard(connection)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; a TLS handshake happens in its own thread."""
        accepted, address = super().get_request()
        if self._tls:
            accepted = self._tls.wrap_socket(
                accepted, server_side=True, do_handshake_on_connect=False
            )
        return accepted, address

    def shutdown_request(self, request: Any) -> None:
        """Close a connection; shutting it down first, as the base class does, prevents resets."""
        self.close_request(request)

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()
