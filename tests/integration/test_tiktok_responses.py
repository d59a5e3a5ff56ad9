"""Every response that TikTok can give, for one event, for two and for a thousand."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Final

import pytest

from tests.integration.harness import (
    FORWARDED,
    Forward,
    World,
    body_of,
    make_world,
    visit,
    visits,
)
from tiktok_pixel.tiktok import delivery
from tiktok_pixel.tiktok.bisection import REFUSES_ALL
from tiktok_pixel.tiktok.verdicts import CODE_RANGES, CODES, TEST_CODE, Verdict, VerdictKind
from tools.sandbox import faults
from tools.sandbox.aws import AwsSandbox
from tools.sandbox.faults import Fault

PARKED: Final = 202
SIZES: Final = (1, 2, 1000)


def accepting(fault: Fault) -> Fault:
    """The fault, and TikTok accepts the events."""
    return dataclasses.replace(fault, accept=True)


def response_of(code: int, verdict: Verdict) -> Fault:
    fault = faults.answer(code)
    return accepting(fault) if verdict.kind is VerdictKind.ACCEPTED else fault


# Codes that are not in the tables, and responses without a code.
UNKNOWN: Final = Verdict(VerdictKind.OPERATOR, "tiktok_code_unknown")
TIKTOK_UNAVAILABLE: Final = CODES[50000]
ENDPOINT: Final = Verdict(VerdictKind.OPERATOR, "tiktok_endpoint_refused")
UNREADABLE: Final = Verdict(VerdictKind.TRANSIENT, "tiktok_answer_unreadable")
UNREACHABLE: Final = Verdict(VerdictKind.TRANSIENT, "tiktok_unreachable")
ENVELOPE: Final = Verdict(VerdictKind.OPERATOR, "tiktok_envelope_refused", credentials=True)
RESPONSES: Final[dict[str, tuple[Fault, Verdict]]] = {
    **{f"code {code}": (response_of(code, verdict), verdict) for code, verdict in CODES.items()},
    **{
        f"code {code}": (faults.answer(code), verdict)
        for codes, verdict in CODE_RANGES
        for code in (codes[0], codes[-1])
    },
    "code unknown": (faults.answer(49999), UNKNOWN),
    "code negative": (faults.answer(-1), UNKNOWN),
    "code unknown, HTTP 400": (faults.answer(49999, status=400), UNKNOWN),
    "code unknown, HTTP 500": (faults.answer(49999, status=500), TIKTOK_UNAVAILABLE),
    "code unknown, HTTP 429": (faults.answer(49999, status=429), CODES[40100]),
    "code 40105, HTTP 401": (faults.answer(40105, status=401), CODES[40105]),
    "code 50000, HTTP 400": (faults.answer(50000, status=400), CODES[50000]),
    "code 40002 for event_source": (
        faults.answer(40002, "Invalid value for event_source: not a valid choice."),
        ENVELOPE,
    ),
    "code 40002 for test_event_code": (faults.answer(40002, "test_event_code: no"), TEST_CODE),
    "HTTP 301": (faults.redirect("https://elsewhere.example/"), ENDPOINT),
    "HTTP 307": (faults.redirect("https://elsewhere.example/", 307), ENDPOINT),
    "HTTP 400": (faults.http(400), ENDPOINT),
    "HTTP 401": (faults.http(401), CODES[40105]),
    "HTTP 403": (faults.http(403), CODES[40001]),
    "HTTP 404": (faults.http(404), ENDPOINT),
    "HTTP 408": (faults.http(408), Verdict(VerdictKind.TRANSIENT, "tiktok_timeout")),
    "HTTP 413": (faults.http(413), CODES[40061]),
    "HTTP 429": (faults.http(429), CODES[40100]),
    "HTTP 500": (faults.http(500), TIKTOK_UNAVAILABLE),
    "HTTP 502 in HTML": (faults.http(502), TIKTOK_UNAVAILABLE),
    "HTTP 503": (faults.http(503), TIKTOK_UNAVAILABLE),
    "HTTP 504": (faults.http(504), TIKTOK_UNAVAILABLE),
    "empty body": (faults.empty(), UNREADABLE),
    "HTTP 204": (faults.empty(204), UNREADABLE),
    "not JSON": (faults.not_json(), UNREADABLE),
    "JSON that is a list": (faults.json_but([]), UNREADABLE),
    "JSON that is null": (faults.json_but(None), UNREADABLE),
    "no code": (faults.json_but({"message": "OK"}), UNREADABLE),
    "code is text": (faults.json_but({"code": "0"}), UNREADABLE),
    "code is false": (faults.json_but({"code": False}), UNREADABLE),
    "code is 0.0": (faults.json_but({"code": 0.0}), UNREADABLE),
    "truncated JSON": (faults.truncated_json(), UNREADABLE),
    "truncated JSON, accepted": (faults.truncated_json(accept=True), UNREADABLE),
    "ten megabytes, accepted": (faults.huge(), UNREADABLE),
    "reset unread": (faults.reset_unread(), UNREACHABLE),
    "reset": (faults.reset(), UNREACHABLE),
    "reset, accepted": (faults.reset(accept=True), UNREACHABLE),
    "closed": (faults.close(), UNREACHABLE),
    "closed, accepted": (faults.close(accept=True), UNREACHABLE),
    "shorter than its length": (faults.too_long_promised(), UNREACHABLE),
    "shorter than its length, accepted": (faults.too_long_promised(accept=True), UNREACHABLE),
}
# One response for each reason.
REASONS: Final = {
    name: (fault, verdict)
    for number, (name, (fault, verdict)) in enumerate(RESPONSES.items())
    if verdict.reason not in [one.reason for _, one in list(RESPONSES.values())[:number]]
}
# The same, and everything that can happen to its bytes and its connection.
KINDS: Final = REASONS | {
    name: what
    for name, what in RESPONSES.items()
    if not name.startswith(("code", "HTTP", "JSON")) and "megabytes" not in name
}


def expected_end(verdict: Verdict, size: int) -> tuple[int, tuple[str, str]]:
    """HTTP status, outcome and reason if TikTok always responds with this verdict."""
    match verdict.kind:
        case VerdictKind.ACCEPTED:
            return 200, ("forwarded", verdict.reason)
        case VerdictKind.CONTENT if size > 1:
            return PARKED, ("parked", REFUSES_ALL.reason)
        case _:
            return PARKED, ("parked", verdict.reason)


@pytest.fixture(scope="module")
def shared(aws_server: AwsSandbox) -> Iterator[Forward]:
    """One environment for all tests of this module, which take little time each."""
    with make_world(aws_server) as world:
        yield world.start()


@pytest.fixture
def application(shared: Forward, monkeypatch: pytest.MonkeyPatch) -> Forward:
    """The shared environment, with short pauses between tries and nothing left of other tests."""
    monkeypatch.setattr(delivery, "_BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr(delivery, "_THROTTLED_SECONDS", 0.01)
    shared.world.forget()
    # The time between two forced reads of the credentials.
    shared.world.clock.advance(1)
    shared.close_circuit()
    return shared


@pytest.fixture
def world(application: Forward) -> World:
    """The world of the shared environment."""
    return application.world


@pytest.mark.parametrize(("fault", "verdict"), RESPONSES.values(), ids=RESPONSES)
def test_one_event(world: World, application: Forward, fault: Fault, verdict: Verdict) -> None:
    world.tiktok.always(fault)

    answer = application.send(visit("m-0"))

    assert (answer.status, answer.end) == expected_end(verdict, 1)
    assert answer.stray == ({"m-0"} if fault.accept and answer.status == PARKED else set())


@pytest.mark.parametrize("size", SIZES[1:])
@pytest.mark.parametrize(("fault", "verdict"), KINDS.values(), ids=KINDS)
def test_a_batch(
    world: World, application: Forward, fault: Fault, verdict: Verdict, size: int
) -> None:
    world.tiktok.always(fault)

    answer = application.send(visits(size))

    assert (answer.status, answer.end) == expected_end(verdict, size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("fault", "verdict"), REASONS.values(), ids=REASONS)
def test_after_a_transient_failure_the_next_response_counts(
    world: World, application: Forward, fault: Fault, verdict: Verdict, size: int
) -> None:
    world.tiktok.next(faults.http(502))
    world.tiktok.always(fault)

    answer = application.send(body_of(size))

    assert (answer.status, answer.end) == expected_end(verdict, size)


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_a_body_longer_than_its_length_is_parked(
    world: World, application: Forward, size: int
) -> None:
    """The rest of the body is taken for the next response on the connection."""
    world.tiktok.always(faults.too_short_promised(accept=True))

    answer = application.send(body_of(size))

    assert answer.status == PARKED
    assert answer.end in (("parked", UNREADABLE.reason), ("parked", UNREACHABLE.reason))


TRANSIENT: Final = {
    name: fault for name, (fault, verdict) in KINDS.items() if verdict.kind is VerdictKind.TRANSIENT
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("fault", TRANSIENT.values(), ids=TRANSIENT)
def test_after_a_transient_failure_the_next_try_delivers(
    world: World, application: Forward, fault: Fault, size: int
) -> None:
    world.tiktok.next(fault)

    answer = application.send(body_of(size))

    assert (answer.status, answer.end) == (200, FORWARDED)
    ids = {f"m-{number}" for number in range(size)}
    assert {one.event["event_id"] for one in world.tiktok.events} == ids


@pytest.mark.parametrize("size", [2, 1000])
@pytest.mark.parametrize("code", [40000, 40002, 40061, 40062])
def test_a_batch_that_is_refused_for_its_content_is_sent_in_parts(
    world: World, application: Forward, code: int, size: int
) -> None:
    world.tiktok.next(faults.answer(code))

    answer = application.send(visits(size))

    assert (answer.status, answer.end) == (200, FORWARDED)
    assert [len(one.events) for one in world.tiktok.requests].count(size) == 1
