"""Parked events are packed into few messages, and every released format stays readable."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from tiktok_pixel.aws.queue import ParkedEventQueue, UnreadableMessageError, read_message
from tiktok_pixel.deadline import Deadline
from tiktok_pixel.tiktok.events import OutgoingEvent, Route

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

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


def park(sqs: Sqs, events: list[OutgoingEvent]) -> list[bool]:
    queue = ParkedEventQueue("https://sqs.example/parked", lambda: cast("SQSClient", sqs))
    return queue.park(events, NOW, Deadline.after(5))


def outgoing(number: int, route: Route = WEB, parked_at: float | None = None) -> OutgoingEvent:
    body = {"event": "ViewContent", "event_time": 1_767_225_600, "event_id": f"m-{number}"}
    text = json.dumps(body, separators=(",", ":"))
    return OutgoingEvent(route, f"m-{number}", "ViewContent", text, parked_at)


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


def test_only_what_sqs_confirms_is_parked() -> None:
    crm = Route(None, "crm", None)
    sqs = Sqs(refuses='"crm"')

    assert park(sqs, [outgoing(0), outgoing(1, crm), outgoing(2)]) == [True, False, True]


@pytest.mark.parametrize("text", ["", "[]", '{"version": 99}', RELEASED[:-3]])
def test_a_foreign_message_is_unreadable(text: str) -> None:
    with pytest.raises(UnreadableMessageError):
        read_message(text)
