"""Slow and failing services: one outcome per event, within the budget, and no event lost.

The harness accounts for every event; these tests check outcome and time.
"""

from __future__ import annotations

from typing import Final

import pytest

from tests.integration.harness import (
    FORWARDED,
    READS,
    SENDS,
    SHORT_BUDGET,
    Output,
    World,
    body_of,
    visit,
    visits,
)
from tiktok_pixel.aws import credentials
from tiktok_pixel.endpoint import RetryLaterError
from tools.sandbox import faults
from tools.sandbox.aws import broken, denied, throttled
from tools.sandbox.faults import Fault

UNAVAILABLE: Final = 503
PARKED: Final = 202
PARAMETERS_TTL: Final = 300
RETRY_SECONDS: Final = 5
PARKING_FAILED: Final = ("retry", "parking_failed")


SLOW: Final[dict[str, tuple[Fault, int]]] = {
    "does not respond": (faults.hang(60), 1),
    "does not respond, 1000 events": (faults.hang(60), 1000),
    "accepts them and does not respond": (faults.hang(60, accept=True), 1),
    "slow headers": (faults.slow_headers(0.05), 1),
    "slow body": (faults.slow_body(0.05), 1),
}


@pytest.mark.parametrize(("fault", "size"), SLOW.values(), ids=SLOW)
def test_a_slow_response_of_tiktok_ends_with_the_budget(
    world: World, fault: Fault, size: int
) -> None:
    world.tiktok.always(fault)

    answer = world.start().within(SHORT_BUDGET).send(body_of(size))

    assert (answer.status, answer.end) == (PARKED, ("parked", "tiktok_timeout"))
    assert answer.in_time


def test_after_one_slow_response_there_is_time_for_another_try(
    world: World,
) -> None:
    world.read_seconds = 0.5
    world.tiktok.next(faults.hang(60, accept=True))

    answer = world.start().send(visits(2))

    assert (answer.status, answer.end) == (200, FORWARDED)
    assert len(world.tiktok.requests) == 2


def test_if_everything_is_slow_the_response_is_still_in_time(world: World) -> None:
    world.tiktok.settings.tokens.clear()
    world.tiktok.always(faults.by_the_rules(0.9))
    world.proxy.always(faults.hang(60), operation="SendMessage")
    world.proxy.next(faults.by_the_rules(0.9), operation="GetParameters")

    answer = world.start().send(visits(1000))

    assert (answer.status, answer.end) == (UNAVAILABLE, PARKING_FAILED)
    assert answer.in_time


AWS_FAULTS: Final[dict[str, Fault]] = {
    "throttled": throttled(),
    "denied": denied(),
    "broken": broken(),
    "not JSON": faults.not_json(),
    "reset": faults.reset(),
    "slow": faults.hang(60),
}


@pytest.mark.parametrize("fault", AWS_FAULTS.values(), ids=AWS_FAULTS)
def test_without_the_webhook_secret_segment_sends_the_events_again(
    world: World, output: Output, fault: Fault
) -> None:
    """Segment would drop them after a 401."""
    world.proxy.always(fault, operation="GetParameters")
    application = world.start().within(SHORT_BUDGET)

    answer = application.send(visits(2))

    assert (answer.status, answer.rows) == (UNAVAILABLE, [])
    assert answer.body["reason"] == "webhook_secret_unavailable"
    assert answer.in_time
    assert output.metrics["AuthenticationUnavailable"] == 1

    world.proxy.clear()
    world.clock.advance(RETRY_SECONDS)
    assert application.send(visits(2)).end == FORWARDED


@pytest.mark.parametrize("fault", AWS_FAULTS.values(), ids=AWS_FAULTS)
def test_if_ssm_fails_the_last_values_serve_and_ssm_is_left_alone_for_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr(credentials, "_LONGEST_WAIT", 0.5)
    application = world.start()
    application.send(visit("m-0"))
    world.proxy.always(fault, operation="GetParameters")
    world.clock.advance(PARAMETERS_TTL)

    first = application.send(visit("m-1"))
    reads = world.proxy.calls[READS]
    second = application.send(visits(2, "n"))

    assert [first.end, second.end] == [FORWARDED] * 2
    assert world.proxy.calls[READS] == reads


def test_the_requests_of_a_direct_invocation_wait_for_one_read_of_ssm(world: World) -> None:
    world.proxy.always(faults.hang(60), operation="GetParameters")
    application = world.start().within(SHORT_BUDGET)

    with pytest.raises(RetryLaterError, match="credentials_unavailable"):
        application.invoke(visits(2001))

    assert world.proxy.calls[READS] <= 2, "one read, which is tried twice"


def test_many_refusals_of_the_token_wait_for_one_read_of_ssm(world: World) -> None:
    application = world.start().within(SHORT_BUDGET)
    application.send(visit("m-0"))
    world.tiktok.settings.tokens.clear()
    world.proxy.clear()
    world.proxy.always(faults.hang(60), operation="GetParameters")

    answer = application.send(visits(3000, "n"))

    assert answer.ids("parked", "retry") == {f"n-{number}" for number in range(3000)}
    assert world.proxy.calls[READS] <= 2, "one read, which is tried twice"


SQS_FAULTS: Final[dict[str, tuple[Fault, int]]] = {
    **{name: (fault, 1000) for name, fault in AWS_FAULTS.items()},
    "stores it and does not respond": (faults.hang(60, accept=True), 1),
}


@pytest.mark.parametrize(("fault", "size"), SQS_FAULTS.values(), ids=SQS_FAULTS)
def test_events_that_cannot_be_parked_are_sent_again_by_segment(
    world: World, fault: Fault, size: int
) -> None:
    world.tiktok.settings.tokens.clear()
    world.proxy.always(fault, operation="SendMessage")

    answer = world.start().within(SHORT_BUDGET).send(body_of(size))

    assert (answer.status, answer.end) == (UNAVAILABLE, PARKING_FAILED)
    assert answer.in_time


def test_without_a_queue_events_are_sent_again_by_segment(world: World) -> None:
    world.tiktok.settings.tokens.clear()

    answer = world.start(PARKED_QUEUE_URL="").send(visits(2))

    assert (answer.status, answer.end) == (UNAVAILABLE, PARKING_FAILED)


def test_events_stay_parked_if_the_message_of_others_cannot_be_sent(world: World) -> None:
    world.tiktok.settings.tokens.clear()
    world.proxy.next(denied(), operation="SendMessage")

    answer = world.start().send(visits(1000))

    assert answer.status == UNAVAILABLE
    assert {end[0] for end in answer.ends} == {"parked", "retry"}
    assert world.proxy.calls[SENDS] > 1


def test_one_error_of_sqs_is_tried_again(world: World) -> None:
    world.tiktok.settings.tokens.clear()
    world.proxy.next(broken(), operation="SendMessage")

    answer = world.start().send(visit("m-0"))

    assert answer.end == ("parked", "tiktok_token_invalid")
    assert world.proxy.calls[SENDS] == 2
