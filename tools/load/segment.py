"""Deliver events as Segment's webhook destination does: signed, and retried for hours.

Time is compressed: the four hours of Segment's retries are 90 seconds here.
"""

from __future__ import annotations

import heapq
import http.client
import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from tiktok_pixel.aws.credentials import DEVELOPMENT_SECRET
from tools.load.traffic import Post
from tools.sandbox import samples

# Segment's shortest time-out, that of its classic webhooks.
TIMEOUT_SECONDS: Final = 5.0
RETRY_SECONDS: Final = 90.0
"""How long an event is retried: Segment's four hours."""

_FIRST_PAUSE: Final = 0.4
_LONGEST_PAUSE: Final = 8.0
_NOT_RETRIED_5XX: Final = 501
_RETRIED_4XX: Final = frozenset({408, 423, 429})


def is_retried(status: int | None) -> bool:
    """Return whether Segment sends a request again; None stands for no response."""
    if status is None or status in _RETRIED_4XX:
        return True
    return status >= 500 and status != _NOT_RETRIED_5XX


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of the endpoint, or none.

    Attributes:
        at: Seconds from the start.
        seconds: How long it took.
        status: The HTTP status; None without a response.
        outcomes: The status and the reason of each event that the body lists, by messageId.
    """

    at: float
    seconds: float
    status: int | None
    outcomes: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class _Task:
    due: float
    number: int
    post: Post = field(compare=False)
    attempt: int = field(compare=False, default=0)
    first_sent: float | None = field(compare=False, default=None)


class Segment:
    """Sends requests with several connections.

    Args:
        url: The endpoint.
        record: Called with each answer, from any thread.
        connections: How many requests are sent at a time.
        retry_seconds: How long an event is retried.
        seed: Of the pauses between retries.
    """

    def __init__(
        self,
        url: str,
        record: Callable[[Answer], None],
        *,
        connections: int = 16,
        retry_seconds: float = RETRY_SECONDS,
        seed: int = 0,
    ) -> None:
        self._address = urlsplit(url)
        self._record = record
        self._connections = connections
        self._retry_seconds = retry_seconds
        self._random = random.Random(seed)  # noqa: S311  # not a secret
        self._numbers = itertools.count()
        self._tasks: list[_Task] = []
        self._unfinished = 0
        self._changed = threading.Condition()
        self._started = 0.0
        self.given_up = 0
        self.retries = 0

    def run(self, posts: Sequence[Post], seconds: float, stopping: threading.Event) -> None:
        """Send all requests, spread over `seconds`, until each one is answered or given up."""
        self._started = time.monotonic()
        self._tasks = [_Task(post.at * seconds, next(self._numbers), post) for post in posts]
        self._unfinished = len(self._tasks)
        heapq.heapify(self._tasks)
        threads = [
            threading.Thread(target=self._work, args=(stopping,), name="segment")
            for _ in range(self._connections)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, stopping: threading.Event) -> None:
        connection = http.client.HTTPConnection(
            self._address.hostname or "", self._address.port, timeout=TIMEOUT_SECONDS
        )
        try:
            for task in iter(lambda: self._next(stopping), None):
                self._send(connection, task)
        finally:
            connection.close()

    def _next(self, stopping: threading.Event) -> _Task | None:
        """Wait for the next request that is due; return None when all are done."""
        with self._changed:
            while self._unfinished and not stopping.is_set():
                now = self._now()
                if self._tasks and self._tasks[0].due <= now:
                    return heapq.heappop(self._tasks)
                wait = self._tasks[0].due - now if self._tasks else 1.0
                self._changed.wait(min(wait, 1.0))
            return None

    def _send(self, connection: http.client.HTTPConnection, task: _Task) -> None:
        events = task.post.events
        texts = [json.dumps(event, separators=(",", ":"), ensure_ascii=False) for event in events]
        body = f"[{','.join(texts)}]" if task.post.is_batch else texts[0]
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Segment (Actions)",
            # Of a batch, only the first event is signed.
            "X-Signature": samples.sign(texts[0].encode(), DEVELOPMENT_SECRET),
        }
        sent = self._now()
        status: int | None = None
        content = b""
        try:
            connection.request("POST", self._address.path, body.encode(), headers)
            response = connection.getresponse()
            status, content = response.status, response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
        now = self._now()
        self._record(Answer(now, now - sent, status, _outcomes(content)))
        first_sent = sent if task.first_sent is None else task.first_sent
        again: list[_Task] = []
        if is_retried(status):
            if now - first_sent < self._retry_seconds:
                again = list(self._again(task, first_sent))
                self.retries += 1
            else:
                self.given_up += len(events)
        with self._changed:
            for one in again:
                heapq.heappush(self._tasks, one)
            self._unfinished += len(again) - 1
            self._changed.notify_all()

    def _again(self, task: _Task, first_sent: float) -> Iterator[_Task]:
        """Yield the retries of a request: a batch does not come back as the same batch."""
        events = list(task.post.events)
        self._random.shuffle(events)
        cut = self._random.randint(0, len(events))
        for part in filter(None, (events[:cut], events[cut:])):
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**task.attempt)
            due = self._now() + self._random.uniform(pause / 2, pause)
            post = Post(part, task.post.is_batch, due)
            yield _Task(due, next(self._numbers), post, task.attempt + 1, first_sent)

    def _now(self) -> float:
        return time.monotonic() - self._started


def _outcomes(content: bytes) -> dict[str, tuple[str, str]]:
    try:
        body: Any = json.loads(content)
    except ValueError:
        return {}
    rows = body.get("results", []) if isinstance(body, dict) else []
    return {row["message_id"]: (row["status"], row["reason"]) for row in rows}
