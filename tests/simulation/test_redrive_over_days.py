"""The redrive function over days: outages, bad events, wrong settings, and a long queue."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulation.world import DAY, HOUR, MINUTE, Simulation
from tiktok_pixel import redriving
from tiktok_pixel.outcomes import Cause
from tiktok_pixel.tiktok.outgoing import Route, Traffic
from tiktok_pixel.tiktok.verdicts import TIMEOUT, UNREACHABLE

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


def poisoned(*event_ids: str, code: int = 40002) -> Any:
    """Refuse requests that hold one of these events."""
    return lambda events, _request: (
        code if any(event["event_id"] in event_ids for event in events) else None
    )


@pytest.mark.parametrize("failure", ["refused connections", "HTTP 500", "throttled"])
def test_three_days_of_failures_lose_nothing(failure: str) -> None:
    simulation = Simulation()
    decisions: dict[str, Any] = {
        "refused connections": UNREACHABLE,
        "HTTP 500": 500,
        "throttled": 40100,
    }
    simulation.tiktok.sent = False
    simulation.tiktok.rule = lambda _events, _request: decisions[failure]
    simulation.park(120)

    simulation.run(3 * DAY)
    simulation.check_nothing_lost()
    assert simulation.tiktok.requests < 10 * 3 * 24 * 4, "an outage costs few requests"

    simulation.tiktok.rule = lambda _events, _request: None
    simulation.run(15 * MINUTE)
    assert simulation.tiktok.accepted.total() == 120
    simulation.check_nothing_lost()


@pytest.mark.parametrize(
    "reason", ["tiktok_timeout", "tiktok_circuit_open", "tiktok_token_invalid"]
)
@pytest.mark.parametrize("missing", [0, 1], ids=["", "a pixel without credentials"])
def test_three_days_without_responses_lose_only_what_was_sent(reason: str, missing: int) -> None:
    simulation = Simulation()
    simulation.tiktok.rule = lambda _events, _request: TIMEOUT
    simulation.park(
        missing,
        Cause.OPERATOR,
        "credentials_missing",
        prefix="missing",
        route=Route("missing", "web"),
    )
    simulation.park(120, reason=reason)

    simulation.run(3 * DAY)
    simulation.tiktok.rule = lambda _events, _request: None
    simulation.run(15 * MINUTE)

    waiting = set(simulation.queue.event_ids())
    assert len(waiting) == missing
    lost = simulation.parked - set(simulation.tiktok.accepted) - waiting
    assert lost <= simulation.tiktok.silent_events, "only what TikTok may have counted already"
    # Events are only sent as probes, and a probe is chosen again until its time is over.
    assert 1 <= len(lost) <= 3
    assert set(simulation.tiktok.counted.values()) == {1}, "no event counts twice"


def test_events_end_thirteen_days_and_twelve_hours_after_parking(
    caplog: pytest.LogCaptureFixture,
) -> None:
    simulation = Simulation()
    simulation.tiktok.rule = lambda _events, _request: 40105
    simulation.park(2, Cause.OPERATOR, "tiktok_token_invalid")

    simulation.run(13.5 * DAY - 15 * MINUTE)
    simulation.check_nothing_lost()
    simulation.run(30 * MINUTE)

    assert simulation.queue.messages == {}
    ended = {
        (vars(record)["message_id"], vars(record)["reason"])
        for record in caplog.records
        if record.getMessage() == "event"
    }
    assert ended == {("m-0", "parked_too_long"), ("m-1", "parked_too_long")}


def test_a_fix_takes_effect_within_fifteen_minutes() -> None:
    simulation = Simulation()
    simulation.tiktok.rule = lambda _events, _request: 40105
    simulation.park(1100, Cause.OPERATOR, "tiktok_token_invalid")
    simulation.run(6 * HOUR + 7 * MINUTE)

    simulation.tiktok.rule = lambda _events, _request: None
    simulation.run(15 * MINUTE)

    assert simulation.tiktok.accepted.total() == 1100
    assert simulation.queue.messages == {}


@pytest.mark.parametrize("code", [40700, 50000, 500, 99999])
def test_one_poison_event_holds_no_others(code: int) -> None:
    simulation = Simulation()
    simulation.tiktok.rule = poisoned("m-77", code=code)
    simulation.park(900)
    simulation.run(HOUR)

    assert simulation.parked - set(simulation.tiktok.accepted) == {"m-77"}
    simulation.park(900, prefix="later")
    simulation.run(HOUR)

    assert simulation.parked - set(simulation.tiktok.accepted) == {"m-77"}
    simulation.check_nothing_lost()


def test_an_event_on_which_tiktok_hangs_holds_no_others() -> None:
    simulation = Simulation()
    simulation.tiktok.rule = lambda events, _request: (
        TIMEOUT if any(event["event_id"] == "m-500" for event in events) else None
    )
    simulation.park(1000)

    simulation.run(3 * DAY)

    assert simulation.parked - set(simulation.tiktok.accepted) == {"m-500"}
    assert simulation.queue.messages == {}


def test_a_throttled_pixel_holds_no_other_pixel() -> None:
    simulation = Simulation()
    simulation.tiktok.rule = lambda _events, request: (
        40100 if request["event_source_id"] == "pixel-busy" else None
    )
    simulation.park(60, reason="tiktok_throttled", prefix="busy", route=Route("busy", "web"))
    simulation.park(2)

    simulation.run(HOUR)

    assert set(simulation.tiktok.accepted) == {"m-0", "m-1"}
    simulation.check_nothing_lost()


def test_an_error_in_telemetry_does_not_multiply_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(redriving, "record_redriven", fail)
    simulation = Simulation()
    simulation.tiktok.rule = lambda _events, _request: 40105
    simulation.park(10, Cause.OPERATOR, "tiktok_token_invalid")

    simulation.run(HOUR)

    simulation.check_nothing_lost()


def test_an_outage_is_not_searched_for_bad_events() -> None:
    simulation = Simulation()
    simulation.tiktok.rule = lambda _events, _request: 50000
    simulation.park(1000)

    simulation.run(DAY)

    # In each pass one full request, two events alone, and two that were alone before.
    assert simulation.tiktok.requests <= 6 * (24 * 4 + 4)
    simulation.check_nothing_lost()


def test_bad_content_is_isolated_and_rejected_after_47_hours() -> None:
    simulation = Simulation()
    simulation.tiktok.rule = poisoned("m-3", "m-500")
    simulation.park(1000)

    simulation.run(MINUTE)
    assert simulation.parked - set(simulation.tiktok.accepted) == {"m-3", "m-500"}
    simulation.run(46 * HOUR)
    assert set(simulation.queue.event_ids()) == {"m-3", "m-500"}
    simulation.run(2 * HOUR)

    assert simulation.queue.messages == {}


def test_a_wrong_setting_that_looks_like_bad_content_costs_few_requests_and_no_event() -> None:
    simulation = Simulation()
    simulation.tiktok.rule = lambda _events, _request: 40002
    simulation.park(1100, Cause.CONTENT, "tiktok_parameter_invalid", refused_at=simulation.clock())

    simulation.run(20 * HOUR)
    simulation.check_nothing_lost()
    assert simulation.tiktok.requests <= 2 * 20
    simulation.tiktok.rule = lambda _events, _request: None
    simulation.run(5 * HOUR)

    assert simulation.tiktok.accepted.total() == 1100


def test_a_good_event_among_bad_ones_is_delivered_before_they_are_rejected() -> None:
    simulation = Simulation()
    bad = {f"m-{number}" for number in range(200)} - {"m-123"}
    simulation.tiktok.rule = poisoned(*bad)
    simulation.park(200, Cause.CONTENT, "tiktok_parameter_invalid", refused_at=simulation.clock())

    simulation.run(3 * DAY)

    assert set(simulation.tiktok.accepted) == {"m-123"}
    assert simulation.queue.messages == {}


def test_a_queue_of_300000_events_drains() -> None:
    simulation = Simulation()
    simulation.park(300_000)

    simulation.run(HOUR)

    assert simulation.tiktok.accepted.total() == 300_000
    assert simulation.queue.messages == {}
    assert simulation.tiktok.requests <= 700


def test_single_messages_are_merged_into_full_requests() -> None:
    simulation = Simulation()
    simulation.park_singly(1000)

    assert simulation.invoke() == 1000

    assert simulation.tiktok.accepted.total() == 1000
    # One event first, because TikTok has not responded yet, and one full request.
    assert simulation.tiktok.requests == 2


def test_if_waiting_events_cannot_be_stored_their_messages_stay() -> None:
    simulation = Simulation()
    simulation.tiktok.rule = lambda _events, _request: 40105
    simulation.park(10, Cause.OPERATOR, "tiktok_token_invalid")
    simulation.queue.fails = True
    before = dict(simulation.queue.messages)

    simulation.invoke()

    assert simulation.queue.messages == before


def test_with_the_sites_own_pixel_events_end_47_hours_after_they_happened() -> None:
    simulation = Simulation(use_existing_pixel=True)
    simulation.tiktok.rule = lambda _events, _request: 40105
    simulation.park(5, Cause.OPERATOR, "tiktok_token_invalid")

    simulation.run(47 * HOUR - 16 * MINUTE)
    simulation.check_nothing_lost()
    simulation.tiktok.rule = lambda _events, _request: None
    simulation.clock.now += HOUR
    simulation.run(HOUR)

    assert simulation.tiktok.accepted.total() == 0
    assert simulation.queue.messages == {}


@pytest.mark.parametrize(
    ("traffic", "code", "setting", "reason", "expected"),
    [
        (Traffic.REAL, None, None, "tiktok_unreachable", None),
        (Traffic.REAL, None, "TEST2", "tiktok_unreachable", None),
        (Traffic.MAPPING, "TEST1", None, "tiktok_unreachable", "TEST1"),
        (Traffic.MAPPING, "TEST1", "TEST2", "tiktok_unreachable", "TEST1"),
        (Traffic.SETTING, None, "TEST2", "tiktok_unreachable", "TEST2"),
        (Traffic.SETTING, None, None, "tiktok_test_event_code_refused", None),
        (Traffic.SETTING, None, None, "tiktok_unreachable", "never sent"),
    ],
)
def test_test_traffic_never_becomes_real_traffic_nor_the_reverse(
    traffic: Traffic, code: str | None, setting: str | None, reason: str, expected: str | None
) -> None:
    simulation = Simulation(test_event_code=setting)
    sent: list[str | None] = []
    simulation.tiktok.rule = lambda _events, request: sent.append(request.get("test_event_code"))
    route = Route(None, "web", traffic, code)
    simulation.park(3, Cause.OPERATOR, reason, route=route)

    simulation.run(HOUR)

    assert set(sent) == (set() if expected == "never sent" else {expected})
    assert simulation.queue.messages == {}
