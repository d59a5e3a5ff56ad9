"""Store parked events in SQS: mapped and hashed events, encrypted by the queue.

A message carries many events of one pixel, source and cause, because a thousand single messages
would take longer than Segment waits. Pixel code, access token and the test event code of the
settings are not stored: they are those of the day when the event is sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from tiktok_pixel.aws.errors import describe
from tiktok_pixel.errors import TikTokPixelError
from tiktok_pixel.observability import logger
from tiktok_pixel.outcomes import Cause
from tiktok_pixel.tiktok.outgoing import OutgoingEvent, Parked, Route, Traffic, parked_state
from tiktok_pixel.values.json_text import compact

if TYPE_CHECKING:
    from tiktok_pixel.deadline import Deadline

# Several events share a message up to this size; one event alone may be as large as SQS allows.
_LARGEST_MESSAGE: Final = 240_000
_VERSION: Final = 2
_FIRST_VERSION: Final = 1
_PARALLEL: Final = 16
# What reading any JSON, or none, can raise.
_UNREADABLE: Final = (
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


class UnreadableMessageError(TikTokPixelError):
    """A message of the queue that this package did not write."""


class QueueClient(Protocol):
    """The part of an SQS client that the queue uses."""

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int) -> Any:  # noqa: N803  # AWS's names
        """Send one message."""


@dataclass(frozen=True, slots=True)
class ParkedEventQueue:
    """The queue of parked events.

    Attributes:
        url: The queue's URL.
        client: Sends the messages.
    """

    url: str
    client: QueueClient

    def park(
        self, events: Sequence[OutgoingEvent], deadline: Deadline, delay: int = 0
    ) -> list[bool]:
        """Store events and return, for each, whether SQS confirmed it before ``deadline``.

        Args:
            events: Events with their state in the queue (``parked``).
            deadline: When to stop waiting for SQS.
            delay: Seconds until SQS hands the messages out, at most 900.
        """
        parked = [False] * len(events)
        messages = list(_messages(events))
        stored = self.send([body for _, body in messages], deadline, delay)
        for (indexes, _), is_stored in zip(messages, stored, strict=True):
            for index in indexes:
                parked[index] = is_stored
        return parked

    def can_store(self, deadline: Deadline) -> bool:
        """Return whether SQS confirms a message: an empty one, which its reader drops."""
        head = _head(Route(None, "web"), Parked(Cause.TRANSIENT, "", 0.0))
        return self.send([_message(head, ())], deadline) == [True]

    def send(self, bodies: Sequence[str], deadline: Deadline, delay: int = 0) -> list[bool]:
        """Send messages as they are and return, for each, whether SQS confirmed it in time."""
        # Imported here because most requests park nothing.
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

        stored = [False] * len(bodies)
        pool = ThreadPoolExecutor(min(_PARALLEL, max(1, len(bodies))))
        try:
            futures = [pool.submit(self._send, body, delay) for body in bodies]
            for index, future in enumerate(futures):
                try:
                    stored[index] = bool(future.result(deadline.remaining()))
                except Exception as error:  # noqa: BLE001  # whatever it is, the sender keeps the events
                    logger.warning("cannot park", extra=describe(error))
        finally:
            # A message still in flight may be stored as well: TikTok drops the second copy.
            pool.shutdown(wait=False, cancel_futures=True)
        return stored

    def _send(self, body: str, delay: int) -> str:
        # Other servers answer 200 as well; only SQS returns an id.
        response = self.client.send_message(QueueUrl=self.url, MessageBody=body, DelaySeconds=delay)
        return str(response["MessageId"])


def read_message(text: str) -> list[OutgoingEvent]:
    """Return the events of one message, each with its state in the queue.

    Raises:
        UnreadableMessageError: No version of this package wrote it.
    """
    try:
        message: dict[str, Any] = json.loads(text)
        version = message["version"]
        if version not in (_FIRST_VERSION, _VERSION):
            raise UnreadableMessageError("unknown version")
        read = _read_first_version if version == _FIRST_VERSION else _read
        return read(message)
    except _UNREADABLE as error:
        raise UnreadableMessageError("not a message of parked events") from error


def _read(message: dict[str, Any]) -> list[OutgoingEvent]:
    route = Route(
        message["pixel"],
        message["event_source"],
        Traffic(message["traffic"]),
        message["test_event_code"],
    )
    hash(route)  # Raises a TypeError here, not when events are grouped.
    cause = Cause(message["cause"])
    return [
        _event(
            route,
            row,
            Parked(
                cause,
                str(message["reason"]),
                float(row["parked_at"]),
                unanswered_at=_time(row, "unanswered_at"),
                refused_at=_time(row, "refused_at"),
                tries=int(message["tries"]),
                is_alone=bool(message["alone"]),
            ),
        )
        for row in message["events"]
    ]


def _read_first_version(message: dict[str, Any]) -> list[OutgoingEvent]:
    """Read a message of version 0.1, which parked only what an operator had to fix."""
    # That version stored the code without its origin; only the setting's may be replaced later.
    traffic = Traffic.SETTING if message["test_event_code"] else Traffic.REAL
    route = Route(message["pixel"], message["event_source"], traffic)
    return [
        _event(
            route,
            row,
            Parked(Cause.OPERATOR, "", float(row["parked_at"])),
        )
        for row in message["events"]
    ]


def _time(row: dict[str, Any], name: str) -> float | None:
    return None if row.get(name) is None else float(row[name])


def _event(route: Route, row: dict[str, Any], parked: Parked) -> OutgoingEvent:
    body = row["body"]
    if not isinstance(body["event_time"], int):
        raise TypeError("event_time")
    float(body["event_time"])  # Raises an OverflowError here, not where its age is computed.
    return OutgoingEvent(route, row["message_id"], str(body["event"]), compact(body), parked=parked)


def _messages(events: Sequence[OutgoingEvent]) -> Iterator[tuple[list[int], str]]:
    """Yield messages within the size limit, each with the indexes of its events."""
    by_head: dict[str, list[int]] = {}
    for index, event in enumerate(events):
        by_head.setdefault(_head(event.route, parked_state(event)), []).append(index)
    for head, indexes in by_head.items():
        taken: list[int] = []
        rows: list[str] = []
        size = len(head)
        for index in indexes:
            row = _row(events[index])
            if taken and size + len(row) + 1 > _LARGEST_MESSAGE:
                yield taken, _message(head, rows)
                taken, rows, size = [], [], len(head)
            taken.append(index)
            rows.append(row)
            size += len(row) + 1
        yield taken, _message(head, rows)


def _message(head: str, rows: Sequence[str]) -> str:
    return f'{head},"events":[{",".join(rows)}]}}'


def _head(route: Route, parked: Parked) -> str:
    """Return the start of a message: what all of its events share."""
    shared = {
        "version": _VERSION,
        "pixel": route.pixel,
        "event_source": route.event_source,
        "traffic": route.traffic,
        "test_event_code": route.test_event_code,
        "cause": parked.cause,
        "reason": parked.reason,
        "tries": parked.tries,
        "alone": parked.is_alone,
    }
    return compact(shared)[:-1]


def _row(event: OutgoingEvent) -> str:
    parked = parked_state(event)
    head: dict[str, Any] = {"message_id": event.message_id, "parked_at": parked.parked_at}
    if parked.unanswered_at is not None:
        head["unanswered_at"] = parked.unanswered_at
    if parked.refused_at is not None:
        head["refused_at"] = parked.refused_at
    return f'{compact(head)[:-1]},"body":{event.json}}}'
