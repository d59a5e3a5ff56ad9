"""One small world: Segment, the two functions, a local TikTok, and a local AWS that can fail.

Whatever happens in it, the books must balance: `World.send` measures the time of every answer and
compares what it says with what TikTok took and what lies in the queue.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from tools.sandbox import samples
from tools.sandbox.application import (
    FOLDER,
    PARKED_QUEUE,
    ForwardApplication,
    HttpAnswer,
    RedriveApplication,
    environment,
    forward_application,
    redrive_application,
)
from tools.sandbox.aws import AwsSandbox, FaultyAws
from tools.sandbox.tiktok import TikTokSandbox

BUDGET: Final = 4.0
ANOTHER_TOKEN: Final = "another-access-token"
ACCESS_TOKEN_NAME: Final = f"{FOLDER}/access-token"
PIXEL_CODE_NAME: Final = f"{FOLDER}/pixel-code"
SECRET_NAME: Final = f"{FOLDER}/webhook-secret"
READS: Final = "AmazonSSM.GetParameters"
SENDS: Final = "AmazonSQS.SendMessage"
# What remains in a queue for an hour is there.
_ALL_RECEIVED: Final = 10


def visit(message_id: str, **more: Any) -> dict[str, Any]:
    """A page call, which the default mappings send as ViewContent."""
    return {
        "type": "page",
        "messageId": message_id,
        "userId": "user-1",
        "context": {"page": {"url": "https://shop.example/"}},
        **more,
    }


def visits(count: int, prefix: str = "m") -> list[dict[str, Any]]:
    """So many of them, of which none is the copy of another."""
    return [visit(f"{prefix}-{number}") for number in range(count)]


def body_of(size: int) -> Any:
    """One event by itself, or a batch."""
    return visit("m-0") if size == 1 else visits(size)


@dataclass(frozen=True, slots=True)
class Sent:
    """An answer to Segment, and how long it took.

    Attributes:
        stray: Event ids that TikTok has though the answer does not say so.
    """

    answer: HttpAnswer
    seconds: float
    stray: frozenset[str]

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.answer.body["results"]
        return rows

    @property
    def ends(self) -> Counter[tuple[str, str]]:
        """How many events came to each end."""
        return Counter((row["status"], row["reason"]) for row in self.rows)

    @property
    def end(self) -> tuple[str, str]:
        """The one end that all events came to."""
        (end,) = self.ends
        return end

    def ids(self, *statuses: str) -> set[str]:
        """The messageIds of the events with one of these outcomes."""
        return {row["message_id"] for row in self.rows if row["status"] in statuses}


@dataclass(slots=True)
class Output:
    """What the functions write, which in AWS goes to CloudWatch."""

    capture: pytest.CaptureFixture[str]
    _written: str = ""

    @property
    def text(self) -> str:
        self._written += self.capture.readouterr().out
        return self._written

    @property
    def logs(self) -> list[dict[str, Any]]:
        return [line for line in self._lines() if "_aws" not in line]

    @property
    def metrics(self) -> Counter[str]:
        """The sum of every metric."""
        sums: Counter[str] = Counter()
        for line in self._lines():
            for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
                for metric in directive["Metrics"]:
                    sums[metric["Name"]] += sum(line[metric["Name"]])
        return sums

    def _lines(self) -> Iterator[dict[str, Any]]:
        return map(json.loads, self.text.splitlines())


@dataclass(slots=True)
class World:
    """Everything around the functions.

    Attributes:
        proxy: What the functions take for AWS.
        stack: Ends what was started.
    """

    tiktok: TikTokSandbox
    aws: AwsSandbox
    proxy: FaultyAws
    queue_url: str
    stack: ExitStack
    kept: list[str] = field(default_factory=list)

    def start(
        self, budget: float = BUDGET, tiktok_url: str | None = None, **variables: str
    ) -> ForwardApplication:
        """A new environment of the forward function, with further variables."""
        chosen = self._environment(tiktok_url, variables)
        application = self.stack.enter_context(forward_application(chosen))
        change_settings(application, budget_seconds=budget)
        return application

    def start_redrive(self, tiktok_url: str | None = None, **variables: str) -> RedriveApplication:
        """A new environment of the redrive function."""
        chosen = self._environment(tiktok_url, variables)
        return self.stack.enter_context(redrive_application(chosen))

    def _environment(self, tiktok_url: str | None, variables: Mapping[str, str]) -> dict[str, str]:
        return environment(
            tiktok_url or self.tiktok.url,
            self.proxy.url,
            **{"PARKED_QUEUE_URL": PARKED_QUEUE, **variables},
        )

    def send(self, application: ForwardApplication, events: Any) -> Sent:
        """Post one event or a batch, and check the books."""
        return self.post(application, samples.signed(events))

    def post(self, application: ForwardApplication, request: Mapping[str, Any]) -> Sent:
        """Post a request, and check the books."""
        waiting, taken = Counter(self.parked_ids()), Counter(self._taken())
        started = time.perf_counter()
        answer = application.post(dict(request))
        seconds = time.perf_counter() - started
        budget = application.module._destination.settings.budget_seconds
        assert seconds <= budget, f"answered after {seconds:.3f} s"
        rows = answer.body["results"]
        outcomes = Counter(row["status"] for row in rows)
        for status in ("forwarded", "ignored", "rejected", "parked", "retry"):
            assert answer.body[status] == outcomes[status]
        assert sum(outcomes.values()) == len(rows)
        now_parked = Counter(self.parked_ids()) - waiting
        told_parked = Counter(row["message_id"] for row in rows if row["status"] == "parked")
        # What SQS took but did not confirm is told to Segment as well.
        assert not told_parked - now_parked, "told as parked, but not in the queue"
        unconfirmed = set(now_parked - told_parked)
        now_taken = Counter(self._taken()) - taken
        told_taken = Counter(row["message_id"] for row in rows if row["status"] == "forwarded")
        assert not told_taken - now_taken, "told as forwarded, but not at TikTok"
        stray = set(now_taken - told_taken)
        unsure = {row["message_id"] for row in rows if row["status"] in ("retry", "parked")}
        assert stray <= unsure, "at TikTok, but not told so"
        assert unconfirmed <= unsure, "in the queue, but not told so"
        return Sent(answer, seconds, frozenset(stray))

    def _taken(self) -> list[Any]:
        return [one.event.get("event_id") for one in self.tiktok.events]

    def parked_messages(self) -> list[dict[str, Any]]:
        """The messages in the queue, those out of sight too, without taking them."""
        return [json.loads(message.body) for message in list(_queue()._messages)]

    def parked_ids(self) -> list[str]:
        """The event ids in the queue."""
        return [
            row["body"]["event_id"]
            for message in self.parked_messages()
            for row in message.get("events", [])
        ]

    def forget(self) -> None:
        """Forget all that was sent, scripted and parked; what was started goes on."""
        self.tiktok.reset()
        self.proxy.clear()
        _queue()._messages.clear()

    def receive(self) -> list[Any]:
        """Every message in the queue, as Lambda would get it."""
        for handle in self.kept:
            # Time passes: what was kept is in sight again.
            self.aws.sqs.change_message_visibility(
                QueueUrl=self.queue_url, ReceiptHandle=handle, VisibilityTimeout=0
            )
        self.kept.clear()
        found: list[Any] = []
        while batch := self.aws.sqs.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=_ALL_RECEIVED,
            AttributeNames=["All"],
            VisibilityTimeout=720,
            WaitTimeSeconds=0,
        ).get("Messages", []):
            found += batch
        return found

    def redrive(self, application: RedriveApplication) -> set[str]:
        """One round: all messages to the function; the ids of those that it kept."""
        messages = self.receive()
        kept = application.work_off(messages)
        for message in messages:
            if message["MessageId"] in kept:
                self.kept.append(message["ReceiptHandle"])
            else:
                self.aws.sqs.delete_message(
                    QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"]
                )
        return kept

    def put(self, **parameters: str) -> None:
        """Put parameters of the stage: access_token="…" and the like."""
        self.aws.put_parameters(
            {
                f"{FOLDER}/{name.replace('_', '-')}": ("SecureString", value)
                for name, value in parameters.items()
            }
        )


def _queue() -> Any:
    from moto.sqs.models import sqs_backends  # noqa: PLC0415  # slow, and loaded by then

    return sqs_backends["123456789012"]["us-east-1"].queues[PARKED_QUEUE]


def change_settings(application: ForwardApplication | RedriveApplication, **changes: Any) -> None:
    """Change what no environment variable sets."""
    module: Any = application.module
    settings = dataclasses.replace(module._destination.settings, **changes)
    module._destination = dataclasses.replace(module._destination, settings=settings)


def expire_parameters(application: ForwardApplication | RedriveApplication) -> None:
    """Five minutes pass for the parameters."""
    application.module._destination.credentials.parameters._fresh_until = 0.0


def allow_forced_read(application: ForwardApplication | RedriveApplication) -> None:
    """A second passes since the last read that TikTok's refusal forced."""
    application.module._destination.credentials.parameters._forced_at = 0.0


def plain_halving(bad: Sequence[int], start: int, end: int) -> int:
    """How many requests it takes to find the bad ones of a range by halving alone."""
    requests = 1
    if end - start > 1 and any(start <= one < end for one in bad):
        middle = (start + end) // 2
        requests += plain_halving(bad, start, middle) + plain_halving(bad, middle, end)
    return requests
