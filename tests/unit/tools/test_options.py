"""The settings that commands apply to events."""

from __future__ import annotations

import re
from typing import get_args

import pytest
import typer

from tiktok_pixel.settings import MAPPING_SETS, STAGES
from tools.ops.template import ROOT, load_template
from tools.pixel import options
from tools.pixel.options import settings_for


def test_the_options_take_every_set_and_stage() -> None:
    assert get_args(options.SetName) == MAPPING_SETS
    assert get_args(options.StageName) == STAGES


def test_options_and_template_parameters_become_settings() -> None:
    settings = settings_for(
        "full",
        "prod",
        [
            "ConsentCategories=C1,C2",
            "ConsentDenied=limit",
            "DefaultPageUrl=https://shop.example/?a=b",
            "DefaultPhoneRegion=us",
        ],
    )
    assert (settings.mapping_set, settings.stage) == ("full", "prod")
    assert settings.default_phone_region == "US"
    assert settings.default_page_url == "https://shop.example/?a=b"
    assert settings.consent_categories == ("C1", "C2")
    assert settings.limit_without_consent


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("ConsentDenied", "must be NAME=VALUE"),
        ("=x", "must be NAME=VALUE"),
        ("LogLevel=DEBUG", "must be NAME=VALUE, with a name of: "),
        ("ConsentDenied=x", "ConsentDenied must be one of: block, limit."),
        ("DefaultPhoneRegion=USA", 'DefaultPhoneRegion cannot be "USA". ISO 3166-1'),
        ("DefaultPageUrl=shop.example", 'DefaultPageUrl cannot be "shop.example". Page URL'),
        ("Stage=prod", "use --stage"),
        ("MappingSet=full", "use --set"),
    ],
)
def test_unusable_parameters(parameter: str, message: str) -> None:
    with pytest.raises(typer.BadParameter, match=re.escape(message)):
        settings_for("default", "dev", [parameter])


def test_every_parameter_that_decides_what_is_sent_is_an_option() -> None:
    functions = load_template()["Globals"]["Function"]["Environment"]["Variables"]
    given = {
        name: value["Ref"]
        for name, value in functions.items()
        if isinstance(value, dict) and value.get("Ref") in load_template()["Parameters"]
    }
    where_and_how = {"LogLevel", "ParameterPrefix", "RequireBearerToken"}
    by_option = {"MappingSet", "Stage"}
    assert set(given.values()) == set(options.VARIABLES) | where_and_how | by_option
    assert options.VARIABLES.items() <= {value: name for name, value in given.items()}.items()


def test_readme_names_every_parameter_of_the_option() -> None:
    readme = (ROOT / "README.md").read_text().replace("\n", " ")
    listed = readme.partition("what is sent with `--parameter`. These are ")[2].partition(":")[0]
    assert re.findall(r"`(\w+)`", listed) == list(options.VARIABLES)
