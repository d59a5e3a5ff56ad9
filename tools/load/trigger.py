"""A local event source mapping: SQS messages to the environments of the redrive function.

It behaves like the trigger in the template, except that time is compressed: the batching window is
shorter, and messages of a failed invocation are visible again at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tools.load.ledger import parked_events, redriven_rejections
from tools.load.limits import BATCH_MESSAGES, VISIBILITY_SECONDS
from tools.sandbox.runtime import RuntimeHarnessError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from tools.load.environments import Pool

# Lambda's limit for the payload of an invocation.
_BATCH_BYTES: Final = 6_000_000
_LARGEST_MESSAGE: Final = 262_144
# SQS's limit of one call.
_CALL_MESSAGES: Final = 10


@dataclass(slots=True)
class Trigger:
    """Polls the queue.

    Attributes:
        sqs: The client for the queue.
        queue_url: The queue.
        pool: The environments of the redrive function.
        window: Seconds between two polls.
        polls: The messageIds of the events that each poll found.
        rejected: Reasons by messageId, of the events that the function rejected.
        invocations: How many were made.
        failures: How many messages failed.
    """

    sqs: SQSClient
    queue_url: str
    pool: Pool
    window: float = 1.0
    polls: list[frozenset[str]] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    invocations: int = 0
    failures: int = 0

    def poll_until(self, stopping: threading.Event) -> None:
        """Poll until `stopping` is set; the threads of several pollers share one trigger."""
        while not stopping.wait(self.window):
            self.poll()

    def poll(self) -> int:
        """Pass the visible messages to one invocation; return how many there were."""
        environment = self.pool.take()
        if environment is None:
            return 0
        failed: set[str] = set()
        try:
            messages = list(self._receive())
            if not messages:
                self.polls.append(frozenset())
                return 0
            self.invocations += 1
            try:
                result = environment.invoke({"Records": [_record(one) for one in messages]})
            except RuntimeHarnessError:
                failed = {message["MessageId"] for message in messages}
            else:
                failed = _failed(result.payload, messages)
            self.rejected.update(redriven_rejections(environment.logs))
        finally:
            self.pool.give_back(environment)
        self.failures += len(failed)
        self._delete([one for one in messages if one["MessageId"] not in failed])
        for message in messages:
            if message["MessageId"] in failed:
                self.sqs.change_message_visibility(
                    QueueUrl=self.queue_url,
                    ReceiptHandle=message["ReceiptHandle"],
                    VisibilityTimeout=0,
                )
        self.polls.append(frozenset(parked_events(message["Body"] for message in messages)))
        return len(messages)

    def _receive(self) -> Iterator[MessageTypeDef]:
        count = size = 0
        while count < BATCH_MESSAGES and size < _BATCH_BYTES - _CALL_MESSAGES * _LARGEST_MESSAGE:
            found = self.sqs.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=_CALL_MESSAGES,
                VisibilityTimeout=VISIBILITY_SECONDS,
                WaitTimeSeconds=0,
                MessageSystemAttributeNames=["All"],
            ).get("Messages", [])
            if not found:
                return
            yield from found
            count += len(found)
            size += sum(len(message["Body"]) for message in found)

    def _delete(self, messages: Sequence[MessageTypeDef]) -> None:
        for start in range(0, len(messages), _CALL_MESSAGES):
            self.sqs.delete_message_batch(
                QueueUrl=self.queue_url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                    for number, message in enumerate(messages[start : start + _CALL_MESSAGES])
                ],
            )


def _failed(payload: Any, messages: Sequence[MessageTypeDef]) -> set[str]:
    """Return the ids of the messages that stay; all of them when the response is not usable.

    Source: AWS Lambda, "Implementing partial batch responses".
    """
    ids = {message["MessageId"] for message in messages}
    try:
        failed = {failure["itemIdentifier"] for failure in payload["batchItemFailures"]}
    except (KeyError, TypeError):
        return ids
    return ids if failed - ids else failed


def _record(message: MessageTypeDef) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:ParkedEventsQueue",
        "awsRegion": "us-east-1",
    }
