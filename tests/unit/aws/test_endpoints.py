"""Endpoints are those that botocore resolves, in every region of every partition."""

from __future__ import annotations

from itertools import product
from typing import Any

import botocore.session
import pytest
from botocore.endpoint_provider import EndpointProvider

from tiktok_pixel.aws.endpoints import resolve_endpoint
from tiktok_pixel.aws.errors import EndpointError

LOADER: Any = botocore.session.get_session().get_component("data_loader")
PARTITIONS: Any = LOADER.load_data("partitions")
REGIONS = [
    region
    for partition in PARTITIONS["partitions"]
    for region in partition["regions"]
    if not region.endswith("-global")
]
AWS = {"AWS_REGION": "eu-west-1"}


def test_the_regions_of_all_partitions_are_known() -> None:
    assert len(PARTITIONS["partitions"]) >= 8
    assert {"us-east-1", "cn-north-1", "us-gov-west-1", "us-isof-south-1"} <= set(REGIONS)


@pytest.mark.parametrize("service", ["ssm", "sqs"])
def test_every_region_has_the_endpoint_that_botocore_resolves(service: str) -> None:
    rules = LOADER.load_service_model(service, "endpoint-rule-set-1")
    provider: Any = EndpointProvider(rules, PARTITIONS)
    for region, fips, dual_stack in product(REGIONS, (False, True), (False, True)):
        expected = provider.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dual_stack)
        found = resolve_endpoint(
            service,
            {
                "AWS_REGION": region,
                "AWS_USE_FIPS_ENDPOINT": str(fips),
                "AWS_USE_DUALSTACK_ENDPOINT": str(dual_stack).lower(),
            },
        )
        assert (found.url, found.region) == (expected.url, region)


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"AWS_ENDPOINT_URL_SSM": "http://ssm:1"}, "http://ssm:1"),
        ({"AWS_ENDPOINT_URL": "http://all:1"}, "http://all:1"),
        (
            {"AWS_ENDPOINT_URL": "http://all:1", "AWS_ENDPOINT_URL_SSM": "http://ssm:1"},
            "http://ssm:1",
        ),
        (
            {"AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_SSM": ""},
            "https://ssm.eu-west-1.amazonaws.com",
        ),
        ({"AWS_ENDPOINT_URL_SQS": "http://sqs:1"}, "https://ssm.eu-west-1.amazonaws.com"),
        (
            {
                "AWS_ENDPOINT_URL_SSM": "http://ssm:1",
                "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
            },
            "https://ssm.eu-west-1.amazonaws.com",
        ),
    ],
    ids=["of the service", "of all services", "both", "empty", "of another service", "ignored"],
)
def test_a_configured_url_replaces_the_regions(variables: dict[str, str], url: str) -> None:
    assert resolve_endpoint("ssm", AWS | variables).url == url


def test_the_default_region_serves_where_lambda_sets_none() -> None:
    environment = {"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-north-1"}
    assert resolve_endpoint("sqs", environment).region == "eu-north-1"


def test_without_a_region_there_is_no_endpoint() -> None:
    with pytest.raises(EndpointError, match="AWS_REGION is not set"):
        resolve_endpoint("ssm", {"AWS_ENDPOINT_URL": "http://all:1"})


@pytest.mark.parametrize("switch", ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"])
def test_a_configured_url_is_never_used_where_fips_or_dual_stack_is_required(switch: str) -> None:
    """As in botocore: nothing shows that the URL is such an endpoint."""
    with pytest.raises(EndpointError, match="AWS_ENDPOINT_URL_SSM cannot be combined"):
        resolve_endpoint("ssm", AWS | {"AWS_ENDPOINT_URL": "http://all:1", switch: "true"})
