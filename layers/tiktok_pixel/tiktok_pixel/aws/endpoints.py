"""Resolve the endpoint of an AWS service as botocore does, without its 1.2 MB of endpoint data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tiktok_pixel.aws.errors import EndpointError

# Region prefix -> DNS suffixes of its partition: standard and dual-stack.
_PARTITIONS: Final = {
    "cn-": ("amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    "eusc-": ("amazonaws.eu", "api.amazonwebservices.eu"),
    "us-iso-": ("c2s.ic.gov", "api.aws.ic.gov"),
    "us-isob-": ("sc2s.sgov.gov", "api.aws.scloud"),
    "eu-isoe-": ("cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    "us-isof-": ("csp.hci.ic.gov", "api.aws.hci.ic.gov"),
}
_STANDARD: Final = ("amazonaws.com", "api.aws")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service is reached.

    Attributes:
        url: Scheme and host, and a path where a configured URL has one.
        region: The region that requests are signed for.
    """

    url: str
    region: str


def resolve_endpoint(service: str, environment: Mapping[str, str]) -> Endpoint:
    """Resolve a service's endpoint from the variables that all AWS SDKs read.

    Args:
        service: ``ssm`` or ``sqs``.
        environment: ``AWS_REGION`` or ``AWS_DEFAULT_REGION``; optionally
            ``AWS_ENDPOINT_URL_<SERVICE>`` or ``AWS_ENDPOINT_URL``, ``AWS_USE_FIPS_ENDPOINT``,
            ``AWS_USE_DUALSTACK_ENDPOINT`` and ``AWS_IGNORE_CONFIGURED_ENDPOINT_URLS``.

    Raises:
        EndpointError: No region is set, or a configured URL contradicts FIPS or dual-stack.
    """
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    if not region:
        raise EndpointError("AWS_REGION is not set")
    wants_fips = _is_on(environment, "AWS_USE_FIPS_ENDPOINT")
    wants_dual_stack = _is_on(environment, "AWS_USE_DUALSTACK_ENDPOINT")
    configured = _configured_url(service, environment)
    if configured is None:
        return Endpoint(_regional_url(service, region, wants_fips, wants_dual_stack), region)
    if wants_fips or wants_dual_stack:
        raise EndpointError(
            f"AWS_ENDPOINT_URL_{service.upper()} cannot be combined with"
            " AWS_USE_FIPS_ENDPOINT or AWS_USE_DUALSTACK_ENDPOINT"
        )
    return Endpoint(configured, region)


def _configured_url(service: str, environment: Mapping[str, str]) -> str | None:
    if _is_on(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"):
        return None
    specific = environment.get(f"AWS_ENDPOINT_URL_{service.upper()}")
    return specific or environment.get("AWS_ENDPOINT_URL") or None


def _regional_url(service: str, region: str, wants_fips: bool, wants_dual_stack: bool) -> str:  # noqa: FBT001  # private, called once
    found = (suffixes for prefix, suffixes in _PARTITIONS.items() if region.startswith(prefix))
    suffix = next(found, _STANDARD)[wants_dual_stack]
    # The standard endpoints of GovCloud are FIPS endpoints already.
    has_own_fips_host = wants_dual_stack or not region.startswith("us-gov-")
    host = f"{service}-fips" if wants_fips and has_own_fips_host else service
    return f"https://{host}.{region}.{suffix}"


def _is_on(environment: Mapping[str, str], name: str) -> bool:
    return environment.get(name, "").lower() == "true"
