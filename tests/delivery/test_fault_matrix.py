"""Whatever TikTok, Parameter Store and SQS do: one outcome per event, in time, and no event lost.

`World.send` checks the account of every answer here: what was received is what is told, what is
told as forwarded is what TikTok counts, what is told as parked is what lies in the queue.
"""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, Self

import pytest

from tests.delivery.world import READS, SENDS, World, expire_parameters, visit, visits
from tests.sandbox import faults
from tests.sandbox.aws import broken, denied, throttled
from tests.sandbox.faults import Fault
from tests.sandbox.tiktok import TikTokSandbox
from tiktok_pixel.tiktok.isolation import REFUSES_ALL
from tiktok_pixel.tiktok.verdicts import CODE_RANGES, CODES, Ruling, Verdict

PARKED: Final = 202
UNAVAILABLE: Final = 503
SIZES: Final = (1, 2, 1000)


def taking(fault: Fault) -> Fault:
    """The fault, but TikTok has taken the events."""
    return dataclasses.replace(fault, accept=True)


def of_code(code: int, ruling: Ruling) -> Fault:
    fault = faults.answer(code)
    return taking(fault) if ruling.verdict is Verdict.DELIVERED else fault


# Codes of TikTok that no table has, and answers without any code.
UNKNOWN: Final = Ruling(Verdict.OPERATOR, "tiktok_code_unknown")
UNAVAILABLE_RULING: Final = CODES[50000]
ENDPOINT: Final = Ruling(Verdict.OPERATOR, "tiktok_endpoint_refused")
UNREADABLE: Final = Ruling(Verdict.RETRY, "tiktok_answer_unreadable")
UNREACHABLE: Final = Ruling(Verdict.RETRY, "tiktok_unreachable")
ENVELOPE: Final = Ruling(Verdict.OPERATOR, "tiktok_envelope_refused", credentials=True)
ANSWERS: Final[dict[str, tuple[Fault, Ruling]]] = {
    **{f"code {code}": (of_code(code, ruling), ruling) for code, ruling in CODES.items()},
    **{
        f"code {code}": (faults.answer(code), ruling)
        for codes, ruling in CODE_RANGES
        for code in (codes[0], codes[-1])
    },
    "code unknown": (faults.answer(49999), UNKNOWN),
    "code negative": (faults.answer(-1), UNKNOWN),
    "code unknown, HTTP 400": (faults.answer(49999, status=400), UNKNOWN),
    "code unknown, HTTP 500": (faults.answer(49999, status=500), UNAVAILABLE_RULING),
    "code unknown, HTTP 429": (faults.answer(49999, status=429), CODES[40100]),
    "code 40105, HTTP 401": (faults.answer(40105, status=401), CODES[40105]),
    "code 50000, HTTP 400": (faults.answer(50000, status=400), CODES[50000]),
    "code 40002 for event_source": (
        faults.answer(40002, "Invalid value for event_source: not a valid choice."),
        ENVELOPE,
    ),
    "code 40002 for test_event_code": (faults.answer(40002, "test_event_code: no"), ENVELOPE),
    "HTTP 301": (faults.redirect("https://elsewhere.example/"), ENDPOINT),
    "HTTP 307": (faults.redirect("https://elsewhere.example/", 307), ENDPOINT),
    "HTTP 400": (faults.http(400), ENDPOINT),
    "HTTP 401": (faults.http(401), CODES[40105]),
    "HTTP 403": (faults.http(403), CODES[40001]),
    "HTTP 404": (faults.http(404), ENDPOINT),
    "HTTP 408": (faults.http(408), Ruling(Verdict.RETRY, "tiktok_timeout")),
    "HTTP 413": (faults.http(413), CODES[40061]),
    "HTTP 429": (faults.http(429), CODES[40100]),
    "HTTP 500": (faults.http(500), UNAVAILABLE_RULING),
    "HTTP 502 in HTML": (faults.http(502), UNAVAILABLE_RULING),
    "HTTP 503": (faults.http(503), UNAVAILABLE_RULING),
    "HTTP 504": (faults.http(504), UNAVAILABLE_RULING),
    "empty body": (faults.empty(), UNREADABLE),
    "HTTP 204": (faults.empty(204), UNREADABLE),
    "no JSON": (faults.not_json(), UNREADABLE),
    "JSON that is a list": (faults.json_but([]), UNREADABLE),
    "JSON that is null": (faults.json_but(None), UNREADABLE),
    "no code": (faults.json_but({"message": "OK"}), UNREADABLE),
    "code is text": (faults.json_but({"code": "0"}), UNREADABLE),
    "code is false": (faults.json_but({"code": False}), UNREADABLE),
    "code is 0.0": (faults.json_but({"code": 0.0}), UNREADABLE),
    "truncated JSON": (faults.truncated_json(), UNREADABLE),
    "truncated JSON, taken": (faults.truncated_json(accept=True), UNREADABLE),
    "ten megabytes, taken": (faults.huge(), UNREADABLE),
    "reset unread": (faults.reset_unread(), UNREACHABLE),
    "reset": (faults.reset(), UNREACHABLE),
    "reset, taken": (faults.reset(accept=True), UNREACHABLE),
    "closed": (faults.close(), UNREACHABLE),
    "closed, taken": (faults.close(accept=True), UNREACHABLE),
    "longer than its length, taken": (faults.too_short_promised(accept=True), UNREADABLE),
    "shorter than its length": (faults.too_long_promised(), UNREACHABLE),
    "shorter than its length, taken": (faults.too_long_promised(accept=True), UNREACHABLE),
}
# One for each reason that an answer can have.
REASONS: Final = {
    name: (fault, ruling)
    for number, (name, (fault, ruling)) in enumerate(ANSWERS.items())
    if ruling.reason not in [one.reason for _, one in list(ANSWERS.values())[:number]]
}
# And all that can happen to its bytes and its connection.
KINDS: Final = REASONS | {
    name: what
    for name, what in ANSWERS.items()
    if not name.startswith(("code", "HTTP", "JSON")) and "megabytes" not in name
}


def expected_end(ruling: Ruling, size: int) -> tuple[int, tuple[str, str]]:
    """What becomes of events when TikTok answers everything so."""
    match ruling.verdict:
        case Verdict.DELIVERED:
            return 200, ("forwarded", ruling.reason)
        case Verdict.RETRY:
            return (429 if ruling.throttled else UNAVAILABLE), ("retry", ruling.reason)
        case Verdict.OPERATOR:
            return PARKED, ("parked", ruling.reason)
        case Verdict.CONTENT if size == 1:
            return 400, ("rejected", ruling.reason)
        case _:
            return PARKED, ("parked", REFUSES_ALL)


def budget_for(size: int) -> float:
    """Short, so that the tests are; what parking needs is kept back from it."""
    return 1.0 if size == 1 else 1.5


def body_of(size: int) -> Any:
    return visit("m-0") if size == 1 else visits(size)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("fault", "ruling"), ANSWERS.values(), ids=ANSWERS)
def test_every_answer_has_its_end(world: World, fault: Fault, ruling: Ruling) -> None:
    world.tiktok.always(fault)

    sent = world.send(world.start(), visit("m-0"))

    assert (sent.status, sent.end) == expected_end(ruling, 1)
    assert sent.stray == ({"m-0"} if fault.accept and sent.status >= UNAVAILABLE else set())


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("size", SIZES[1:])
@pytest.mark.parametrize(("fault", "ruling"), KINDS.values(), ids=KINDS)
def test_every_verdict_counts_for_a_batch(
    world: World, fault: Fault, ruling: Ruling, size: int
) -> None:
    world.tiktok.always(fault)

    sent = world.send(world.start(), visits(size))

    assert (sent.status, sent.end) == expected_end(ruling, size)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("fault", "ruling"), REASONS.values(), ids=REASONS)
def test_every_verdict_counts_after_a_retry(
    world: World, fault: Fault, ruling: Ruling, size: int
) -> None:
    """The first try fails in passing; what the second says is what counts."""
    world.tiktok.next(faults.http(502))
    world.tiktok.always(fault)

    sent = world.send(world.start(), body_of(size))

    assert (sent.status, sent.end) == expected_end(ruling, size)


PASSING: Final = {
    name: fault for name, (fault, ruling) in KINDS.items() if ruling.verdict is Verdict.RETRY
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_what_passes_is_forwarded_with_the_next_try(world: World, fault: Fault, size: int) -> None:
    world.tiktok.next(fault)

    sent = world.send(world.start(), body_of(size))

    assert (sent.status, sent.end) == (200, ("forwarded", "tiktok_accepted"))
    ids = {f"m-{number}" for number in range(size)}
    assert {one.event["event_id"] for one in world.tiktok.events} == ids


@pytest.mark.parametrize("size", [2, 1000])
@pytest.mark.parametrize("code", [40000, 40002, 40061, 40062])
def test_a_batch_refused_once_for_its_content_goes_in_parts(
    world: World, code: int, size: int
) -> None:
    world.tiktok.next(faults.answer(code))

    sent = world.send(world.start(), visits(size))

    assert (sent.status, sent.end) == (200, ("forwarded", "tiktok_accepted"))
    assert [len(one.events) for one in world.tiktok.requests].count(size) == 1


@pytest.mark.parametrize("size", SIZES)
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


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize("fault", SLOW.values(), ids=SLOW)
def test_a_slow_answer_is_not_waited_for(world: World, fault: Fault, size: int) -> None:
    world.tiktok.always(fault)

    sent = world.send(world.start(budget=budget_for(size)), body_of(size))

    assert (sent.status, sent.end) == (UNAVAILABLE, ("retry", "tiktok_timeout"))


def test_one_slow_answer_leaves_time_for_another_try(world: World) -> None:
    world.tiktok.next(faults.hang(60, accept=True))

    sent = world.send(world.start(), visits(2))

    assert (sent.status, sent.end) == (200, ("forwarded", "tiktok_accepted"))
    assert sent.seconds >= 2.0


def test_all_of_four_seconds(world: World) -> None:
    """Nothing works as it should, and the answer is out in time all the same."""
    world.tiktok.settings.tokens.clear()
    world.tiktok.always(faults.by_the_rules(1.0))
    world.proxy.always(faults.hang(60), operation="SendMessage")
    world.proxy.next(faults.by_the_rules(1.0), operation="GetParameters")

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
        sent = world.send(world.start(budget=1.3, tiktok_url=url), visits(1000))

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
def test_without_parameters_nobody_can_be_authenticated(world: World, fault: Fault) -> None:
    """Not 401, which would make Segment drop the events."""
    world.proxy.always(fault, operation="GetParameters")
    application = world.start(budget=1.3)

    sent = world.send(application, visits(2))

    assert (sent.status, sent.rows) == (UNAVAILABLE, [])
    assert sent.answer.body["reason"] == "webhook_secret_unavailable"
    assert world.output.metrics["AuthenticationUnavailable"] == 1

    world.proxy.clear()
    deadline = time.monotonic() + 5
    while (sent := world.send(application, visits(2))).status != 200:
        assert time.monotonic() < deadline, "SSM's recovery goes unnoticed"
    assert sent.end == ("forwarded", "tiktok_accepted")


@pytest.mark.parametrize("fault", SSM_FAULTS.values(), ids=SSM_FAULTS)
def test_the_last_good_parameters_serve(world: World, fault: Fault) -> None:
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
    application = world.start(budget=1.3)
    started = time.perf_counter()

    with pytest.raises(application.module.RetryLaterError, match="credentials_unavailable"):
        application.invoke(visits(3000))

    assert time.perf_counter() - started <= 1.3
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


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize("fault", SQS_FAULTS.values(), ids=SQS_FAULTS)
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
