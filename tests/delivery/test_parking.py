"""Parked events lie in SQS as TikTok will get them: packed, hashed, and by pixel name."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from tests.delivery.world import PIXEL_CODE_NAME, SENDS, Output, World, visit, visits
from tiktok_pixel.aws.queue import UnreadableMessageError, _messages, read_message
from tiktok_pixel.tiktok.events import OutgoingEvent, Route
from tools.sandbox import faults
from tools.sandbox.tiktok import ACCESS_TOKEN, PIXEL_CODE

LARGEST: Final = 262_144
WEB: Final = Route(None, "web", None)


def event(number: int, route: Route = WEB, size: int = 300) -> OutgoingEvent:
    body = {"event": "ViewContent", "event_id": f"m-{number}", "x": "x" * size}
    text = json.dumps(body, separators=(",", ":"))
    return OutgoingEvent(route, f"m-{number}", "ViewContent", text, 1_767_225_600.25)


PACKINGS: Final[dict[str, tuple[list[OutgoingEvent], int]]] = {
    "one": ([event(0)], 1),
    "what fits": ([event(number) for number in range(500)], 1),
    "what does not": ([event(number) for number in range(1000)], 2),
    "large ones": ([event(number, size=100_000) for number in range(5)], 3),
    "one that fills a message": ([event(0, size=239_500), event(1, size=600)], 2),
    "two pixels": ([event(0), event(1, Route("eu", "web", None)), event(2)], 2),
    "three sources": (
        [
            event(number, Route(None, source, None))
            for number, source in enumerate(("web", "crm", "offline"))
        ],
        3,
    ),
    "a test code": ([event(0), event(1, Route(None, "web", "TEST1"))], 2),
}


@pytest.mark.parametrize(("events", "count"), PACKINGS.values(), ids=PACKINGS)
def test_events_of_a_route_share_messages(events: list[OutgoingEvent], count: int) -> None:
    messages = list(_messages(events, 0.0))

    assert len(messages) == count
    assert all(len(text.encode()) <= LARGEST for _, text in messages)
    assert sorted(index for indexes, _ in messages for index in indexes) == list(range(len(events)))
    for indexes, text in messages:
        assert read_message(text) == [events[index] for index in indexes]


UNREADABLE: Final[dict[str, str]] = {
    "empty": "",
    "no JSON": "{",
    "a list": "[]",
    "a number": "7",
    "another version": '{"version": 2, "events": []}',
    "no route": '{"version": 1, "events": []}',
    "no events": '{"version": 1, "pixel": null, "event_source": "web", "test_event_code": null}',
    "no body": '{"version": 1, "pixel": null, "event_source": "web", "test_event_code": null,'
    ' "events": [{"message_id": "m", "parked_at": 1}]}',
    "no moment": '{"version": 1, "pixel": null, "event_source": "web", "test_event_code": null,'
    ' "events": [{"message_id": "m", "parked_at": "x", "body": {"event": "E"}}]}',
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_what_this_program_did_not_write_is_told_apart(text: str) -> None:
    with pytest.raises(UnreadableMessageError):
        read_message(text)


def test_the_queue_holds_what_tiktok_will_get(world: World) -> None:
    world.tiktok.settings.pixels.clear()
    jane = visit(
        "m-1",
        context={
            "page": {"url": "https://shop.example/"},
            "traits": {"email": "Jane@Example.com", "phone": "+12065550100"},
        },
    )

    sent = world.send(world.start(), jane)

    assert (sent.status, sent.end) == (202, ("parked", "tiktok_permission_denied"))
    (message,) = world.parked_messages()
    (row,) = message["events"]
    assert row["message_id"] == "m-1"
    assert [row["body"]] == world.tiktok.requests[-1].events
    text = json.dumps(message).lower()
    for secret in ("jane", "2065550100", "user-1", ACCESS_TOKEN, PIXEL_CODE.lower()):
        assert secret not in text


def test_only_what_waits_is_parked(world: World) -> None:
    world.tiktok.always(faults.answer(40001))
    events = [visit("sent"), visit("nobody", userId=None), visit("other", type="identify")]

    sent = world.send(world.start(), events)

    assert sent.status == 202
    assert world.parked_ids() == ["sent"]


def test_a_thousand_events_take_a_few_messages(world: World) -> None:
    world.tiktok.settings.tokens.clear()

    sent = world.send(world.start(), visits(1000))

    assert sent.end == ("parked", "tiktok_token_invalid")
    assert world.proxy.calls[SENDS] <= 3


@pytest.mark.parametrize("by", ["its logical name", "its URL", "its URL in AWS"])
def test_the_queue_is_found(world: World, by: str) -> None:
    """`sam local` gives the function the logical name, CloudFormation the URL."""
    urls = {
        "its logical name": "ParkedEventsQueue",
        "its URL": world.queue_url,
        "its URL in AWS": "https://sqs.us-east-1.amazonaws.com/123456789012/ParkedEventsQueue",
    }
    world.aws.delete_parameters(PIXEL_CODE_NAME)

    sent = world.send(world.start(PARKED_QUEUE_URL=urls[by]), visit("m"))

    assert sent.end == ("parked", "credentials_missing")
    assert world.parked_ids() == ["m"]


def test_parking_is_counted_and_logged(world: World, output: Output) -> None:
    world.tiktok.settings.tokens.clear()

    world.send(world.start(), visits(3))

    assert output.metrics["EventsReceived"] == output.metrics["EventsParked"] == 3
    rows: list[dict[str, Any]] = next(line["rows"] for line in output.logs if "rows" in line)
    assert [(row["message_id"], row["status"]) for row in rows] == [
        (f"m-{number}", "parked") for number in range(3)
    ]


def test_transient_failures_are_never_parked(world: World) -> None:
    world.tiktok.always(faults.http(503))

    sent = world.send(world.start(), visits(2))

    assert (sent.status, world.proxy.calls[SENDS]) == (503, 0)
