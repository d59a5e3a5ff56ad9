"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from tiktok_pixel.settings import Settings

SetName = Literal["default", "full", "custom"]
StageName = Literal["dev", "staging", "prod"]

SetOption = Annotated[
    SetName, typer.Option("--set", help="The mapping set; custom is the stage's own file.")
]
StageOption = Annotated[StageName, typer.Option(help="The stage of the custom set.")]
RegionOption = Annotated[
    str | None,
    typer.Option(help="Region of national phone numbers, such as US.", metavar="REGION"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def settings_for(mapping_set: SetName, stage: StageName, region: str | None) -> Settings:
    """Return the settings of a deployment with these options and the template's defaults.

    Raises:
        typer.BadParameter: The region is not a region code.
    """
    if region is not None and not (len(region) == 2 and region.isalpha() and region.isascii()):
        raise typer.BadParameter("must be two letters, such as US", param_hint="--region")
    return Settings(
        stage=stage,
        parameter_prefix="/tiktok-pixel",
        mapping_set=mapping_set,
        default_phone_region=region.upper() if region else None,
    )
