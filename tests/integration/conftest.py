"""The fixtures of the integration tests: the real functions, a local TikTok and a local AWS."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.harness import Forward, Output, World, make_world
from tiktok_pixel import destination, observability
from tools.sandbox.aws import AwsSandbox

StartCustom = Callable[..., Forward]


@pytest.fixture(scope="session")
def aws_server() -> Iterator[AwsSandbox]:
    """One AWS for all tests: moto is slow to start."""
    with AwsSandbox() as server:
        yield server


class _StandardOutput(io.TextIOBase):
    """Standard output as it is at the moment of writing: pytest replaces it."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)


@pytest.fixture
def output(capfd: pytest.CaptureFixture[str]) -> Iterator[Output]:
    """Everything that the functions write from here on."""
    # The logger holds the stream that was standard output when it was made.
    handler: Any = observability.logger.registered_handler
    before, handler.stream = handler.stream, _StandardOutput()
    observability.metrics.clear_metrics()
    yield Output(capfd)
    observability.metrics.clear_metrics()
    handler.stream = before


@pytest.fixture
def world(aws_server: AwsSandbox, output: Output) -> Iterator[World]:
    """A world for this test alone."""
    del output  # Requested so that everything written is captured.
    with make_world(aws_server) as made:
        yield made


@pytest.fixture
def application(world: World) -> Forward:
    """The forward function as the template deploys it."""
    return world.start()


@pytest.fixture
def custom(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StartCustom:
    """Start the forward function with presets in the mapping file of a stage."""
    monkeypatch.setattr(destination, "OWN_MAPPINGS", tmp_path)

    def start_custom(*presets: dict[str, Any], stage: str = "dev", **more: str) -> Forward:
        (tmp_path / f"{stage}.json").write_text(json.dumps(presets))
        return world.start(MAPPING_SET="custom", STAGE=stage, **more)

    return start_custom
