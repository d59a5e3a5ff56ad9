"""Judge responses of TikTok: one table, code by code.

TikTok answers almost everything with HTTP 200, so its ``code`` decides; the HTTP status speaks
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
    """What becomes of the events of a refused or accepted request."""

    ACCEPTED = "accepted"
    TRANSIENT = "transient"
    """Passes by itself: the same request may succeed later."""
    CONTENT = "content"
    """Something in the events: the culprit has to be isolated, the others can be sent."""
    OPERATOR = "operator"
    """Only a person can mend it (token, permission, pixel): the events wait for that."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A row of the table of codes: what a response means for the events that were sent.

    Attributes:
        kind: What becomes of the events.
        reason: Reason code of the outcome.
        credentials: The token or the pixel code may have been changed: read them again.
        throttled: Too many requests: Segment is told 429 rather than 503.
    """

    kind: VerdictKind
    reason: str
    credentials: bool = False
    throttled: bool = False


@dataclass(slots=True)
class TikTokResponse:
    """What came back over HTTP; ``body`` may be anything.

    Attributes:
        http_status: HTTP status code.
        body: The first bytes of the body.
        seconds: From the start of the request to the last byte read.
    """

    http_status: Final[int]
    body: Final[bytes]
    seconds: Final[float]


@dataclass(slots=True)
class Envelope:
    """TikTok's own part of an answer: ``{"code", "message", "request_id", "data"}``."""

    code: Final[int]
    message: Final[str]
    request_id: Final[str]


DELIVERED: Final = Verdict(VerdictKind.ACCEPTED, "tiktok_accepted")
_PARTIAL: Final = Verdict(VerdictKind.ACCEPTED, "tiktok_accepted_partially")
_DUPLICATE: Final = Verdict(VerdictKind.ACCEPTED, "tiktok_duplicate_request")
_THROTTLED: Final = Verdict(VerdictKind.TRANSIENT, "tiktok_throttled", throttled=True)
_CONFLICT: Final = Verdict(VerdictKind.TRANSIENT, "tiktok_write_conflict")
_UNAVAILABLE: Final = Verdict(VerdictKind.TRANSIENT, "tiktok_unavailable")
_UNREADABLE: Final = Verdict(VerdictKind.TRANSIENT, "tiktok_answer_unreadable")
TIMEOUT: Final = Verdict(VerdictKind.TRANSIENT, "tiktok_timeout")
UNREACHABLE: Final = Verdict(VerdictKind.TRANSIENT, "tiktok_unreachable")
_PARAMETERS: Final = Verdict(VerdictKind.CONTENT, "tiktok_parameter_invalid")
_NOT_HASHED: Final = Verdict(VerdictKind.CONTENT, "tiktok_identifier_not_hashed")
_TOO_LARGE: Final = Verdict(VerdictKind.CONTENT, "tiktok_request_too_large")
_TOKEN: Final = Verdict(VerdictKind.OPERATOR, "tiktok_token_invalid", credentials=True)
_PERMISSION: Final = Verdict(VerdictKind.OPERATOR, "tiktok_permission_denied", credentials=True)
_NOT_FOUND: Final = Verdict(VerdictKind.OPERATOR, "tiktok_pixel_not_found", credentials=True)
_ENDPOINT: Final = Verdict(VerdictKind.OPERATOR, "tiktok_endpoint_refused")
ENVELOPE: Final = Verdict(VerdictKind.OPERATOR, "tiktok_envelope_refused", credentials=True)
_BLOCKED: Final = Verdict(VerdictKind.OPERATOR, "tiktok_region_blocked")
# TikTok says "validation", others see it pass on a retry: kept, so that neither loses an event.
_VALIDATION: Final = Verdict(VerdictKind.OPERATOR, "tiktok_validation_failed")
UNKNOWN: Final = Verdict(VerdictKind.OPERATOR, "tiktok_code_unknown")

CODES: Final[dict[int, Verdict]] = {
    0: DELIVERED,
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
    40063: ENVELOPE,
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
    40700: _VALIDATION,
    41000: _BLOCKED,
    41001: _ENDPOINT,
    50000: _UNAVAILABLE,
    50002: _UNAVAILABLE,
    51305: _UNAVAILABLE,
    60001: _UNAVAILABLE,
    61000: _THROTTLED,
}
# Internal services, databases, (de)serialisation.
CODE_RANGES: Final[tuple[tuple[range, Verdict], ...]] = (
    (range(51000, 51100), _UNAVAILABLE),
    (range(52000, 53000), _UNAVAILABLE),
    (range(53000, 54000), _UNAVAILABLE),
)
_HTTP: Final[dict[int, Verdict]] = {
    401: _TOKEN,
    403: _PERMISSION,
    404: _ENDPOINT,
    408: TIMEOUT,
    413: _TOO_LARGE,
    429: _THROTTLED,
}
# The parts of a request that all of its events share.
_ENVELOPE_FIELD: Final = re.compile(
    r"\b(?:event_source|event_source_id|test_event_code|partner_name)\b"
)


def read_envelope(answer: TikTokResponse) -> Envelope | None:
    """TikTok's envelope, ``None`` where the body holds none."""
    try:
        parsed = json.loads(answer.body.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(parsed, dict) or type(parsed.get("code")) is not int:
        return None
    message, request_id = parsed.get("message"), parsed.get("request_id")
    return Envelope(
        parsed["code"],
        message if isinstance(message, str) else "",
        request_id if isinstance(request_id, str) else "",
    )


def judge(answer: TikTokResponse, envelope: Envelope | None) -> Verdict:
    """The verdict on an answer.

    A code that no table knows is retried with HTTP 429 and 5xx; otherwise an operator has to
    look at it, and until then nothing is lost.
    """
    status = answer.http_status
    if envelope is not None:
        verdict = CODES.get(envelope.code)
        if verdict is None:
            verdict = next((one for codes, one in CODE_RANGES if envelope.code in codes), None)
        if verdict is not None:
            if verdict.kind is VerdictKind.CONTENT and _ENVELOPE_FIELD.search(envelope.message):
                return ENVELOPE
            return verdict
        return _HTTP.get(status, _UNAVAILABLE) if status == 429 or status >= 500 else UNKNOWN  # noqa: PLR2004  # HTTP
    if status in _HTTP:
        return _HTTP[status]
    if 200 <= status < 300:  # noqa: PLR2004  # HTTP
        return _UNREADABLE
    return _UNAVAILABLE if status >= 500 else _ENDPOINT  # noqa: PLR2004  # HTTP
