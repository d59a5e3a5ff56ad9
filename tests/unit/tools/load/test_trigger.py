from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.tools.load.fakes import FakeEnvironment
from tools.load.environments import Pool
from tools.load.trigger import Trigger
from tools.sandbox.aws import AwsSandbox
from tools.sandbox.runtime import InvokeResult

QUEUE = "trigger"


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsSandbox]:
    with AwsSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def queue_url(aws: AwsSandbox) -> Iterator[str]:
    url = aws.create_queue(QUEUE)
    for number in range(25):
        aws.sqs.send_message(QueueUrl=url, MessageBody=message(f"m-{number}"))
    yield url
    aws.delete_queue(url)


def message(message_id: str) -> str:
    return json.dumps({"cause": "c", "reason": "r", "events": [{"message_id": message_id}]})


def poll(aws: AwsSandbox, queue_url: str, environment: FakeEnvironment) -> Trigger:
    with Pool(lambda: environment, 1) as pool:
        trigger = Trigger(aws.sqs, queue_url, pool)
        trigger.poll()
    return trigger


def test_one_invocation_gets_all_messages_and_they_are_deleted(
    aws: AwsSandbox, queue_url: str
) -> None:
    environment = FakeEnvironment(lambda _: {"batchItemFailures": []})
    trigger = poll(aws, queue_url, environment)
    (event,) = environment.events
    assert {record["body"] for record in event["Records"]} == {
        message(f"m-{number}") for number in range(25)
    }
    assert trigger.polls == [frozenset(f"m-{number}" for number in range(25))]
    assert aws.messages(queue_url) == []


def test_messages_that_failed_are_visible_again(aws: AwsSandbox, queue_url: str) -> None:
    def fail_one(event: Any) -> Any:
        failed = next(one for one in event["Records"] if one["body"] == message("m-7"))
        return {"batchItemFailures": [{"itemIdentifier": failed["messageId"]}]}

    trigger = poll(aws, queue_url, FakeEnvironment(fail_one))
    assert trigger.failures == 1
    assert aws.messages(queue_url) == [message("m-7")]


@pytest.mark.parametrize(
    "response",
    [
        InvokeResult(None, 0.0, {"errorType": "Sandbox.Timedout"}),
        {"batchItemFailures": [{"itemIdentifier": "unknown"}]},
        {},
    ],
)
def test_all_messages_stay_if_the_response_cannot_be_used(
    aws: AwsSandbox, queue_url: str, response: Any
) -> None:
    poll(aws, queue_url, FakeEnvironment(lambda _: response))
    assert len(aws.messages(queue_url)) == 25


def test_without_a_free_environment_no_message_is_received(aws: AwsSandbox, queue_url: str) -> None:
    with Pool(FakeEnvironment, 1) as pool:
        taken = pool.take()
        assert taken is not None
        assert Trigger(aws.sqs, queue_url, pool).poll() == 0
        pool.give_back(taken)
    assert len(aws.messages(queue_url)) == 25
