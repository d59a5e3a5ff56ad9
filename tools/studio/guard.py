"""Refuse requests that do not come from the page itself.

A browser lets any site open a WebSocket to 127.0.0.1, and a site can point its own host name there
(DNS rebinding). So the server checks the `Host` header of every request, and the `Origin` header
where a browser sends one. Every WebSocket handshake must have an `Origin`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_NAMES: Final = ("127.0.0.1", "localhost")
_BODY: Final = b"Forbidden: open this page at its own address.\n"
_POLICY_VIOLATION: Final = 1008


class LocalOnly:
    """ASGI middleware that lets only same-origin requests to this machine pass.

    A pure ASGI middleware: Starlette's `BaseHTTPMiddleware` does not see WebSocket connections.

    Args:
        application: The application to protect.
        port: The port that the server listens on.
    """

    def __init__(self, application: Application, port: int) -> None:
        self._application = application
        self._hosts = frozenset(f"{name}:{port}" for name in _NAMES)
        self._origins = frozenset(f"http://{host}" for host in self._hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._is_allowed(scope):
            await self._application(scope, receive, send)
        elif scope["type"] == "websocket":
            # Closing before accepting makes the server answer the handshake with 403.
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        else:
            headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(_BODY))]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": _BODY})

    def _is_allowed(self, scope: Scope) -> bool:
        headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
        hosts = [value for name, value in headers if name == b"host"]
        origins = [value for name, value in headers if name == b"origin"]
        if len(hosts) != 1 or hosts[0].decode("latin-1").lower() not in self._hosts:
            return False
        if not origins:
            return bool(scope["type"] == "http")
        return len(origins) == 1 and origins[0].decode("latin-1").lower() in self._origins
