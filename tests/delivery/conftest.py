"""The small world that every test of the delivery starts with."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.delivery.world import Output, World
from tiktok_pixel import observability
from tools.sandbox.application import PARKED_QUEUE, put_parameters
from tools.sandbox.aws import AwsSandbox, FaultyAws
from tools.sandbox.tiktok import TikTokSandbox


@pytest.fixture(scope="package")
def aws_server() -> Iterator[AwsSandbox]:
    """One for all tests: moto is slow to start."""
    with AwsSandbox() as server:
        yield server


class _StandardOutput:
    """Standard output as it is when something is written: pytest changes it as it goes."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Iterator[Output]:
    """All that the functions write from here on."""
    # The logger holds the stream that was standard output when it was made.
    handler: Any = observability.logger.registered_handler
    before, handler.stream = handler.stream, _StandardOutput()
    observability.metrics.clear_metrics()
    yield Output(capsys)
    observability.metrics.clear_metrics()
    handler.stream = before


@contextmanager
def small_world(aws: AwsSandbox) -> Iterator[World]:
    """A TikTok that takes everything, an AWS with the operator's parameters and an empty queue."""
    aws.reset()
    put_parameters(aws)
    queue_url = aws.create_queue(PARKED_QUEUE, VisibilityTimeout="720")
    with TikTokSandbox() as tiktok, FaultyAws(aws.url) as proxy, ExitStack() as stack:
        yield World(tiktok, aws, proxy, queue_url, stack)


@pytest.fixture
def world(aws_server: AwsSandbox, output: Output) -> Iterator[World]:
    """A world of the test's own."""
    del output  # Everything that is written is caught.
    with small_world(aws_server) as made:
        yield made
