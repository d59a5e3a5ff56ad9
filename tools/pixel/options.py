"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import typer

from tiktok_pixel.settings import Settings, SettingsError

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
ParametersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        help="A template parameter, such as ConsentCategories=C0004; can be repeated.",
        metavar="NAME=VALUE",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

# Template parameters that decide which events are sent, and their environment variables.
_VARIABLES: Final = {
    "ConsentCategories": "CONSENT_CATEGORIES",
    "ConsentDenied": "CONSENT_DENIED",
    "EventIdPath": "EVENT_ID_PATH",
    "TestEventCode": "TEST_EVENT_CODE",
    "UseExistingPixel": "USE_EXISTING_PIXEL",
}


def settings_for(
    mapping_set: SetName, stage: StageName, region: str | None, parameters: Sequence[str] | None
) -> Settings:
    """Return the settings of a deployment with these options, else the template's defaults.

    Raises:
        typer.BadParameter: An option has an unusable value.
    """
    variables = {
        "STAGE": stage,
        "PARAMETER_PREFIX": "/tiktok-pixel",
        "MAPPING_SET": mapping_set,
        "DEFAULT_PHONE_REGION": region or "",
    }
    for parameter in parameters or ():
        name, separator, value = parameter.partition("=")
        if name not in _VARIABLES or not separator:
            allowed = ", ".join(_VARIABLES)
            raise typer.BadParameter(f"{parameter}: must be NAME=VALUE, with a name of: {allowed}")
        variables[_VARIABLES[name]] = value
    try:
        return Settings.from_environment(variables)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error
