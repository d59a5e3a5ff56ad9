"""The client sends a request in one packet and reads one response, whatever its connections did."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tiktok_pixel.deadline import Deadline
from tiktok_pixel.outcomes import Status
from tiktok_pixel.tiktok.breaker import CircuitBreaker
from tiktok_pixel.tiktok.client import NoResponseError, TikTokClient
from tiktok_pixel.tiktok.delivery import Delivery, PixelCredentials
from tiktok_pixel.tiktok.outgoing import OutgoingEvent, Route
from tiktok_pixel.tiktok.verdicts import ACCEPTED, TIMEOUT, UNREACHABLE, TikTokResponse, judge
from tools.sandbox.tiktok import ACCESS_TOKEN, PIXEL_CODE, TikTokSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

ENVELOPE = b'{"code":0,"message":"OK","request_id":"r","data":{}}'
BODY = b'{"event_source":"web","event_source_id":"%s","data":[]}' % PIXEL_CODE.encode()


class OneResponse:
    """A server that records what one receive returns and responds with given bytes."""

    def __init__(self, response: bytes) -> None:
        self._response = response
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.received = b""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listening.accept()
        with connection:
            self.received = connection.recv(1_000_000)
            connection.sendall(self._response)

    def close(self) -> None:
        self._thread.join(5)
        self._listening.close()


@pytest.fixture
def tiktok() -> Iterator[TikTokSandbox]:
    with TikTokSandbox() as sandbox:
        yield sandbox


def http(body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = ["HTTP/1.1 200 OK", *headers, f"Content-Length: {length or len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def track(client: TikTokClient) -> TikTokResponse:
    return client.track(BODY, ACCESS_TOKEN, Deadline.after(3))


def test_head_and_body_are_sent_in_one_packet() -> None:
    server = OneResponse(http(ENVELOPE))
    client = TikTokClient(server.url)
    assert track(client).code == 0
    server.close()
    head, _, body = server.received.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /open_api/v1.3/event/track/ HTTP/1.1\r\n")
    assert b"\r\nAccess-Token: " + ACCESS_TOKEN.encode() in head
    assert body == BODY


def test_an_encoded_response_is_decoded() -> None:
    """The client does not ask for an encoding; a proxy may add one."""
    server = OneResponse(http(gzip.compress(ENVELOPE), "Content-Encoding: gzip"))
    assert track(TikTokClient(server.url)).code == 0
    server.close()


@pytest.mark.parametrize(
    "response",
    [
        http(ENVELOPE, length=len(ENVELOPE) + 10),
        http(gzip.compress(ENVELOPE), "Content-Encoding: gzip", length=1000),
    ],
    ids=["plain", "encoded"],
)
def test_a_response_shorter_than_its_content_length_is_no_response(response: bytes) -> None:
    server = OneResponse(response)
    with pytest.raises(NoResponseError) as raised:
        track(TikTokClient(server.url))
    server.close()
    assert raised.value.verdict.reason == "tiktok_unreachable"


class SlowReader:
    """A server that reads a given number of bytes per second, then responds."""

    def __init__(self, bytes_per_second: float) -> None:
        self._chunk = max(1, int(bytes_per_second / 50))
        self._listening = socket.socket()
        # A small window: the client has to wait for the server to read.
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen()
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            received = b""
            expected = None
            while expected is None or len(received) < expected:
                started = time.monotonic()
                part = connection.recv(self._chunk)
                if not part:
                    return
                received += part
                if expected is None and b"\r\n\r\n" in received:
                    head, _, _ = received.partition(b"\r\n\r\n")
                    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                    expected = len(head) + 4 + length
                time.sleep(max(0.0, len(part) / self._chunk / 50 - (time.monotonic() - started)))
            connection.sendall(http(ENVELOPE))

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def megabyte_per_second() -> Iterator[SlowReader]:
    server = SlowReader(1_000_000)
    yield server
    server.close()


def test_a_thousand_large_events_reach_a_server_that_reads_slowly(
    megabyte_per_second: SlowReader,
) -> None:
    """2.8 MB in three parallel requests, at 1 MB/s each, within the budget."""
    body = json.dumps({"event": "E", "event_id": "m", "page": {"url": "u"}, "x": "x" * 2_730})
    event = OutgoingEvent(Route(None, "web"), "m", "E", body.replace(": ", ":"))
    delivery = Delivery(
        TikTokClient(megabyte_per_second.url), Pixel(), CircuitBreaker(), Deadline.after(3.2)
    )

    outcomes, calls = delivery.deliver([event] * 1000)

    assert {outcome.status for outcome in outcomes} == {Status.FORWARDED}
    assert sorted(call.events for call in calls) == [284, 358, 358]


class Pixel:
    """The credentials of one pixel."""

    def pixel(self, name: str | None, deadline: Deadline) -> PixelCredentials:
        assert (name, deadline.remaining() > 0) == (None, True)
        return PixelCredentials(PIXEL_CODE, ACCESS_TOKEN)

    def renew(self, name: str | None, refused: PixelCredentials, deadline: Deadline) -> bool:
        raise NotImplementedError


def no_response(url: str, body: bytes = BODY, seconds: float = 0.5) -> NoResponseError:
    """The error of a request that gets no response."""
    with pytest.raises(NoResponseError) as raised:
        TikTokClient(url).track(body, ACCESS_TOKEN, Deadline.after(seconds))
    return raised.value


def test_a_request_that_was_sent_whole_may_have_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = no_response(f"http://127.0.0.1:{silent.getsockname()[1]}")

    assert (error.verdict, error.sent) == (TIMEOUT, True)


def test_a_connection_that_is_refused_cannot_have_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"

    error = no_response(url)

    assert (error.verdict, error.sent) == (UNREACHABLE, False)


def test_a_request_that_was_cut_off_cannot_have_counted() -> None:
    server = SlowReader(10_000)

    error = no_response(server.url, b"x" * 5_000_000)

    server.close()
    assert error.sent is False
    assert error.seconds < 1.0


def test_without_time_there_is_no_call() -> None:
    error = no_response("http://127.0.0.1:9", seconds=0.0)

    assert (error.verdict, error.sent) == (TIMEOUT, False)


def test_a_request_reaches_tiktok(tiktok: TikTokSandbox) -> None:
    client = TikTokClient(tiktok.url)
    for _ in range(2):
        response = track(client)
        assert response.http_status == 200
    # TikTok refuses an empty request.
    assert judge(response) is not ACCEPTED
    assert {one.connection for one in tiktok.requests} == {1}
    client.close()
