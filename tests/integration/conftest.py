"""The real functions against a local TikTok and a local AWS."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tiktok_pixel import observability
from tools.sandbox.application import (
    ForwardApplication,
    environment,
    forward_application,
    put_parameters,
)
from tools.sandbox.aws import AwsSandbox
from tools.sandbox.tiktok import TikTokSandbox

StartApplication = Callable[..., ForwardApplication]


@pytest.fixture(scope="session")
def aws_server() -> Iterator[AwsSandbox]:
    """One for all tests: moto is slow to start."""
    with AwsSandbox() as server:
        yield server


@pytest.fixture(scope="session")
def tiktok_server() -> Iterator[TikTokSandbox]:
    with TikTokSandbox() as server:
        yield server


@pytest.fixture
def aws(aws_server: AwsSandbox) -> AwsSandbox:
    """A local AWS with the parameters that an operator puts."""
    aws_server.reset()
    put_parameters(aws_server)
    return aws_server


@pytest.fixture
def tiktok(tiktok_server: TikTokSandbox) -> TikTokSandbox:
    """A local TikTok that has received nothing."""
    tiktok_server.reset()
    return tiktok_server


@pytest.fixture
def start(tiktok: TikTokSandbox, aws: AwsSandbox) -> Iterator[StartApplication]:
    """Start the forward function with further environment variables."""
    with ExitStack() as stack:

        def start_application(**more: str) -> ForwardApplication:
            variables = environment(tiktok.url, aws.url, **more)
            return stack.enter_context(forward_application(variables))

        yield start_application


@pytest.fixture
def application(start: StartApplication) -> ForwardApplication:
    """The forward function as the template deploys it."""
    return start()


@dataclass(slots=True)
class Output:
    """What the functions write, which in AWS goes to CloudWatch."""

    capture: pytest.CaptureFixture[str]
    text: str = ""

    def read(self) -> str:
        """All that was written up to now, standard error included."""
        captured = self.capture.readouterr()
        self.text += captured.out + captured.err
        return self.text

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Every line as JSON."""
        return [json.loads(line) for line in self.read().splitlines()]

    @property
    def logs(self) -> list[dict[str, Any]]:
        """The log lines."""
        return [line for line in self.lines if "_aws" not in line]

    @property
    def metrics(self) -> dict[str, float]:
        """The sum of every metric; dimensions of ours follow its name in brackets."""
        sums: dict[str, float] = {}
        for line in self.lines:
            for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
                own = [line[name] for name in directive["Dimensions"][0] if name != "service"]
                for metric in directive["Metrics"]:
                    name = f"{metric['Name']}[{','.join(own)}]" if own else metric["Name"]
                    sums[name] = sums.get(name, 0) + sum(line[metric["Name"]])
        return sums


class _StandardOutput(io.TextIOBase):
    """Standard output as it is at the moment of writing; pytest exchanges it now and then."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)


@pytest.fixture
def output(capfd: pytest.CaptureFixture[str]) -> Iterator[Output]:
    """All that is written from here on."""
    # The logger holds the stream that was standard output when it was made.
    handler: Any = observability.logger.registered_handler
    before, handler.stream = handler.stream, _StandardOutput()
    yield Output(capfd)
    handler.stream = before
