"""Where events wait for an operator: mapped and hashed, in an encrypted SQS queue.

A message carries many events of one route, since a thousand single messages would take longer
than Segment waits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tiktok_pixel.errors import TikTokPixelError
from tiktok_pixel.observability import logger
from tiktok_pixel.tiktok.events import Route
from tiktok_pixel.values.json_text import compact

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from tiktok_pixel.deadline import Deadline

# SQS takes 256 KiB, more only where a queue is set to; attributes and escapes need some room.
_LARGEST_MESSAGE: Final = 240_000
_VERSION: Final = 1
_PARALLEL: Final = 8


class UnreadableMessageError(TikTokPixelError):
    """A message of the queue that this program did not write."""


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """An event that waits.

    Attributes:
        route: Where it goes; the pixel by name, so that its credentials are those of the day.
        message_id: Segment's messageId as it can be shown.
        event: TikTok's event name.
        body: The item of ``data[]`` as JSON.
        parked_at: Unix time in seconds.
    """

    route: Route
    message_id: str | None
    event: str
    body: str
    parked_at: float


@dataclass(frozen=True, slots=True)
class Parking:
    """The queue of parked events.

    Attributes:
        queue_url: The queue.
        client: Makes boto3's SQS client; it is needed rarely and costs time to make.
    """

    queue_url: str
    client: Callable[[], SQSClient]

    def park(self, events: Sequence[ParkedEvent], deadline: Deadline) -> list[bool]:
        """Put events into the queue; for each, whether it is there for sure by ``deadline``."""
        # Imported here because most requests park nothing.
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

        parked = [False] * len(events)
        messages = list(_messages(events))
        client = self.client()
        pool = ThreadPoolExecutor(min(_PARALLEL, len(messages)))
        try:
            sent = [pool.submit(self._send, client, body) for _, body in messages]
            for (indexes, _), future in zip(messages, sent, strict=True):
                try:
                    future.result(deadline.remaining())
                except Exception as error:  # noqa: BLE001  # whatever it is, Segment keeps the events
                    logger.warning("cannot park", extra={"error": type(error).__name__})
                    continue
                for index in indexes:
                    parked[index] = True
        finally:
            # What is still on its way may arrive as well: TikTok drops the second copy.
            pool.shutdown(wait=False, cancel_futures=True)
        return parked

    def _send(self, client: SQSClient, body: str) -> str:
        # boto3 takes whatever comes with HTTP 200 for success; only SQS gives an id.
        return client.send_message(QueueUrl=self.queue_url, MessageBody=body)["MessageId"]


def _messages(events: Sequence[ParkedEvent]) -> Iterator[tuple[list[int], str]]:
    """Messages of events of one route, each small enough, with the events' indexes."""
    by_route: dict[Route, list[int]] = {}
    for index, event in enumerate(events):
        by_route.setdefault(event.route, []).append(index)
    for route, indexes in by_route.items():
        taken: list[int] = []
        rows: list[str] = []
        size = 0
        for index in indexes:
            row = _row(events[index])
            if taken and size + len(row) + 1 > _LARGEST_MESSAGE:
                yield taken, _message(route, rows)
                taken, rows, size = [], [], 0
            taken.append(index)
            rows.append(row)
            size += len(row) + 1
        yield taken, _message(route, rows)


def _message(route: Route, rows: Iterable[str]) -> str:
    head = json.dumps(
        {
            "version": _VERSION,
            "pixel": route.pixel,
            "event_source": route.event_source,
            "test_event_code": route.test_event_code,
        }
    )
    return f'{head[:-1]}, "events": [{",".join(rows)}]}}'


def _row(event: ParkedEvent) -> str:
    head = json.dumps({"message_id": event.message_id, "parked_at": event.parked_at})
    return f'{head[:-1]}, "body": {event.body}}}'


def read_message(text: str) -> list[ParkedEvent]:
    """The events of one message.

    Raises:
        UnreadableMessageError: It was not written by :meth:`Parking.park`.
    """
    try:
        message: dict[str, Any] = json.loads(text)
        if message["version"] != _VERSION:
            raise UnreadableMessageError("a version that is not known here")
        route = Route(message["pixel"], message["event_source"], message["test_event_code"])
        return [
            ParkedEvent(
                route,
                row["message_id"],
                str(row["body"]["event"]),
                compact(row["body"]),
                float(row["parked_at"]),
            )
            for row in message["events"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableMessageError("not a message of parked events") from error
