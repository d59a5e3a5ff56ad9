"""Parked events are sent until TikTok takes them or says no for good; then the queue is empty."""

from __future__ import annotations

import json
import time
from typing import Any, Final

import pytest

from tests.delivery.world import ACCESS_TOKEN_NAME, Output, World, _queue, visit, visits
from tiktok_pixel.tiktok import delivery
from tools.sandbox import faults
from tools.sandbox.application import Context
from tools.sandbox.aws import broken, throttled
from tools.sandbox.tiktok import ACCESS_TOKEN

DAY: Final = 86_400


def park(world: World, events: Any, *, shares_ids: bool = False) -> None:
    """Let TikTok refuse the token while the events come, then mend it."""
    world.tiktok.settings.tokens.clear()
    application = world.start(USE_EXISTING_PIXEL=str(shares_ids).lower())
    assert application.send(events).status == 202
    world.tiktok.settings.tokens.add(ACCESS_TOKEN)
    world.tiktok.forget()


def make_older(seconds: float, *message_ids: str) -> None:
    """Let events in the queue be so much older."""
    for message in _queue()._messages:
        content = json.loads(message.body)
        for row in content["events"]:
            if not message_ids or row["message_id"] in message_ids:
                row["body"]["event_time"] -= int(seconds)
        message.body = json.dumps(content)


def invisible_seconds() -> list[float]:
    """For how long each message in the queue stays out of sight."""
    return [message.visible_at / 1000 - time.time() for message in _queue()._messages]


def test_what_was_parked_is_delivered_as_it_was(world: World, output: Output) -> None:
    park(world, visits(3))
    parked = [row["body"] for one in world.parked_messages() for row in one["events"]]

    assert world.redrive(world.start_redrive()) == set()

    assert world.parked_messages() == []
    (request,) = world.tiktok.requests
    assert request.events == parked
    assert request.event_ids == ["m-0", "m-1", "m-2"], "the ids that deduplicate stay"
    assert output.metrics["RedrivenForwarded"] == 3
    assert "RedrivenWaiting" not in output.metrics


def test_nothing_is_sent_while_the_mistake_is_not_mended(world: World, output: Output) -> None:
    park(world, visits(3))
    world.tiktok.settings.tokens.clear()
    redrive = world.start_redrive()

    for _ in range(3):
        assert len(world.redrive(redrive)) == 1

    assert world.parked_ids() == ["m-0", "m-1", "m-2"]
    assert output.metrics["RedrivenWaiting"] == 9
    assert world.tiktok.event_ids == set()


@pytest.mark.parametrize(
    ("tries", "seconds"), [(1, 60), (2, 120), (3, 240), (6, 1920), (7, 3600), (400, 3600)]
)
def test_the_waits_grow_to_an_hour(world: World, tries: int, seconds: int) -> None:
    """Fourteen days of hours are some 340 receives; SQS allows a thousand."""
    park(world, visit("m"))
    world.tiktok.settings.tokens.clear()
    (message,) = world.receive()
    message["Attributes"]["ApproximateReceiveCount"] = str(tries)

    assert world.start_redrive().work_off([message]) == {message["MessageId"]}

    assert invisible_seconds() == [pytest.approx(seconds, abs=5)]


def test_a_message_is_worked_off_by_itself(world: World) -> None:
    """The answer names the messages to keep, and no other."""
    park(world, visit("good"))
    park(world, visit("crm", type="page"))
    crm = _queue()._messages[1]
    crm.body = crm.body.replace('"event_source": "web"', '"event_source": "offline"')
    world.tiktok.always(faults.answer(40001), when=lambda one: b'"offline"' in one.body)

    kept = world.redrive(world.start_redrive())

    assert kept == {crm.id}
    assert world.tiktok.event_ids == {"good"}
    assert world.parked_ids() == ["crm"]


def test_of_a_message_taken_in_part_the_rest_is_parked_anew(world: World) -> None:
    """The whole again would count twice after TikTok's 48 hours."""
    park(world, visits(8))
    world.tiktok.next(faults.answer(40002))
    # Of the quarters that follow TikTok takes all but one, for which the token fails.
    world.tiktok.always(faults.answer(40001), when=lambda one: b'"m-5"' in one.body)
    redrive = world.start_redrive()

    assert world.redrive(redrive) == set(), "the message is done with"

    waiting = world.parked_ids()
    assert "m-5" in waiting
    assert len(waiting) == 2
    assert world.tiktok.event_ids == {f"m-{one}" for one in range(8)} - set(waiting)
    world.tiktok.clear_faults()
    assert world.redrive(redrive) == set()
    assert world.parked_ids() == []
    assert len(world.tiktok.accepted) == 8


@pytest.mark.parametrize("fault", [throttled(), broken(), faults.reset()])
def test_if_the_rest_cannot_be_parked_the_message_stays(world: World, fault: faults.Fault) -> None:
    park(world, visits(8))
    world.tiktok.next(faults.answer(40002))
    world.tiktok.always(faults.answer(40001), when=lambda one: b'"m-5"' in one.body)
    world.proxy.always(fault, operation="SendMessage")

    assert len(world.redrive(world.start_redrive())) == 1

    assert world.parked_ids() == [f"m-{one}" for one in range(8)]


def test_what_tiktok_refuses_for_its_content_is_done_with(world: World, output: Output) -> None:
    park(world, visits(20))
    world.tiktok.settings.poisoned = {"m-3", "m-4"}

    assert world.redrive(world.start_redrive()) == set()

    assert world.parked_ids() == []
    assert world.tiktok.event_ids == {f"m-{one}" for one in range(20)} - {"m-3", "m-4"}
    assert (output.metrics["RedrivenForwarded"], output.metrics["RedrivenRejected"]) == (18, 2)


TRANSIENT: Final[dict[str, faults.Fault]] = {
    "no JSON": faults.not_json(),
    "HTML": faults.http(502),
    "reset": faults.reset(),
    "throttled": faults.answer(40100),
}


@pytest.mark.parametrize("fault", TRANSIENT.values(), ids=TRANSIENT)
def test_a_transient_failure_keeps_the_message(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: faults.Fault
) -> None:
    monkeypatch.setattr(delivery, "_BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr(delivery, "_THROTTLED_SECONDS", 0.01)
    park(world, visit("m"))
    world.tiktok.always(fault)

    assert len(world.redrive(world.start_redrive())) == 1
    assert world.parked_ids() == ["m"]


def test_what_is_older_than_28_days_can_no_longer_be_matched(world: World, output: Output) -> None:
    park(world, visits(3))
    make_older(28 * DAY + 60, "m-1")

    assert world.redrive(world.start_redrive()) == set()

    assert world.tiktok.event_ids == {"m-0", "m-2"}
    assert output.metrics["RedrivenRejected"] == 1
    assert "event_time_too_old" in output.text


@pytest.mark.parametrize(
    ("shared", "age", "is_sent"),
    [
        ("true", 47 * 3600, True),
        ("true", 49 * 3600, False),
        ("false", 49 * 3600, True),
        ("false", 13 * DAY, True),
    ],
)
def test_with_the_sites_own_pixel_copies_stop_after_48_hours(
    world: World, output: Output, shared: str, age: int, *, is_sent: bool
) -> None:
    """Later ones would count twice: TikTok has had the browser's since."""
    event = visit("m", properties={"event_id": "shared-1"})
    park(world, event, shares_ids=shared == "true")
    make_older(age)

    assert world.redrive(world.start_redrive(USE_EXISTING_PIXEL=shared)) == set()

    assert world.parked_messages() == []
    assert bool(world.tiktok.event_ids) is is_sent
    expected = "RedrivenForwarded" if is_sent else "RedrivenRejected"
    assert output.metrics[expected] == 1
    assert ("deduplication_window_passed" in output.text) is not is_sent


UNUSABLE: Final[dict[str, str]] = {
    "no JSON": "jane@example.com",
    "another version": '{"version": 99}',
    "no event_time": (
        '{"version": 1, "pixel": null, "event_source": "web", "test_event_code": null,'
        ' "events": [{"message_id": "m", "parked_at": 1, "body": {"event": "jane@example.com"}}]}'
    ),
}


@pytest.mark.parametrize("body", UNUSABLE.values(), ids=UNUSABLE)
def test_a_message_that_cannot_be_used_is_kept_and_told(
    world: World, output: Output, body: str
) -> None:
    world.aws.sqs.send_message(QueueUrl=world.queue_url, MessageBody=body)

    assert len(world.redrive(world.start_redrive())) == 1

    assert [one.body for one in _queue()._messages] == [body]
    assert invisible_seconds() == [pytest.approx(60, abs=5)]
    assert [line["level"] for line in output.logs].count("ERROR") == 1
    assert output.metrics.keys() & {"UnreadableMessages", "InternalError"}
    assert "jane" not in output.text


def test_without_credentials_the_events_wait(world: World) -> None:
    park(world, visit("m"))
    world.aws.delete_parameters(ACCESS_TOKEN_NAME)

    assert len(world.redrive(world.start_redrive())) == 1
    assert world.tiktok.requests == []


def test_the_redrive_function_reads_no_webhook_secret(world: World) -> None:
    """Its role may not."""
    redrive = world.start_redrive()

    names = redrive.module._destination.credentials.parameters._names

    assert [name.rpartition("/")[2] for name in names] == ["pixel-code", "access-token"]


def test_if_the_wait_cannot_be_set_the_queues_own_holds(world: World) -> None:
    park(world, visit("m"))
    world.tiktok.settings.tokens.clear()
    world.proxy.always(throttled(), operation="ChangeMessageVisibility")

    assert len(world.redrive(world.start_redrive())) == 1
    assert invisible_seconds() == [pytest.approx(720, abs=5)]


def test_at_the_end_of_lambdas_time_messages_are_kept_untried(world: World) -> None:
    park(world, visits(2))
    messages = world.receive()

    kept = world.start_redrive().work_off(messages, Context(5.0, function_name="redrive"))

    assert kept == {message["MessageId"] for message in messages}
    assert world.tiktok.requests == []


@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_without_its_queue_nothing_is_done(world: World) -> None:
    park(world, visit("m"))

    assert len(world.redrive(world.start_redrive(PARKED_QUEUE_URL=""))) == 1
    assert world.tiktok.requests == []
