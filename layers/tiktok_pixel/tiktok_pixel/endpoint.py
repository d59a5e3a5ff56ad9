"""Respond to invocations: authenticate the request, read its events, forward them.

An invocation is a request of API Gateway's HTTP API or of a function URL (payload 2.0), or bare
Segment events from a direct invocation, which IAM has authenticated: Segment's Amazon Lambda
destination, or ``sam local invoke``. Invocations by other services fail.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tiktok_pixel import observability
from tiktok_pixel.deadline import Deadline
from tiktok_pixel.errors import TikTokPixelError
from tiktok_pixel.forwarding import forward
from tiktok_pixel.outcomes import Status, refusal_body, summarise
from tiktok_pixel.segment.body import events_of, parse_events
from tiktok_pixel.segment.errors import InvalidBodyError
from tiktok_pixel.segment.signature import is_bearer, is_signed
from tiktok_pixel.telemetry import record

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from tiktok_pixel.aws.credentials import Credentials
    from tiktok_pixel.deadline import StartupWait
    from tiktok_pixel.destination import Destination

# Segment's batches have at most 4 MB; Lambda's limit is 6 MB for the whole invocation.
LARGEST_BODY: Final = 5_000_000
# Bounded before anything is mapped.
MOST_EVENTS: Final = 10_000
# The build of the layer, for `pixel check`.
BUILD_HEADER: Final = "x-tiktok-pixel-build"
# Seconds kept back from the budget for the response.
_RESPONSE_SECONDS: Final = 0.1
# Seconds kept back from the time that Lambda has left.
_MARGIN: Final = 0.3
_REFUSALS: Final = {"body_too_large": 413, "batch_too_long": 413}
_LONGEST_SHOWN: Final = 200


class RetryLaterError(TikTokPixelError):
    """A direct invocation has to be repeated: its caller sees a failure."""


class UnsupportedInvocationError(TikTokPixelError):
    """The function was invoked by a service whose events it does not take."""


@dataclass(slots=True)
class HttpResponse:
    """An HTTP response: status code, JSON body, and whether the caller was authenticated."""

    status_code: Final[int]
    body: Final[str]
    is_authenticated: Final[bool] = False


def respond(
    event: Any, context: LambdaContext, destination: Destination, startup: StartupWait
) -> dict[str, Any]:
    """Respond to one invocation.

    Args:
        event: The invocation's event.
        context: Lambda's context.
        destination: What the requests of an environment share.
        startup: How long the first request has waited for the environment.

    Raises:
        RetryLaterError: A direct invocation has to be repeated.
        UnsupportedInvocationError: Another service invoked the function.
    """
    is_http = _is_http(event)
    epoch = event["requestContext"].get("timeEpoch") if is_http else None
    deadline = _deadline(context, destination, startup.take(epoch))
    try:
        if is_http:
            response = _respond_to_http(event, destination, deadline)
        else:
            response = _forward(events_of(event), destination, deadline)
    except InvalidBodyError as error:
        caller = _caller(event) if is_http else {}
        response = _refuse(_REFUSALS.get(error.reason, 400), error.reason, caller)
    except Exception as error:  # noqa: BLE001  # the runtime would log its message, and with it data
        observability.report_crash(error)
        response = HttpResponse(500, refusal_body(Status.RETRY, "internal_error"))
    if not is_http:
        return _direct_response(response)
    headers = {"content-type": "application/json"}
    if response.is_authenticated and destination.build:
        headers[BUILD_HEADER] = destination.build
    return {"statusCode": response.status_code, "headers": headers, "body": response.body}


def _is_http(event: Any) -> bool:
    """Return whether the invocation is an HTTP request; refuse those of other services."""
    if not isinstance(event, dict):
        return False
    service = _service(event)
    if service is not None:
        raise UnsupportedInvocationError(
            f"invoked by {service}: this function takes HTTP API requests (payload 2.0), or Segment"
            " events from a direct invocation"
        )
    return "requestContext" in event


def _service(event: Mapping[str, Any]) -> str | None:
    """Name the service that sent an event which this function does not take."""
    records = event.get("Records")
    if isinstance(records, list) and "type" not in event:
        first = records[0] if records and isinstance(records[0], dict) else {}
        source = first.get("eventSource") or first.get("EventSource")
        return str(source)[:_LONGEST_SHOWN] if source else "a service that sends Records"
    if isinstance(event.get("eventSource"), str) and "type" not in event:
        return str(event["eventSource"])[:_LONGEST_SHOWN]
    if "detail-type" in event and "source" in event:
        return "Amazon EventBridge"
    if "requestContext" not in event:
        return None
    request = event["requestContext"]
    if not isinstance(request, dict):
        return "an unknown service"
    if "elb" in request:
        return "an Application Load Balancer"
    if event.get("version") != "2.0" or not isinstance(request.get("http"), dict):
        return "API Gateway with payload 1.0"
    return None


def _respond_to_http(
    request: Mapping[str, Any], destination: Destination, deadline: Deadline
) -> HttpResponse:
    text = _body(request)
    refusal = _authenticate(request, text, destination, deadline)
    return refusal or _forward(parse_events(text), destination, deadline)


def _direct_response(response: HttpResponse) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(response.body)
    if body["status"] == Status.RETRY:
        raise RetryLaterError(response.body)
    return body


def _forward(events: list[Any], destination: Destination, deadline: Deadline) -> HttpResponse:
    if len(events) > MOST_EVENTS:
        raise InvalidBodyError("batch_too_long")
    report = forward(events, destination, deadline=deadline, now=time.time())
    record(report)
    return HttpResponse(*summarise(report.outcomes, report.summaries), is_authenticated=True)


def _body(request: Mapping[str, Any]) -> str:
    body = request.get("body") or ""
    if not request.get("isBase64Encoded"):
        if len(body) > LARGEST_BODY or len(body.encode("utf-8", "replace")) > LARGEST_BODY:
            raise InvalidBodyError("body_too_large")
        return str(body)
    try:
        content = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidBodyError("body_not_base64") from error
    if len(content) > LARGEST_BODY:
        raise InvalidBodyError("body_too_large")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InvalidBodyError("body_not_utf8") from error


def _authenticate(
    request: Mapping[str, Any], text: str, destination: Destination, deadline: Deadline
) -> HttpResponse | None:
    """Return the refusal of a request that does not come from Segment."""
    # HTTP APIs send header names in lower case, sam local as it received them.
    headers = {name.lower(): value for name, value in (request.get("headers") or {}).items()}
    credentials = destination.credentials
    signature = headers.get("x-signature")
    checks = [
        _Check(
            unavailable="webhook_secret_unavailable",
            missing="signature_missing",
            wrong="signature_wrong",
            is_given=bool(signature and signature.strip()),
            secrets=credentials.webhook_secrets,
            matches=lambda secrets: is_signed(text, signature, secrets),
        )
    ]
    if destination.settings.require_bearer_token:
        authorization = headers.get("authorization")
        checks.append(
            _Check(
                unavailable="bearer_token_unavailable",
                missing="bearer_token_missing",
                wrong="bearer_token_wrong",
                is_given=bool(authorization),
                secrets=credentials.bearer_tokens,
                matches=lambda secrets: is_bearer(authorization, secrets),
            )
        )
    for check in checks:
        refusal = _refusal(check, credentials, deadline, _caller(request))
        if refusal is not None:
            return refusal
    return None


@dataclass(slots=True)
class _Check:
    """One proof of origin.

    Attributes:
        unavailable: Reason code when there is no secret to compare with.
        missing: Reason code when the request carries no proof.
        wrong: Reason code when the proof is wrong.
        is_given: Whether the request carries one.
        secrets: Returns the secrets to compare with.
        matches: Whether the proof was made with one of the secrets.
    """

    unavailable: str
    missing: str
    wrong: str
    is_given: bool
    secrets: Callable[[Deadline], tuple[str, ...]]
    matches: Callable[[tuple[str, ...]], bool]


def _refusal(
    check: _Check, credentials: Credentials, deadline: Deadline, caller: Mapping[str, str]
) -> HttpResponse | None:
    secrets = check.secrets(deadline)
    if not secrets:
        return _unavailable(check.unavailable, caller)
    if not check.is_given:
        return _unauthenticated(check.missing, "missing", caller)
    if check.matches(secrets):
        return None
    # The secret may have been rotated since it was read.
    if not credentials.refresh(deadline):
        return _unavailable(check.unavailable, caller)
    renewed = check.secrets(deadline)
    if not renewed:
        return _unavailable(check.unavailable, caller)
    if renewed != secrets and check.matches(renewed):
        return None
    return _unauthenticated(check.wrong, "wrong", caller)


def _caller(request: Mapping[str, Any]) -> dict[str, str]:
    """Return who sent a request, for the rows of refused requests."""
    context = request["requestContext"]
    found = {
        "ip": context["http"].get("sourceIp"),
        "user_agent": context["http"].get("userAgent"),
        "request_id": context.get("requestId"),
    }
    return {name: observability.shown(value, _LONGEST_SHOWN) for name, value in found.items()}


def _unauthenticated(reason: str, failure: str, caller: Mapping[str, str]) -> HttpResponse:
    observability.count("AuthenticationFailure")
    observability.count_by("AuthenticationFailure", 1, {"reason": failure})
    observability.logger.warning("not authenticated", extra={"reason": reason, **caller})
    return HttpResponse(401, refusal_body(Status.REJECTED, reason))


def _unavailable(reason: str, caller: Mapping[str, str]) -> HttpResponse:
    # Not 401: Segment would drop the events, and the sender did nothing wrong.
    observability.count("AuthenticationUnavailable")
    observability.logger.error("cannot authenticate", extra={"reason": reason, **caller})
    return HttpResponse(503, refusal_body(Status.RETRY, reason))


def _refuse(status_code: int, reason: str, caller: Mapping[str, str]) -> HttpResponse:
    observability.count("RequestsRefused")
    observability.logger.warning("request refused", extra={"reason": reason, **caller})
    return HttpResponse(status_code, refusal_body(Status.REJECTED, reason))


def _deadline(context: LambdaContext, destination: Destination, waited: float) -> Deadline:
    budget = destination.settings.budget_seconds - waited
    left = context.get_remaining_time_in_millis() / 1000 - _MARGIN
    return Deadline.after(max(0.0, min(budget - _RESPONSE_SECONDS, left)))
