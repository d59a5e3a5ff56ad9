"""`pixel deploy` with a SAM CLI that creates a small stack on a local AWS."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.unit.tools.stages.world import World
from tools.pixel import deploy
from tools.pixel.app import main
from tools.pixel.samconfig import with_parameters
from tools.sandbox.application import put_parameters

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning")

SAM = """#!{python}
import json, sys
import boto3

print("sam's own output of", *sys.argv[1:])
if sys.argv[1] == "deploy" and "--no-changes" not in sys.argv:
    topic = {{"Topic": {{"Type": "AWS::SNS::Topic"}}}}
    url = {{"EndpointUrl": {{"Value": "http://127.0.0.1:9/segment"}}}}
    cloudformation = boto3.client("cloudformation", region_name="us-east-1")
    cloudformation.create_stack(
        StackName="tiktok-pixel-dev",
        TemplateBody=json.dumps({{"Resources": topic, "Outputs": url}}),
    )
sys.exit("--fail" in sys.argv)
"""


@pytest.fixture(autouse=True)
def _sam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "sam"
    program.write_text(SAM.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setattr(deploy, "_SAM", program)


def test_the_summary_follows_the_output_of_sam(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    put_parameters(world.aws)

    output = _deploy(world, capfd)

    # The small stack has neither a real endpoint nor alarms.
    assert output.index("sam's own output of build") < output.index("sam's own output of deploy")
    assert output.splitlines()[-3:] == [
        "The stack tiktok-pixel-dev in us-east-1 is CREATE_COMPLETE.",
        "The endpoint for Segment is http://127.0.0.1:9/segment",
        "13 checks: 7 passed, 1 with a warning, 2 failed, 3 skipped.",
    ]


def test_a_deployment_without_changes_says_so(
    deployed: World, capfd: pytest.CaptureFixture[str]
) -> None:
    output = _deploy(deployed, capfd, "--", "--no-changes")

    assert (
        "The stack tiktok-pixel-dev in us-east-1 is CREATE_COMPLETE; this deployment did not "
        "change it."
    ) in " ".join(output.split())


def test_a_failure_of_sam_is_the_last_line(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    output = _deploy(world, capfd, "--", "--fail")

    assert output.splitlines()[-1] == (
        "`sam deploy` failed with status 1; its output above says why."
    )


def test_credentials_are_checked_before_the_build(
    world: World,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(world.config.with_name("none")))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    output = _deploy(world, capfd)

    assert output.splitlines() == [
        "No AWS credentials were found. Sign in to AWS, or choose a profile with --profile."
    ]


def test_parameters_are_checked_before_the_build(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    world.configure(LogLevel="TRACE")

    output = _deploy(world, capfd)

    assert output.splitlines() == [
        "samconfig.toml: LogLevel must be one of: DEBUG, INFO, WARNING, ERROR."
    ]


def test_the_mapping_file_is_checked_before_the_build(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    text = world.config.read_text()
    world.config.write_text(with_parameters(text, "prod", {"MappingSet": "custom"}))

    output = _deploy(world, capfd, stage="prod")

    assert "prod.json: file not found; files beside it: dev.json" in " ".join(output.split())
    assert "sam's own output" not in output


def _deploy(
    world: World, capfd: pytest.CaptureFixture[str], *arguments: str, stage: str = "dev"
) -> str:
    """Run a deployment that fails in the end; return its output, then its errors."""
    with pytest.raises(SystemExit) as exited:
        main(["deploy", stage, "--config-file", str(world.config), *arguments])
    assert exited.value.code == 1
    printed = capfd.readouterr()
    return printed.out + printed.err
