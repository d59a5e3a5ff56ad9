"""A queue and a TikTok in memory, with a clock that the tests advance."""

from __future__ import annotations

import heapq
import itertools
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, cast

from tiktok_pixel.aws.queue import ParkedEventQueue
from tiktok_pixel.deadline import Deadline
from tiktok_pixel.destination import Destination
from tiktok_pixel.outcomes import Cause
from tiktok_pixel.redriving import respond
from tiktok_pixel.settings import Settings
from tiktok_pixel.tiktok.breaker import CircuitBreaker
from tiktok_pixel.tiktok.client import NoResponseError
from tiktok_pixel.tiktok.delivery import CredentialsUnavailableError, PixelCredentials
from tiktok_pixel.tiktok.outgoing import OutgoingEvent, Parked, Route
from tiktok_pixel.tiktok.verdicts import TikTokResponse, Verdict, VerdictKind
from tools.load.limits import BATCH_MESSAGES, REDRIVE_SECONDS, VISIBILITY_SECONDS

MINUTE: Final = 60.0
HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
START: Final = 1_780_000_000.0
# Lambda's limit for the payload of an invocation.
_BATCH_BYTES: Final = 6_000_000
_RETENTION_SECONDS: Final = 14 * DAY
# TikTok drops copies so long after the first event.
_DEDUPLICATION_SECONDS: Final = 48 * HOUR

WEB: Final = Route(None, "web")


@dataclass(slots=True)
class Clock:
    """A wall clock that stands still until it is advanced."""

    now: float = START

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True)
class MemoryQueue:
    """SQS: delays, visibility time-out and retention, without the network.

    Attributes:
        fails: It stores no message.
        confirms: If not, it stores messages, but its responses are lost.
    """

    clock: Clock
    fails: bool = False
    confirms: bool = True
    messages: dict[str, tuple[str, float]] = field(default_factory=dict)
    _heap: list[tuple[float, int, str]] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int) -> Any:  # noqa: ARG002, N803  # AWS's names
        """Store a message."""
        assert 0 <= DelaySeconds <= 900
        assert len(MessageBody.encode()) <= 262_144
        if self.fails:
            raise ConnectionError("SQS does not respond")
        message_id = self.store(MessageBody, DelaySeconds)
        if not self.confirms:
            # The client makes two attempts.
            self.store(MessageBody, DelaySeconds)
            raise TimeoutError("SQS does not respond")
        return {"MessageId": message_id}

    def store(self, body: str, delay: int = 0) -> str:
        """Store a message that is visible after a delay, and return its id."""
        number = next(self._numbers)
        message_id = f"message-{number}"
        self.messages[message_id] = (body, self.clock.now)
        heapq.heappush(self._heap, (self.clock.now + delay, number, message_id))
        return message_id

    def receive(self) -> list[dict[str, Any]]:
        """Return the records of one invocation, invisible from now on."""
        records: list[dict[str, Any]] = []
        size = 0
        while self._heap and self._heap[0][0] <= self.clock.now and len(records) < BATCH_MESSAGES:
            message_id = self._heap[0][2]
            found = self.messages.get(message_id)
            if found is None:
                heapq.heappop(self._heap)
                continue
            body, sent_at = found
            if self.clock.now - sent_at > _RETENTION_SECONDS:
                heapq.heappop(self._heap)
                del self.messages[message_id]
                continue
            size += len(body)
            if records and size > _BATCH_BYTES:
                break
            heapq.heappop(self._heap)
            records.append({"messageId": message_id, "body": body})
        for record in records:
            visible_at = self.clock.now + VISIBILITY_SECONDS
            heapq.heappush(self._heap, (visible_at, next(self._numbers), record["messageId"]))
        return records

    def delete(self, message_ids: Iterable[str]) -> None:
        """Delete messages, as Lambda does after an invocation."""
        for message_id in message_ids:
            del self.messages[message_id]

    def next_visible(self) -> float | None:
        """Return when the next message becomes visible."""
        while self._heap and self._heap[0][2] not in self.messages:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def event_ids(self) -> Counter[str]:
        """Return the ids of the events in the queue."""
        return Counter(
            row["body"]["event_id"]
            for body, _ in self.messages.values()
            for row in json.loads(body)["events"]
        )


Rule = Callable[[list[dict[str, Any]], dict[str, Any]], "int | Verdict | None"]
"""Decides on a request: TikTok's code, a verdict of a missing response, or None to accept."""


@dataclass(slots=True)
class MemoryTikTok:
    """TikTok: accepts events, refuses them with a code, or does not respond.

    Attributes:
        sent: Requests without a response were sent whole: TikTok counts their events.
        accepted: How often each event was accepted with a response.
        counted: How often each event counts: copies within 48 hours of the first do not.
        silent_events: The events of requests without a response.
    """

    clock: Clock
    rule: Rule = lambda _events, _request: None
    latency: float = 0.0
    sent: bool = True
    requests: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)
    silent_events: set[str] = field(default_factory=set)
    responded_at: float = 0.0
    _counted_at: dict[str, float] = field(default_factory=dict)

    def track(self, body: bytes, access_token: str, deadline: Deadline) -> TikTokResponse:  # noqa: ARG002
        """Answer one request."""
        self.requests += 1
        request = json.loads(body)
        events = request["data"]
        assert len(events) <= 1000
        assert len(body) <= 1_000_000
        decision = self.rule(events, request)
        if isinstance(decision, Verdict):
            if self.sent:
                self.silent_events |= {event["event_id"] for event in events}
                self._count(events)
            raise NoResponseError(decision, self.latency, sent=self.sent)
        self.responded_at = self.clock.now
        code = decision or 0
        if code == 0:
            self.accepted.update(event["event_id"] for event in events)
            self._count(events)
        status = 500 if code == 500 else 200
        return TikTokResponse(status, None if code == 500 else code, f"code {code}", "r", 0.0)

    def _count(self, events: Iterable[dict[str, Any]]) -> None:
        for event in events:
            event_id = event["event_id"]
            if self.clock.now - self._counted_at.get(event_id, -math.inf) > _DEDUPLICATION_SECONDS:
                self.counted[event_id] += 1
                self._counted_at[event_id] = self.clock.now

    def close(self) -> None:
        """Close nothing."""


class MemoryCredentials:
    """Pixels whose tokens are always readable, but for one named `missing`."""

    def pixel(self, name: str | None, deadline: Deadline) -> PixelCredentials:  # noqa: ARG002
        """Return the pixel."""
        if name == "missing":
            missing = Verdict(VerdictKind.OPERATOR, "credentials_missing")
            raise CredentialsUnavailableError(missing)
        return PixelCredentials(f"pixel-{name}", "token")

    def renew(self, name: str | None, refused: PixelCredentials, deadline: Deadline) -> bool:  # noqa: ARG002
        """Return that nothing changed."""
        return False


@dataclass(frozen=True, slots=True)
class Context:
    """Lambda's context at the start of an invocation."""

    seconds: float = REDRIVE_SECONDS

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that is left."""
        return int(self.seconds * 1000)


class Simulation:
    """The redrive function with its queue, TikTok and clock.

    Args:
        settings: What differs from the defaults.
    """

    def __init__(self, **settings: Any) -> None:
        self.clock = Clock()
        self.queue = MemoryQueue(self.clock)
        self.tiktok = MemoryTikTok(self.clock)
        self.settings: dict[str, Any] = {
            "stage": "dev",
            "parameter_prefix": "/tiktok-pixel",
            **settings,
        }
        self.invocations = 0
        self.parked: set[str] = set()

    def park(
        self,
        count: int,
        cause: Cause = Cause.TRANSIENT,
        reason: str = "tiktok_unreachable",
        *,
        prefix: str = "m",
        route: Route = WEB,
        **state: Any,
    ) -> None:
        """Park events now, in full messages."""
        events = [
            self._event(f"{prefix}-{number}", cause, reason, route, state)
            for number in range(count)
        ]
        assert all(self._queue().park(events, Deadline.after(60)))

    def park_singly(self, count: int) -> None:
        """Park events in messages of one event, as requests with one event do."""
        for number in range(count):
            event = self._event(f"m-{number}", Cause.TRANSIENT, "tiktok_unreachable", WEB, {})
            assert self._queue().park([event], Deadline.after(60)) == [True]

    def invoke(self) -> int:
        """Run one invocation with the messages that are visible; return how many these were."""
        records = self.queue.receive()
        if not records:
            return 0
        self.invocations += 1
        response = respond(
            {"Records": records}, cast("Any", Context()), self._destination(), self.clock
        )
        failed = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        self.queue.delete(
            record["messageId"] for record in records if record["messageId"] not in failed
        )
        return len(records)

    def run_until(self, until: float) -> None:
        """Invoke the function whenever messages are visible, until a time."""
        while (next_visible := self.queue.next_visible()) is not None and next_visible <= until:
            self.clock.now = max(self.clock.now, next_visible)
            self.invoke()
        self.clock.now = until

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.run_until(self.clock.now + seconds)

    def check_nothing_lost(self, ended: Iterable[str] = ()) -> None:
        """Assert that each event is at TikTok or in the queue, once, or has ended as expected."""
        found = Counter(self.queue.event_ids())
        found.update(self.tiktok.accepted)
        found.update(ended)
        assert found == Counter(self.parked)

    def _event(
        self, event_id: str, cause: Cause, reason: str, route: Route, state: dict[str, Any]
    ) -> OutgoingEvent:
        self.parked.add(event_id)
        body = {"event": "Purchase", "event_time": int(self.clock.now), "event_id": event_id}
        text = json.dumps(body, separators=(",", ":"))
        parked = Parked(cause, reason, self.clock.now, **state)
        return OutgoingEvent(route, event_id, "Purchase", text, parked)

    def _queue(self) -> ParkedEventQueue:
        return ParkedEventQueue("memory", self.queue)

    def _destination(self) -> Destination:
        return Destination(
            settings=Settings(**self.settings),
            mappings=cast("Any", None),
            credentials=cast("Any", MemoryCredentials()),
            client=cast("Any", self.tiktok),
            breaker=CircuitBreaker(self.clock),
            queue=self._queue(),
        )
