"""The queue of parked events: mapped and hashed events, stored encrypted in SQS.

A message carries many events of one route, because a thousand single messages would take longer
than Segment waits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tiktok_pixel.aws.errors import describe
from tiktok_pixel.errors import TikTokPixelError
from tiktok_pixel.observability import logger
from tiktok_pixel.outcomes import Cause
from tiktok_pixel.tiktok.events import OutgoingEvent, Route
from tiktok_pixel.values.json_text import compact

if TYPE_CHECKING:
    from tiktok_pixel.aws.api import SqsClient
    from tiktok_pixel.deadline import Deadline
    from tiktok_pixel.outcomes import Outcome

# The limit of SQS is 256 KiB unless a queue raises it; attributes and escapes need some room.
_LARGEST_MESSAGE: Final = 240_000
_VERSION: Final = 1
_PARALLEL: Final = 8


class UnreadableMessageError(TikTokPixelError):
    """A message of the queue that this package did not write."""


@dataclass(frozen=True, slots=True)
class ParkedEventQueue:
    """The queue of parked events.

    Attributes:
        url: The queue's URL.
        client: Sends the messages.
    """

    url: str
    client: SqsClient

    def park(
        self,
        events: Sequence[OutgoingEvent],
        outcomes: Sequence[Outcome],
        now: float,
        deadline: Deadline,
    ) -> list[bool]:
        """Store events and return, for each, whether SQS confirmed it before ``deadline``.

        Args:
            events: The events; one that was parked before keeps its time of parking.
            outcomes: The outcome of each event, with the cause.
            now: Unix time in seconds: the time of parking of the others.
            deadline: When to stop waiting for SQS.
        """
        # Imported here because most requests park nothing.
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

        parked = [False] * len(events)
        messages = list(_messages(events, outcomes, now))
        pool = ThreadPoolExecutor(min(_PARALLEL, len(messages)))
        try:
            sent = [pool.submit(self._send, body) for _, body in messages]
            for (indexes, _), future in zip(messages, sent, strict=True):
                try:
                    future.result(deadline.remaining())
                except Exception as error:  # noqa: BLE001  # whatever it is, Segment keeps the events
                    logger.warning("cannot park", extra=describe(error))
                    continue
                for index in indexes:
                    parked[index] = True
        finally:
            # A message still in flight may be stored as well: TikTok drops the second copy.
            pool.shutdown(wait=False, cancel_futures=True)
        return parked

    def _send(self, body: str) -> None:
        # Other servers answer 200 as well; only SQS returns an id.
        self.client.send_message(QueueUrl=self.url, MessageBody=body)["MessageId"]


def _messages(
    events: Sequence[OutgoingEvent], outcomes: Sequence[Outcome], now: float
) -> Iterator[tuple[list[int], str]]:
    """Yield messages of one route and cause, within the size limit, with their events' indexes."""
    groups: dict[tuple[Route, Cause], list[int]] = {}
    for index, (event, outcome) in enumerate(zip(events, outcomes, strict=True)):
        groups.setdefault((event.route, outcome.cause or Cause.TRANSIENT), []).append(index)
    for (route, cause), indexes in groups.items():
        taken: list[int] = []
        rows: list[str] = []
        size = 0
        for index in indexes:
            row = _row(events[index], outcomes[index], now)
            if taken and size + len(row) + 1 > _LARGEST_MESSAGE:
                yield taken, _message(route, cause, rows)
                taken, rows, size = [], [], 0
            taken.append(index)
            rows.append(row)
            size += len(row) + 1
        yield taken, _message(route, cause, rows)


def _message(route: Route, cause: Cause, rows: Iterable[str]) -> str:
    head = json.dumps(
        {
            "version": _VERSION,
            "pixel": route.pixel,
            "event_source": route.event_source,
            "test_event_code": route.test_event_code,
            "cause": cause,
        }
    )
    return f'{head[:-1]}, "events": [{",".join(rows)}]}}'


def _row(event: OutgoingEvent, outcome: Outcome, now: float) -> str:
    head = json.dumps(
        {
            "message_id": event.message_id,
            "parked_at": now if event.parked_at is None else event.parked_at,
            "unanswered_at": outcome.unanswered_at,
        }
    )
    return f'{head[:-1]}, "body": {event.json}}}'


def read_message(text: str) -> list[OutgoingEvent]:
    """Return the events of one message.

    Raises:
        UnreadableMessageError: :meth:`ParkedEventQueue.park` did not write it.
    """
    try:
        message: dict[str, Any] = json.loads(text)
        if message["version"] != _VERSION:
            raise UnreadableMessageError("unknown version")
        route = Route(message["pixel"], message["event_source"], message["test_event_code"])
        return [
            OutgoingEvent(
                route,
                row["message_id"],
                str(row["body"]["event"]),
                compact(row["body"]),
                float(row["parked_at"]),
                row.get("unanswered_at"),
            )
            for row in message["events"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableMessageError("not a message of parked events") from error
