"""Only requests of the page itself reach the application."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from tools.studio.guard import LocalOnly

PORT = 8080


def requested(kind: str, **headers: str) -> list[MutableMapping[str, Any]]:
    """Send a request through the guard; return what is sent back."""
    sent: list[MutableMapping[str, Any]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
        await send({"type": "passed"})

    async def receive() -> MutableMapping[str, Any]:
        return {}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": kind,
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(LocalOnly(application, PORT)(scope, receive, send))
    return sent


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "LOCALHOST:8080"])
def test_requests_of_the_page_pass(host: str) -> None:
    assert requested("http", host=host) == [{"type": "passed"}]
    assert requested("http", host=host, origin=f"http://{host}") == [{"type": "passed"}]
    assert requested("websocket", host=host, origin=f"http://{host}") == [{"type": "passed"}]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8080", "127.0.0.1", "127.0.0.1:9999", "0.0.0.0:8080", ""],
)
def test_another_host_is_refused(host: str) -> None:
    assert requested("http", host=host)[0]["status"] == 403
    assert requested("websocket", host=host, origin="http://127.0.0.1:8080") == [
        {"type": "websocket.close", "code": 1008}
    ]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "https://127.0.0.1:8080",
        "http://127.0.0.1:9999",
        "http://127.0.0.1:8080.evil.example",
    ],
)
def test_another_origin_is_refused(origin: str) -> None:
    assert requested("http", host="127.0.0.1:8080", origin=origin)[0]["status"] == 403
    assert requested("websocket", host="127.0.0.1:8080", origin=origin) == [
        {"type": "websocket.close", "code": 1008}
    ]


def test_a_websocket_without_origin_is_refused() -> None:
    assert requested("websocket", host="127.0.0.1:8080") == [
        {"type": "websocket.close", "code": 1008}
    ]


def test_a_request_without_host_is_refused() -> None:
    assert requested("http")[0]["status"] == 403


def test_the_lifespan_of_the_application_passes() -> None:
    assert requested("lifespan") == [{"type": "passed"}]
