"""The redrive function sends parked events until TikTok accepts them or they can never be sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.integration.harness import ACCESS_TOKEN_NAME, Output, World, visit, visits
from tiktok_pixel import redriving
from tools.sandbox import faults
from tools.sandbox.aws import broken, denied, throttled
from tools.sandbox.tiktok import ACCESS_TOKEN, PIXEL_CODE

HOUR: Final = 3600
DAY: Final = 24 * HOUR


def park(world: World, events: Any, **variables: str) -> None:
    """Let TikTok refuse the token while the events arrive, then accept it again."""
    world.tiktok.settings.tokens.clear()
    assert world.start(**variables).send(events).status == 202
    world.tiktok.settings.tokens.add(ACCESS_TOKEN)
    world.tiktok.forget()


def older(seconds: float, *message_ids: str) -> Callable[[Any], Any]:
    """Change a message so that its events (or some of them) are older."""

    def change(message: Any) -> Any:
        content = json.loads(message["Body"])
        for row in content["events"]:
            if not message_ids or row["message_id"] in message_ids:
                row["body"]["event_time"] -= int(seconds)
        return message | {"Body": json.dumps(content)}

    return change


def test_parked_events_are_delivered_unchanged(world: World, output: Output) -> None:
    park(world, visits(3))
    parked = [row["body"] for one in world.parked_messages() for row in one["events"]]

    assert world.redrive(world.start_redrive()) == []

    assert world.parked_messages() == []
    first, second = world.tiktok.requests
    assert [len(first.events), len(second.events)] == [1, 2], "one event is risked first"
    sent = [*first.events, *second.events]
    assert sorted(sent, key=json.dumps) == sorted(parked, key=json.dumps)
    assert world.tiktok.event_ids == {"m-0", "m-1", "m-2"}, "TikTok deduplicates by them"
    assert output.metrics["RedrivenForwarded"] == 3
    assert "RedrivenWaiting" not in output.metrics


def test_events_wait_in_new_messages_until_the_cause_is_fixed(world: World, output: Output) -> None:
    park(world, visits(3))
    world.tiktok.settings.tokens.clear()
    redrive = world.start_redrive()

    for _ in range(5):
        assert world.redrive(redrive) == []

    assert world.delays() == [60, 180, 420, 900, 900]
    assert world.parked_ids() == ["m-0", "m-1", "m-2"]
    assert output.metrics["RedrivenWaiting"] == 15
    assert output.metrics["ParkedEvents"] == 15
    assert world.tiktok.event_ids == set()


def test_the_age_of_the_oldest_parked_event_is_reported(world: World, output: Output) -> None:
    park(world, visits(2))
    world.tiktok.settings.tokens.clear()

    def parked_earlier(message: Any) -> Any:
        content = json.loads(message["Body"])
        content["events"][1]["parked_at"] -= 36 * HOUR
        return message | {"Body": json.dumps(content)}

    world.redrive(world.start_redrive(), change=parked_earlier)

    assert output.metrics["OldestParkedHours"] == pytest.approx(36, abs=0.1)


def test_events_of_several_routes_are_sent_apart(world: World) -> None:
    park(world, visit("good"))
    park(world, visit("waiting"), TEST_EVENT_CODE="TEST1")
    world.tiktok.always(faults.answer(40001), when=lambda one: b'"TEST1"' in one.body)

    assert world.redrive(world.start_redrive(TEST_EVENT_CODE="TEST1")) == []

    assert world.tiktok.event_ids == {"good"}
    assert world.parked_ids() == ["waiting"]


def test_a_pixel_that_no_mapping_lists_any_more_is_still_read(world: World) -> None:
    park(world, visit("m"))
    world.put(**{"pixels/outlet/pixel-code": PIXEL_CODE})
    world.put(**{"pixels/outlet/access-token": ACCESS_TOKEN})

    def of_outlet(message: Any) -> Any:
        return message | {"Body": json.dumps(json.loads(message["Body"]) | {"pixel": "outlet"})}

    assert world.redrive(world.start_redrive(), change=of_outlet) == []
    assert world.tiktok.event_ids == {"m"}


def test_if_tiktok_accepts_a_part_of_a_message_the_rest_is_parked_again(world: World) -> None:
    """The whole message would count twice after the 48 hours in which TikTok deduplicates."""
    park(world, visits(8))
    world.tiktok.always(faults.answer(40002), when=lambda one: one.body.count(b'"event_id"') > 2)
    # TikTok accepts all chunks but one, for which the token fails.
    world.tiktok.always(faults.answer(40001), when=lambda one: b'"m-5"' in one.body)
    redrive = world.start_redrive()

    assert world.redrive(redrive) == []

    waiting = world.parked_ids()
    assert "m-5" in waiting
    # Its neighbor in a chunk waits with it, unless it is the event that is risked first.
    assert len(waiting) <= 2
    assert world.tiktok.event_ids == {f"m-{one}" for one in range(8)} - set(waiting)

    world.tiktok.clear_faults()
    assert world.redrive(redrive) == []
    assert world.parked_ids() == []
    assert len(world.tiktok.accepted) == 8


@pytest.mark.parametrize("fault", [throttled(), broken(), faults.reset()])
def test_if_the_rest_cannot_be_parked_the_message_is_kept(
    world: World, fault: faults.Fault
) -> None:
    park(world, visits(8))
    world.tiktok.next(faults.answer(40002))
    world.tiktok.always(faults.answer(40001), when=lambda one: b'"m-5"' in one.body)
    world.proxy.faults.always(fault, when=lambda one: b"event_id" in one.body)

    assert len(world.redrive(world.start_redrive())) == 1

    assert world.parked_ids() == [f"m-{one}" for one in range(8)]


STORES_NOTHING: Final[dict[str, faults.Fault]] = {
    "denied": denied(),
    "throttled": throttled(),
    "no response": faults.hang(1.2),
    "no response although it stores": faults.hang(1.2, accept=True),
}


@pytest.mark.parametrize("fault", STORES_NOTHING.values(), ids=STORES_NOTHING)
def test_while_sqs_confirms_no_message_nothing_is_sent(
    world: World, output: Output, fault: faults.Fault
) -> None:
    park(world, visits(3))
    world.proxy.always(fault, operation="SendMessage")
    redrive = world.start_redrive()

    assert len(world.redrive(redrive)) == 1

    assert world.tiktok.requests == []
    assert world.parked_ids() == ["m-0", "m-1", "m-2"]
    assert output.metrics["ParkedEvents"] == 3
    assert [line["level"] for line in output.logs].count("ERROR") == 1
    world.proxy.clear()
    assert world.redrive(redrive) == []
    assert world.tiktok.event_ids == {"m-0", "m-1", "m-2"}


def test_events_that_tiktok_refuses_for_their_content_wait_apart_from_the_others(
    world: World, output: Output
) -> None:
    park(world, visits(20))
    world.tiktok.settings.poisoned = {"m-3", "m-4"}

    assert world.redrive(world.start_redrive()) == []

    assert sorted(world.parked_ids()) == ["m-3", "m-4"]
    assert world.delays() == [900]
    assert world.tiktok.event_ids == {f"m-{one}" for one in range(20)} - {"m-3", "m-4"}
    assert (output.metrics["RedrivenForwarded"], output.metrics["RedrivenWaiting"]) == (18, 2)


# The requests that a pass over three events makes: one event first, the others if TikTok responded.
TRANSIENT: Final[dict[str, tuple[faults.Fault, list[int]]]] = {
    "not JSON": (faults.not_json(), [1]),
    "HTTP 502": (faults.http(502), [1, 2]),
    "reset": (faults.reset(), [1]),
    "throttled": (faults.answer(40100), [1]),
}


@pytest.mark.parametrize(("fault", "sent"), TRANSIENT.values(), ids=TRANSIENT)
def test_after_a_transient_failure_events_wait(
    world: World, fault: faults.Fault, sent: list[int]
) -> None:
    park(world, visits(3))
    world.tiktok.always(fault)

    assert world.redrive(world.start_redrive()) == []

    assert sorted(world.parked_ids()) == ["m-0", "m-1", "m-2"]
    assert [len(request.events) for request in world.tiktok.requests] == sent


def test_events_older_than_28_days_are_rejected(world: World, output: Output) -> None:
    park(world, visits(3))

    kept = world.redrive(world.start_redrive(), change=older(28 * DAY + 60, "m-1"))

    assert kept == []
    assert world.tiktok.event_ids == {"m-0", "m-2"}
    assert output.metrics["RedrivenRejected"] == 1
    assert "event_time_too_old" in output.text


@pytest.mark.parametrize(
    ("existing_pixel", "age", "is_sent"),
    [
        ("true", 46 * HOUR, True),
        ("true", 48 * HOUR, False),
        ("false", 48 * HOUR, True),
        ("false", 13 * DAY, True),
    ],
)
def test_with_an_existing_pixel_events_are_not_sent_after_47_hours(
    world: World, output: Output, existing_pixel: str, age: int, *, is_sent: bool
) -> None:
    """TikTok has the browser's copy and would count both."""
    event = visit("m", properties={"event_id": "shared-1"})
    park(world, event, USE_EXISTING_PIXEL=existing_pixel)
    redrive = world.start_redrive(USE_EXISTING_PIXEL=existing_pixel)

    assert world.redrive(redrive, change=older(age)) == []

    assert bool(world.tiktok.event_ids) is is_sent
    expected = "RedrivenForwarded" if is_sent else "RedrivenRejected"
    assert output.metrics[expected] == 1
    assert ("deduplication_window_passed" in output.text) is not is_sent


NO_TIME: Final = (
    '{"version": 1, "pixel": null, "event_source": "web", "test_event_code": null,'
    ' "events": [{"message_id": "m", "parked_at": 1, "body": {"event": "jane@example.com"}}]}'
)
UNUSABLE: Final[dict[str, str]] = {
    "not JSON": "jane@example.com",
    "another version": '{"version": 99}',
    "no event_time": NO_TIME,
}


@pytest.mark.parametrize("body", UNUSABLE.values(), ids=UNUSABLE)
def test_an_unreadable_message_is_sent_again_unchanged_and_reported(
    world: World, output: Output, body: str
) -> None:
    world.aws.sqs.send_message(QueueUrl=world.queue_url, MessageBody=body)

    assert world.redrive(world.start_redrive()) == []

    assert body in [message["Body"] for message in world.receive()]
    assert world.delays() == [900]
    assert [line["level"] for line in output.logs].count("ERROR") == 1
    assert output.metrics["UnreadableMessages"] == 1
    assert "jane" not in output.text


def test_events_of_version_0_1_0_with_a_refused_test_event_code_are_sent_as_real(
    world: World,
) -> None:
    """As docs/runbook.md describes: the code stays until TikTok has refused it once more."""
    park(world, visit("m"))
    (message,) = world.parked_messages()
    (row,) = message["events"]
    first_version = {"version": 1, "pixel": None, "event_source": "web", "test_event_code": "WRONG"}

    def written_by_0_1_0(message: Any) -> Any:
        return message | {"Body": json.dumps({**first_version, "events": [row]})}

    refusal = faults.answer(40002, "Invalid value for test_event_code.")
    world.tiktok.always(refusal, when=lambda one: b'"WRONG"' in one.body)
    before = world.start_redrive(TEST_EVENT_CODE="WRONG")
    assert world.redrive(before, change=written_by_0_1_0) == []
    assert world.parked_messages()[0]["reason"] == "tiktok_test_event_code_refused"

    assert world.redrive(world.start_redrive()) == []

    (event,) = world.tiktok.accepted
    assert event.event["event_id"] == "m"
    assert event.test_event_code is None


def test_without_credentials_events_wait(world: World) -> None:
    park(world, visit("m"))
    world.aws.delete_parameters(ACCESS_TOKEN_NAME)

    assert world.redrive(world.start_redrive()) == []
    assert world.parked_ids() == ["m"]
    assert world.tiktok.requests == []


def test_the_redrive_function_reads_no_webhook_secret(world: World) -> None:
    """Its role must not read it."""
    park(world, visit("m"))
    secrets = (b"webhook-secret", b"bearer-token")
    world.proxy.faults.always(denied(), when=lambda one: any(name in one.body for name in secrets))

    assert world.redrive(world.start_redrive()) == []
    assert world.tiktok.event_ids == {"m"}


def test_shortly_before_lambdas_time_out_events_wait_untried(world: World) -> None:
    park(world, visits(2))

    assert world.redrive(world.start_redrive(), seconds=30.0) == []

    assert world.parked_ids() == ["m-0", "m-1"]
    assert world.tiktok.requests == []


def test_an_internal_error_keeps_every_message(
    world: World, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    park(world, visits(2))

    def fail(*_: object) -> None:
        raise RuntimeError("jane@example.com")

    monkeypatch.setattr(redriving, "redrive", fail)

    assert len(world.redrive(world.start_redrive())) == 1
    assert output.metrics["InternalError"] == 1
    assert "jane" not in output.text


@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_without_its_queue_the_redrive_function_keeps_every_message(world: World) -> None:
    park(world, visit("m"))

    assert len(world.redrive(world.start_redrive(PARKED_QUEUE_URL=""))) == 1
    assert world.tiktok.requests == []
