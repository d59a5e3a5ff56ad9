"""Whatever TikTok, Parameter Store and SQS do: one outcome per event, in time, and no event lost.

`World.send` checks the account of every answer here: what was received is what is told, what is
told as forwarded is what TikTok counts, what is told as parked is what lies in the queue.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, Self

import pytest

from tests.delivery.world import (
    READS,
    SENDS,
    Output,
    World,
    body_of,
    expire_parameters,
    visit,
    visits,
)
from tiktok_pixel.aws import credentials
from tiktok_pixel.endpoint import RetryLaterError
from tiktok_pixel.tiktok import client
from tools.sandbox import faults
from tools.sandbox.aws import broken, denied, throttled
from tools.sandbox.faults import Fault
from tools.sandbox.tiktok import TikTokSandbox

UNAVAILABLE: Final = 503


def budget_for(size: int) -> float:
    """Short, so that the tests are; what parking needs is kept back from it."""
    return 1.0 if size == 1 else 1.5


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_nobody_listens(world: World, size: int) -> None:
    with TikTokSandbox() as gone:
        url = gone.url

    sent = world.send(world.start(tiktok_url=url), body_of(size))

    assert (sent.status, sent.end) == (UNAVAILABLE, ("retry", "tiktok_unreachable"))


@pytest.mark.parametrize("size", [1, 2])
def test_a_certificate_that_nobody_vouches_for(world: World, size: int) -> None:
    with TikTokSandbox(tls=True) as untrusted:
        sent = world.send(world.start(tiktok_url=untrusted.url), body_of(size))

        assert (sent.status, sent.end) == (UNAVAILABLE, ("retry", "tiktok_unreachable"))
        assert untrusted.requests == [], "not even the token was told"


def test_a_certificate_that_is_trusted(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """The counterpart: the refusal above is the certificate's."""
    with TikTokSandbox(tls=True) as trusted:
        assert trusted.certificate_file is not None
        bundle = tmp_path / "bundle.pem"
        bundle.write_bytes(trusted.certificate_file.read_bytes())
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))

        answer = world.start(tiktok_url=trusted.url).send(visits(1000))

        assert answer.status == 200
        assert len(trusted.events) == 1000


SLOW: Final[dict[str, Fault]] = {
    "says nothing": faults.hang(60),
    "says nothing, has taken them": faults.hang(60, accept=True),
    "drips its headers": faults.slow_headers(0.05),
    "drips its body": faults.slow_body(0.05),
}


@pytest.mark.parametrize(
    ("fault", "size"),
    [(faults.hang(60), 1000), *((fault, 1) for fault in SLOW.values())],
    ids=["says nothing, 1000 events", *SLOW],
)
def test_a_slow_answer_is_not_waited_for(world: World, fault: Fault, size: int) -> None:
    world.tiktok.always(fault)

    sent = world.send(world.start(budget=budget_for(size)), body_of(size))

    assert (sent.status, sent.end) == (UNAVAILABLE, ("retry", "tiktok_timeout"))


def test_one_slow_answer_leaves_time_for_another_try(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_READ_SECONDS", 0.5)
    world.tiktok.next(faults.hang(60, accept=True))

    sent = world.send(world.start(), visits(2))

    assert (sent.status, sent.end) == (200, ("forwarded", "tiktok_accepted"))
    assert sent.seconds >= 0.5


def test_all_of_four_seconds(world: World) -> None:
    """Nothing works as it should, and the answer is out in time all the same."""
    world.tiktok.settings.tokens.clear()
    world.tiktok.always(faults.by_the_rules(0.9))
    world.proxy.always(faults.hang(60), operation="SendMessage")
    world.proxy.next(faults.by_the_rules(0.9), operation="GetParameters")

    sent = world.send(world.start(), visits(1000))

    assert (sent.status, sent.end) == (UNAVAILABLE, ("retry", "parking_failed"))
    assert sent.seconds > 3.0


class Stubborn:
    """A listener that takes connections and then does as it likes."""

    def __init__(self, behave: Callable[[socket.socket, threading.Event], None]) -> None:
        self._listener = socket.socket()
        # A small window, so that a request of some size has to be read to get out.
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
    ("scheme", "behave"),
    [
        ("http", does_nothing),
        ("http", reads_slowly),
        ("https", does_nothing),
        ("https", drips_a_handshake),
    ],
)
def test_a_connection_that_goes_nowhere(
    world: World, scheme: str, behave: Callable[[socket.socket, threading.Event], None]
) -> None:
    with Stubborn(behave) as server:
        url = f"{scheme}://127.0.0.1:{server.port}"
        sent = world.send(world.start(budget=1.1, tiktok_url=url), visits(1000))

    assert sent.status == UNAVAILABLE
    assert sent.end in (("retry", "tiktok_timeout"), ("retry", "tiktok_unreachable"))


def test_a_name_server_that_does_not_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo
    gate = threading.Event()

    def slow(host: Any, *arguments: Any, **more: Any) -> Any:
        if host == "tiktok.example":
            gate.wait(30)
            raise socket.gaierror
        return look_up(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    sent = world.send(world.start(budget=1.3, tiktok_url="http://tiktok.example"), visits(2))
    gate.set()

    assert (sent.status, sent.end) == (UNAVAILABLE, ("retry", "tiktok_timeout"))


SSM_FAULTS: Final[dict[str, Fault]] = {
    "throttled": throttled(),
    "denied": denied(),
    "broken": broken(),
    "no JSON": faults.not_json(),
    "reset": faults.reset(),
    "slow": faults.hang(60),
}


@pytest.mark.parametrize("fault", SSM_FAULTS.values(), ids=SSM_FAULTS)
def test_without_parameters_nobody_can_be_authenticated(
    world: World, output: Output, fault: Fault
) -> None:
    """Not 401, which would make Segment drop the events."""
    world.proxy.always(fault, operation="GetParameters")
    application = world.start(budget=1.1)

    sent = world.send(application, visits(2))

    assert (sent.status, sent.rows) == (UNAVAILABLE, [])
    assert sent.answer.body["reason"] == "webhook_secret_unavailable"
    assert output.metrics["AuthenticationUnavailable"] == 1

    world.proxy.clear()
    deadline = time.monotonic() + 5
    while (sent := world.send(application, visits(2))).status != 200:
        assert time.monotonic() < deadline, "SSM's recovery goes unnoticed"
    assert sent.end == ("forwarded", "tiktok_accepted")


@pytest.mark.parametrize("fault", SSM_FAULTS.values(), ids=SSM_FAULTS)
def test_the_last_good_parameters_serve(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr(credentials, "_LONGEST_WAIT", 0.5)
    application = world.start(budget=3.5)
    world.send(application, visit("m-0"))
    world.proxy.clear()
    world.proxy.always(fault, operation="GetParameters")
    expire_parameters(application)

    first = world.send(application, visit("m-1"))
    second = world.send(application, visits(2, "n"))

    assert [one.end for one in (first, second)] == [("forwarded", "tiktok_accepted")] * 2
    assert second.seconds < 0.5, "a failing SSM is not waited for again"


def test_a_direct_invocation_waits_for_ssm_once_for_all(world: World) -> None:
    """Several requests to TikTok need the token at the same time."""
    world.proxy.always(faults.hang(60), operation="GetParameters")
    budget = 2.0
    application = world.start(budget=budget)
    started = time.perf_counter()

    with pytest.raises(RetryLaterError, match="credentials_unavailable"):
        application.invoke(visits(2001))

    assert time.perf_counter() - started <= budget
    assert world.proxy.calls[READS] <= 2, "one read, which botocore tries twice"


def test_many_refusals_of_the_token_wait_for_ssm_once(world: World) -> None:
    application = world.start(budget=2.0)
    world.send(application, visit("m-0"))
    world.tiktok.settings.tokens.clear()
    world.proxy.clear()
    world.proxy.always(faults.hang(60), operation="GetParameters")

    sent = world.send(application, visits(3000, "n"))

    assert sent.ids("parked", "retry") == {f"n-{number}" for number in range(3000)}
    assert world.proxy.calls[READS] <= 2, "one read, which botocore tries twice"


SQS_FAULTS: Final[dict[str, Fault]] = {
    "throttled": throttled(),
    "denied": denied(),
    "broken": broken(),
    "no JSON": faults.not_json(),
    "reset": faults.reset(),
    "slow": faults.hang(60),
    "slow, has taken it": faults.hang(60, accept=True),
}


@pytest.mark.parametrize(
    ("fault", "size"),
    [(fault, 1 if fault.accept else 1000) for fault in SQS_FAULTS.values()],
    ids=SQS_FAULTS,
)
def test_what_cannot_be_parked_stays_with_segment(world: World, fault: Fault, size: int) -> None:
    world.tiktok.settings.tokens.clear()
    world.proxy.always(fault, operation="SendMessage")

    sent = world.send(world.start(budget=budget_for(size)), body_of(size))

    assert (sent.status, sent.end) == (UNAVAILABLE, ("retry", "parking_failed"))


def test_without_a_queue_what_cannot_be_parked_stays_with_segment(world: World) -> None:
    world.tiktok.settings.tokens.clear()

    sent = world.send(world.start(PARKED_QUEUE_URL=""), visits(2))

    assert (sent.status, sent.end) == (UNAVAILABLE, ("retry", "parking_failed"))


def test_what_was_parked_stays_parked_when_the_rest_fails(world: World) -> None:
    """A thousand events take several messages, of which SQS refuses one for good."""
    world.tiktok.settings.tokens.clear()
    world.proxy.next(denied(), operation="SendMessage")

    sent = world.send(world.start(), visits(1000))

    assert sent.status == UNAVAILABLE
    assert {end[0] for end in sent.ends} == {"parked", "retry"}
    assert sent.ends["retry", "parking_failed"] < 1000
    assert world.proxy.calls[SENDS] > 1


def test_one_error_of_sqs_is_tried_again(world: World) -> None:
    world.tiktok.settings.tokens.clear()
    world.proxy.next(broken(), operation="SendMessage")

    # The pause before the second try is botocore's own: up to a second.
    sent = world.send(world.start(), visit("m-0"))

    assert sent.end in (("parked", "tiktok_token_invalid"), ("retry", "parking_failed"))


@pytest.fixture(autouse=True)
def _no_thread_is_left_in_trouble() -> Iterator[None]:
    """A thread that was left behind must not fail aloud later."""
    crashes: list[Any] = []
    before = threading.excepthook
    threading.excepthook = crashes.append
    yield
    threading.excepthook = before
    assert not crashes
