"""Respond to invocations: authenticate the request, read its events, forward them.

An invocation is a request of API Gateway's HTTP API (payload 2.0), or bare Segment events from a
direct invocation, which IAM has authenticated: Segment's Amazon Lambda destination, or
``sam local invoke``.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Mapping
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

    from tiktok_pixel.destination import Destination

# Segment's batches have at most 4 MB; Lambda's limit is 6 MB for the whole invocation.
LARGEST_BODY: Final = 5_000_000
# Seconds kept back from the budget for the response.
_RESPONSE_SECONDS: Final = 0.1
# Seconds kept back from the time that Lambda has left.
_MARGIN: Final = 0.3


class RetryLaterError(TikTokPixelError):
    """A direct invocation has to be repeated: its caller sees a failure."""


@dataclass(slots=True)
class HttpResponse:
    """An HTTP response: status code and JSON body."""

    status_code: Final[int]
    body: Final[str]


def respond(
    event: Any, context: LambdaContext, destination: Destination, waited: float = 0.0
) -> dict[str, Any]:
    """Respond to one invocation.

    Args:
        event: The invocation's event.
        context: Lambda's context.
        destination: What the requests of an environment share.
        waited: Seconds that the request has waited already.

    Raises:
        RetryLaterError: A direct invocation has to be repeated.
    """
    deadline = _deadline(context, destination, waited)
    is_http = isinstance(event, dict) and "requestContext" in event
    try:
        if is_http:
            response = _respond_to_http(event, destination, deadline)
        else:
            response = _forward(events_of(event), destination, deadline)
    except InvalidBodyError as error:
        response = _refuse(413 if error.reason == "body_too_large" else 400, error.reason)
    except Exception as error:  # noqa: BLE001  # the runtime would log its message, and with it data
        observability.report_crash(error)
        response = HttpResponse(500, refusal_body(Status.RETRY, "internal_error"))
    if not is_http:
        return _direct_response(response)
    return {
        "statusCode": response.status_code,
        "headers": {"content-type": "application/json"},
        "body": response.body,
    }


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
    report = forward(events, destination, deadline=deadline, now=time.time())
    record(report)
    return HttpResponse(*summarise(report.outcomes))


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
    secrets = credentials.webhook_secrets(deadline)
    if not secrets:
        return _unavailable("webhook_secret_unavailable")
    if not is_signed(text, headers.get("x-signature"), secrets):
        return _unauthenticated("signature_invalid")
    if destination.settings.require_bearer_token:
        tokens = credentials.bearer_tokens(deadline)
        if not tokens:
            return _unavailable("bearer_token_unavailable")
        if not is_bearer(headers.get("authorization"), tokens):
            return _unauthenticated("bearer_token_invalid")
    return None


def _unauthenticated(reason: str) -> HttpResponse:
    observability.count("AuthenticationFailure")
    observability.logger.warning("not authenticated", extra={"reason": reason})
    return HttpResponse(401, refusal_body(Status.REJECTED, reason))


def _unavailable(reason: str) -> HttpResponse:
    # Not 401: Segment would drop the events, and the sender did nothing wrong.
    observability.count("AuthenticationUnavailable")
    observability.logger.error("cannot authenticate", extra={"reason": reason})
    return HttpResponse(503, refusal_body(Status.RETRY, reason))


def _refuse(status_code: int, reason: str) -> HttpResponse:
    observability.count("RequestsRefused")
    observability.logger.warning("request refused", extra={"reason": reason})
    return HttpResponse(status_code, refusal_body(Status.REJECTED, reason))


def _deadline(context: LambdaContext, destination: Destination, waited: float) -> Deadline:
    budget = destination.settings.budget_seconds - waited
    left = context.get_remaining_time_in_millis() / 1000 - _MARGIN
    return Deadline.after(max(0.0, min(budget - _RESPONSE_SECONDS, left)))
