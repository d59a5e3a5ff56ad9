"""A local TikTok Events API that checks requests as TikTok does and fails on demand.

    with TikTokSandbox() as tiktok:
        tiktok.next(answer(40100))
        send_to(tiktok.url)
        assert tiktok.event_ids == {"m-1"}

Responses follow https://business-api.tiktok.com/portal/docs: HTTP 200, and the result as `code`
in the envelope.
"""

from __future__ import annotations

import ssl
import tempfile
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import trustme

from tools.sandbox import control
from tools.sandbox.rules import OK, ApiResult, Settings, judge
from tools.sandbox.script import FaultScript
from tools.sandbox.wire import HttpServer, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tools.sandbox.faults import Fault
    from tools.sandbox.wire import Connection

ACCESS_TOKEN: Final = "sandbox-access-token"
PIXEL_CODE: Final = "CSANDBOXPIXEL0000001"
TRACK_PATH: Final = "/open_api/v1.3/event/track/"


@dataclass(frozen=True, slots=True)
class Received:
    """A request to the Events API, and the response to it.

    Attributes:
        request: The request.
        code: The code of the response; None when the response had none.
        connection: The number of the connection, counted from 1.
        at: `time.monotonic()` when the request had been read.
        parsed: The body as JSON; None when it is not a JSON object.
        fault: The scripted fault that was applied.
    """

    request: Request
    code: int | None
    connection: int
    at: float
    parsed: dict[str, Any] | None = None
    fault: Fault | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers; names are in lower case."""
        return self.request.headers

    @property
    def body(self) -> bytes:
        """The raw body."""
        return self.request.body

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events in the body; empty when it has no readable ones."""
        data = (self.parsed or {}).get("data")
        return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []

    @property
    def event_ids(self) -> list[Any]:
        """The event ids, in order."""
        return [event.get("event_id") for event in self.events]


@dataclass(frozen=True, slots=True)
class Accepted:
    """An event that TikTok accepted."""

    event_source: str
    event_source_id: str
    event: dict[str, Any]
    test_event_code: str | None = None

    @property
    def key(self) -> tuple[str, str, str | None]:
        """The key by which TikTok deduplicates."""
        return (self.event_source_id, self.event["event"], self.event.get("event_id"))


@dataclass(slots=True)
class _Memory:
    received: list[Received] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)
    in_flight: int = 0
    peak: int = 0


class TikTokSandbox:
    """The server, a context manager.

    `settings` (tokens, pixels, poisoned event ids, latency) can be changed at any time.
    """

    def __init__(
        self,
        *,
        tokens: Iterable[str] = (ACCESS_TOKEN,),
        pixels: Iterable[str] = (PIXEL_CODE,),
        host: str = "127.0.0.1",
        port: int = 0,
        tls: bool = False,
    ) -> None:
        self._initial = (frozenset(tokens), frozenset(pixels))
        self.settings = self._fresh_settings()
        self.faults = FaultScript()
        self._changed = threading.Condition()
        self._memory = _Memory()
        self._folder = tempfile.TemporaryDirectory() if tls else None
        self.certificate_file: Path | None = None
        context = None
        if self._folder:
            context, self.certificate_file = _issue_certificate(Path(self._folder.name))
        self._server = HttpServer(self._serve, host, port, context)

    def _fresh_settings(self) -> Settings:
        tokens, pixels = self._initial
        return Settings(tokens=set(tokens), pixels=set(pixels))

    @property
    def url(self) -> str:
        """The base URL, without a path."""
        return self._server.url

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port

    @property
    def connections(self) -> int:
        """The number of connections accepted so far."""
        return self._server.connections

    def next(self, *faults: Fault, when: Callable[[Request], bool] | None = None) -> None:
        """Apply each fault to one request, in this order (see `tools.sandbox.script`)."""
        self.faults.next(*faults, when=when)

    def always(self, fault: Fault, when: Callable[[Request], bool] | None = None) -> None:
        """Apply the fault to every request until cleared (see `tools.sandbox.script`)."""
        self.faults.always(fault, when=when)

    def clear_faults(self) -> None:
        """Remove all scripted faults."""
        self.faults.clear()

    @property
    def requests(self) -> list[Received]:
        """Every request to the Events API, in the order of the responses."""
        with self._changed:
            return list(self._memory.received)

    @property
    def accepted(self) -> list[Accepted]:
        """Every accepted event, duplicates included."""
        with self._changed:
            return list(self._memory.accepted)

    @property
    def events(self) -> list[Accepted]:
        """The events that TikTok counts: the first of each (source id, name, event id)."""
        first: dict[object, Accepted] = {}
        for number, accepted in enumerate(self.accepted):
            first.setdefault(number if accepted.key[2] is None else accepted.key, accepted)
        return list(first.values())

    @property
    def event_ids(self) -> set[str | None]:
        """The ids of the accepted events."""
        return {accepted.key[2] for accepted in self.accepted}

    @property
    def peak_concurrency(self) -> int:
        """The highest number of requests in progress at the same time."""
        with self._changed:
            return self._memory.peak

    def wait_for_requests(self, count: int, timeout: float = 5.0) -> list[Received]:
        """Wait for this number of requests; raise TimeoutError when they do not come."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._memory.received) >= count, timeout):
                raise TimeoutError(f"{len(self._memory.received)} of {count} requests received")
            return list(self._memory.received)

    def forget(self) -> None:
        """Forget requests and events; settings and faults stay."""
        with self._changed:
            self._memory = _Memory(in_flight=self._memory.in_flight)

    def reset(self) -> None:
        """Remove all requests, events and faults, and restore the first settings."""
        self.clear_faults()
        self.settings = self._fresh_settings()
        self.forget()

    def _serve(self, line: Connection) -> bool:
        beginning = line.peek()
        if not beginning:
            return False
        if control.PREFIX.encode() in beginning.split(b"\r\n")[0]:
            return control.serve(self, line)
        fault = self.faults.take_unread()
        if fault:
            return fault.play(line, Response(200, b""))
        request = line.read_request()
        if request is None:
            return False
        with self._changed:
            self._memory.in_flight += 1
            self._memory.peak = max(self._memory.peak, self._memory.in_flight)
        try:
            return self._answer(line, request)
        finally:
            with self._changed:
                self._memory.in_flight -= 1

    def _answer(self, line: Connection, request: Request) -> bool:
        at = time.monotonic()
        line.wait(self.settings.latency)
        if request.path.split("?")[0] != TRACK_PATH:
            line.send(Response(404, b"404 page not found\n", "text/plain").encode())
            return True
        if request.method != "POST":
            line.send(Response(405, b"405 method not allowed\n", "text/plain").encode())
            return True
        fault = self.faults.take(request)
        result, parsed = judge(request.headers, request.body, self.settings)
        counts = fault is None or fault.accept
        if counts and result.code == OK and parsed:
            self._accept(parsed)
        code = result.code if fault is None or fault.keeps_result else fault.code
        with self._changed:
            self._memory.received.append(Received(request, code, line.number, at, parsed, fault))
            self._changed.notify_all()
        closing = request.headers.get("connection", "").lower() == "close"
        response = _envelope(result, closing=closing)
        if fault:
            return fault.play(line, response) and not closing
        line.send(response.encode())
        return not closing

    def _accept(self, parsed: dict[str, Any]) -> None:
        source, source_id = parsed["event_source"], parsed["event_source_id"]
        code = parsed.get("test_event_code")
        accepted = [Accepted(source, source_id, event, code) for event in parsed["data"]]
        with self._changed:
            self._memory.accepted.extend(accepted)

    def start(self) -> Self:
        """Start to listen."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop listening, close every connection and remove the certificate."""
        self._server.stop()
        if self._folder:
            self._folder.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _envelope(result: ApiResult, *, closing: bool) -> Response:
    request_id = time.strftime("%Y%m%d%H%M%S", time.gmtime()) + uuid.uuid4().hex[:18].upper()
    body = Response.of_json(
        {"code": result.code, "message": result.message, "request_id": request_id, "data": {}}
    ).body
    headers = {"X-Tt-Logid": request_id}
    if closing:
        headers["Connection"] = "close"
    return Response(200, body, headers=headers)


def _issue_certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a server's TLS context for localhost, and the file of its certificate authority."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    file = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    return context, file
