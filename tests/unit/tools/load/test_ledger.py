from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.simulation.world import DAY, MINUTE, Simulation
from tiktok_pixel.outcomes import Cause
from tools.load.ledger import (
    End,
    Ledger,
    account,
    copies,
    parked_events,
    redriven_rejections,
)
from tools.load.segment import Answer
from tools.sandbox.tiktok import Accepted


def end_of(status: str | None, *places: str) -> End:
    """Return the end of an event with a last status, that is found in these places."""
    found: dict[str, set[str]] = {"accepted": set(), "parked": set(), "ended": set()}
    for place in places:
        found[place] = {"m"}
    reported = {} if status is None else {"m": status}
    return account(["m"], reported, **found)["m"]


@pytest.mark.parametrize(
    ("status", "places", "end"),
    [
        ("forwarded", ["accepted"], End.FORWARDED),
        ("parked", ["accepted"], End.DELIVERED_AFTER_PARKING),
        (None, ["accepted"], End.FORWARDED),
        ("parked", ["parked"], End.STILL_PARKED),
        ("parked", ["parked", "accepted"], End.STILL_PARKED),
        ("parked", ["ended"], End.REJECTED),
        ("rejected", [], End.REJECTED),
        ("ignored", [], End.IGNORED),
        ("forwarded", [], End.LOST),
        ("parked", [], End.LOST),
        (None, [], End.LOST),
    ],
)
def test_every_event_has_one_end(status: str | None, places: Sequence[str], end: End) -> None:
    assert end_of(status, *places) is end


def test_a_retry_does_not_replace_an_earlier_report() -> None:
    ledger = Ledger()
    ledger.record(Answer(0.0, 0.1, 503, {"m": ("parked", "p"), "n": ("retry", "r")}))
    ledger.record(Answer(0.0, 0.1, 503, {"m": ("retry", "r")}))
    assert ledger.reported == {"m": ("parked", "p")}
    ledger.record(Answer(0.0, 0.1, 200, {"m": ("forwarded", "f")}))
    assert ledger.reported == {"m": ("forwarded", "f")}
    assert len(ledger.answers) == 3


def test_a_copy_with_another_event_id_is_recognised_by_its_person() -> None:
    def accepted(event_id: str, person: str) -> Accepted:
        event: dict[str, Any] = {
            "event": "Purchase",
            "event_id": event_id,
            "user": {"external_id": [person]},
        }
        return Accepted("web", "pixel", event)

    times, keys = copies(
        [accepted("m-1", "a"), accepted("m-1", "a"), accepted("x", "a"), accepted("m-2", "b")],
        {"a": "m-1", "b": "m-2"},
    )
    assert times == {"m-1": 3, "m-2": 1}
    assert {message_id: len(found) for message_id, found in keys.items()} == {"m-1": 2, "m-2": 1}


def test_parked_events_are_read_from_the_messages_of_the_queue() -> None:
    simulation = Simulation()
    simulation.park(2, Cause.OPERATOR, "tiktok_token_invalid")
    simulation.park(1, Cause.CONTENT, "tiktok_parameter_invalid", prefix="c", refused_at=0.0)
    bodies = [body for body, _ in simulation.queue.messages.values()]
    assert parked_events(bodies) == {
        "m-0": "operator: tiktok_token_invalid",
        "m-1": "operator: tiktok_token_invalid",
        "c-0": "content: tiktok_parameter_invalid",
    }


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_rejections_are_read_from_the_log_of_the_redrive_function(
    count: int, caplog: pytest.LogCaptureFixture
) -> None:
    simulation = Simulation()
    simulation.tiktok.rule = lambda _events, _request: 40105
    simulation.park(count, Cause.OPERATOR, "tiktok_token_invalid")
    simulation.clock.now += 13.6 * DAY
    simulation.run(MINUTE)
    lines = [json.dumps(record.__dict__, default=str) for record in caplog.records]
    assert dict(redriven_rejections(lines)) == {
        f"m-{number}": "parked_too_long" for number in range(count)
    }
