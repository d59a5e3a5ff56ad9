"""The sandbox's endpoint runs the real function and remembers the last events."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tiktok_pixel.values.json_text import compact
from tools.sandbox import samples
from tools.sandbox.application import environment, forward_application, put_parameters
from tools.sandbox.aws import AwsSandbox
from tools.sandbox.endpoint import KEPT, SegmentEndpoint
from tools.sandbox.tiktok import TikTokSandbox
from tools.studio.live import LiveError, last_events


@pytest.fixture(scope="module")
def tiktok() -> Iterator[TikTokSandbox]:
    with TikTokSandbox() as running:
        yield running


@pytest.fixture(scope="module")
def endpoint(tiktok: TikTokSandbox) -> Iterator[SegmentEndpoint]:
    with AwsSandbox() as aws:
        put_parameters(aws)
        with (
            forward_application(environment(tiktok.url, aws.url)) as application,
            SegmentEndpoint(application) as running,
        ):
            yield running


def request(
    endpoint: SegmentEndpoint,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(endpoint.url.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def post(endpoint: SegmentEndpoint, event: object, *, is_signed: bool = True) -> tuple[int, Any]:
    body = json.dumps(event).encode()
    headers = {"X-Signature": samples.sign(body)} if is_signed else {}
    return request(endpoint, "POST", "/segment", body, headers)


def test_a_signed_event_is_forwarded_and_remembered(
    endpoint: SegmentEndpoint, tiktok: TikTokSandbox
) -> None:
    event = samples.read("add-to-cart")
    status, body = post(endpoint, event)
    assert (status, body["status"]) == (200, "forwarded")
    assert event["messageId"] in tiktok.event_ids
    newest = last_events(endpoint.url)[0]
    assert (newest.name, newest.status, newest.event) == ("Product Added", "forwarded", event)


def test_a_batch_is_remembered_event_by_event(endpoint: SegmentEndpoint) -> None:
    first = {"type": "identify", "messageId": "one", "userId": "u"}
    (visit,) = samples.visits(1)
    second = {**visit, "messageId": "two", "name": "Home"}
    body = compact([first, second]).encode()
    signature = samples.sign(compact(first).encode())
    request(endpoint, "POST", "/segment", body, {"X-Signature": signature})
    newest = [(one.name, one.status) for one in last_events(endpoint.url)[:2]]
    assert newest == [("Home", "forwarded"), ("identify", "ignored")]


def test_a_request_without_signature_is_refused_and_its_event_is_not_kept(
    endpoint: SegmentEndpoint,
) -> None:
    status, _ = post(endpoint, samples.read("search"), is_signed=False)
    assert status == 401
    newest = last_events(endpoint.url)[0]
    assert (newest.status, newest.event) == ("refused", None)


def test_the_last_events_are_kept(endpoint: SegmentEndpoint) -> None:
    for event in samples.visits(KEPT + 3):
        post(endpoint, event)
    kept = [one.event["messageId"] for one in last_events(endpoint.url)]
    assert kept == [f"m-{number}" for number in reversed(range(3, KEPT + 3))]


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "https://evil.example"}],
    ids=["host", "origin"],
)
def test_web_pages_cannot_read_the_events(
    endpoint: SegmentEndpoint, headers: dict[str, str]
) -> None:
    assert request(endpoint, "GET", "/received", headers=headers)[0] == 404


def test_other_paths_are_not_found(endpoint: SegmentEndpoint) -> None:
    assert request(endpoint, "GET", "/segment")[0] == 404
    assert request(endpoint, "POST", "/received")[0] == 404


def test_without_a_sandbox_the_page_says_how_to_start_one() -> None:
    with pytest.raises(LiveError, match="pixel sandbox"):
        last_events("http://127.0.0.1:9")
