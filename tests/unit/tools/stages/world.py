"""A stage on a local AWS, with a local TikTok and the real function as its endpoint."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import boto3

from tests.moto_stack import for_moto
from tools.ops.template import load_template, transform
from tools.pixel.samconfig import with_parameters
from tools.pixel.stage import load_stage
from tools.sandbox import samples
from tools.sandbox.application import environment, forward_application
from tools.sandbox.aws import AwsSandbox
from tools.sandbox.tiktok import TikTokSandbox
from tools.sandbox.wire import Connection, HttpServer, Response

STACK: Final = "tiktok-pixel-dev"
SERVICE: Final = "tiktok-pixel-dev"
ALARM: Final = f"{STACK}-operator-parked"
Pixel = Callable[..., list[str]]


@dataclass(slots=True)
class World:
    """A deployed stage: AWS, TikTok and the endpoint."""

    aws: AwsSandbox
    tiktok: TikTokSandbox
    config: Path
    endpoint: str = ""

    def client(self, service: Any) -> Any:
        session: Any = boto3.Session("sandbox", "sandbox", region_name="us-east-1")
        return session.client(service, endpoint_url=self.aws.url)

    def put_metric(self, name: str, value: float, **dimensions: str) -> None:
        named = {"service": SERVICE, **dimensions}
        self.client("cloudwatch").put_metric_data(
            Namespace="TikTokPixel",
            MetricData=[
                {
                    "MetricName": name,
                    "Value": value,
                    "Timestamp": datetime.now(UTC),
                    "Dimensions": [{"Name": k, "Value": v} for k, v in named.items()],
                }
            ],
        )

    def configure(self, **parameters: str) -> None:
        """Set parameters in `samconfig.toml`."""
        self.config.write_text(with_parameters(self.config.read_text(), "dev", parameters))

    def set_alarm(self, state: str) -> None:
        cloudwatch = self.client("cloudwatch")
        cloudwatch.put_metric_alarm(
            AlarmName=ALARM,
            Namespace="TikTokPixel",
            MetricName="EventsParked",
            Statistic="Sum",
            Period=300,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )
        cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue=state, StateReason="test")


@contextmanager
def endpoint(world: World, build: str) -> Iterator[None]:
    """Serve the forward function, with the name of a build, as the endpoint of the stage."""
    with forward_application(environment(world.tiktok.url, world.aws.url)) as application:
        module = application.module
        module._destination = dataclasses.replace(module._destination, build=build)

        def serve(line: Connection) -> bool:
            request = line.read_request()
            if request is None:
                return False
            event = samples.http_event(request.body.decode(), request.headers.get("x-signature"))
            with redirect_stdout(io.StringIO()):
                response = module.handler(event, _Context())
            sent = Response.of_json(json.loads(response["body"]), response["statusCode"])
            headers = {**sent.headers, **response["headers"]}
            line.send(dataclasses.replace(sent, headers=headers).encode())
            return True

        with HttpServer(serve) as server:
            world.endpoint = f"{server.url}/segment"
            yield


class _Context:
    function_name = "forward"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 6000


def create_stack(world: World, **changes: str) -> None:
    """Create the stack of the stage dev with the parameters of `samconfig.toml`, and changes."""
    parameters = {**load_stage("dev", path=world.config).overrides, **changes}
    archive = world.client("s3")
    archive.create_bucket(Bucket="artifacts")
    archive.put_object(Bucket="artifacts", Key="code.zip", Body=_EMPTY_ZIP)
    world.client("cloudformation").create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(for_moto(transform(load_template(), {}))),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
    )


_EMPTY_ZIP: Final = b"PK\x05\x06" + 18 * b"\0"
