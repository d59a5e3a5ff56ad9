"""Parked events while SQS refuses new messages, or stores them without a confirmation."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.simulation.world import DAY, HOUR, MINUTE, MemoryQueue, Simulation
from tiktok_pixel import redriving
from tiktok_pixel.outcomes import Cause
from tiktok_pixel.tiktok.verdicts import UNREACHABLE

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


def refuse_one(events: list[dict[str, Any]], _request: dict[str, Any]) -> int | None:
    """Refuse the event that ends in 3: the other events of its message are delivered."""
    return 40002 if any(event["event_id"].endswith("-3") for event in events) else None


def test_while_sqs_refuses_messages_no_event_counts_twice() -> None:
    simulation = Simulation()
    simulation.tiktok.rule = refuse_one
    simulation.park(10)
    simulation.queue.fails = True

    simulation.run(5 * DAY)

    assert simulation.tiktok.requests == 0, "what is left of a message could not be stored"
    simulation.check_nothing_lost()
    simulation.queue.fails = False
    simulation.run(HOUR)
    assert simulation.tiktok.counted == dict.fromkeys(simulation.parked - {"m-3"}, 1)
    simulation.check_nothing_lost()


def test_if_sqs_fails_during_an_invocation_only_its_events_are_sent_again() -> None:
    simulation = Simulation()

    def fail_and_refuse(events: list[dict[str, Any]], request: dict[str, Any]) -> int | None:
        simulation.queue.fails = True
        return refuse_one(events, request)

    simulation.tiktok.rule = fail_and_refuse
    simulation.park(10)
    simulation.run(MINUTE)
    requests = simulation.tiktok.requests
    simulation.run(46 * HOUR)

    assert simulation.tiktok.requests == requests
    simulation.tiktok.rule = refuse_one
    simulation.queue.fails = False
    simulation.run(HOUR)
    assert simulation.tiktok.counted == dict.fromkeys(simulation.parked - {"m-3"}, 1)


def test_while_sqs_fails_waiting_events_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    simulation = Simulation()
    simulation.park(10)
    simulation.queue.fails = True

    simulation.invoke()

    rows = [vars(record) for record in caplog.records]
    assert [row["outcomes"] for row in rows if row["message"] == "redriven"] == [{"parked": 10}]
    assert [row["levelname"] for row in rows].count("ERROR") == 1


def test_messages_that_cannot_be_read_leave_time_for_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redriving, "_PARKING_SECONDS", 0.1)
    simulation = Simulation()
    simulation.park(10)
    for number in range(40):
        simulation.queue.store(f"not JSON {number}")
    send = simulation.queue.send_message

    def send_slowly(**message: Any) -> Any:
        if message["MessageBody"].startswith("not JSON"):
            time.sleep(0.5)
        return send(**message)

    monkeypatch.setattr(MemoryQueue, "send_message", lambda _, **message: send_slowly(**message))
    started = time.monotonic()
    simulation.invoke()

    assert time.monotonic() - started < 0.5
    assert simulation.tiktok.accepted.total() == 10
    assert sum("not JSON" in body for body, _ in simulation.queue.messages.values()) >= 40


@pytest.mark.parametrize("events_of_a_message", [1, 50])
def test_if_sqs_stores_without_confirming_the_queue_does_not_grow(events_of_a_message: int) -> None:
    simulation = Simulation()
    simulation.tiktok.rule = lambda _events, _request: 40105
    for number in range(4):
        simulation.park(
            events_of_a_message, Cause.OPERATOR, "tiktok_token_invalid", prefix=f"m{number}"
        )
    simulation.queue.confirms = False

    simulation.run(12 * HOUR)

    assert simulation.parked <= set(simulation.queue.event_ids())
    assert len(simulation.queue.messages) <= 6


@pytest.mark.parametrize("outage", [MINUTE, 3 * DAY])
def test_copies_of_an_event_count_once(outage: float) -> None:
    simulation = Simulation()
    simulation.tiktok.sent = False
    simulation.park(100)

    def lose_confirmations(_events: Any, _request: Any) -> Any:
        simulation.queue.confirms = False
        return UNREACHABLE

    simulation.tiktok.rule = lose_confirmations
    simulation.invoke()
    simulation.queue.confirms = True
    assert simulation.queue.event_ids()["m-0"] == 3

    simulation.tiktok.rule = lambda _events, _request: UNREACHABLE
    simulation.run(outage)
    simulation.tiktok.rule = lambda _events, _request: None
    simulation.run(HOUR)

    assert simulation.queue.messages == {}
    assert simulation.tiktok.counted == dict.fromkeys(simulation.parked, 1)
