"""What can go wrong with a server's answer, and with the connection it comes on.

Faults are values made by the functions at the end; a `FaultScript` holds which of them come
next.
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
    """One way to misbehave.

    Attributes:
        accept: Whether the request is judged first, and its events taken, before the answer is
            spoilt: the client cannot tell this from a request that never counted.

    `before_reading` faults strike before the request is read; those that `tells_verdict` deliver
    the answer the rules give, only badly.
    """

    before_reading: ClassVar[bool] = False
    tells_verdict: ClassVar[bool] = False
    accept: bool = False

    @property
    def code(self) -> int | None:
        """The application code the client is told, where there is one."""
        return None

    @abstractmethod
    def play(self, line: Connection, response: Response) -> bool:
        """Answer in the faulty way; whether the connection stays open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByTheRules(Fault):
    """No fault: holds a place in the queue, after a pause if wanted."""

    tells_verdict: ClassVar[bool] = True
    accept: bool = True
    seconds: float = 0.0

    def play(self, line: Connection, response: Response) -> bool:
        """Wait, then answer as if nothing was scripted."""
        line.wait(self.seconds)
        line.send(response.encode())
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Fault):
    """A well-formed envelope with a code of the test's choice."""

    value: int
    message: str
    status: int
    data: Any

    @property
    def code(self) -> int | None:
        """The code in the envelope."""
        return self.value

    def play(self, line: Connection, response: Response) -> bool:
        """Answer with the scripted verdict."""
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
    """Any HTTP answer at all, such as a gateway's page in HTML."""

    response: Response

    def play(self, line: Connection, response: Response) -> bool:
        """Answer with the scripted bytes."""
        del response
        line.send(self.response.encode())
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class TruncatedJson(Fault):
    """A complete HTTP answer whose JSON ends in the middle."""

    def play(self, line: Connection, response: Response) -> bool:
        """Answer with the first half of the JSON."""
        half = response.body[: len(response.body) // 2]
        line.send(Response(response.status, half).encode())
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(Fault):
    """A TCP reset once the request has been read."""

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
    """The connection is closed in good order, without an answer, after a while."""

    seconds: float = 0.0

    def play(self, line: Connection, response: Response) -> bool:
        """Say nothing."""
        del response
        line.wait(self.seconds)
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drip(Fault):
    """The right answer in slices, each with a pause before it."""

    tells_verdict: ClassVar[bool] = True
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
        """Send the answer under a false length."""
        announced = max(0, len(response.body) + self.delta)
        line.send(response.head(announced) + response.body[:announced])
        if self.delta >= 0:
            return False  # Announced more than sent: only closing ends it.
        # Announced less: the rest comes when the client has read what it expects, so that it
        # spoils the next answer on this connection.
        line.wait(_PAUSE)
        line.send(response.body[announced:])
        return True


def by_the_rules(seconds: float = 0.0) -> Fault:
    """No fault; keeps a place in the queue, and may be `seconds` slow."""
    return ByTheRules(seconds=seconds)


def answer(code: int, message: str = "scripted", *, status: int = 200, data: Any = None) -> Fault:
    """Answer with this application code, whatever the request says."""
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
    """Answer with this HTTP status and a body that is no envelope (nginx' page by default)."""
    if body is None:
        phrase = HTTPStatus(status).phrase
        body = NGINX_502.replace("502 Bad Gateway", f"{status} {phrase}")
    response = Response(status, body.encode(), content_type, headers or {})
    return Http(response=response, accept=accept)


def redirect(location: str, status: int = 301) -> Fault:
    """Send the client elsewhere."""
    return http(status, headers={"Location": location})


def empty(status: int = 200) -> Fault:
    """Answer without a body."""
    return http(status, "", content_type="application/json")


def not_json(body: str = "upstream says no") -> Fault:
    """Answer 200 and promise JSON that it is not."""
    return http(200, body, content_type="application/json")


def json_but(value: Any) -> Fault:
    """Answer 200 with JSON that is no envelope, such as a list or a code that is text."""
    return http(200, json.dumps(value), content_type="application/json")


def huge(size: int = TEN_MEGABYTES) -> Fault:
    """Answer with a valid envelope padded to `size` bytes."""
    envelope = json.dumps({"code": 0, "message": "OK", "request_id": "HUGE", "data": {"x": ""}})
    padded = envelope.replace('"x": ""', '"x": "' + "x" * (size - len(envelope)) + '"')
    return http(200, padded, content_type="application/json", accept=True)


def truncated_json(*, accept: bool = False) -> Fault:
    """Answer with JSON that ends in the middle."""
    return TruncatedJson(accept=accept)


def reset(*, accept: bool = False) -> Fault:
    """Reset the connection after the request was read (and, if asked, counted)."""
    return Reset(accept=accept)


def reset_unread() -> Fault:
    """Reset the connection before the request is read."""
    return ResetUnread()


def close(*, accept: bool = False) -> Fault:
    """Close the connection in good order without an answer."""
    return Close(accept=accept)


def hang(seconds: float, *, accept: bool = False) -> Fault:
    """Say nothing for so long, then close."""
    return Close(seconds=seconds, accept=accept)


def slow_headers(seconds: float = 0.05, size: int = 1) -> Fault:
    """Drip the status line and the headers: `size` bytes every `seconds`."""
    return Drip(headers=True, seconds=seconds, size=size)


def slow_body(seconds: float = 0.05, size: int = 1) -> Fault:
    """Drip the body: `size` bytes every `seconds`."""
    return Drip(headers=False, seconds=seconds, size=size)


def too_long_promised(extra: int = 10, *, accept: bool = False) -> Fault:
    """Announce more bytes than are sent, then close."""
    return WrongLength(delta=extra, accept=accept)


def too_short_promised(missing: int = 10, *, accept: bool = False) -> Fault:
    """Announce fewer bytes than are sent and keep the connection open."""
    return WrongLength(delta=-missing, accept=accept)


BY_NAME: Final[Mapping[str, Callable[..., Fault]]] = {
    made.__name__: made
    for made in (
        *(by_the_rules, answer, http, redirect, empty, not_json, json_but, huge),
        *(truncated_json, reset, reset_unread, close, hang, slow_headers, slow_body),
        *(too_long_promised, too_short_promised),
    )
}
