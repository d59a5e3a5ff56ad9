"""`pixel deploy` from a clone: build, deployment to a local AWS, and the checks after it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import boto3
import pytest

from build_hash import build_hash
from tools.ops.template import ROOT
from tools.sandbox.application import put_parameters
from tools.sandbox.aws import CREDENTIALS, AwsSandbox

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import SamCli

pytestmark = [
    pytest.mark.runtime,
    pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning"),
]


def test_builds_deploys_and_checks(sam: SamCli, build: Path) -> None:
    del build
    with AwsSandbox() as aws:
        aws.reset()
        put_parameters(aws)
        s3 = boto3.client("s3", endpoint_url=aws.url, **CREDENTIALS)
        s3.create_bucket(Bucket="artifacts")
        # moto takes the bucket of a template's URL from the path for this host name only.
        url = aws.url.replace("127.0.0.1", "localhost")
        path = f"{ROOT}{os.pathsep}{ROOT / 'layers' / 'tiktok_pixel'}"
        run = subprocess.run(
            [
                *(sys.executable, "-m", "tools.pixel.app", "deploy", "dev", "--yes", "--"),
                *("--no-resolve-s3", "--s3-bucket", "artifacts", "--no-progressbar"),
            ],
            cwd=ROOT,
            env=sam.environment(**aws.environment) | {"AWS_ENDPOINT_URL": url, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    output = run.stdout + run.stderr
    assert "$ sam build" in run.stdout
    assert "Successfully created/updated stack - tiktok-pixel-dev" in output
    assert "ok   stack: The stack tiktok-pixel-dev is CREATE_COMPLETE." in run.stdout
    assert "ok   template parameters: " in run.stdout
    # moto creates neither the endpoint nor the alarms.
    assert "skip endpoint: " in run.stdout
    assert "FAIL alarms: " in run.stdout
    assert "The stack tiktok-pixel-dev in us-east-1 is CREATE_COMPLETE." in run.stdout
    assert run.returncode == 1


def test_the_build_names_the_source_that_it_is_made_of(build: Path) -> None:
    built = (build / "TikTokPixelLayer" / "python" / "build.txt").read_text().strip()
    assert built == build_hash(ROOT / "layers" / "tiktok_pixel")
