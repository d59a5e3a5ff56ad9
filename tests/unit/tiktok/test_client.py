"""The client sends a request in one packet and reads one response, whatever its connections did."""

from __future__ import annotations

import gzip
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from tiktok_pixel.deadline import Deadline
from tiktok_pixel.tiktok.client import NoResponseError, TikTokClient
from tiktok_pixel.tiktok.verdicts import ACCEPTED, TikTokResponse, judge
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


def test_a_request_reaches_tiktok(tiktok: TikTokSandbox) -> None:
    client = TikTokClient(tiktok.url)
    for _ in range(2):
        response = track(client)
        assert response.http_status == 200
    # TikTok refuses an empty request.
    assert judge(response) is not ACCEPTED
    assert {one.connection for one in tiktok.requests} == {1}
    client.close()
