"""Build the destination from settings, mappings, credentials, client and queue."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tiktok_pixel.aws.api import SqsClient, SsmClient
from tiktok_pixel.aws.credentials import Credentials, parameter_names
from tiktok_pixel.aws.parameters import ParameterCache
from tiktok_pixel.aws.queue import ParkedEventQueue
from tiktok_pixel.aws.role import Role
from tiktok_pixel.mapping import MappingSet, load_mapping_set
from tiktok_pixel.observability import logger
from tiktok_pixel.settings import Settings
from tiktok_pixel.tiktok import schema
from tiktok_pixel.tiktok.breaker import CircuitBreaker
from tiktok_pixel.tiktok.client import READ_SECONDS, TikTokClient

# The operator's own mapping files, one per stage, next to the package.
OWN_MAPPINGS: Final = Path(__file__).parents[1] / "mappings"
# Written by `sam build`: the hash of the package and the mapping files.
_BUILD: Final = OWN_MAPPINGS.with_name("build.txt")


@dataclass(frozen=True, slots=True)
class Destination:
    """What the requests of a Lambda environment share."""

    settings: Settings
    mappings: MappingSet
    credentials: Credentials
    client: TikTokClient
    breaker: CircuitBreaker
    queue: ParkedEventQueue | None
    build: str | None = None


def build_destination(
    environment: Mapping[str, str],
    *,
    authenticates: bool = False,
    read_seconds: float = READ_SECONDS,
    clock: Callable[[], float] = time.time,
) -> Destination:
    """Build the destination, once per Lambda environment.

    Args:
        environment: The environment variables that the template declares.
        authenticates: Whether the function checks where requests come from.
        read_seconds: How long to wait for TikTok's response to a request.
        clock: Wall clock in seconds.

    Raises:
        SettingsError: An environment variable is missing or unusable.
        MappingError: The mapping file cannot be used.
        EndpointError: The AWS variables describe no endpoint.
    """
    settings = Settings.from_environment(environment)
    mappings = load_mapping_set(mapping_file(settings), schema)
    for warning in mappings.warnings:
        logger.warning("mapping", extra={"warning": warning})
    folder = f"{settings.parameter_prefix}/{settings.stage}"
    pixels = sorted({mapping.pixel for mapping in mappings.mappings if mapping.pixel})
    queue_url = settings.parked_queue_url
    role = Role(environment)
    names = parameter_names(folder, pixels, authenticates=authenticates)
    parameters = ParameterCache(
        SsmClient(environment, role), names, settings.parameters_ttl_seconds, clock
    )
    return Destination(
        settings=settings,
        mappings=mappings,
        credentials=Credentials(parameters, folder, settings.stage == "prod"),
        client=TikTokClient(settings.tiktok_api_url, read_seconds),
        breaker=CircuitBreaker(clock),
        queue=ParkedEventQueue(queue_url, SqsClient(environment, role)) if queue_url else None,
        build=_BUILD.read_text(encoding="ascii").strip() if _BUILD.is_file() else None,
    )


def mapping_file(settings: Settings) -> Path:
    """Return the path of the mapping file that the settings choose."""
    if settings.mapping_set == "custom":
        return OWN_MAPPINGS / f"{settings.stage}.json"
    return schema.shipped(settings.mapping_set)
