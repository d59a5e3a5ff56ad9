"""Connections to TikTok: kept alive, replaced when they die, and never waited for too long."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any, Self

import pytest

from tests.integration.harness import (
    FORWARDED,
    SHORT_BUDGET,
    Forward,
    Output,
    World,
    body_of,
    visit,
    visits,
)
from tests.integration.relay import Relay
from tiktok_pixel import connections
from tools.sandbox.tiktok import TikTokSandbox

UNREACHABLE = ("parked", "tiktok_unreachable")
TIMEOUT = ("parked", "tiktok_timeout")


def test_a_connection_is_kept(world: World, application: Forward) -> None:
    for number in range(3):
        application.send(visit(f"m-{number}"))

    assert world.tiktok.connections == 1


def test_a_connection_that_tiktok_closed_is_replaced(world: World) -> None:
    with Relay(world.tiktok.url) as relay:
        application = world.start(TIKTOK_API_URL=relay.url)
        application.send(visit("before"))
        relay.close()

        assert application.send(visit("after")).end == FORWARDED
        assert relay.connections == 2


def test_connections_of_a_frozen_environment_are_not_used_again(
    world: World, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Relay(world.tiktok.url) as relay:
        application = world.start(TIKTOK_API_URL=relay.url)
        application.send(visit("before"))
        relay.cut()
        thawed = time.time() + 60
        monkeypatch.setattr(time, "time", lambda: thawed)

        assert application.send(visit("after")).end == FORWARDED
        assert relay.connections == 2
        assert "TikTokError[tiktok_timeout]" not in output.metrics, "the dead one was not tried"


def test_after_one_dead_connection_none_of_the_others_is_used(world: World, output: Output) -> None:
    world.read_seconds = 0.5
    with Relay(world.tiktok.url) as relay:
        application = world.start(TIKTOK_API_URL=relay.url)
        world.tiktok.settings.latency = 0.2
        application.send(visits(3000))
        assert relay.connections == 3
        relay.cut()

        assert application.send(visit("after")).end == FORWARDED
        assert application.send(visits(1001, "n")).end == FORWARDED
        assert output.metrics["TikTokError[tiktok_timeout]"] == 1


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_a_server_that_does_not_listen(world: World, size: int) -> None:
    with TikTokSandbox() as gone:
        url = gone.url

    answer = world.start(TIKTOK_API_URL=url).send(body_of(size))

    assert (answer.status, answer.end) == (202, UNREACHABLE)


def test_a_certificate_that_is_not_trusted(world: World) -> None:
    with TikTokSandbox(tls=True) as untrusted:
        answer = world.start(TIKTOK_API_URL=untrusted.url).send(visits(2))

        assert (answer.status, answer.end) == (202, UNREACHABLE)
        assert untrusted.requests == [], "not even the token was sent"


def test_a_certificate_that_is_trusted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with TikTokSandbox(tls=True) as trusted:
        context = ssl.create_default_context(cafile=trusted.certificate_file)
        monkeypatch.setattr(connections, "_tls_context", context)
        world.tiktok = trusted

        assert world.start().send(visits(1000)).end == FORWARDED


class Listener:
    """A server that accepts connections and does with them what a test says."""

    def __init__(self, behave: Callable[[socket.socket, threading.Event], None]) -> None:
        self._listener = socket.socket()
        # A small window: a large request has to be read before it is sent.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.port = self._listener.getsockname()[1]
        self._behave = behave
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._run, args=(sock,)))
                self._threads[-1].start()

    def _run(self, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            self._behave(sock, self._ended)

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)


def does_nothing(_: socket.socket, ended: threading.Event) -> None:
    ended.wait(30)


def reads_slowly(sock: socket.socket, ended: threading.Event) -> None:
    while sock.recv(1024) and not ended.wait(0.02):
        pass


def drips_a_handshake(sock: socket.socket, ended: threading.Event) -> None:
    # A TLS record of 16 KiB that comes byte by byte.
    sock.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
    while not ended.wait(0.02):
        sock.sendall(b"\x00")


@pytest.mark.parametrize(
    ("scheme", "behave", "end"),
    [
        ("http", does_nothing, TIMEOUT),
        ("http", reads_slowly, TIMEOUT),
        ("https", does_nothing, TIMEOUT),
        ("https", drips_a_handshake, TIMEOUT),
    ],
)
def test_a_connection_that_makes_no_progress_ends_with_the_budget(
    world: World,
    scheme: str,
    behave: Callable[[socket.socket, threading.Event], None],
    end: tuple[str, str],
) -> None:
    with Listener(behave) as server:
        url = f"{scheme}://127.0.0.1:{server.port}"
        answer = world.start(TIKTOK_API_URL=url).within(SHORT_BUDGET).send(visits(1000))

    assert (answer.status, answer.end) == (202, end)
    assert answer.in_time


def test_a_name_server_that_does_not_respond_ends_with_the_budget(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo
    gate = threading.Event()

    def slow(host: Any, *arguments: Any, **more: Any) -> Any:
        if host == "tiktok.example":
            gate.wait(30)
            raise socket.gaierror
        return look_up(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    answer = (
        world.start(TIKTOK_API_URL="http://tiktok.example").within(SHORT_BUDGET).send(visits(2))
    )
    gate.set()

    assert (answer.status, answer.end) == (202, TIMEOUT)
    assert answer.in_time
