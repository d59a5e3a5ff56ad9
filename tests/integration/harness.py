"""The harness of the integration tests.

A `World` has both functions, a local TikTok, and a local AWS behind a proxy that can fail. Every
request that a test posts is accounted for: the response is compared with what TikTok accepted and
with the messages in the queue.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from unittest import mock

import pytest

from tiktok_pixel import destination
from tiktok_pixel.outcomes import shown_message_id
from tiktok_pixel.tiktok.client import READ_SECONDS
from tools.load.limits import REDRIVE_SECONDS, VISIBILITY_SECONDS
from tools.sandbox import samples
from tools.sandbox.application import (
    FOLDER,
    PARKED_QUEUE,
    Context,
    ForwardApplication,
    RedriveApplication,
    environment,
    forward_application,
    put_parameters,
    redrive_application,
)
from tools.sandbox.aws import AwsSandbox, FaultyAws
from tools.sandbox.tiktok import TikTokSandbox

BUDGET: Final = 4.0
# Parts of a budget are reserved for parking and for the response; a busy machine needs the rest.
SHORT_BUDGET: Final = 2.0
ACCESS_TOKEN_NAME: Final = f"{FOLDER}/access-token"
PIXEL_CODE_NAME: Final = f"{FOLDER}/pixel-code"
READS: Final = "AmazonSSM.GetParameters"
SENDS: Final = "AmazonSQS.SendMessage"
STATUSES: Final = ("forwarded", "ignored", "rejected", "parked", "retry")
FORWARDED: Final = ("forwarded", "tiktok_accepted")
# Lambda's time for the redrive function; its visibility time-out is six times as long.
# A busy machine may be late by this much; a wait that is not bounded is much longer.
_BUSY_SECONDS: Final = 0.5
# The function keeps this much more of Lambda's time than of its own budget.
_LAMBDA_MARGIN: Final = 0.2


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
    """Page calls with different message ids."""
    return [visit(f"{prefix}-{number}") for number in range(count)]


def body_of(size: int) -> Any:
    """A single event, or a batch."""
    return visit("m-0") if size == 1 else visits(size)


def preset(
    event: str, *, name: str = "Own", subscribe: str = 'type = "track"', **more: Any
) -> dict[str, Any]:
    """A preset with all default fields; `fields` adds to them."""
    mapping = {"event": event, **more.pop("fields", {})}
    return {"name": name, "subscribe": subscribe, "defaults": True, "mapping": mapping, **more}


@dataclass(slots=True)
class Clock:
    """The clock of the parameter caches: the real time, moved forward on demand."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.ahead += seconds


@dataclass(slots=True)
class Output:
    """What the functions write, which in AWS goes to CloudWatch."""

    capture: pytest.CaptureFixture[str]
    _written: str = ""

    @property
    def text(self) -> str:
        """Everything written so far, standard error included."""
        captured = self.capture.readouterr()
        self._written += captured.out + captured.err
        return self._written

    @property
    def logs(self) -> list[dict[str, Any]]:
        """The log lines."""
        return [line for line in self._lines() if "_aws" not in line]

    @property
    def metrics(self) -> Counter[str]:
        """The sum of every metric; values of further dimensions follow its name in brackets.

        Without `ColdStarts`, which belongs to the environment and not to a request.
        """
        sums: Counter[str] = Counter()
        for line in self._lines():
            for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
                own = [line[name] for name in directive["Dimensions"][0] if name != "service"]
                for metric in directive["Metrics"]:
                    name = f"{metric['Name']}[{','.join(own)}]" if own else metric["Name"]
                    sums[name] += sum(line[metric["Name"]])
        sums.pop("ColdStarts", None)
        return sums

    def clear(self) -> None:
        """Forget what was written."""
        self.capture.readouterr()
        self._written = ""

    def _lines(self) -> Iterator[dict[str, Any]]:
        return map(json.loads, self.text.splitlines())


@dataclass(frozen=True, slots=True)
class Answer:
    """A response to Segment.

    Attributes:
        in_time: It came within the budget.
        stray: Ids of events that TikTok has although the response does not say so.
    """

    status: int
    body: dict[str, Any]
    in_time: bool
    stray: frozenset[str]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of the results."""
        rows: list[dict[str, Any]] = self.body["results"]
        return rows

    @property
    def row(self) -> dict[str, Any]:
        """The only row."""
        (row,) = self.rows
        return row

    @property
    def reasons(self) -> list[str]:
        """The reasons in order."""
        return [row["reason"] for row in self.rows]

    @property
    def ends(self) -> Counter[tuple[str, str]]:
        """How many events have each outcome and reason."""
        return Counter((row["status"], row["reason"]) for row in self.rows)

    @property
    def end(self) -> tuple[str, str]:
        """The outcome and reason that all events share."""
        (end,) = self.ends
        return end

    def ids(self, *statuses: str) -> set[str]:
        """The message ids of the events with one of these outcomes."""
        return {row["message_id"] for row in self.rows if row["status"] in statuses}


@dataclass(frozen=True, slots=True)
class Forward:
    """One environment of the forward function.

    Attributes:
        shares_ids: The event id is not the message id but one that the site's pixel shares.
        budget: Seconds from the request to the response.
    """

    world: World
    application: ForwardApplication
    shares_ids: bool
    budget: float = BUDGET

    def within(self, budget: float) -> Forward:
        """The same environment with less time."""
        return dataclasses.replace(self, budget=budget)

    def close_circuit(self) -> None:
        """Forget the failures that the circuit breaker has counted."""
        self.application.module._destination.breaker.succeed()

    def send(self, events: Any) -> Answer:
        """Post one event or a batch, signed."""
        return self.post(samples.signed(events))

    def post(self, request: Mapping[str, Any]) -> Answer:
        """Post a request of API Gateway, and account for every event in it."""
        accounts = self.world.accounts(shares_ids=self.shares_ids)
        started = time.perf_counter()
        response = self.application.post(dict(request), self._context())
        seconds = time.perf_counter() - started
        stray = accounts.check(response.body)
        in_time = seconds <= self.budget + _BUSY_SECONDS
        return Answer(response.status, response.body, in_time, stray)

    def invoke(self, event: object) -> Any:
        """Invoke the function directly."""
        return self.application.invoke(event, self._context())

    def _context(self) -> Context:
        return Context(self.budget + _LAMBDA_MARGIN)


@dataclass(frozen=True, slots=True)
class Accounts:
    """What TikTok and the queue held before a request."""

    world: World
    shares_ids: bool
    accepted: Counter[str | None]
    parked: Counter[str | None]

    def check(self, body: Mapping[str, Any]) -> frozenset[str]:
        """Compare a response with what happened; the ids that TikTok has in spite of it.

        A request that ends without a response may have been accepted all the same: then the
        response says `retry` or `parked`, and the second copy is dropped by TikTok.
        """
        rows = body["results"]
        outcomes = Counter(row["status"] for row in rows)
        assert {status: body[status] for status in STATUSES} == {
            status: outcomes[status] for status in STATUSES
        }
        unsure = {row["message_id"] for row in rows if row["status"] in ("retry", "parked")}
        parked = self.world.parked_message_ids() - self.parked
        reported_parked = self._reported(rows, "parked")
        assert not reported_parked - parked, "reported as parked, but not in the queue"
        assert set(parked - reported_parked) <= unsure, "in the queue, but not reported"
        accepted = self.world.accepted_ids() - self.accepted
        reported = self._reported(rows, "forwarded")
        if self.shares_ids:
            assert accepted.total() == reported.total()
            return frozenset()
        assert not reported - accepted, "reported as forwarded, but not at TikTok"
        stray = accepted.keys() - reported.keys()
        assert stray <= unsure, "at TikTok, but not reported"
        return frozenset(str(one) for one in stray)

    @staticmethod
    def _reported(rows: Sequence[Mapping[str, Any]], status: str) -> Counter[str | None]:
        return Counter(row["message_id"] for row in rows if row["status"] == status)


@dataclass(slots=True)
class World:
    """Everything around the functions.

    Attributes:
        proxy: The endpoint that the functions use for AWS.
        clock: The clock of the parameter caches.
        read_seconds: How long the forward function waits for TikTok's response.
        stack: Ends what was started.
    """

    tiktok: TikTokSandbox
    aws: AwsSandbox
    proxy: FaultyAws
    queue_url: str
    stack: ExitStack
    clock: Clock = field(default_factory=Clock)
    read_seconds: float = READ_SECONDS
    _hidden: list[str] = field(default_factory=list)
    _parked: Counter[str | None] | None = field(default_factory=Counter)
    _sends: int = 0

    def start(self, **variables: str) -> Forward:
        """Start a new environment of the forward function, with further variables."""
        with self._injected(read_seconds=self.read_seconds):
            application = self.stack.enter_context(
                forward_application(self._environment(variables))
            )
        return Forward(self, application, variables.get("USE_EXISTING_PIXEL") == "true")

    def start_redrive(self, **variables: str) -> RedriveApplication:
        """Start a new environment of the redrive function."""
        with self._injected():
            return self.stack.enter_context(redrive_application(self._environment(variables)))

    def _injected(self, **arguments: Any) -> Any:
        build = functools.partial(destination.build_destination, clock=self.clock, **arguments)
        return mock.patch.object(destination, "build_destination", build)

    def _environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        defaults = {"PARKED_QUEUE_URL": PARKED_QUEUE}
        return environment(self.tiktok.url, self.proxy.url, **defaults) | dict(variables)

    def accounts(self, *, shares_ids: bool) -> Accounts:
        """What TikTok and the queue hold now."""
        return Accounts(self, shares_ids, self.accepted_ids(), self.parked_message_ids())

    def accepted_ids(self) -> Counter[str | None]:
        """The event ids that TikTok accepted, as a response shows them."""
        return Counter(shown_message_id(one.event.get("event_id")) for one in self.tiktok.accepted)

    def parked_message_ids(self) -> Counter[str | None]:
        """The message ids in the queue, as a response shows them."""
        # The queue is only read again after something was sent to it.
        sends = self.proxy.calls[SENDS]
        if self._parked is None or sends != self._sends:
            self._parked = Counter(row["message_id"] for row in self._parked_rows())
            self._sends = sends
        return Counter(self._parked)

    def parked_messages(self) -> list[dict[str, Any]]:
        """The messages with events in the queue, which stay there."""
        messages = self.receive()
        self._hidden += [message["ReceiptHandle"] for message in messages]
        bodies = [json.loads(message["Body"]) for message in messages]
        return [body for body in bodies if body["events"]]

    def parked_ids(self) -> list[str]:
        """The event ids in the queue."""
        return [row["body"]["event_id"] for row in self._parked_rows()]

    def _parked_rows(self) -> list[dict[str, Any]]:
        messages = self.parked_messages()
        return [row for message in messages for row in message["events"]]

    def receive(self) -> list[Any]:
        """Every message in the queue, as Lambda gets it; a visibility time-out ends first."""
        for handle in self._hidden:
            self.aws.sqs.change_message_visibility(
                QueueUrl=self.queue_url, ReceiptHandle=handle, VisibilityTimeout=0
            )
        self._hidden.clear()
        found: list[Any] = []
        while batch := self.aws.sqs.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["All"],
            VisibilityTimeout=VISIBILITY_SECONDS,
            WaitTimeSeconds=0,
        ).get("Messages", []):
            found += batch
        return found

    def delays(self) -> list[int]:
        """The delays of the messages that wait, in the order in which they were sent."""
        return [delay for delay in self.proxy.delays if delay > 0]

    def visible_messages(self) -> int:
        """How many messages in the queue could be received at once."""
        found = self.aws.sqs.get_queue_attributes(
            QueueUrl=self.queue_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(found["Attributes"]["ApproximateNumberOfMessages"])

    def redrive(
        self,
        application: RedriveApplication,
        *,
        change: Callable[[Any], Any] = lambda message: message,
        seconds: float = REDRIVE_SECONDS,
    ) -> list[str]:
        """Pass all messages to the redrive function; the bodies of those that it keeps.

        Args:
            application: The redrive function.
            change: Changes a message on its way to the function.
            seconds: The time that Lambda has left.
        """
        messages = self.receive()
        self._parked = None
        kept = application.work_off(
            [change(message) for message in messages], Context(seconds, function_name="redrive")
        )
        for message in messages:
            if message["MessageId"] in kept:
                self._hidden.append(message["ReceiptHandle"])
            else:
                self._delete(message)
        return [message["Body"] for message in messages if message["MessageId"] in kept]

    def _delete(self, message: Any) -> None:
        self.aws.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])

    def forget(self) -> None:
        """Forget everything sent, scripted and parked; what was started goes on."""
        if self.proxy.calls[SENDS] or self._parked:
            for message in self.receive():
                self._delete(message)
        self._parked, self._sends = Counter(), 0
        self.tiktok.reset()
        self.proxy.clear()

    def put(self, **parameters: str) -> None:
        """Put parameters of the stage: access_token="…" and the like."""
        self.aws.put_parameters(
            {
                f"{FOLDER}/{name.replace('_', '-')}": ("SecureString", value)
                for name, value in parameters.items()
            }
        )


@contextmanager
def make_world(aws: AwsSandbox) -> Iterator[World]:
    """Make a world with the operator's parameters, an empty queue and a TikTok without faults."""
    aws.reset()
    put_parameters(aws)
    queue_url = aws.create_queue(PARKED_QUEUE, VisibilityTimeout=str(VISIBILITY_SECONDS))
    with TikTokSandbox() as tiktok, FaultyAws(aws.url) as proxy, ExitStack() as stack:
        proxy.skips_delays = True
        yield World(tiktok, aws, proxy, queue_url, stack)
