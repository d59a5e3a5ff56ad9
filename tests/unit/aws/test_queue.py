"""Parked events are packed into few messages, and every released format stays readable."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest

from tiktok_pixel.aws.queue import ParkedEventQueue, UnreadableMessageError, read_message
from tiktok_pixel.deadline import Deadline
from tiktok_pixel.outcomes import Cause
from tiktok_pixel.tiktok.outgoing import OutgoingEvent, Parked, Route, Traffic

LARGEST: Final = 262_144
NOW: Final = 1_767_225_600.25
WEB: Final = Route(None, "web")
PARKED: Final = Parked(Cause.OPERATOR, "tiktok_token_invalid", NOW)

# Written by version 0.1.0 (format 1), with personal data replaced.
RELEASED: Final = (
    '{"version": 1, "pixel": "eu", "event_source": "web", "test_event_code": "TEST1", "events": ['
    '{"message_id": "ajs-next-1", "parked_at": 1767225600.25, "body": {"event":"Purchase",'
    '"event_time":1767225590,"event_id":"ajs-next-1","user":{"email":["b4c9a289323b21a01c3e940f150'
    'eb9b8c542587f1abfd8f0e1cc1ffc5e475514"],"ip":"8.8.8.8","user_agent":"M\\u00f6zilla"},'
    '"properties":{"currency":"USD","value":29.9},"page":{"url":"https://shop.example/"}}}, '
    '{"message_id": null, "parked_at": 1767225601, "body": {"event":"Search",'
    '"event_time":1767225591,"event_id":"5","user":{"ttclid":"abc"}}}]}'
)


@dataclass
class Sqs:
    """SQS's ``SendMessage`` in memory."""

    bodies: list[str] = field(default_factory=list)
    delays: list[int] = field(default_factory=list)
    refuses: str = "\0"

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int) -> dict[str, Any]:  # noqa: N803  # AWS's names
        assert QueueUrl == "https://sqs.example/parked"
        if self.refuses in MessageBody:
            raise ConnectionError("unreachable")
        self.bodies.append(MessageBody)
        self.delays.append(DelaySeconds)
        return {"MessageId": str(len(self.bodies))}


def park(sqs: Sqs, events: list[OutgoingEvent], delay: int = 0) -> list[bool]:
    queue = ParkedEventQueue("https://sqs.example/parked", sqs)
    return queue.park(events, Deadline.after(5), delay)


def outgoing(
    number: int, route: Route = WEB, parked: Parked = PARKED, size: int = 300
) -> OutgoingEvent:
    body = {
        "event": "ViewContent",
        "event_time": 1_767_225_590,
        "event_id": f"m-{number:03}",
        "padding": "x" * size,
    }
    text = json.dumps(body, separators=(",", ":"))
    return OutgoingEvent(route, f"m-{number:03}", "ViewContent", text, parked)


def test_a_message_of_the_released_version_is_readable() -> None:
    first, second = read_message(RELEASED)

    assert first.route == second.route == Route("eu", "web", Traffic.SETTING)
    assert (first.message_id, first.name) == ("ajs-next-1", "Purchase")
    assert first.parked == Parked(Cause.OPERATOR, "", NOW)
    assert (second.message_id, second.name) == (None, "Search")
    rows = json.loads(RELEASED)["events"]
    assert [json.loads(event.json) for event in (first, second)] == [row["body"] for row in rows]


@pytest.mark.parametrize(
    "event",
    [
        outgoing(0),
        outgoing(1, Route("eu", "crm", Traffic.MAPPING, "TEST1")),
        outgoing(2, Route(None, "web", Traffic.SETTING)),
        outgoing(3, parked=Parked(Cause.TRANSIENT, "tiktok_timeout", NOW, NOW + 1, tries=3)),
        outgoing(4, parked=Parked(Cause.CONTENT, "tiktok_parameter_invalid", NOW, None, NOW, 2)),
        outgoing(5, parked=Parked(Cause.TRANSIENT, "tiktok_unavailable", NOW, is_alone=True)),
    ],
)
def test_a_parked_event_is_read_as_it_was(event: OutgoingEvent) -> None:
    sqs = Sqs()

    assert park(sqs, [event]) == [True]

    assert read_message(sqs.bodies[0]) == [event]


def test_a_delay_is_passed_to_sqs() -> None:
    sqs = Sqs()

    park(sqs, [outgoing(0)], delay=420)

    assert sqs.delays == [420]


def test_whether_sqs_stores_is_found_out_with_a_message_without_events() -> None:
    sqs = Sqs()
    queue = ParkedEventQueue("https://sqs.example/parked", sqs)

    assert queue.can_store(Deadline.after(5))
    assert [read_message(body) for body in sqs.bodies] == [[]]

    sqs.refuses = ""
    assert not queue.can_store(Deadline.after(5))


def test_what_differs_in_cause_reason_or_tries_does_not_share_a_message() -> None:
    sqs = Sqs()
    states = [
        PARKED,
        replace(PARKED, cause=Cause.CONTENT),
        replace(PARKED, reason="tiktok_timeout"),
        replace(PARKED, tries=1),
        replace(PARKED, is_alone=True),
        replace(PARKED, parked_at=NOW - 60, unanswered_at=NOW, refused_at=NOW),
    ]

    park(sqs, [outgoing(number, parked=state) for number, state in enumerate(states)])

    assert [len(json.loads(text)["events"]) for text in sqs.bodies] == [2, 1, 1, 1, 1]


def test_only_what_sqs_confirms_is_parked() -> None:
    crm = Route(None, "crm")
    sqs = Sqs(refuses='"crm"')

    assert park(sqs, [outgoing(0), outgoing(1, crm), outgoing(2)]) == [True, False, True]


PACKINGS: Final[dict[str, tuple[list[OutgoingEvent], int]]] = {
    "one": ([outgoing(0)], 1),
    "as many as fit": ([outgoing(number) for number in range(500)], 1),
    "more than fit": ([outgoing(number) for number in range(1000)], 2),
    "large ones": ([outgoing(number, size=100_000) for number in range(5)], 3),
    "one that fills a message": ([outgoing(0, size=239_300), outgoing(1, size=600)], 2),
    "two pixels": ([outgoing(0), outgoing(1, Route("eu", "web")), outgoing(2)], 2),
    "three sources": (
        [
            outgoing(number, Route(None, source))
            for number, source in enumerate(("web", "crm", "offline"))
        ],
        3,
    ),
    "a test code": ([outgoing(0), outgoing(1, Route(None, "web", Traffic.MAPPING, "TEST1"))], 2),
}


@pytest.mark.parametrize(("events", "count"), PACKINGS.values(), ids=PACKINGS)
def test_events_share_messages_with_others_of_their_route(
    events: list[OutgoingEvent], count: int
) -> None:
    sqs = Sqs()

    assert park(sqs, events) == [True] * len(events)

    assert len(sqs.bodies) == count
    assert all(len(text.encode()) <= LARGEST for text in sqs.bodies)
    read = [event for text in sqs.bodies for event in read_message(text)]
    assert sorted((event.message_id or "", event.route.event_source) for event in read) == [
        (event.message_id, event.route.event_source) for event in events
    ]


def message(pixel: object = None, **row: object) -> str:
    """A message of format 2 with one event, which lacks nothing but what is changed."""
    event = {"message_id": "m", "parked_at": 1, "body": {"event": "E", "event_time": 1}, **row}
    head = json.loads(park_text())
    return json.dumps(head | {"pixel": pixel, "events": [event]})


def park_text() -> str:
    sqs = Sqs()
    park(sqs, [outgoing(0)])
    return sqs.bodies[0]


UNREADABLE: Final[dict[str, str]] = {
    "empty": "",
    "not JSON": "{",
    "cut off": RELEASED[:-3],
    "a list": "[]",
    "a number": "7",
    "another version": '{"version": 99, "events": []}',
    "no route": '{"version": 1, "events": []}',
    "no events": '{"version": 1, "pixel": null, "event_source": "web", "test_event_code": null}',
    "no body": '{"version": 1, "pixel": null, "event_source": "web", "test_event_code": null,'
    ' "events": [{"message_id": "m", "parked_at": 1}]}',
    "no event time": '{"version": 1, "pixel": null, "event_source": "web", "test_event_code": null,'
    ' "events": [{"message_id": "m", "parked_at": 1, "body": {"event": "E"}}]}',
    "an unknown cause": '{"version": 2, "pixel": null, "event_source": "web", "traffic": "real",'
    ' "test_event_code": null, "cause": "x", "reason": "", "tries": 0, "alone": false,'
    ' "events": [{"message_id": "m", "parked_at": 1, "body": {"event": "E", "event_time": 1}}]}',
    "a time that is text": message(unanswered_at="yesterday"),
    "a time beyond all numbers": message(body={"event": "E", "event_time": 10**400}),
    "a list for a pixel": message(pixel=["eu"]),
    "nested too deeply": "[" * 100_000,
    "no time": '{"version": 1, "pixel": null, "event_source": "web", "test_event_code": null,'
    ' "events": [{"message_id": "m", "parked_at": "x", "body": {"event": "E"}}]}',
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_a_foreign_message_is_unreadable(text: str) -> None:
    with pytest.raises(UnreadableMessageError):
        read_message(text)
