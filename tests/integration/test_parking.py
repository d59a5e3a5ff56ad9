"""Parked events are in SQS as TikTok will get them: packed, hashed, and by pixel name."""

from __future__ import annotations

import json

import pytest

from tests.integration.harness import (
    PIXEL_CODE_NAME,
    SENDS,
    Forward,
    Output,
    World,
    visit,
    visits,
)
from tools.sandbox import faults
from tools.sandbox.application import PARKED_QUEUE
from tools.sandbox.tiktok import ACCESS_TOKEN, PIXEL_CODE


def test_the_queue_holds_what_tiktok_will_get(world: World, application: Forward) -> None:
    world.tiktok.settings.pixels.clear()
    jane = visit(
        "m-1",
        context={
            "page": {"url": "https://shop.example/"},
            "traits": {"email": "Jane@Example.com", "phone": "+12065550100"},
        },
    )

    answer = application.send(jane)

    assert (answer.status, answer.end) == (202, ("parked", "tiktok_permission_denied"))
    (message,) = world.parked_messages()
    (row,) = message["events"]
    assert row["message_id"] == "m-1"
    assert [row["body"]] == world.tiktok.requests[-1].events
    text = json.dumps(message).lower()
    for secret in ("jane", "2065550100", "user-1", ACCESS_TOKEN, PIXEL_CODE.lower()):
        assert secret not in text


def test_only_events_that_wait_are_parked(world: World, application: Forward) -> None:
    world.tiktok.always(faults.answer(40001))
    events = [visit("sent"), visit("anonymous", userId=None), visit("other", type="identify")]

    answer = application.send(events)

    assert answer.status == 202
    assert world.parked_ids() == ["sent"]


def test_a_thousand_events_take_a_few_messages(world: World, application: Forward) -> None:
    world.tiktok.settings.tokens.clear()

    answer = application.send(visits(1000))

    assert answer.end == ("parked", "tiktok_token_invalid")
    assert world.proxy.calls[SENDS] <= 3


def test_an_event_as_large_as_a_request_is_parked_and_delivered(
    world: World, application: Forward
) -> None:
    world.tiktok.settings.tokens.clear()
    properties = {"description": "x" * 900_000}
    event = visit("large", type="track", event="Order Completed", properties=properties)

    assert application.send(event).end == ("parked", "tiktok_token_invalid")
    world.tiktok.settings.tokens.add(ACCESS_TOKEN)
    assert world.redrive(world.start_redrive()) == []

    assert world.tiktok.event_ids == {"large"}


@pytest.mark.parametrize("by", ["its logical name", "its URL", "its URL in AWS"])
def test_the_queue_is_found(world: World, by: str) -> None:
    """`sam local` passes the logical name, CloudFormation the URL."""
    urls = {
        "its logical name": PARKED_QUEUE,
        "its URL": world.queue_url,
        "its URL in AWS": f"https://sqs.us-east-1.amazonaws.com/123456789012/{PARKED_QUEUE}",
    }
    world.aws.delete_parameters(PIXEL_CODE_NAME)

    answer = world.start(PARKED_QUEUE_URL=urls[by]).send(visit("m"))

    assert answer.end == ("parked", "credentials_missing")
    assert world.parked_ids() == ["m"]


def test_parked_events_are_counted_and_logged(
    world: World, application: Forward, output: Output
) -> None:
    world.tiktok.settings.tokens.clear()

    application.send(visits(3))

    metrics = output.metrics
    assert metrics["EventsReceived"] == metrics["EventsParked"] == 3
    assert metrics["EventsParked[operator]"] == 3
    rows = [line for line in output.logs if line["message"] == "event"]
    assert [(row["message_id"], row["status"]) for row in rows] == [
        (f"m-{number}", "parked") for number in range(3)
    ]
