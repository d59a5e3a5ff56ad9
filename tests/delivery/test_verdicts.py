"""Every answer that TikTok can give, for one event, for two and for a thousand.

`World.send` checks the account of every answer: what was received is what is told, what is told
as forwarded is what TikTok counts, what is told as parked is what lies in the queue.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Final

import pytest

from tests.delivery.conftest import small_world
from tests.delivery.world import World, allow_forced_read, body_of, visit, visits
from tiktok_pixel.tiktok import delivery
from tiktok_pixel.tiktok.bisection import REFUSES_ALL
from tiktok_pixel.tiktok.verdicts import CODE_RANGES, CODES, Verdict, VerdictKind
from tools.sandbox import faults
from tools.sandbox.application import ForwardApplication
from tools.sandbox.aws import AwsSandbox
from tools.sandbox.faults import Fault

PARKED: Final = 202
UNAVAILABLE: Final = 503
SIZES: Final = (1, 2, 1000)


def taking(fault: Fault) -> Fault:
    """The fault, but TikTok has taken the events."""
    return dataclasses.replace(fault, accept=True)


def of_code(code: int, verdict: Verdict) -> Fault:
    fault = faults.answer(code)
    return taking(fault) if verdict.kind is VerdictKind.ACCEPTED else fault


# Codes of TikTok that no table has, and answers without any code.
UNKNOWN: Final = Verdict(VerdictKind.OPERATOR, "tiktok_code_unknown")
UNAVAILABLE_RULING: Final = CODES[50000]
ENDPOINT: Final = Verdict(VerdictKind.OPERATOR, "tiktok_endpoint_refused")
UNREADABLE: Final = Verdict(VerdictKind.TRANSIENT, "tiktok_answer_unreadable")
UNREACHABLE: Final = Verdict(VerdictKind.TRANSIENT, "tiktok_unreachable")
ENVELOPE: Final = Verdict(VerdictKind.OPERATOR, "tiktok_envelope_refused", credentials=True)
ANSWERS: Final[dict[str, tuple[Fault, Verdict]]] = {
    **{f"code {code}": (of_code(code, verdict), verdict) for code, verdict in CODES.items()},
    **{
        f"code {code}": (faults.answer(code), verdict)
        for codes, verdict in CODE_RANGES
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
    "HTTP 408": (faults.http(408), Verdict(VerdictKind.TRANSIENT, "tiktok_timeout")),
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
    "shorter than its length": (faults.too_long_promised(), UNREACHABLE),
    "shorter than its length, taken": (faults.too_long_promised(accept=True), UNREACHABLE),
}
# One for each reason that an answer can have.
REASONS: Final = {
    name: (fault, verdict)
    for number, (name, (fault, verdict)) in enumerate(ANSWERS.items())
    if verdict.reason not in [one.reason for _, one in list(ANSWERS.values())[:number]]
}
# And all that can happen to its bytes and its connection.
KINDS: Final = REASONS | {
    name: what
    for name, what in ANSWERS.items()
    if not name.startswith(("code", "HTTP", "JSON")) and "megabytes" not in name
}


def expected_end(verdict: Verdict, size: int) -> tuple[int, tuple[str, str]]:
    """What becomes of events when TikTok answers everything so."""
    match verdict.kind:
        case VerdictKind.ACCEPTED:
            return 200, ("forwarded", verdict.reason)
        case VerdictKind.TRANSIENT:
            return (429 if verdict.throttled else UNAVAILABLE), ("retry", verdict.reason)
        case VerdictKind.OPERATOR:
            return PARKED, ("parked", verdict.reason)
        case VerdictKind.CONTENT if size == 1:
            return 400, ("rejected", verdict.reason)
        case _:
            return PARKED, ("parked", REFUSES_ALL.reason)


@pytest.fixture(scope="module")
def shared(aws_server: AwsSandbox) -> Iterator[tuple[World, ForwardApplication]]:
    with small_world(aws_server) as world:
        yield world, world.start()


@pytest.fixture
def world(shared: tuple[World, ForwardApplication], monkeypatch: pytest.MonkeyPatch) -> World:
    """One world for all tests here, which take little time each; hardly a pause between tries."""
    monkeypatch.setattr(delivery, "_BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr(delivery, "_THROTTLED_SECONDS", 0.01)
    world, application = shared
    world.forget()
    allow_forced_read(application)
    return world


@pytest.fixture
def application(shared: tuple[World, ForwardApplication]) -> ForwardApplication:
    return shared[1]


@pytest.mark.parametrize(("fault", "verdict"), ANSWERS.values(), ids=ANSWERS)
def test_every_answer_has_its_end(
    world: World, application: ForwardApplication, fault: Fault, verdict: Verdict
) -> None:
    world.tiktok.always(fault)

    sent = world.send(application, visit("m-0"))

    assert (sent.status, sent.end) == expected_end(verdict, 1)
    assert sent.stray == ({"m-0"} if fault.accept and sent.status >= UNAVAILABLE else set())


@pytest.mark.parametrize("size", SIZES[1:])
@pytest.mark.parametrize(("fault", "verdict"), KINDS.values(), ids=KINDS)
def test_every_verdict_counts_for_a_batch(
    world: World, application: ForwardApplication, fault: Fault, verdict: Verdict, size: int
) -> None:
    world.tiktok.always(fault)

    sent = world.send(application, visits(size))

    assert (sent.status, sent.end) == expected_end(verdict, size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("fault", "verdict"), REASONS.values(), ids=REASONS)
def test_every_verdict_counts_after_a_retry(
    world: World, application: ForwardApplication, fault: Fault, verdict: Verdict, size: int
) -> None:
    """The first try fails in passing; what the second says is what counts."""
    world.tiktok.next(faults.http(502))
    world.tiktok.always(fault)

    sent = world.send(application, body_of(size))

    assert (sent.status, sent.end) == expected_end(verdict, size)


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_an_answer_longer_than_it_says_is_tried_again(
    world: World, application: ForwardApplication, size: int
) -> None:
    """What is left over spoils the connection for the next try, sooner or later."""
    world.tiktok.always(faults.too_short_promised(accept=True))

    sent = world.send(application, body_of(size))

    assert sent.status == 503
    assert sent.end in (("retry", UNREADABLE.reason), ("retry", UNREACHABLE.reason))


PASSING: Final = {
    name: fault for name, (fault, verdict) in KINDS.items() if verdict.kind is VerdictKind.TRANSIENT
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_what_passes_is_forwarded_with_the_next_try(
    world: World, application: ForwardApplication, fault: Fault, size: int
) -> None:
    world.tiktok.next(fault)

    sent = world.send(application, body_of(size))

    assert (sent.status, sent.end) == (200, ("forwarded", "tiktok_accepted"))
    ids = {f"m-{number}" for number in range(size)}
    assert {one.event["event_id"] for one in world.tiktok.events} == ids


@pytest.mark.parametrize("size", [2, 1000])
@pytest.mark.parametrize("code", [40000, 40002, 40061, 40062])
def test_a_batch_refused_once_for_its_content_goes_in_parts(
    world: World, application: ForwardApplication, code: int, size: int
) -> None:
    world.tiktok.next(faults.answer(code))

    sent = world.send(application, visits(size))

    assert (sent.status, sent.end) == (200, ("forwarded", "tiktok_accepted"))
    assert [len(one.events) for one in world.tiktok.requests].count(size) == 1
