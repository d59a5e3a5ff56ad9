"""The built functions in AWS's runtime interface emulator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.payloads import OUTCOMES, REFUSALS, assert_nothing_personal, assert_payload
from tiktok_pixel.aws.credentials import DEVELOPMENT_SECRET
from tools.sandbox import application, faults, samples
from tools.sandbox.tiktok import ACCESS_TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.conftest import BuiltApplication, Sandbox
    from tools.sandbox.runtime import LambdaRuntime

pytestmark = pytest.mark.runtime

BUDGET = 4.0
SEGMENT_WAITS = 5.0
# What Lambda sets, also for the template's LoggingConfig.
LAMBDA_SETS = {
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_LOG_FORMAT": "JSON",
    "AWS_LAMBDA_LOG_LEVEL": "INFO",
}

# A bug whose exception quotes the event, as Python's own exceptions do.
BROKEN = """
import app
from tiktok_pixel import endpoint

def forward(events, *args, **kwargs):
    raise ValueError(f"cannot use {events}")

endpoint.forward = forward
handler = app.handler
"""


def variables(sandbox: Sandbox, **more: str) -> dict[str, str]:
    local = sandbox.variables()
    return application.environment(
        local["TIKTOK_API_URL"],
        local["AWS_ENDPOINT_URL_SSM"],
        **{**LAMBDA_SETS, "PARKED_QUEUE_URL": sandbox.parked, **more},
    )


def body(result: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(result["body"])
    return answer


@pytest.fixture
def forward(built: BuiltApplication, sandbox: Sandbox) -> Iterator[LambdaRuntime]:
    with built.runtime("ForwardFunction", variables(sandbox)) as fn:
        yield fn


class TestColdStart:
    def test_answers_within_the_budget(self, forward: LambdaRuntime) -> None:
        result = forward.invoke(samples.read("signed-view-content"))
        assert result.error is None
        assert result.payload["statusCode"] == 200
        assert result.seconds < BUDGET

    def test_parks_the_event_if_tiktok_is_slow(
        self, forward: LambdaRuntime, sandbox: Sandbox
    ) -> None:
        sandbox.tiktok.always(faults.hang(20))
        result = forward.invoke(samples.read("signed-view-content"))
        assert result.error is None
        assert (result.payload["statusCode"], body(result.payload)["status"]) == (202, "parked")
        assert result.seconds < SEGMENT_WAITS

    def test_reports_the_variable_that_is_wrong(
        self, built: BuiltApplication, sandbox: Sandbox
    ) -> None:
        with built.runtime("ForwardFunction", variables(sandbox, STAGE="production")) as fn:
            result = fn.invoke(samples.read("signed-view-content"))
        assert result.error is not None
        assert result.error["errorMessage"] == "STAGE: must be one of: dev, staging, prod"


def test_signed_samples(forward: LambdaRuntime, sandbox: Sandbox) -> None:
    for name, (http_status, status, _) in OUTCOMES.items():
        sandbox.tiktok.forget()
        result = forward.invoke(samples.read(samples.SIGNED + name))
        assert result.error is None
        answer = body(result.payload)
        assert (result.payload["statusCode"], answer["status"]) == (http_status, status), name
        assert [row["message_id"] for row in answer["results"]] == [f"sample-{name}"]
        assert len(sandbox.tiktok.events) == answer["forwarded"]
        if status == "forwarded":
            assert_payload(sandbox.tiktok.requests[0], name)


def test_samples_that_are_invoked_directly(forward: LambdaRuntime, sandbox: Sandbox) -> None:
    for name, (_, status, _) in OUTCOMES.items():
        sandbox.tiktok.forget()
        result = forward.invoke(samples.read(name))
        assert result.error is None
        assert result.payload["status"] == status, name
        assert len(sandbox.tiktok.events) == result.payload["forwarded"]
        if status == "forwarded":
            assert_payload(sandbox.tiktok.requests[0], name)


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refused_request_sends_nothing(
    forward: LambdaRuntime, sandbox: Sandbox, name: str
) -> None:
    result = forward.invoke(samples.read(name))
    assert (result.payload["statusCode"], body(result.payload)["reason"]) == REFUSALS[name]
    assert not sandbox.tiktok.requests


def test_a_direct_invocation_to_send_again_fails(built: BuiltApplication, sandbox: Sandbox) -> None:
    with built.runtime("ForwardFunction", variables(sandbox, PARKED_QUEUE_URL="")) as fn:
        sandbox.tiktok.next(faults.answer(40105), faults.answer(40105))
        result = fn.invoke(samples.read("add-to-cart"))
        assert result.error is not None
        assert result.error["errorType"] == "RetryLaterError"
        assert_nothing_personal(json.dumps(result.error))
        sandbox.tiktok.clear_faults()
        assert fn.invoke(samples.read("add-to-cart")).payload["status"] == "forwarded"


def test_an_invocation_by_another_service_fails(forward: LambdaRuntime) -> None:
    result = forward.invoke({"Records": [_record("{}")]})
    assert result.error is not None
    assert result.error["errorType"] == "UnsupportedInvocationError"
    assert "aws:sqs" in result.error["errorMessage"]


def test_parked_events_are_delivered_after_the_token_is_replaced(
    built: BuiltApplication, forward: LambdaRuntime, sandbox: Sandbox
) -> None:
    sandbox.tiktok.settings.tokens = {"the operator's new token"}
    result = forward.invoke(samples.read("signed-place-an-order"))
    assert (result.payload["statusCode"], body(result.payload)["status"]) == (202, "parked")
    (message,) = sandbox.aws.messages(sandbox.parked)

    sandbox.tiktok.reset()
    with built.runtime("RedriveFunction", variables(sandbox), timeout=120) as redrive:
        redriven = redrive.invoke({"Records": [_record(message)]})
    assert redriven.payload == {"batchItemFailures": []}
    assert_payload(sandbox.tiktok.requests[0], "place-an-order")
    assert_nothing_personal("\n".join(redrive.logs))


def test_logs_and_responses_have_no_personal_data(forward: LambdaRuntime, sandbox: Sandbox) -> None:
    refusal = faults.answer(40002, "bad email jane.doe@example.com of +1 206 555 0100")
    for name in OUTCOMES:
        sandbox.tiktok.reset()
        forwarded = forward.invoke(samples.read(samples.SIGNED + name))
        sandbox.tiktok.always(refusal)
        refused = forward.invoke(samples.read(name))
        assert_nothing_personal(json.dumps([forwarded.payload, refused.payload]))
    assert any("EventsForwarded" in line for line in forward.logs)
    assert_nothing_personal("\n".join(forward.logs))


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_libraries_log_neither_secrets_nor_personal_data(
    built: BuiltApplication, sandbox: Sandbox, level: str
) -> None:
    # Lambda sets the level of the root logger, and so that of boto3, whose DEBUG lines have whole
    # requests and responses: decrypted parameters, parked events.
    levels = {"AWS_LAMBDA_LOG_LEVEL": level, "POWERTOOLS_LOG_LEVEL": level}
    with built.runtime("ForwardFunction", variables(sandbox, **levels)) as fn:
        forwarded = fn.invoke(samples.read("signed-add-to-cart"))
        sandbox.tiktok.settings.tokens = {"the operator's new token"}
        parked = fn.invoke(samples.read("signed-place-an-order"))
    assert (forwarded.payload["statusCode"], parked.payload["statusCode"]) == (200, 202)
    logged = "\n".join(fn.logs)
    for secret in (ACCESS_TOKEN, DEVELOPMENT_SECRET):
        assert secret not in logged, "a secret is in the log"
    assert_nothing_personal(logged)


@pytest.mark.parametrize("name", ["add-to-cart", "signed-add-to-cart"])
def test_a_bug_leaks_nothing_and_makes_the_sender_send_again(
    built: BuiltApplication, sandbox: Sandbox, tmp_path: Path, name: str
) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    environment = variables(sandbox)
    with built.runtime(
        "ForwardFunction", environment, handler="broken.handler", extra=(tmp_path,)
    ) as fn:
        result = fn.invoke(samples.read(name))
    if name.startswith(samples.SIGNED):
        assert result.error is None
        assert (result.payload["statusCode"], body(result.payload)["status"]) == (500, "retry")
    else:
        assert result.error is not None
        assert result.error["errorType"] == "RetryLaterError"
    assert any("ValueError" in line for line in fn.logs)
    assert_nothing_personal("\n".join([*fn.logs, json.dumps([result.payload, result.error])]))


def _record(message: str) -> dict[str, Any]:
    """A message of the queue as Lambda's event source mapping passes it."""
    return {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "a-receipt-handle",
        "body": message,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1545082649183",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1545082649185",
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:parked-events",
        "awsRegion": "us-east-1",
    }
