from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tools.load.ledger import End, Ledger
from tools.load.results import Results, evaluate
from tools.load.scenario import WRONG_TEST_CODE
from tools.load.segment import Answer
from tools.load.traffic import plan
from tools.sandbox.tiktok import Accepted

TRAFFIC = plan(100, seed=1)
PEOPLE = {message_id: person for person, message_id in TRAFFIC.owners.items()}
GOOD = sorted(TRAFFIC.message_ids - TRAFFIC.ignored - TRAFFIC.rejected - TRAFFIC.poison)


class Finished:
    """A run in which everything went as planned, to be changed by a test."""

    def __init__(self) -> None:
        self.outcomes = {
            **dict.fromkeys(GOOD, ("forwarded", "tiktok_accepted")),
            **dict.fromkeys(TRAFFIC.ignored, ("ignored", "not_mapped")),
            **dict.fromkeys(TRAFFIC.rejected, ("rejected", "identifier_missing")),
            **dict.fromkeys(TRAFFIC.poison, ("parked", "tiktok_unavailable")),
        }
        self.accepted = {message_id: [message_id] for message_id in GOOD}
        self.parked = dict.fromkeys(TRAFFIC.poison, "transient: tiktok_unavailable")
        self.rejected: dict[str, str] = {}
        self.refused_for_code: list[str] = []

    def evaluate(self) -> Results:
        ledger = Ledger()
        ledger.record(Answer(0.0, 0.1, 200, self.outcomes))
        ledger.record(Answer(0.0, 0.3, None, {}))
        accepted = [
            Accepted(
                "web",
                "pixel",
                {
                    "event": "Purchase",
                    "event_id": event_id,
                    "user": {"external_id": PEOPLE[message_id]},
                },
            )
            for message_id, event_ids in self.accepted.items()
            for event_id in event_ids
        ]
        refusal = SimpleNamespace(
            code=40002,
            parsed={"test_event_code": WRONG_TEST_CODE},
            event_ids=self.refused_for_code,
        )
        rig: Any = SimpleNamespace(
            tiktok=SimpleNamespace(accepted=accepted, requests=[refusal]),
            trigger=SimpleNamespace(rejected=self.rejected, invocations=1, failures=0),
        )
        run: Any = SimpleNamespace(
            parked=self.parked,
            segment=SimpleNamespace(retries=0, given_up=0),
            sent_seconds=10.0,
            seconds=12.0,
            steps=[(1.0, "outage")],
        )
        return evaluate(rig, TRAFFIC, ledger, run)


def test_the_ends_add_up_to_what_was_received() -> None:
    results = Finished().evaluate()
    assert results.unexpected == {}
    assert results.lost == 0
    figures = results.figures
    assert figures["received"] == 100 == sum(figures[end] for end in End)
    assert figures["still_parked"] == figures["planted_poison"] == 4
    assert figures["responses_by_status"] == {"200": 1, "none": 1}
    assert figures["latency_ms"]["max"] == 300


def test_an_event_that_is_nowhere_is_lost() -> None:
    finished = Finished()
    del finished.accepted[GOOD[0]]
    results = finished.evaluate()
    assert results.lost == 1
    assert results.unexpected == {GOOD[0]: End.LOST}


def test_a_good_event_that_is_still_parked_is_unexpected() -> None:
    finished = Finished()
    finished.parked[GOOD[0]] = "content: tiktok_parameter_invalid"
    assert finished.evaluate().unexpected == {GOOD[0]: End.STILL_PARKED}


def test_a_copy_with_another_event_id_is_counted() -> None:
    finished = Finished()
    finished.accepted[GOOD[0]] += [GOOD[0], "another id"]
    figures = finished.evaluate().figures
    assert figures["duplicates_with_other_event_id"] == 1
    assert figures["duplicates_with_same_event_id"] == 1


def test_test_traffic_may_end_with_the_code_unless_tiktok_had_refused_it() -> None:
    finished = Finished()
    for message_id in GOOD[:2]:
        del finished.accepted[message_id]
        finished.outcomes[message_id] = ("parked", "tiktok_timeout")
        finished.rejected[message_id] = "test_event_code_removed"
    finished.refused_for_code = [GOOD[1]]
    assert finished.evaluate().unexpected == {GOOD[1]: End.REJECTED}
