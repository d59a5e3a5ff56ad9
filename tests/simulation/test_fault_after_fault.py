"""Parked events that meet a second fault while the first is being fixed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulation.world import DAY, MINUTE, Simulation
from tiktok_pixel import redriving
from tiktok_pixel.outcomes import Cause
from tiktok_pixel.tiktok.outgoing import Route, Traffic
from tiktok_pixel.tiktok.verdicts import TIMEOUT

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

REFUSED_TEST: Any = {"cause": Cause.OPERATOR, "reason": "tiktok_test_event_code_refused"}
SETTING = Route(None, "web", Traffic.SETTING)


def test_an_event_that_is_sent_as_real_stays_real_after_a_failure() -> None:
    simulation = Simulation(test_event_code=None)
    simulation.tiktok.rule = lambda _events, _request: 50000
    simulation.park(3, **REFUSED_TEST, route=SETTING)
    simulation.run(MINUTE)

    simulation.tiktok.rule = lambda _events, _request: None
    simulation.run(15 * MINUTE)

    assert simulation.tiktok.accepted.total() == 3


def test_a_failure_does_not_hide_that_tiktok_refused_the_test_event_code() -> None:
    simulation = Simulation(test_event_code="WRONG")
    simulation.tiktok.rule = lambda _events, _request: 50000
    simulation.park(3, **REFUSED_TEST, route=SETTING)
    simulation.run(MINUTE)

    simulation.settings["test_event_code"] = None
    simulation.tiktok.rule = lambda _events, _request: None
    simulation.run(15 * MINUTE)

    assert simulation.tiktok.accepted.total() == 3


@pytest.mark.parametrize("failure", [TIMEOUT, 40100])
@pytest.mark.parametrize("at", [2, 3, 4, 6])
def test_a_search_that_is_interrupted_holds_no_good_event(failure: Any, at: int) -> None:
    simulation = Simulation()

    def rule(events: list[dict[str, Any]], _request: dict[str, Any]) -> Any:
        if simulation.tiktok.requests == at:
            return failure
        return 40002 if any(event["event_id"] == "m-3" for event in events) else None

    simulation.tiktok.rule = rule
    simulation.park(1000, reason="tiktok_unavailable")
    simulation.run(12 * MINUTE)

    assert simulation.parked - set(simulation.tiktok.accepted) == {"m-3"}
    simulation.check_nothing_lost()


def test_a_message_that_makes_the_function_fail_holds_no_others() -> None:
    simulation = Simulation()
    simulation.park(1, Cause.CONTENT, "tiktok_parameter_invalid", prefix="bad", refused_at=1.0)
    ((bad, _),) = simulation.queue.messages.values()
    simulation.queue.messages.clear()
    simulation.queue.store(bad.replace('"refused_at":1.0', '"refused_at":1e999'))
    simulation.park_singly(500)

    simulation.run(3 * DAY)

    assert set(simulation.queue.event_ids()) == {"bad-0"}
    assert simulation.tiktok.counted == dict.fromkeys(simulation.parked - {"bad-0"}, 1)


def test_a_defect_is_reported_a_few_times(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(redriving, "redrive", fail)
    simulation = Simulation()
    simulation.park_singly(1000)

    simulation.invoke()

    simulation.check_nothing_lost()
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) <= 50
