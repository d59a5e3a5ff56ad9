"""Puts a destination together, once per Lambda environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

from tiktok_pixel.credentials import Credentials, parameter_names
from tiktok_pixel.forwarding import Destination
from tiktok_pixel.mapping import load_mapping_set
from tiktok_pixel.parameters import ParameterCache
from tiktok_pixel.settings import Settings
from tiktok_pixel.tiktok.client import TikTokClient

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

_MAPPINGS: Final = Path(__file__).parent / "mapping" / "data" / "default.json"
# Two tries at most, so that a slow AWS service leaves time for the answer to Segment.
_AWS_CONFIG: Final = Config(
    connect_timeout=0.5, read_timeout=1.0, retries={"mode": "standard", "total_max_attempts": 2}
)


def build_destination(environment: Mapping[str, str]) -> Destination:
    """Everything that requests share: settings, mappings, connections.

    Raises:
        SettingsError: An environment variable is missing or unusable.
        MappingError: The mapping file cannot be used.
    """
    settings = Settings.from_environment(environment)
    mappings = load_mapping_set(_MAPPINGS)
    folder = f"{settings.parameter_prefix}/{settings.stage}"
    pixels = sorted({mapping.pixel for mapping in mappings.mappings if mapping.pixel})
    ssm: SSMClient = boto3.client("ssm", config=_AWS_CONFIG)
    parameters = ParameterCache(
        ssm, parameter_names(folder, pixels), settings.parameters_ttl_seconds
    )
    return Destination(
        settings=settings,
        mappings=mappings,
        credentials=Credentials(parameters, folder, settings.stage == "prod"),
        client=TikTokClient(settings.tiktok_api_url),
    )
