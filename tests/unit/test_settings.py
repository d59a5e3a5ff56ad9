"""The settings are read from the environment variables that the template declares."""

from __future__ import annotations

import pytest

from tiktok_pixel.settings import Settings, SettingsError

LEAST = {"STAGE": "dev", "PARAMETER_PREFIX": "/tiktok-pixel"}


def test_only_stage_and_prefix_are_required() -> None:
    assert Settings.from_environment(LEAST) == Settings(
        stage="dev",
        parameter_prefix="/tiktok-pixel",
        tiktok_api_url="https://business-api.tiktok.com",
        default_phone_region=None,
        test_event_code=None,
        parked_queue_url=None,
    )


def test_the_budget_is_below_the_five_seconds_that_segment_waits() -> None:
    assert Settings.from_environment(LEAST).budget_seconds == 4.0


def test_reads_every_variable() -> None:
    settings = Settings.from_environment(
        {
            "STAGE": "prod",
            "PARAMETER_PREFIX": "/team/tiktok",
            "TIKTOK_API_URL": "http://127.0.0.1:8055",
            "DEFAULT_PHONE_REGION": " us ",
            "DEFAULT_PAGE_URL": "https://shop.example/",
            "TEST_EVENT_CODE": "TEST1",
            "PARKED_QUEUE_URL": "https://sqs.example/parked",
        }
    )

    assert settings == Settings(
        stage="prod",
        parameter_prefix="/team/tiktok",
        tiktok_api_url="http://127.0.0.1:8055",
        default_phone_region="US",
        default_page_url="https://shop.example/",
        test_event_code="TEST1",
        parked_queue_url="https://sqs.example/parked",
    )


@pytest.mark.parametrize(
    "name",
    [
        "TIKTOK_API_URL",
        "DEFAULT_PHONE_REGION",
        "DEFAULT_PAGE_URL",
        "TEST_EVENT_CODE",
        "PARKED_QUEUE_URL",
    ],
)
@pytest.mark.parametrize("blank", ["", "  "])
def test_an_empty_variable_counts_as_not_set(name: str, blank: str) -> None:
    """CloudFormation cannot leave a variable out."""
    assert Settings.from_environment(LEAST | {name: blank}) == Settings.from_environment(LEAST)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STAGE", ""),
        ("STAGE", "production"),
        ("STAGE", "Prod"),
        ("PARAMETER_PREFIX", ""),
        ("PARAMETER_PREFIX", "tiktok-pixel"),
        ("PARAMETER_PREFIX", "/tiktok-pixel/"),
        ("PARAMETER_PREFIX", "/"),
        ("DEFAULT_PHONE_REGION", "USA"),
        ("DEFAULT_PHONE_REGION", "U1"),
        ("TIKTOK_API_URL", "business-api.tiktok.com"),
        ("DEFAULT_PAGE_URL", "shop.example"),
        ("TIKTOK_API_URL", "ftp://business-api.tiktok.com"),
    ],
)
def test_the_error_names_an_unusable_variable(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: "):
        Settings.from_environment(LEAST | {name: value})


@pytest.mark.parametrize("name", LEAST)
def test_the_error_names_a_missing_variable(name: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: "):
        Settings.from_environment({key: value for key, value in LEAST.items() if key != name})
