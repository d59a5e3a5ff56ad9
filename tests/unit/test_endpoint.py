"""The endpoint authenticates a request, reads its body and responds; no AWS, no sockets."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from tiktok_pixel import observability
from tiktok_pixel.aws.credentials import Credentials
from tiktok_pixel.aws.parameters import ParametersUnavailableError
from tiktok_pixel.deadline import StartupWait
from tiktok_pixel.destination import Destination, build_destination
from tiktok_pixel.endpoint import (
    LARGEST_BODY,
    MOST_EVENTS,
    RetryLaterError,
    UnsupportedInvocationError,
    respond,
)
from tiktok_pixel.tiktok.verdicts import TikTokResponse
from tools.sandbox.application import Context
from tools.sandbox.samples import http_event, sign, signed, visits

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from tiktok_pixel.aws.parameters import ParameterCache
    from tiktok_pixel.deadline import Deadline
    from tiktok_pixel.tiktok.client import TikTokClient

NOW: Final = 1_767_225_600.0
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
    """SSM parameters in memory; ``None`` for an SSM that does not respond.

    Attributes:
        content: The parameters as they were read.
        renewed: The parameters as a further read finds them; ``None`` if SSM fails.
    """

    content: Mapping[str, str] | None
    renewed: Mapping[str, str] | None = None
    reads: int = 0

    def values(self, wait_seconds: float) -> Mapping[str, str]:
        assert wait_seconds <= 4.0
        if self.content is None:
            raise ParametersUnavailableError("no response")
        return self.content

    def include(self, names: Sequence[str]) -> None:
        """Every parameter is in memory already."""

    def force(self, wait_seconds: float) -> bool:
        assert wait_seconds <= 4.0
        return False

    def refresh(self, max_age: float, wait_seconds: float) -> bool:
        assert (max_age, wait_seconds <= 4.0) == (10.0, True)
        self.reads += 1
        if self.renewed is not None:
            self.content = self.renewed
        return self.renewed is not None


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


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the logger writes."""
    written = io.StringIO()
    handler: Any = observability.logger.registered_handler
    before, handler.stream = handler.stream, written
    yield written
    handler.stream = before


def destination(
    parameters: Mapping[str, str] | Parameters | None = PARAMETERS,
    tiktok: TikTok | None = None,
    **more: str,
) -> Destination:
    variables = {
        "AWS_REGION": "us-east-1",
        "STAGE": "prod",
        "PARAMETER_PREFIX": "/tiktok-pixel",
        **more,
    }
    if not isinstance(parameters, Parameters):
        parameters = Parameters(parameters, parameters)
    cache = cast("ParameterCache", parameters)
    return dataclasses.replace(
        build_destination(variables, authenticates=True),
        credentials=Credentials(cache, FOLDER, is_production=True),
        client=cast("TikTokClient", tiktok or TikTok()),
    )


def call(event: object, to: Destination | None = None) -> dict[str, Any]:
    """Respond to an invocation as Lambda would ask for it."""
    startup = StartupWait(lambda: NOW, lambda: 9.0)
    return respond(event, cast("LambdaContext", Context()), to or destination(), startup)


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
    ("event", "reason"),
    [
        (request(secret=OTHER), "signature_wrong"),
        (http_event(BODY, "g"), "signature_wrong"),
        (http_event(BODY, None), "signature_missing"),
        (http_event(BODY, " "), "signature_missing"),
    ],
    ids=["of another secret", "not hex", "missing", "blank"],
)
def test_a_request_without_a_valid_signature_is_refused(
    event: dict[str, Any], reason: str, log: io.StringIO
) -> None:
    tiktok = TikTok()

    status, body = post(event, destination(tiktok=tiktok))

    assert (status, body["reason"]) == (401, reason)
    assert tiktok.bodies == []
    row = json.loads(log.getvalue().splitlines()[-1])
    assert (row["message"], row["reason"]) == ("not authenticated", reason)
    assert (row["ip"], row["user_agent"], row["request_id"]) == (
        "52.25.130.38",
        "Segment (Actions)",
        "sample-request",
    )


def test_missing_and_wrong_signatures_are_counted_apart(capsys: pytest.CaptureFixture[str]) -> None:
    for event in (request(secret=OTHER), http_event(BODY, None), http_event(BODY, None)):
        post(event)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert Counter(line["reason"] for line in lines) == {"wrong": 1, "missing": 2}
    assert observability.metrics.provider.metric_set["AuthenticationFailure"]["Value"] == [1.0] * 3


def test_the_caller_in_the_log_is_short_and_printable(log: io.StringIO) -> None:
    event = http_event(BODY, None)
    event["requestContext"]["http"]["userAgent"] = "\x1b[31m\n" + "x" * 10_000

    post(event)

    assert json.loads(log.getvalue().splitlines()[-1])["user_agent"] == "?[31m?" + "x" * 194


def test_a_rotated_secret_is_read_again() -> None:
    parameters = Parameters(PARAMETERS, {**PARAMETERS, f"{FOLDER}/webhook-secret": OTHER})

    status, _ = post(request(secret=OTHER), destination(parameters))

    assert (status, parameters.reads) == (200, 1)


def test_while_the_secret_cannot_be_read_again_segment_retries() -> None:
    status, body = post(request(secret=OTHER), destination(Parameters(PARAMETERS, None)))

    assert (status, body["status"]) == (503, "retry")
    assert body["reason"] == "webhook_secret_unavailable"


def test_a_missing_signature_does_not_read_the_secret_again() -> None:
    parameters = Parameters(PARAMETERS, None)

    status, _ = post(http_event(BODY, None), destination(parameters))

    assert (status, parameters.reads) == (401, 0)


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
    ("headers", "status", "reason"),
    [
        ({"authorization": "Bearer right"}, 200, None),
        ({"authorization": "Bearer wrong"}, 401, "bearer_token_wrong"),
        ({}, 401, "bearer_token_missing"),
    ],
)
def test_a_bearer_token_is_checked_when_required(
    headers: dict[str, str], status: int, reason: str | None
) -> None:
    parameters = {**PARAMETERS, f"{FOLDER}/bearer-token": "right"}

    found, body = post(request(**headers), destination(parameters, REQUIRE_BEARER_TOKEN="true"))

    assert (found, body.get("reason")) == (status, reason)


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
    with pytest.raises(RetryLaterError, match="parking_failed"):
        call(VISIT, destination(tiktok=TikTok(code=40202)))


@pytest.mark.parametrize(("code", "status"), [(40100, 429), (40202, 503), (40105, 503)])
def test_events_that_cannot_be_parked_are_a_retry(code: int, status: int) -> None:
    found, body = post(request(), destination(tiktok=TikTok(code=code)))

    assert (found, body["status"]) == (status, "retry")
    assert body["results"][0]["reason"] == "parking_failed"


def test_the_wait_for_the_environment_counts_against_the_budget() -> None:
    tiktok = TikTok()
    event = request()
    event["requestContext"]["timeEpoch"] = int((NOW - 3.95) * 1000)

    _, body = post(event, destination(tiktok=tiktok))

    assert {row["reason"] for row in body["results"]} == {"budget_exhausted"}
    assert (body["status"], tiktok.bodies) == ("retry", [])


@pytest.mark.parametrize("count", [MOST_EVENTS, MOST_EVENTS + 1])
def test_a_batch_of_too_many_events_is_refused_before_it_is_mapped(count: int) -> None:
    status, body = post(request(json.dumps([{"type": "alias"}] * count)))

    assert (status, body.get("reason")) == (
        (400, None) if count == MOST_EVENTS else (413, "batch_too_long")
    )


def test_a_direct_invocation_with_too_many_events_is_refused() -> None:
    assert call([VISIT] * (MOST_EVENTS + 1))["reason"] == "batch_too_long"


NESTED: Final = "[" * 100_000 + "]" * 100_000
DEEP: Final = f'{{"type":"page","messageId":"deep","properties":{NESTED}}}'


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("form", ["[%s]", '{"batch": [%s]}', '{"sentAt": "x", "batch" : [ %s ] }'])
def test_an_event_that_is_nested_too_deeply_is_rejected_alone(place: int, form: str) -> None:
    events = [json.dumps(event) for event in visits(2)]
    events.insert(place, DEEP)

    status, body = post(request(form % ", ".join(events)))

    reasons = [row["reason"] for row in body["results"]]
    assert (status, body["forwarded"]) == (200, 2)
    assert reasons.pop(place) == "event_nested_too_deeply"
    assert set(reasons) == {"tiktok_accepted"}


def test_the_signature_of_a_first_event_that_is_nested_too_deeply_is_found() -> None:
    deep = DEEP.replace(NESTED, NESTED[60_000:-60_000])
    body = f"[{deep},{BODY}]"

    status, content = post(http_event(body, sign(deep.encode(), SECRET)))

    assert (status, content["forwarded"]) == (200, 1)


@pytest.mark.parametrize("depth", [200, 400, 800])
def test_an_event_that_is_deep_but_readable_never_fails_the_batch(depth: int) -> None:
    nested: Any = "x"
    for _ in range(depth):
        nested = [nested]
    event = VISIT | {"messageId": "deep", "properties": {"currency": nested, "products": nested}}

    status, body = post(request(json.dumps([VISIT, event])))

    assert (status, body["results"][0]["status"]) == (200, "forwarded")
    assert body["retry"] == 0


OTHER_SERVICES: Final[dict[str, dict[str, Any]]] = {
    "aws:sqs": {"Records": [{"eventSource": "aws:sqs", "body": BODY}]},
    "aws:sns": {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": BODY}}]},
    "aws:kinesis": {"Records": [{"eventSource": "aws:kinesis", "kinesis": {}}]},
    "Records": {"Records": []},
    "aws:kafka": {"eventSource": "aws:kafka", "records": {}},
    "EventBridge": {"version": "0", "source": "segment", "detail-type": "page", "detail": VISIT},
    "payload 1.0": {
        "version": "1.0",
        "httpMethod": "POST",
        "headers": {},
        "requestContext": {"httpMethod": "POST"},
        "body": BODY,
    },
    "Load Balancer": {"requestContext": {"elb": {}}, "httpMethod": "POST", "body": BODY},
}


@pytest.mark.parametrize(("name", "event"), OTHER_SERVICES.items(), ids=OTHER_SERVICES)
def test_an_invocation_by_another_service_fails(name: str, event: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedInvocationError, match=name):
        call(event)


def test_a_segment_event_may_have_any_further_key() -> None:
    event = VISIT | {"Records": [], "source": "web", "eventSource": "web", "version": "1.0"}

    assert call(event)["forwarded"] == 1


def test_numbers_beyond_the_range_of_a_double_are_left_out() -> None:
    names = ["event_id", "value", "revenue", "quantity", "price", "order_id", "num_items", "email"]
    body = json.dumps(VISIT | {"properties": dict.fromkeys(names, 5)}).replace(": 5", ": 1e999")
    tiktok = TikTok()

    _, content = post(request(body), destination(tiktok=tiktok))

    assert content["forwarded"] == 1
    (event,) = json.loads(tiktok.bodies[0])["data"]
    assert event["event_id"] == "m-0"
    assert "Infinity" not in tiktok.bodies[0].decode()


@pytest.mark.parametrize("number", ["1e999", "1" + "0" * 400])
def test_a_shared_event_id_beyond_all_numbers_is_missing(number: str) -> None:
    body = json.dumps(VISIT | {"properties": {"event_id": 5}}).replace(": 5", f": {number}")

    _, content = post(request(body), destination(USE_EXISTING_PIXEL="true"))

    assert content["results"][0]["reason"] == "shared_event_id_missing"


@pytest.mark.parametrize(("hours", "status"), [(46, "forwarded"), (48, "rejected")])
def test_with_an_existing_pixel_old_events_are_not_sent(hours: int, status: str) -> None:
    """The redrive would refuse them too: TikTok would count the browser's copy and this one."""
    then = datetime.now(UTC) - timedelta(hours=hours)
    event = VISIT | {"properties": {"event_id": "shared"}, "timestamp": then.isoformat()}

    _, body = post(request(json.dumps(event)), destination(USE_EXISTING_PIXEL="true"))

    (row,) = body["results"]
    assert row["status"] == status
    assert (row["reason"] == "deduplication_window_passed") is (status == "rejected")


def test_without_an_existing_pixel_old_events_are_sent() -> None:
    then = datetime.now(UTC) - timedelta(hours=48)

    _, body = post(request(json.dumps(VISIT | {"timestamp": then.isoformat()})))

    assert body["forwarded"] == 1
