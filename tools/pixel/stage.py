"""A stage as `samconfig.toml` deploys it, and AWS clients for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from tools.ops.template import ROOT, load_samconfig, load_template
from tools.pixel.console import CommandError
from tools.pixel.options import StageName
from tools.pixel.samconfig import read_overrides

StageArgument = Annotated[StageName, typer.Argument(help="The stage.", show_default=False)]
RegionOption = Annotated[
    str | None,
    typer.Option("--region", help="The AWS region. [default: that of samconfig.toml]"),
]
ProfileOption = Annotated[
    str | None,
    typer.Option("--profile", help="The profile of your AWS credentials.", show_default=False),
]

SAMCONFIG: Final = ROOT / "samconfig.toml"

ConfigFileOption = Annotated[
    Path,
    typer.Option(
        "--config-file",
        help="The configuration of the SAM CLI. [default: samconfig.toml]",
        show_default=False,
        exists=True,
        dir_okay=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage.

    Attributes:
        name: `dev`, `staging` or `prod`.
        stack: The name of its stack.
        region: The AWS region that it is deployed to.
        profile: The profile of the AWS credentials; `None` for the default ones.
        overrides: The template's parameters that `samconfig.toml` sets.
        parameters: All parameters of the template; its defaults where `samconfig.toml` sets none.
    """

    name: str
    stack: str
    region: str
    profile: str | None
    overrides: Mapping[str, str]
    parameters: Mapping[str, str]

    @property
    def folder(self) -> str:
        """The folder of the stage's SSM parameters."""
        return f"{self.parameters['ParameterPrefix']}/{self.name}"

    @property
    def service(self) -> str:
        """The value of the metrics' dimension `service`."""
        return f"tiktok-pixel-{self.name}"

    def client(self, service: str) -> Any:
        """Return an AWS client that gives up within seconds."""
        # Imported here: they take half a second.
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        config = Config(connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 3})
        session: Any = boto3.Session(profile_name=self.profile, region_name=self.region)
        return session.client(service, config=config)


def load_stage(
    name: str, region: str | None = None, profile: str | None = None, *, path: Path
) -> Stage:
    """Read a stage from `samconfig.toml`.

    Raises:
        CommandError: The file has no such stage, or no stack name or region for it.
    """
    config = load_samconfig(path)
    if name not in config:
        raise CommandError(f"{path.name} has no section for the stage {name}.")
    given = config[name].get("global", {}).get("parameters", {})
    deploy = config[name].get("deploy", {}).get("parameters", {})
    stack = deploy.get("stack_name") or given.get("stack_name")
    chosen = region or deploy.get("region") or given.get("region")
    for key, value in (("stack_name", stack), ("region", chosen)):
        if not value:
            raise CommandError(f"{path.name} has no {key} in [{name}.global.parameters].")
    defaults = {
        key: str(one.get("Default", "")) for key, one in load_template()["Parameters"].items()
    }
    overrides = read_overrides(deploy.get("parameter_overrides", []))
    return Stage(name, stack, chosen, profile, overrides, defaults | overrides)
