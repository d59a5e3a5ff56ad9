"""`pixel deploy`: build, deploy and check a stage."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Annotated, Final

import typer

from tiktok_pixel.settings import TIKTOK_API_URL
from tools.ops.template import ROOT, load_template
from tools.pixel import check
from tools.pixel.aws_errors import aws_errors
from tools.pixel.console import CommandError, print_line
from tools.pixel.doctor import Options, load_mappings
from tools.pixel.stack import Stack, find_stack, no_stack
from tools.pixel.stage import (
    SAMCONFIG,
    ConfigFileOption,
    ProfileOption,
    RegionOption,
    Stage,
    StageArgument,
    load_stage,
)
from tools.pixel.template_parameters import parameter_problem

_SAM: Final = ROOT / ".venv-sam" / "bin" / "sam"


def command(  # noqa: PLR0913  # one parameter for each option
    *,
    context: typer.Context,
    stage: StageArgument,
    region: RegionOption = None,
    profile: ProfileOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Deploy prod without asking.")] = False,
    endpoint_url: Annotated[
        str | None,
        typer.Option(help="The endpoint to check. [default: the stack's output]", metavar="URL"),
    ] = None,
    config_file: ConfigFileOption = SAMCONFIG,
) -> None:
    """Build the application, deploy it with the stage's configuration, and check it.

    Credentials, parameters and mappings are checked before the build.
    Arguments after `--` go to `sam deploy`.
    """
    chosen = load_stage(stage, region, profile, path=config_file)
    before = check_before(chosen)
    sam = find_sam()
    _run(sam, "build")
    _run(sam, *deploy_arguments(chosen, config_file, yes=yes), *context.args)
    print_line()
    checks = check.run(chosen, Options(endpoint_url, None, TIKTOK_API_URL))
    with aws_errors():
        stack = find_stack(chosen)
    print_line()
    for line in summary(chosen, before, stack):
        print_line(line)
    if check.any_failed(checks):
        raise CommandError(check.summary(checks))
    print_line(check.summary(checks))


def check_before(stage: Stage) -> Stack | None:
    """Check what would make the deployment fail after the long build.

    Returns:
        The stack that is there before the deployment.

    Raises:
        CommandError: Credentials, parameters or mappings cannot be used.
    """
    declared = load_template()["Parameters"]
    for name, value in stage.overrides.items():
        if name not in declared:
            raise CommandError(f"samconfig.toml sets {name}, which the template does not have.")
        if problem := parameter_problem(name, value, declared):
            raise CommandError(f"samconfig.toml: {problem}")
    mappings, checked = load_mappings(stage)
    if mappings is None:
        raise CommandError(f"{checked.found} {checked.todo}")
    with aws_errors():
        identity = stage.client("sts").get_caller_identity()
        before = find_stack(stage)
    print_line(f"Deploying {stage.stack} to {stage.region} as {identity['Arn']}.")
    return before


def summary(stage: Stage, before: Stack | None, after: Stack | None) -> list[str]:
    """Return what the deployment did."""
    if after is None:
        return [f"Nothing was deployed: {no_stack(stage)[0]}"]
    state = f"The stack {after.name} in {stage.region} is {after.status}"
    if before is not None and before.changed_at == after.changed_at:
        lines = [f"{state}; this deployment did not change it."]
    else:
        lines = [f"{state}."]
    if url := after.outputs.get("EndpointUrl"):
        lines.append(f"The endpoint for Segment is {url}")
    return lines


def deploy_arguments(stage: Stage, config_file: Path, *, yes: bool) -> list[str]:
    """Return the arguments of `sam deploy` for a stage."""
    arguments = ["deploy", "--config-env", stage.name, "--region", stage.region]
    if config_file != SAMCONFIG:
        arguments += ["--config-file", str(config_file.resolve())]
    if stage.profile:
        arguments += ["--profile", stage.profile]
    if yes:
        arguments += ["--no-confirm-changeset"]
    return arguments


def find_sam() -> Path:
    """Find the SAM CLI: the project's own, else the one on the path.

    Raises:
        CommandError: There is none.
    """
    found = str(_SAM) if _SAM.is_file() else shutil.which("sam")
    if found is None:
        raise CommandError("The SAM CLI is not installed. `make build` installs it.")
    return Path(found)


def _run(program: Path, *arguments: str) -> None:
    print_line(f"$ {shlex.join(('sam', *arguments))}", wrap=False)
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0"}
    status = subprocess.run([str(program), *arguments], cwd=ROOT, env=environment, check=False)
    if status.returncode:
        failed = f"`sam {arguments[0]}` failed with status {status.returncode}"
        raise CommandError(f"{failed}; its output above says why.")
