"""What an operator's mistake held up is delivered once it is mended."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.conftest import Output
from tools.sandbox.application import (
    PARKED_QUEUE,
    ForwardApplication,
    RedriveApplication,
    environment,
    forward_application,
    redrive_application,
)
from tools.sandbox.aws import AwsSandbox
from tools.sandbox.samples import visits
from tools.sandbox.tiktok import ACCESS_TOKEN, PIXEL_CODE, TikTokSandbox

HOUR = 3600
REVOKED = {"tiktok_token_invalid"}


class House:
    """Both functions, and the queue between them under its logical name, as `sam local` has it."""

    def __init__(
        self, forward: ForwardApplication, redrive: RedriveApplication, aws: AwsSandbox
    ) -> None:
        self.forward = forward
        self.redrive = redrive
        self._aws = aws
        self._url = aws.sqs.get_queue_url(QueueName=PARKED_QUEUE)["QueueUrl"]

    def receive(self) -> list[Any]:
        """The messages that are visible."""
        return self._aws.sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        ).get("Messages", [])

    def delete(self, messages: list[Any]) -> None:
        """What Lambda does with messages that are done with."""
        for message in messages:
            self._aws.sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])

    def work_off(self) -> set[str]:
        """One turn of the redrive function; the messages that it keeps."""
        messages = self.receive()
        kept = self.redrive.work_off(messages)
        self.delete([one for one in messages if one["MessageId"] not in kept])
        return kept

    def waiting(self) -> int:
        """Messages in the queue, visible or not."""
        names: Any = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
        ]
        found = self._aws.sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)
        return sum(int(count) for count in found["Attributes"].values())


@contextmanager
def a_house(tiktok: TikTokSandbox, aws: AwsSandbox, **more: str) -> Iterator[House]:
    aws.create_queue(PARKED_QUEUE)
    variables = environment(tiktok.url, aws.url, PARKED_QUEUE_URL=PARKED_QUEUE, **more)
    with ExitStack() as stack:
        forward = stack.enter_context(forward_application(variables))
        redrive = stack.enter_context(redrive_application(variables))
        yield House(forward, redrive, aws)


@pytest.fixture
def house(tiktok: TikTokSandbox, aws: AwsSandbox) -> Iterator[House]:
    with a_house(tiktok, aws) as built:
        yield built


def test_a_revoked_token_parks_and_a_mended_one_delivers(
    house: House, tiktok: TikTokSandbox
) -> None:
    tiktok.settings.tokens.clear()
    answer = house.forward.send(visits(3))
    assert (answer.status, answer.body["parked"]) == (202, 3)
    assert {row["reason"] for row in answer.body["results"]} == REVOKED

    tiktok.settings.tokens.add(ACCESS_TOKEN)
    assert house.work_off() == set()

    assert tiktok.event_ids == {"m-0", "m-1", "m-2"}
    assert house.waiting() == 0


def test_a_message_stays_while_the_mistake_does(house: House, tiktok: TikTokSandbox) -> None:
    tiktok.settings.tokens.clear()
    house.forward.send(visits(1))
    assert len(house.work_off()) == 1
    # It is out of sight for a minute, not gone.
    assert house.receive() == []
    assert house.waiting() == 1


def test_a_thousand_bad_events_are_redriven_to_their_end(
    house: House, tiktok: TikTokSandbox
) -> None:
    """All but one are refused for their content: too many to search while Segment waits."""
    tiktok.settings.poisoned.update(f"m-{number}" for number in range(1000) if number != 500)
    answer = house.forward.send(visits(1000))
    assert answer.body["parked"] + answer.body["forwarded"] == 1000
    assert len(tiktok.requests) < 20

    while house.waiting():
        assert house.work_off() == set()

    assert tiktok.event_ids == {"m-500"}


def test_a_removed_pixel_parks(house: House, tiktok: TikTokSandbox) -> None:
    tiktok.settings.pixels.discard(PIXEL_CODE)
    answer = house.forward.send(visits(1))
    assert (answer.status, answer.row["reason"]) == (202, "tiktok_permission_denied")


def test_of_a_message_that_tiktok_takes_in_part_the_bad_event_ends_alone(
    house: House, tiktok: TikTokSandbox
) -> None:
    tiktok.settings.tokens.clear()
    house.forward.send(visits(2))
    tiktok.settings.tokens.add(ACCESS_TOKEN)
    tiktok.settings.poisoned.add("m-1")
    (message,) = house.receive()
    assert house.redrive.work_off([message]) == set()
    assert tiktok.event_ids == {"m-0"}


def test_an_unreadable_message_is_kept_and_counted(
    output: Output, house: House, aws: AwsSandbox
) -> None:
    url = aws.sqs.get_queue_url(QueueName=PARKED_QUEUE)["QueueUrl"]
    aws.sqs.send_message(QueueUrl=url, MessageBody='{"version": 99}')
    assert len(house.work_off()) == 1
    assert output.metrics["UnreadableMessages"] == 1


def aged(message: Any, seconds: float) -> Any:
    """The same message with events of the past."""
    body = json.loads(message["Body"])
    for row in body["events"]:
        row["body"]["event_time"] = int(time.time() - seconds)
    return message | {"Body": json.dumps(body)}


@pytest.mark.parametrize(
    ("use_existing_pixel", "hours", "delivered"),
    [("true", 47, True), ("true", 49, False), ("false", 49, True), ("false", 28 * 24 + 1, False)],
)
def test_events_stop_when_they_would_count_twice_or_for_nothing(
    tiktok: TikTokSandbox,
    aws: AwsSandbox,
    output: Output,
    use_existing_pixel: str,
    hours: int,
    delivered: bool,
) -> None:
    events = [event | {"properties": {"event_id": "shared"}} for event in visits(1)]
    with a_house(tiktok, aws, USE_EXISTING_PIXEL=use_existing_pixel) as house:
        tiktok.settings.tokens.clear()
        house.forward.send(events)
        tiktok.settings.tokens.add(ACCESS_TOKEN)
        (message,) = house.receive()
        assert house.redrive.work_off([aged(message, hours * HOUR)]) == set()
    assert bool(tiktok.event_ids) is delivered
    expected = "RedrivenForwarded" if delivered else "RedrivenRejected"
    assert output.metrics[expected] == 1


def test_without_a_queue_segment_keeps_the_events(tiktok: TikTokSandbox, aws: AwsSandbox) -> None:
    tiktok.settings.tokens.clear()
    variables = environment(tiktok.url, aws.url)
    with forward_application(variables) as forward:
        assert forward.module._destination.queue is None
        answer = forward.send(visits(1))
    assert (answer.status, answer.row["reason"]) == (503, "parking_failed")


def test_a_rotated_token_works_without_a_deployment(
    house: House, tiktok: TikTokSandbox, aws: AwsSandbox
) -> None:
    house.forward.send(visits(1))
    tiktok.settings.tokens.clear()
    tiktok.settings.tokens.add("rotated")
    aws.put_parameters({"/tiktok-pixel/dev/access-token": ("SecureString", "rotated")})
    answer = house.forward.send([event | {"messageId": "after"} for event in visits(1)])
    assert answer.row["status"] == "forwarded"


def test_one_bad_event_of_a_thousand_is_isolated_in_time_at_300_ms(
    house: House, tiktok: TikTokSandbox
) -> None:
    tiktok.settings.poisoned.add("m-777")
    tiktok.settings.latency = 0.3
    started = time.monotonic()
    answer = house.forward.send(visits(1000))
    seconds = time.monotonic() - started
    assert (answer.body["forwarded"], answer.body["rejected"]) == (999, 1)
    # One request, then ten halvings of two halves each.
    assert len(tiktok.requests) <= 21
    assert seconds < 4.0


def test_seven_bad_events_of_a_thousand_leave_the_others_alone(
    house: House, tiktok: TikTokSandbox
) -> None:
    bad = {f"m-{number}" for number in (3, 4, 250, 251, 600, 800, 999)}
    tiktok.settings.poisoned |= bad
    answer = house.forward.send(visits(1000))
    assert (answer.body["forwarded"], answer.body["rejected"]) == (993, 7)
    assert {row["message_id"] for row in answer.body["results"] if row["status"] == "rejected"} == (
        bad
    )


def test_the_time_of_a_budget_is_kept_when_tiktok_hangs(
    house: House, tiktok: TikTokSandbox
) -> None:
    module = house.forward.module
    settings = replace(module._destination.settings, budget_seconds=1.5)
    module._destination = replace(module._destination, settings=settings)
    tiktok.settings.latency = 5.0
    started = time.monotonic()
    answer = house.forward.send(visits(1))
    assert (answer.status, answer.row["reason"]) == (503, "tiktok_timeout")
    assert time.monotonic() - started < 1.5
