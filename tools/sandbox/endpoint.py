"""A local endpoint for Segment's requests: the real functions behind HTTP.

    POST /segment    what API Gateway would pass to the function
    POST /redrive    invoke the redrive function with the messages of the queue, or with the body
    GET  /received   the last events, for the Mappings page; for this machine only

The last events are kept in memory.
"""

from __future__ import annotations

import base64
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Self

from tiktok_pixel.segment.body import parse_events
from tiktok_pixel.segment.errors import InvalidBodyError
from tools.sandbox.application import ForwardApplication, HttpAnswer
from tools.sandbox.samples import http_event
from tools.sandbox.wire import Connection, HttpServer, Request, Response

SEGMENT_PATH: Final = "/segment"
REDRIVE_PATH: Final = "/redrive"
RECEIVED_PATH: Final = "/received"
KEPT: Final = 20
_LOOPBACK: Final = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """An event that was posted.

    Attributes:
        time: The local time of day.
        name: The event's name or type, or why the request was refused.
        status: The outcome, or `refused`.
        event: The event; None when the request was refused.
    """

    time: str
    name: str
    status: str
    event: Any


class SegmentEndpoint:
    """The server; a context manager.

    Args:
        application: The forward function.
        port: The port; 0 for any free one. The endpoint listens on 127.0.0.1 only.
        redrive: Invokes the redrive function with the body of a request.
    """

    def __init__(
        self,
        application: ForwardApplication,
        port: int = 0,
        redrive: Callable[[bytes], dict[str, Any]] | None = None,
    ) -> None:
        self._application = application
        self._redrive = redrive
        # A Lambda environment processes one request at a time.
        self._lock = threading.Lock()
        self._received: deque[ReceivedEvent] = deque(maxlen=KEPT)
        self._server = HttpServer(self._serve, "127.0.0.1", port)

    @property
    def url(self) -> str:
        """The base URL, without a path."""
        return self._server.url

    def received(self) -> list[ReceivedEvent]:
        """Return the last events, the newest first."""
        with self._lock:
            return list(self._received)

    def _serve(self, connection: Connection) -> bool:
        request = connection.read_request()
        if request is None:
            return False
        connection.send(self._respond(request).encode())
        return True

    def _respond(self, request: Request) -> Response:
        route = (request.method, request.path)
        if route == ("POST", SEGMENT_PATH):
            return self._forward(request)
        if route == ("POST", REDRIVE_PATH) and self._redrive is not None:
            return self._invoke(self._redrive, request.body)
        if route == ("GET", RECEIVED_PATH) and self._is_from_this_machine(request):
            return Response.of_json([asdict(one) for one in self.received()])
        return Response.of_json({"message": "Not Found"}, 404)

    def _is_from_this_machine(self, request: Request) -> bool:
        """Return whether no web page asks: the events may have personal data."""
        host, _, port = request.headers.get("host", "").rpartition(":")
        return (
            host in _LOOPBACK and port == str(self._server.port) and "origin" not in request.headers
        )

    def _invoke(self, function: Callable[[bytes], dict[str, Any]], event: bytes) -> Response:
        with self._lock:
            try:
                return Response.of_json(function(event))
            except Exception as error:  # noqa: BLE001  # Lambda reports any error of a function
                return Response.of_json({"errorType": type(error).__name__}, 500)

    def _forward(self, request: Request) -> Response:
        body = base64.b64encode(request.body).decode()
        event = http_event(body, None, base64=True)
        event["headers"] = dict(request.headers)
        with self._lock:
            answer = self._application.post(event)
            now = datetime.now().astimezone().strftime("%H:%M:%S")
            for row in _rows(request.body, answer, now):
                self._received.appendleft(row)
        return Response.of_json(answer.body, answer.status)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()


def _rows(body: bytes, answer: HttpAnswer, time: str) -> list[ReceivedEvent]:
    if not answer.body.get("results"):
        reason = str(answer.body.get("reason", answer.status))
        return [ReceivedEvent(time, reason, "refused", None)]
    try:
        events = parse_events(body.decode())
    except (InvalidBodyError, UnicodeDecodeError):
        return []
    statuses: Mapping[str | None, str] = {
        row["message_id"]: row["status"] for row in answer.body["results"]
    }
    return [
        ReceivedEvent(time, _name(event), _status(event, statuses, answer), event)
        for event in events[-KEPT:]
    ]


def _name(event: Any) -> str:
    if not isinstance(event, dict):
        return "not an event"
    names = (event.get(key) for key in ("event", "name", "type"))
    return next((name for name in names if isinstance(name, str) and name), "no name")


def _status(event: Any, statuses: Mapping[str | None, str], answer: HttpAnswer) -> str:
    message_id = event.get("messageId") if isinstance(event, dict) else None
    status = statuses.get(message_id) if isinstance(message_id, str) else None
    return status or str(answer.body.get("status", answer.status))
