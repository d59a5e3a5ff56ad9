"""`pixel deploy`: build, deploy and check a stage."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Annotated, Final

import typer

from tiktok_pixel.settings import TIKTOK_API_URL
from tools.ops.template import ROOT
from tools.pixel import check
from tools.pixel.console import CommandError, print_line
from tools.pixel.doctor import Options, Result, load_mappings
from tools.pixel.stage import (
    SAMCONFIG,
    ConfigFileOption,
    ProfileOption,
    RegionOption,
    Stage,
    StageArgument,
    load_stage,
)

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

    Arguments after `--` go to `sam deploy`.
    """
    chosen = load_stage(stage, region, profile, path=config_file)
    mappings, problem = load_mappings(chosen)
    if mappings is None:
        raise CommandError(problem.found)
    sam = find_sam()
    _run(sam, "build", environment=_environment())
    _run(
        sam,
        *deploy_arguments(chosen, config_file, yes=yes),
        *context.args,
        environment=_environment(),
    )
    print_line()
    checks = check.run(chosen, Options(endpoint_url, None, TIKTOK_API_URL))
    problems = sum(one.result is Result.FAILED for one in checks)
    if problems:
        raise CommandError(f"deployed, but {problems} of {len(checks)} checks failed")


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
        raise CommandError("the SAM CLI is not installed: run `make build`, which installs it")
    return Path(found)


def _environment() -> dict[str, str]:
    return {**os.environ, "SAM_CLI_TELEMETRY": "0"}


def _run(program: Path, *arguments: str, environment: dict[str, str]) -> None:
    print_line(f"$ sam {' '.join(arguments)}")
    status = subprocess.run([str(program), *arguments], cwd=ROOT, env=environment, check=False)
    if status.returncode:
        raise CommandError(f"sam {arguments[0]} failed with status {status.returncode}")
