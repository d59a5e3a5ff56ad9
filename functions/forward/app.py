"""Lambda entry of the endpoint: authenticate, read the body, forward, answer.

It takes what API Gateway's HTTP API sends (payload 2.0), and bare Segment events from a direct
invocation, which IAM has authenticated: Segment's Amazon Lambda destination, or
``sam local invoke`` with the event itself.
"""

from __future__ import annotations

import gc

# What is made from here to the end of the start stays: to search it for garbage again and again
# takes a fourteenth of a cold start.
gc.disable()

import base64
import binascii
import json
import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from tiktok_pixel import observability
from tiktok_pixel.deadline import Deadline, process_age
from tiktok_pixel.destination import build_destination
from tiktok_pixel.errors import TikTokPixelError
from tiktok_pixel.forwarding import forward
from tiktok_pixel.outcomes import Reply, Status, refusal, reply_to
from tiktok_pixel.segment.body import events_of, parse_events
from tiktok_pixel.segment.errors import PayloadError
from tiktok_pixel.segment.signature import is_bearer, is_signed
from tiktok_pixel.telemetry import record

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# Segment's batches have 4 MB at most; Lambda's own limit is 6 MB with everything around it.
LARGEST_BODY: Final = 5_000_000
# Kept back from the budget, to answer in; seconds.
_ANSWERING: Final = 0.1
# Kept back from the time that Lambda has left.
_MARGIN: Final = 0.3
# Only an environment that was started for this request counts its start as waiting time.
_LONGEST_INIT: Final = 10.0

try:
    _destination = build_destination(os.environ, authenticates=True)
finally:
    gc.enable()
    gc.freeze()
_is_cold = os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand") == "on-demand"


class RetryLaterError(TikTokPixelError):
    """A direct invocation has events to send again: its caller has to see a failure."""


@observability.metrics.log_metrics(raise_on_empty_metrics=False)
def handler(event: Any, context: LambdaContext) -> dict[str, Any]:
    """Answer one invocation.

    Raises:
        RetryLaterError: A direct invocation that has to be sent again.
    """
    deadline = _deadline(context)
    is_http = isinstance(event, dict) and "requestContext" in event
    try:
        reply = _answer_http(event, deadline) if is_http else _forward(events_of(event), deadline)
    except PayloadError as error:
        reply = _refuse(413 if error.reason == "body_too_large" else 400, error.reason)
    except Exception as error:  # noqa: BLE001  # the runtime would log the message of it, data and all
        observability.report_crash(error)
        reply = refusal(500, Status.RETRY, "internal_error")
    if not is_http:
        return _told_directly(reply)
    return {
        "statusCode": reply.http_status,
        "headers": {"content-type": "application/json"},
        "body": reply.body,
    }


def _answer_http(request: Mapping[str, Any], deadline: Deadline) -> Reply:
    text = _body(request)
    return _authenticate(request, text, deadline) or _forward(parse_events(text), deadline)


def _told_directly(reply: Reply) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(reply.body)
    if answer["status"] == Status.RETRY:
        raise RetryLaterError(reply.body)
    return answer


def _forward(events: list[Any], deadline: Deadline) -> Reply:
    report = forward(events, _destination, deadline=deadline, now=time.time())
    record(report)
    return reply_to(report.outcomes)


def _body(request: Mapping[str, Any]) -> str:
    body = request.get("body") or ""
    if not request.get("isBase64Encoded"):
        if len(body) > LARGEST_BODY or len(body.encode("utf-8", "replace")) > LARGEST_BODY:
            raise PayloadError("body_too_large")
        return str(body)
    try:
        content = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise PayloadError("body_not_base64") from error
    if len(content) > LARGEST_BODY:
        raise PayloadError("body_too_large")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise PayloadError("body_not_utf8") from error


def _authenticate(request: Mapping[str, Any], text: str, deadline: Deadline) -> Reply | None:
    """``None`` where the request comes from Segment, else the answer that refuses it."""
    # HTTP APIs write header names in lower case, sam local as they came.
    headers = {name.lower(): value for name, value in (request.get("headers") or {}).items()}
    credentials = _destination.credentials
    secrets = credentials.webhook_secrets(deadline)
    if not secrets:
        return _unavailable("webhook_secret_unavailable")
    if not is_signed(text, headers.get("x-signature"), secrets):
        return _unauthenticated("signature_invalid")
    if _destination.settings.require_bearer_token:
        tokens = credentials.bearer_tokens(deadline)
        if not tokens:
            return _unavailable("bearer_token_unavailable")
        if not is_bearer(headers.get("authorization"), tokens):
            return _unauthenticated("bearer_token_invalid")
    return None


def _unauthenticated(reason: str) -> Reply:
    observability.count("AuthenticationFailure")
    observability.logger.warning("not authenticated", extra={"reason": reason})
    return refusal(401, Status.REJECTED, reason)


def _unavailable(reason: str) -> Reply:
    # Not 401: Segment drops what is answered with it, and the sender did nothing wrong.
    observability.count("AuthenticationUnavailable")
    observability.logger.error("cannot authenticate", extra={"reason": reason})
    return refusal(503, Status.RETRY, reason)


def _refuse(http_status: int, reason: str) -> Reply:
    observability.count("RequestsRefused")
    observability.logger.warning("request refused", extra={"reason": reason})
    return refusal(http_status, Status.REJECTED, reason)


def _deadline(context: LambdaContext) -> Deadline:
    global _is_cold  # noqa: PLW0603  # an environment is cold once
    waited = process_age() if _is_cold else 0.0
    _is_cold = False
    budget = _destination.settings.budget_seconds - (waited if waited < _LONGEST_INIT else 0.0)
    left = context.get_remaining_time_in_millis() / 1000 - _MARGIN
    return Deadline.after(max(0.0, min(budget - _ANSWERING, left)))
