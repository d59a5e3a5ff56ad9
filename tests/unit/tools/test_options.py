"""The settings that commands apply to events."""

from __future__ import annotations

from typing import get_args

import pytest
import typer

from tiktok_pixel.settings import MAPPING_SETS, STAGES
from tools.pixel import options
from tools.pixel.options import settings_for


def test_the_options_take_every_set_and_stage() -> None:
    assert get_args(options.SetName) == MAPPING_SETS
    assert get_args(options.StageName) == STAGES


def test_options_and_template_parameters_become_settings() -> None:
    settings = settings_for(
        "full", "prod", "us", ["ConsentCategories=C1,C2", "ConsentDenied=limit"]
    )
    assert (settings.mapping_set, settings.stage) == ("full", "prod")
    assert settings.default_phone_region == "US"
    assert settings.consent_categories == ("C1", "C2")
    assert settings.limit_without_consent


@pytest.mark.parametrize("parameter", ["ConsentDenied", "ConsentDenied=x", "Stage=prod", "=x"])
def test_unusable_parameters(parameter: str) -> None:
    with pytest.raises(typer.BadParameter):
        settings_for("default", "dev", None, [parameter])


def test_an_unusable_region() -> None:
    with pytest.raises(typer.BadParameter):
        settings_for("default", "dev", "USA", None)
