"""Faulty responses and faulty connections.

Faults are values, created by the functions at the end; a `FaultScript` decides which request gets
which fault.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tools.sandbox.wire import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tools.sandbox.wire import Connection

NGINX_502: Final = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n"
    "</body>\r\n</html>\r\n"
)
_PAUSE: Final = 0.02
TEN_MEGABYTES: Final = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(ABC):
    """One way to fail.

    Attributes:
        before_reading: Whether the fault is applied before the request is read.
        keeps_result: Whether the client still gets the regular result, delivered badly.
        accept: Whether valid events are accepted before the fault is applied: the client cannot
            distinguish this from a request that was lost.
    """

    before_reading: ClassVar[bool] = False
    keeps_result: ClassVar[bool] = False
    accept: bool = False

    @property
    def code(self) -> int | None:
        """The code of the response, if it has one."""
        return None

    @abstractmethod
    def play(self, line: Connection, response: Response) -> bool:
        """Respond with the fault; return whether the connection stays open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByTheRules(Fault):
    """No fault: takes a place in the queue, optionally with a delay."""

    keeps_result: ClassVar[bool] = True
    accept: bool = True
    seconds: float = 0.0

    def play(self, line: Connection, response: Response) -> bool:
        """Wait, then send the regular response."""
        line.wait(self.seconds)
        line.send(response.encode())
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Fault):
    """A well-formed envelope with a chosen code."""

    value: int
    message: str
    status: int
    data: Any

    @property
    def code(self) -> int | None:
        """The code in the envelope."""
        return self.value

    def play(self, line: Connection, response: Response) -> bool:
        """Send the scripted envelope."""
        del response
        envelope = {
            "code": self.value,
            "message": self.message,
            "request_id": "SCRIPTED",
            "data": self.data,
        }
        line.send(Response.of_json(envelope, self.status).encode())
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Http(Fault):
    """Any HTTP response, such as a gateway's HTML page."""

    response: Response

    def play(self, line: Connection, response: Response) -> bool:
        """Send the scripted response."""
        del response
        line.send(self.response.encode())
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class TruncatedJson(Fault):
    """A complete HTTP response whose JSON is cut in half."""

    def play(self, line: Connection, response: Response) -> bool:
        """Send the first half of the JSON."""
        half = response.body[: len(response.body) // 2]
        line.send(Response(response.status, half).encode())
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(Fault):
    """A TCP reset after the request has been read."""

    def play(self, line: Connection, response: Response) -> bool:
        """Reset the connection."""
        del response
        line.reset()
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetUnread(Reset):
    """A TCP reset before the request has been read."""

    before_reading: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Close(Fault):
    """A regular close of the connection after a delay, without a response."""

    seconds: float = 0.0

    def play(self, line: Connection, response: Response) -> bool:
        """Send nothing."""
        del response
        line.wait(self.seconds)
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drip(Fault):
    """The regular response in slices, with a delay before each."""

    keeps_result: ClassVar[bool] = True
    accept: bool = True
    headers: bool
    seconds: float
    size: int

    def play(self, line: Connection, response: Response) -> bool:
        """Send the head (or the body) slowly and the rest at once."""
        head = response.head()
        slow, rest = (head, response.body) if self.headers else (response.body, b"")
        if not self.headers:
            line.send(head)
        for start in range(0, len(slow), self.size):
            line.wait(self.seconds)
            line.send(slow[start : start + self.size])
        line.send(rest)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongLength(Fault):
    """A Content-Length that is not the number of bytes sent."""

    delta: int

    def play(self, line: Connection, response: Response) -> bool:
        """Send the response with a wrong length."""
        announced = max(0, len(response.body) + self.delta)
        line.send(response.head(announced) + response.body[:announced])
        if self.delta >= 0:
            return False  # Announced more than sent: only closing ends the response.
        # Announced less: the rest is sent after the client has read the announced bytes, so that
        # it corrupts the next response on this connection.
        line.wait(_PAUSE)
        line.send(response.body[announced:])
        return True


def by_the_rules(seconds: float = 0.0) -> Fault:
    """Send the regular response, optionally delayed."""
    return ByTheRules(seconds=seconds)


def answer(code: int, message: str = "scripted", *, status: int = 200, data: Any = None) -> Fault:
    """Respond with this code, whatever the request is."""
    return Answer(
        accept=code == 0,
        value=code,
        message=message,
        status=status,
        data={} if data is None else data,
    )


def http(
    status: int,
    body: str | None = None,
    *,
    content_type: str = "text/html",
    headers: Mapping[str, str] | None = None,
    accept: bool = False,
) -> Fault:
    """Respond with this HTTP status and a body that is no envelope (by default nginx' page)."""
    if body is None:
        phrase = HTTPStatus(status).phrase
        body = NGINX_502.replace("502 Bad Gateway", f"{status} {phrase}")
    response = Response(status, body.encode(), content_type, headers or {})
    return Http(response=response, accept=accept)


def redirect(location: str, status: int = 301) -> Fault:
    """Redirect the client."""
    return http(status, headers={"Location": location})


def empty(status: int = 200) -> Fault:
    """Respond without a body."""
    return http(status, "", content_type="application/json")


def not_json(body: str = "upstream says no") -> Fault:
    """Respond with status 200 and a body that is announced as JSON and is not JSON."""
    return http(200, body, content_type="application/json")


def json_but(value: Any) -> Fault:
    """Respond with status 200 and JSON that is no envelope, such as a list."""
    return http(200, json.dumps(value), content_type="application/json")


def huge(size: int = TEN_MEGABYTES) -> Fault:
    """Respond with a valid envelope padded to `size` bytes."""
    envelope = json.dumps({"code": 0, "message": "OK", "request_id": "HUGE", "data": {"x": ""}})
    padded = envelope.replace('"x": ""', '"x": "' + "x" * (size - len(envelope)) + '"')
    return http(200, padded, content_type="application/json", accept=True)


def truncated_json(*, accept: bool = False) -> Fault:
    """Respond with JSON that is cut in half."""
    return TruncatedJson(accept=accept)


def reset(*, accept: bool = False) -> Fault:
    """Reset the connection after the request was read."""
    return Reset(accept=accept)


def reset_unread() -> Fault:
    """Reset the connection before the request is read."""
    return ResetUnread()


def close(*, accept: bool = False) -> Fault:
    """Close the connection without a response."""
    return Close(accept=accept)


def hang(seconds: float, *, accept: bool = False) -> Fault:
    """Send nothing for this time, then close the connection."""
    return Close(seconds=seconds, accept=accept)


def slow_headers(seconds: float = 0.05, size: int = 1) -> Fault:
    """Send the status line and the headers slowly: `size` bytes every `seconds`."""
    return Drip(headers=True, seconds=seconds, size=size)


def slow_body(seconds: float = 0.05, size: int = 1) -> Fault:
    """Send the body slowly: `size` bytes every `seconds`."""
    return Drip(headers=False, seconds=seconds, size=size)


def too_long_promised(extra: int = 10, *, accept: bool = False) -> Fault:
    """Announce more bytes than are sent, then close."""
    return WrongLength(delta=extra, accept=accept)


def too_short_promised(missing: int = 10, *, accept: bool = False) -> Fault:
    """Announce fewer bytes than are sent and keep the connection open."""
    return WrongLength(delta=-missing, accept=accept)


BY_NAME: Final[Mapping[str, Callable[..., Fault]]] = {
    create.__name__: create
    for create in (
        *(by_the_rules, answer, http, redirect, empty, not_json, json_but, huge),
        *(truncated_json, reset, reset_unread, close, hang, slow_headers, slow_body),
        *(too_long_promised, too_short_promised),
    )
}
