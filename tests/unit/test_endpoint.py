"""The endpoint authenticates a request, reads its body and responds; no AWS, no sockets."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from tiktok_pixel import observability
from tiktok_pixel.aws.credentials import Credentials
from tiktok_pixel.aws.parameters import ParametersUnavailableError
from tiktok_pixel.destination import Destination, build_destination
from tiktok_pixel.endpoint import LARGEST_BODY, RetryLaterError, respond
from tiktok_pixel.tiktok.verdicts import TikTokResponse
from tools.sandbox.application import Context
from tools.sandbox.samples import http_event, sign, signed, visits

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from tiktok_pixel.aws.parameters import ParameterCache
    from tiktok_pixel.deadline import Deadline
    from tiktok_pixel.tiktok.client import TikTokClient

FOLDER: Final = "/tiktok-pixel/prod"
SECRET: Final = "a-secret"
OTHER: Final = "another-secret"
VISIT: Final = visits(1)[0]
BODY: Final = json.dumps(VISIT)
PARAMETERS: Final = {
    f"{FOLDER}/webhook-secret": SECRET,
    f"{FOLDER}/pixel-code": "C123",
    f"{FOLDER}/access-token": "token",
}


@dataclass
class Parameters:
    """SSM parameters in memory; ``None`` for an SSM that does not respond."""

    content: Mapping[str, str] | None

    def values(self, wait_seconds: float) -> Mapping[str, str]:
        assert wait_seconds <= 4.0
        if self.content is None:
            raise ParametersUnavailableError("no response")
        return self.content

    def force(self, wait_seconds: float) -> bool:
        assert wait_seconds <= 4.0
        return False


@dataclass
class TikTok:
    """A TikTok in memory that responds to everything with one code."""

    code: int = 0
    error: Exception | None = None
    bodies: list[bytes] = field(default_factory=list)

    def track(self, body: bytes, access_token: str, deadline: Deadline) -> TikTokResponse:
        assert access_token == "token"
        assert deadline.remaining() <= 4.0
        if self.error is not None:
            raise self.error
        self.bodies.append(body)
        return TikTokResponse(200, self.code, "", "r-1", 0.01)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    observability.metrics.clear_metrics()
    yield
    observability.metrics.clear_metrics()


def destination(
    parameters: Mapping[str, str] | None = PARAMETERS, tiktok: TikTok | None = None, **more: str
) -> Destination:
    variables = {
        "AWS_REGION": "us-east-1",
        "STAGE": "prod",
        "PARAMETER_PREFIX": "/tiktok-pixel",
        **more,
    }
    cache = cast("ParameterCache", Parameters(parameters))
    return dataclasses.replace(
        build_destination(variables, authenticates=True),
        credentials=Credentials(cache, FOLDER, is_production=True),
        client=cast("TikTokClient", tiktok or TikTok()),
    )


def call(event: object, to: Destination | None = None) -> dict[str, Any]:
    """Respond to an invocation as Lambda would ask for it."""
    return respond(event, cast("LambdaContext", Context()), to or destination())


def post(event: object, to: Destination | None = None) -> tuple[int, dict[str, Any]]:
    """The status code and the body of an HTTP response."""
    response = call(event, to)
    assert response["headers"] == {"content-type": "application/json"}
    return response["statusCode"], json.loads(response["body"])


def request(body: str = BODY, secret: str = SECRET, **headers: str) -> dict[str, Any]:
    event = http_event(body, sign(body.encode(), secret))
    event["headers"] |= headers
    return event


def test_a_signed_event_is_forwarded() -> None:
    tiktok = TikTok()

    status, body = post(request(), destination(tiktok=tiktok))

    assert (status, body["status"], body["forwarded"]) == (200, "forwarded", 1)
    (sent,) = tiktok.bodies
    assert [event["event_id"] for event in json.loads(sent)["data"]] == ["m-0"]


def test_a_base64_body_is_decoded() -> None:
    encoded = base64.b64encode(BODY.encode()).decode()

    status, _ = post(http_event(encoded, sign(BODY.encode(), SECRET), base64=True))

    assert status == 200


@pytest.mark.parametrize(
    ("body", "is_base64", "status", "reason"),
    [
        ("", False, 400, "body_missing"),
        ("{", False, 400, "body_not_json"),
        ("[]", False, 400, "batch_empty"),
        ("7", False, 400, "body_not_an_event"),
        ("x" * (LARGEST_BODY + 1), False, 413, "body_too_large"),
        ("ö" * (LARGEST_BODY // 2 + 1), False, 413, "body_too_large"),
        (base64.b64encode(b"x" * (LARGEST_BODY + 1)).decode(), True, 413, "body_too_large"),
        ("not base64", True, 400, "body_not_base64"),
        (base64.b64encode(b"\xff").decode(), True, 400, "body_not_utf8"),
    ],
)
def test_an_unusable_body_is_refused(
    body: str,
    status: int,
    reason: str,
    is_base64: bool,  # a table's column
) -> None:
    signature = sign(body.encode(), SECRET)

    found, content = post(http_event(body, signature, base64=is_base64))

    assert (found, content["status"], content["reason"]) == (status, "rejected", reason)


@pytest.mark.parametrize(
    "event",
    [request(secret=OTHER), http_event(BODY, None), http_event(BODY, "")],
    ids=["wrong", "missing", "empty"],
)
def test_a_request_without_a_valid_signature_is_refused(event: dict[str, Any]) -> None:
    tiktok = TikTok()

    status, body = post(event, destination(tiktok=tiktok))

    assert (status, body["reason"]) == (401, "signature_invalid")
    assert tiktok.bodies == []


def test_header_names_are_compared_without_case() -> None:
    event = http_event(BODY, None) | {"headers": {"X-Signature": sign(BODY.encode(), SECRET)}}

    assert post(event)[0] == 200


@pytest.mark.parametrize("secret", [SECRET, OTHER])
def test_during_a_rotation_both_secrets_are_valid(secret: str) -> None:
    both = {**PARAMETERS, f"{FOLDER}/webhook-secret": f"{SECRET}\n{OTHER}\n"}

    assert post(request(secret=secret), destination(both))[0] == 200


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        {},
        {f"{FOLDER}/webhook-secret": " \n"},
        {f"{FOLDER}/webhook-secret": "development-secret-for-samples-only"},
    ],
    ids=["SSM fails", "missing", "blank", "development secret"],
)
def test_without_a_usable_secret_segment_retries(parameters: Mapping[str, str] | None) -> None:
    status, body = post(signed(VISIT), destination(parameters))

    assert (status, body["status"]) == (503, "retry")
    assert body["reason"] == "webhook_secret_unavailable"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": "Bearer right"}, 200),
        ({"authorization": "Bearer wrong"}, 401),
        ({}, 401),
    ],
)
def test_a_bearer_token_is_checked_when_required(headers: dict[str, str], status: int) -> None:
    parameters = {**PARAMETERS, f"{FOLDER}/bearer-token": "right"}
    to = destination(parameters, REQUIRE_BEARER_TOKEN="true")

    assert post(request(**headers), to)[0] == status


def test_without_a_bearer_token_to_compare_segment_retries() -> None:
    status, body = post(
        request(authorization="Bearer right"), destination(REQUIRE_BEARER_TOKEN="true")
    )

    assert (status, body["reason"]) == (503, "bearer_token_unavailable")


def test_an_internal_error_responds_500_without_its_message() -> None:
    tiktok = TikTok(error=RuntimeError("jane@example.com"))

    status, body = post(request(), destination(tiktok=tiktok))

    assert (status, body["status"], body["reason"]) == (500, "retry", "internal_error")
    assert "jane" not in json.dumps(body)


@pytest.mark.parametrize("event", [VISIT, [VISIT], {"batch": [VISIT]}])
def test_a_direct_invocation_returns_the_body(event: object) -> None:
    assert call(event)["status"] == "forwarded"


def test_a_direct_invocation_fails_when_it_has_to_be_repeated() -> None:
    with pytest.raises(RetryLaterError, match="tiktok_write_conflict"):
        call(VISIT, destination(tiktok=TikTok(code=40202)))


def test_the_wait_for_the_environment_counts_against_the_budget() -> None:
    tiktok = TikTok()
    context = cast("LambdaContext", Context())

    response = respond(request(), context, destination(tiktok=tiktok), waited=3.95)

    assert json.loads(response["body"])["results"][0]["reason"] == "budget_exhausted"
    assert tiktok.bodies == []
