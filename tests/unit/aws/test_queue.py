"""Parked events are packed into few messages, and every released format stays readable."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from tiktok_pixel.aws.queue import ParkedEventQueue, UnreadableMessageError, read_message
from tiktok_pixel.deadline import Deadline
from tiktok_pixel.outcomes import Cause, Outcome, Status
from tiktok_pixel.tiktok.events import OutgoingEvent, Route

if TYPE_CHECKING:
    from tiktok_pixel.aws.api import SqsClient

LARGEST: Final = 262_144
NOW: Final = 1_767_225_600.25
WEB: Final = Route(None, "web", None)

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
    refuses: str = "\0"

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> dict[str, Any]:  # noqa: N803  # AWS's names
        assert QueueUrl == "https://sqs.example/parked"
        if self.refuses in MessageBody:
            raise ConnectionError("unreachable")
        self.bodies.append(MessageBody)
        return {"MessageId": str(len(self.bodies))}


def park(
    sqs: Sqs,
    events: list[OutgoingEvent],
    causes: list[Cause] | None = None,
    unanswered_at: float | None = None,
) -> list[bool]:
    queue = ParkedEventQueue("https://sqs.example/parked", cast("SqsClient", sqs))
    outcomes = [
        Outcome(
            event.message_id,
            Status.PARKED,
            "",
            event.name,
            cause=cause,
            unanswered_at=unanswered_at,
        )
        for event, cause in zip(events, causes or [Cause.TRANSIENT] * len(events), strict=True)
    ]
    return queue.park(events, outcomes, NOW, Deadline.after(5))


def outgoing(
    number: int, route: Route = WEB, parked_at: float | None = None, size: int = 300
) -> OutgoingEvent:
    body = {"event": "ViewContent", "event_id": f"m-{number:03}", "filling": "x" * size}
    text = json.dumps(body, separators=(",", ":"))
    return OutgoingEvent(route, f"m-{number:03}", "ViewContent", text, parked_at)


def test_a_message_of_the_released_version_is_readable() -> None:
    first, second = read_message(RELEASED)

    assert first.route == second.route == Route("eu", "web", "TEST1")
    assert (first.message_id, first.name, first.parked_at) == ("ajs-next-1", "Purchase", NOW)
    assert (second.message_id, second.name) == (None, "Search")
    rows = json.loads(RELEASED)["events"]
    assert [json.loads(event.json) for event in (first, second)] == [row["body"] for row in rows]


def test_a_parked_event_is_read_as_it_was_with_its_time_of_parking() -> None:
    sqs = Sqs()

    assert park(sqs, [outgoing(0), outgoing(1, parked_at=NOW - 3600)]) == [True, True]

    (text,) = sqs.bodies
    assert read_message(text) == [outgoing(0, parked_at=NOW), outgoing(1, parked_at=NOW - 3600)]


def test_causes_do_not_share_a_message() -> None:
    sqs = Sqs()

    park(
        sqs, [outgoing(0), outgoing(1), outgoing(2)], [Cause.CONTENT, Cause.OPERATOR, Cause.CONTENT]
    )

    messages = [json.loads(text) for text in sqs.bodies]
    assert {message["cause"]: len(message["events"]) for message in messages} == {
        "content": 2,
        "operator": 1,
    }


def test_the_time_of_an_attempt_that_may_have_counted_is_kept() -> None:
    sqs = Sqs()

    park(sqs, [outgoing(0)], unanswered_at=NOW - 1)

    (event,) = read_message(sqs.bodies[0])
    assert event.unanswered_at == NOW - 1


def test_only_what_sqs_confirms_is_parked() -> None:
    crm = Route(None, "crm", None)
    sqs = Sqs(refuses='"crm"')

    assert park(sqs, [outgoing(0), outgoing(1, crm), outgoing(2)]) == [True, False, True]


PACKINGS: Final[dict[str, tuple[list[OutgoingEvent], int]]] = {
    "one": ([outgoing(0)], 1),
    "as many as fit": ([outgoing(number) for number in range(500)], 1),
    "more than fit": ([outgoing(number) for number in range(1000)], 2),
    "large ones": ([outgoing(number, size=100_000) for number in range(5)], 3),
    "one that fills a message": ([outgoing(0, size=239_500), outgoing(1, size=600)], 2),
    "two pixels": ([outgoing(0), outgoing(1, Route("eu", "web", None)), outgoing(2)], 2),
    "three sources": (
        [
            outgoing(number, Route(None, source, None))
            for number, source in enumerate(("web", "crm", "offline"))
        ],
        3,
    ),
    "a test code": ([outgoing(0), outgoing(1, Route(None, "web", "TEST1"))], 2),
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
    "no time": '{"version": 1, "pixel": null, "event_source": "web", "test_event_code": null,'
    ' "events": [{"message_id": "m", "parked_at": "x", "body": {"event": "E"}}]}',
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_a_foreign_message_is_unreadable(text: str) -> None:
    with pytest.raises(UnreadableMessageError):
        read_message(text)
