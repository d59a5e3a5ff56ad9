"""The Lambda functions in this process, connected to the sandbox."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tiktok_pixel.aws.credentials import DEVELOPMENT_SECRET
from tools.sandbox import samples
from tools.sandbox.tiktok import ACCESS_TOKEN, PIXEL_CODE

if TYPE_CHECKING:
    from tools.sandbox.aws import AwsSandbox

_FUNCTIONS = Path(__file__).parents[2] / "functions"
STAGE = "dev"
PREFIX = "/tiktok-pixel"
# `sam local` resolves `!Ref ParkedEventsQueue` to the logical name.
PARKED_QUEUE = "ParkedEventsQueue"
FOLDER = f"{PREFIX}/{STAGE}"


@dataclass(frozen=True, slots=True)
class Context:
    """The part of Lambda's context that the handlers use."""

    seconds: float = 6.0
    function_name: str = "forward"
    aws_request_id: str = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that is left."""
        return int(self.seconds * 1000)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A response of the endpoint."""

    status: int
    body: dict[str, Any]

    @property
    def row(self) -> dict[str, Any]:
        """The only row of the results."""
        (row,) = self.body["results"]
        result: dict[str, Any] = row
        return result


@dataclass(frozen=True, slots=True)
class ForwardApplication:
    """The forward function, with its loaded module."""

    module: Any

    def post(self, event: dict[str, Any], context: Context | None = None) -> HttpAnswer:
        """Invoke the function with a request from API Gateway."""
        response = self.module.handler(event, context or Context())
        return HttpAnswer(response["statusCode"], json.loads(response["body"]))

    def send(self, event: object) -> HttpAnswer:
        """Sign an event or a batch as Segment does, and post it."""
        return self.post(samples.signed(event))

    def invoke(self, event: object, context: Context | None = None) -> Any:
        """Invoke the function directly."""
        return self.module.handler(event, context or Context())


@dataclass(frozen=True, slots=True)
class RedriveApplication:
    """The redrive function, with its loaded module."""

    module: Any

    def invoke(self, event: object, context: Context | None = None) -> Any:
        """Invoke the function."""
        return self.module.handler(event, context or Context(120.0, function_name="redrive"))

    def work_off(
        self, messages: Sequence[Mapping[str, Any]], context: Context | None = None
    ) -> set[str]:
        """Invoke the function with messages from SQS; return the ids of those to keep."""
        records = [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "messageAttributes": {},
                "md5OfBody": message["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{PARKED_QUEUE}",
                "awsRegion": "us-east-1",
            }
            for message in messages
        ]
        response = self.invoke({"Records": records}, context)
        return {failure["itemIdentifier"] for failure in response["batchItemFailures"]}


def environment(tiktok_url: str, aws_url: str, **more: str) -> dict[str, str]:
    """Return the environment variables of the template, with the sandbox's URLs."""
    return {
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_SSM": aws_url,
        "AWS_ENDPOINT_URL_SQS": aws_url,
        "TIKTOK_API_URL": tiktok_url,
        "STAGE": STAGE,
        "PARAMETER_PREFIX": PREFIX,
        "DEFAULT_PHONE_REGION": "US",
        "DEFAULT_PAGE_URL": "",
        "TEST_EVENT_CODE": "",
        "POWERTOOLS_SERVICE_NAME": f"tiktok-pixel-{STAGE}",
        "POWERTOOLS_METRICS_NAMESPACE": "TikTokPixel",
        # Prevents that the age of this process counts as a cold start.
        "AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency",
        **more,
    }


def put_parameters(aws: AwsSandbox, folder: str = FOLDER) -> None:
    """Put the parameters that an operator puts before the first deployment."""
    aws.put_parameters(
        {
            f"{folder}/pixel-code": ("String", PIXEL_CODE),
            f"{folder}/access-token": ("SecureString", ACCESS_TOKEN),
            f"{folder}/webhook-secret": ("SecureString", DEVELOPMENT_SECRET),
        }
    )


@contextmanager
def forward_application(variables: dict[str, str]) -> Iterator[ForwardApplication]:
    """Load the forward function as a new Lambda environment would, with `variables` set."""
    with _environment_of("forward", variables) as module:
        yield ForwardApplication(module)


@contextmanager
def redrive_application(variables: dict[str, str]) -> Iterator[RedriveApplication]:
    """Load the redrive function as a new Lambda environment would, with `variables` set."""
    with _environment_of("redrive", variables) as module:
        yield RedriveApplication(module)


@contextmanager
def _environment_of(function: str, variables: dict[str, str]) -> Iterator[ModuleType]:
    before = dict(os.environ)
    os.environ.update(variables)
    # Imported late: the logger keeps the standard output of its creation.
    from tiktok_pixel import observability  # noqa: PLC0415

    # Powertools reads these only once, when the layer is loaded first.
    observability.metrics.provider.namespace = variables["POWERTOOLS_METRICS_NAMESPACE"]
    observability.metrics.provider.service = variables["POWERTOOLS_SERVICE_NAME"]
    try:
        module = _load(function)
        yield module
        module._destination.client.close()  # noqa: SLF001  # Lambda ends the process instead
    finally:
        os.environ.clear()
        os.environ.update(before)


def _load(function: str) -> ModuleType:
    # A new module each time: state of one Lambda environment must not reach the next.
    path = _FUNCTIONS / function / "app.py"
    spec = importlib.util.spec_from_file_location(f"app_{function}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[spec.name]
    return module
