"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import typer

from tiktok_pixel.settings import Settings, SettingsError
from tools.ops.template import load_template
from tools.pixel.template_parameters import parameter_problem

SetName = Literal["default", "full", "custom"]
StageName = Literal["dev", "staging", "prod"]

SetOption = Annotated[
    SetName, typer.Option("--set", help="The mapping set; custom is the stage's own file.")
]
StageOption = Annotated[StageName, typer.Option(help="The stage of the custom set.")]
ParametersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        help="A template parameter, such as DefaultPhoneRegion=US; can be repeated.",
        metavar="NAME=VALUE",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

# Template parameters that decide what is sent, and their environment variables. Options of their
# own set MappingSet and Stage.
VARIABLES: Final = {
    "ConsentCategories": "CONSENT_CATEGORIES",
    "ConsentDenied": "CONSENT_DENIED",
    "DefaultPageUrl": "DEFAULT_PAGE_URL",
    "DefaultPhoneRegion": "DEFAULT_PHONE_REGION",
    "EventIdPath": "EVENT_ID_PATH",
    "TestEventCode": "TEST_EVENT_CODE",
    "UseExistingPixel": "USE_EXISTING_PIXEL",
}


_OPTIONS: Final = {"MappingSet": "--set", "Stage": "--stage"}


def settings_for(
    mapping_set: SetName, stage: StageName, parameters: Sequence[str] | None
) -> Settings:
    """Return the settings of a deployment with these options, else the template's defaults.

    Raises:
        typer.BadParameter: An option has an unusable value.
    """
    variables = {
        "STAGE": stage,
        "PARAMETER_PREFIX": "/tiktok-pixel",
        "MAPPING_SET": mapping_set,
    }
    declared = load_template()["Parameters"] if parameters else {}
    for parameter in parameters or ():
        name, separator, value = parameter.partition("=")
        if name in _OPTIONS:
            raise typer.BadParameter(f"{parameter}: use {_OPTIONS[name]}")
        if name not in VARIABLES or not separator:
            allowed = ", ".join(VARIABLES)
            raise typer.BadParameter(f"{parameter}: must be NAME=VALUE, with a name of: {allowed}")
        if problem := parameter_problem(name, value, declared):
            raise typer.BadParameter(problem)
        variables[VARIABLES[name]] = value
    try:
        return Settings.from_environment(variables)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error
