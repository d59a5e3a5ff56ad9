"""Judge responses of TikTok: one table, code by code.

TikTok answers almost everything with HTTP 200, so its ``code`` decides; the HTTP status counts
only where no code can be read. Sources: TikTok API for Business, "Appendix: Return codes", and
the error enumeration of TikTok's own SDKs.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import Final


class VerdictKind(Enum):
    """What a response means for the events of its request."""

    ACCEPTED = "accepted"
    TRANSIENT = "transient"
    """The same request may succeed later without anybody changing anything."""
    CONTENT = "content"
    """At least one event is bad: find it by bisection, send the others."""
    OPERATOR = "operator"
    """An operator has to fix the token, the permission or the pixel; the events wait for that."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A row of the table of codes: what a response means for the events of its request.

    Attributes:
        kind: What happens to the events.
        reason: Reason code of the outcome.
        credentials: The token or the pixel code may have changed: read them again.
        throttled: TikTok received too many requests.
    """

    kind: VerdictKind
    reason: str
    credentials: bool = False
    throttled: bool = False


@dataclass(slots=True)
class TikTokResponse:
    """TikTok's response to one request.

    Attributes:
        http_status: HTTP status code.
        code: TikTok's own ``code``; ``None`` where the body holds none.
        message: TikTok's ``message``, which may quote values of the events.
        request_id: TikTok's ``request_id``.
        seconds: From the start of the request to the last byte read.
    """

    http_status: Final[int]
    code: Final[int | None]
    message: Final[str]
    request_id: Final[str]
    seconds: Final[float]


ACCEPTED: Final = Verdict(VerdictKind.ACCEPTED, "tiktok_accepted")
_PARTIAL: Final = Verdict(VerdictKind.ACCEPTED, "tiktok_accepted_partially")
_DUPLICATE: Final = Verdict(VerdictKind.ACCEPTED, "tiktok_duplicate_request")
_THROTTLED: Final = Verdict(VerdictKind.TRANSIENT, "tiktok_throttled", throttled=True)
_CONFLICT: Final = Verdict(VerdictKind.TRANSIENT, "tiktok_write_conflict")
UNAVAILABLE: Final = Verdict(VerdictKind.TRANSIENT, "tiktok_unavailable")
UNREADABLE: Final = Verdict(VerdictKind.TRANSIENT, "tiktok_answer_unreadable")
CIRCUIT_OPEN: Final = Verdict(VerdictKind.TRANSIENT, "tiktok_circuit_open")
CREDENTIALS_UNAVAILABLE: Final = Verdict(VerdictKind.TRANSIENT, "credentials_unavailable")
TIMEOUT: Final = Verdict(VerdictKind.TRANSIENT, "tiktok_timeout")
UNREACHABLE: Final = Verdict(VerdictKind.TRANSIENT, "tiktok_unreachable")
_PARAMETERS: Final = Verdict(VerdictKind.CONTENT, "tiktok_parameter_invalid")
_NOT_HASHED: Final = Verdict(VerdictKind.CONTENT, "tiktok_identifier_not_hashed")
_TOO_LARGE: Final = Verdict(VerdictKind.CONTENT, "tiktok_request_too_large")
_TOKEN: Final = Verdict(VerdictKind.OPERATOR, "tiktok_token_invalid", credentials=True)
_PERMISSION: Final = Verdict(VerdictKind.OPERATOR, "tiktok_permission_denied", credentials=True)
_NOT_FOUND: Final = Verdict(VerdictKind.OPERATOR, "tiktok_pixel_not_found", credentials=True)
_ENDPOINT: Final = Verdict(VerdictKind.OPERATOR, "tiktok_endpoint_refused")
SHARED_FIELD: Final = Verdict(VerdictKind.OPERATOR, "tiktok_envelope_refused", credentials=True)
TEST_CODE: Final = Verdict(VerdictKind.OPERATOR, "tiktok_test_event_code_refused")
_BLOCKED: Final = Verdict(VerdictKind.OPERATOR, "tiktok_region_blocked")
# TikTok calls it a validation error, but a retry often succeeds: parking fits both.
VALIDATION: Final = Verdict(VerdictKind.OPERATOR, "tiktok_validation_failed")
UNKNOWN: Final = Verdict(VerdictKind.OPERATOR, "tiktok_code_unknown")

CODES: Final[dict[int, Verdict]] = {
    0: ACCEPTED,
    20001: _PARTIAL,
    40000: _PARAMETERS,
    40001: _PERMISSION,
    40002: _PARAMETERS,
    40006: _ENDPOINT,
    40007: _NOT_FOUND,
    40008: _ENDPOINT,
    40010: _ENDPOINT,
    40016: _THROTTLED,
    40050: _DUPLICATE,
    40051: _ENDPOINT,
    40061: _TOO_LARGE,
    40062: _NOT_HASHED,
    40063: SHARED_FIELD,
    40100: _THROTTLED,
    40102: _TOKEN,
    40104: _TOKEN,
    40105: _TOKEN,
    40106: _TOKEN,
    40113: _TOKEN,
    40117: _TOKEN,
    40118: _TOKEN,
    40125: _TOKEN,
    40130: _TOKEN,
    40132: _THROTTLED,
    40133: _THROTTLED,
    40202: _CONFLICT,
    40400: _ENDPOINT,
    40700: VALIDATION,
    41000: _BLOCKED,
    41001: _ENDPOINT,
    50000: UNAVAILABLE,
    50002: UNAVAILABLE,
    51305: UNAVAILABLE,
    60001: UNAVAILABLE,
    61000: _THROTTLED,
}
# Internal services, databases, (de)serialisation.
CODE_RANGES: Final[tuple[tuple[range, Verdict], ...]] = (
    (range(51000, 51100), UNAVAILABLE),
    (range(52000, 53000), UNAVAILABLE),
    (range(53000, 54000), UNAVAILABLE),
)
_HTTP: Final[dict[int, Verdict]] = {
    401: _TOKEN,
    403: _PERMISSION,
    404: _ENDPOINT,
    408: TIMEOUT,
    413: _TOO_LARGE,
    429: _THROTTLED,
}
# Fields that all events of a request share.
_SHARED_FIELDS: Final = re.compile(
    r"\b(?:event_source|event_source_id|test_event_code|partner_name)\b"
)


def read_response(http_status: int, body: bytes, seconds: float) -> TikTokResponse:
    """Read TikTok's ``{"code", "message", "request_id", "data"}``; the body may be anything."""
    try:
        parsed = json.loads(body.decode())
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict) or type(parsed.get("code")) is not int:
        return TikTokResponse(http_status, None, "", "", seconds)
    message, request_id = parsed.get("message"), parsed.get("request_id")
    return TikTokResponse(
        http_status,
        parsed["code"],
        message if isinstance(message, str) else "",
        request_id if isinstance(request_id, str) else "",
        seconds,
    )


def judge(response: TikTokResponse) -> Verdict:
    """Return the verdict on a response.

    An unknown code is transient with HTTP 429 and 5xx. Otherwise it is an operator error, so that
    the events wait until somebody has looked at it.
    """
    status, code = response.http_status, response.code
    if code is not None:
        verdict = CODES.get(code)
        if verdict is None:
            verdict = next((one for codes, one in CODE_RANGES if code in codes), None)
        if verdict is not None:
            shared = _SHARED_FIELDS.search(response.message)
            if verdict.kind is VerdictKind.CONTENT and shared is not None:
                return TEST_CODE if shared[0] == "test_event_code" else SHARED_FIELD
            return verdict
        return _HTTP.get(status, UNAVAILABLE) if status == 429 or status >= 500 else UNKNOWN  # noqa: PLR2004  # HTTP
    if status in _HTTP:
        return _HTTP[status]
    if 200 <= status < 300:  # noqa: PLR2004  # HTTP
        return UNREADABLE
    return UNAVAILABLE if status >= 500 else _ENDPOINT  # noqa: PLR2004  # HTTP
