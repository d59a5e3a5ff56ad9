"""A stage before and after its deployment."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from build_hash import build_hash
from tests.unit.tools.stages.world import World, create_stack, endpoint
from tools.ops.template import ROOT
from tools.sandbox.application import put_parameters
from tools.sandbox.aws import AwsSandbox
from tools.sandbox.tiktok import TikTokSandbox


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    config = tmp_path / "samconfig.toml"
    shutil.copy(ROOT / "samconfig.toml", config)
    with TikTokSandbox() as tiktok, AwsSandbox() as aws:
        aws.reset()
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("MOTO_ALLOW_NONEXISTENT_REGION", "true")
        yield World(aws, tiktok, config)


@pytest.fixture
def deployed(world: World) -> Iterator[World]:
    """The stage dev with parameters, stack, alarm and an endpoint."""
    put_parameters(world.aws)
    create_stack(world)
    world.set_alarm("OK")
    with endpoint(world, build_hash(ROOT / "layers" / "tiktok_pixel")):
        yield world
