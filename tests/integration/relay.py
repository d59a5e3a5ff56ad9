"""A TCP relay whose connections can be closed, or go dead silently as idle ones do in routers."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from typing import Self
from urllib.parse import urlsplit


class Relay:
    """Passes bytes both ways between clients and a server."""

    def __init__(self, upstream_url: str) -> None:
        parts = urlsplit(upstream_url)
        self._upstream = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ended = threading.Event()
        self._open: list[tuple[socket.socket, socket.socket]] = []
        self._cut: list[tuple[socket.socket, socket.socket]] = []
        self._thread = threading.Thread(target=self._run)

    @property
    def url(self) -> str:
        """The URL that clients connect to."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def connections(self) -> int:
        """How many connections were accepted, dead ones included."""
        return len(self._open) + len(self._cut)

    def cut(self) -> None:
        """Pass nothing more on the open connections, and keep them open."""
        self._cut += self._open
        self._open.clear()

    def close(self) -> None:
        """Close the open connections, as a server closes idle ones."""
        for near, _ in self._open:
            near.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            peers: dict[object, tuple[socket.socket, tuple[socket.socket, socket.socket]]] = {}
            while not self._ended.is_set():
                for key, _ in selector.select(0.02):
                    if key.fileobj is self._listener:
                        near, _ = self._listener.accept()
                        pair = (near, socket.create_connection(self._upstream))
                        self._open.append(pair)
                        for one, other in (pair, pair[::-1]):
                            peers[one] = (other, pair)
                            selector.register(one, selectors.EVENT_READ)
                        continue
                    self._pass_on(key.fileobj, peers, selector)

    def _pass_on(
        self,
        one: object,
        peers: dict[object, tuple[socket.socket, tuple[socket.socket, socket.socket]]],
        selector: selectors.BaseSelector,
    ) -> None:
        assert isinstance(one, socket.socket)
        other, pair = peers[one]
        data = b""
        with contextlib.suppress(OSError):
            data = one.recv(65_536)
        if data and pair not in self._cut:
            with contextlib.suppress(OSError):
                other.sendall(data)
        if not data:
            selector.unregister(one)
            if pair not in self._cut:
                with contextlib.suppress(OSError):
                    other.shutdown(socket.SHUT_WR)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(5)
        self._listener.close()
        for pair in (*self._open, *self._cut):
            for sock in pair:
                sock.close()
