"""The settings of a deployment, read once from the environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tiktok_pixel.errors import TikTokPixelError

STAGES: Final = ("dev", "staging", "prod")
MAPPING_SETS: Final = ("default", "full", "custom")
CONSENT_DENIED: Final = ("block", "limit")
EVENT_ID_PATH: Final = "properties.event_id"
TIKTOK_API_URL: Final = "https://business-api.tiktok.com"


class SettingsError(TikTokPixelError):
    """An environment variable is missing or unusable; the message says which and what to set."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment variables that ``template.yaml`` declares.

    Attributes:
        stage: ``dev``, ``staging`` or ``prod``.
        parameter_prefix: SSM parameters are named ``<parameter_prefix>/<stage>/…``.
        tiktok_api_url: Scheme and host of the TikTok API.
        default_phone_region: ISO 3166-1 alpha-2, upper case, for national phone numbers.
        default_page_url: Page of web events that have none; ``None`` to send them without.
        test_event_code: Marks all events as test events; ``None`` for real traffic.
        budget_seconds: Time for one request, from its arrival to the response.
        parameters_ttl_seconds: How long values from SSM are cached.
        parked_queue_url: The queue of parked events; ``None`` to respond 503 instead.
        require_bearer_token: Whether every request needs a bearer token.
        mapping_set: ``default``, ``full``, or ``custom`` for the stage's own file.
        consent_categories: Ids of the Segment consent categories that TikTok belongs to.
        limit_without_consent: Send events without consent with ``limited_data_use`` instead of
            ignoring them.
        use_existing_pixel: The site's own pixel sends the same events, with a shared event id.
        event_id_path: Path of that id in a Segment event.
    """

    stage: str
    parameter_prefix: str
    tiktok_api_url: str = TIKTOK_API_URL
    default_phone_region: str | None = None
    default_page_url: str | None = None
    test_event_code: str | None = None
    budget_seconds: float = 4.0
    parameters_ttl_seconds: float = 300.0
    parked_queue_url: str | None = None
    require_bearer_token: bool = False
    mapping_set: str = "default"
    consent_categories: tuple[str, ...] = ()
    limit_without_consent: bool = False
    use_existing_pixel: bool = False
    event_id_path: str = EVENT_ID_PATH

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings.

        Raises:
            SettingsError: A variable is missing or unusable.
        """
        stage = _one_of(environment, "STAGE", STAGES)
        prefix = _text(environment, "PARAMETER_PREFIX")
        if prefix is None or not prefix.startswith("/") or prefix.endswith("/"):
            raise SettingsError(
                "PARAMETER_PREFIX: must be a path like /tiktok-pixel, without a final slash"
            )
        region = _text(environment, "DEFAULT_PHONE_REGION")
        if region is not None and not (len(region) == 2 and region.isalpha()):  # noqa: PLR2004  # alpha-2
            raise SettingsError(
                "DEFAULT_PHONE_REGION: must be two letters (ISO 3166-1 alpha-2) or empty"
            )
        url = _text(environment, "TIKTOK_API_URL") or TIKTOK_API_URL
        if not url.startswith(("https://", "http://")):
            raise SettingsError("TIKTOK_API_URL: must be scheme and host, like https://host")
        page_url = _text(environment, "DEFAULT_PAGE_URL")
        if page_url is not None and not page_url.startswith(("https://", "http://")):
            raise SettingsError(
                "DEFAULT_PAGE_URL: must be a URL like https://shop.example/, or empty"
            )
        return cls(
            stage=stage,
            parameter_prefix=prefix,
            tiktok_api_url=url,
            default_phone_region=region.upper() if region else None,
            default_page_url=page_url,
            test_event_code=_text(environment, "TEST_EVENT_CODE"),
            parked_queue_url=_text(environment, "PARKED_QUEUE_URL"),
            require_bearer_token=_boolean(environment, "REQUIRE_BEARER_TOKEN"),
            mapping_set=_one_of(environment, "MAPPING_SET", MAPPING_SETS),
            consent_categories=_list(environment, "CONSENT_CATEGORIES"),
            limit_without_consent=_one_of(environment, "CONSENT_DENIED", CONSENT_DENIED) == "limit",
            use_existing_pixel=_boolean(environment, "USE_EXISTING_PIXEL"),
            event_id_path=_text(environment, "EVENT_ID_PATH") or EVENT_ID_PATH,
        )


def _text(environment: Mapping[str, str], name: str) -> str | None:
    return environment.get(name, "").strip() or None


def _one_of(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """Return one of ``choices``; the first if the variable is empty, except for the stage."""
    value = _text(environment, name)
    if value is None and name != "STAGE":
        return choices[0]
    if value not in choices:
        raise SettingsError(f"{name}: must be one of: {', '.join(choices)}")
    return value


def _boolean(environment: Mapping[str, str], name: str) -> bool:
    return _one_of(environment, name, ("false", "true")) == "true"


def _list(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    items = (item.strip() for item in environment.get(name, "").split(","))
    return tuple(item for item in items if item)
