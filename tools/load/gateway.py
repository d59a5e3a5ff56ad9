"""A local API Gateway: an HTTP API with one route to the environments of the forward function.

It behaves like the deployed endpoint: payload format 2.0, throttling of the route, one request per
environment at a time, and 503 when none is free or the invocation takes too long.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from tools.sandbox import samples
from tools.sandbox.runtime import RuntimeHarnessError
from tools.sandbox.wire import Connection, HttpServer, Request, Response

if TYPE_CHECKING:
    from tools.load.environments import Environment, Pool
    from tools.sandbox.runtime import InvokeResult

PATH: Final = "/segment"
# Limits of HTTP APIs and of Lambda: "Quotas" in the documentation of both.
_LONGEST_SECONDS: Final = 30.0
_LARGEST_BODY: Final = 6_000_000
_THREADS: Final = 64


@dataclass(slots=True)
class TokenBucket:
    """The throttling of a route (template.yaml: ThrottlingRateLimit, ThrottlingBurstLimit)."""

    rate: float = 100.0
    burst: float = 200.0
    _tokens: float | None = None
    _at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, now: float) -> bool:
        """Return whether a request may pass at this time, in seconds."""
        with self._lock:
            tokens = self.burst if self._tokens is None else self._tokens
            tokens = min(self.burst, tokens + (now - self._at) * self.rate)
            self._at = now
            passes = tokens >= 1
            self._tokens = tokens - 1 if passes else tokens
            return passes


class Gateway:
    """The endpoint; a context manager.

    Args:
        pool: The environments of the function.
        longest_seconds: The time limit of an invocation.
    """

    def __init__(self, pool: Pool, *, longest_seconds: float = _LONGEST_SECONDS) -> None:
        self._pool = pool
        self._longest_seconds = longest_seconds
        self._throttle = TokenBucket()
        self._threads = ThreadPoolExecutor(_THREADS, "invocation")
        self._server = HttpServer(self._serve)

    @property
    def url(self) -> str:
        """The URL to give to Segment's webhook."""
        return f"{self._server.url}{PATH}"

    def _serve(self, line: Connection) -> bool:
        request = line.read_request()
        if request is None:
            return False
        line.send(self._respond(request).encode())
        return request.headers.get("connection", "").lower() != "close"

    def _respond(self, request: Request) -> Response:
        if (request.method, request.path) != ("POST", PATH):
            return _message(404, "Not Found")
        if len(request.body) > _LARGEST_BODY:
            return _message(413, "Request Entity Too Large")
        if not self._throttle.take(time.monotonic()):
            return _message(429, "Too Many Requests")
        environment = self._pool.take()
        if environment is None:
            return _message(503, "Service Unavailable")
        invocation = self._threads.submit(self._invoke, environment, http_event(request))
        try:
            return invocation.result(self._longest_seconds)
        except TimeoutError:
            return _message(503, "Service Unavailable")

    def _invoke(self, environment: Environment, event: dict[str, Any]) -> Response:
        try:
            return _response(environment.invoke(event))
        except RuntimeHarnessError:
            return _message(500, "Internal Server Error")
        finally:
            self._pool.give_back(environment)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        self._threads.shutdown()


def http_event(request: Request) -> dict[str, Any]:
    """Return a request as an HTTP API passes it to Lambda (payload format 2.0)."""
    now = time.time()
    event = samples.http_event(request.body.decode("utf-8", "replace"), None)
    event["headers"] = dict(request.headers)
    event["requestContext"] |= {
        "requestId": uuid.uuid4().hex,
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "timeEpoch": int(now * 1000),
    }
    return event


def _response(result: InvokeResult) -> Response:
    payload = result.payload
    if result.error is not None or not isinstance(payload, dict) or "statusCode" not in payload:
        return _message(500, "Internal Server Error")
    return Response(payload["statusCode"], payload["body"].encode(), headers={})


def _message(status: int, text: str) -> Response:
    return Response(status, json.dumps({"message": text}).encode())
