"""The trigger of the redrive function, on demand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    from tools.sandbox.application import RedriveApplication
    from tools.sandbox.aws import AwsSandbox


@dataclass(frozen=True, slots=True)
class RedriveTrigger:
    """Invokes the redrive function with the messages of the queue.

    Attributes:
        aws: The local AWS.
        queue_url: The queue of parked events.
        application: The redrive function.
    """

    aws: AwsSandbox
    queue_url: str
    application: RedriveApplication

    def invoke(self, event: bytes) -> dict[str, Any]:
        """Invoke the function with an event, or with all visible messages; return its response."""
        if event:
            response: dict[str, Any] = self.application.invoke(json.loads(event))
            return response
        messages = list(self._receive())
        kept = self.application.work_off(messages)
        for message in messages:
            where = {"QueueUrl": self.queue_url, "ReceiptHandle": message["ReceiptHandle"]}
            if message["MessageId"] in kept:
                self.aws.sqs.change_message_visibility(**where, VisibilityTimeout=0)
            else:
                self.aws.sqs.delete_message(**where)
        return {"messages": len(messages), "kept": len(kept)}

    def _receive(self) -> Iterator[MessageTypeDef]:
        while found := self.aws.sqs.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=0,
            MessageSystemAttributeNames=["All"],
        ).get("Messages"):
            yield from found
