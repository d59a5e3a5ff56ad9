"""TikTok's code decides; the HTTP status decides only where there is no code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tiktok_pixel.tiktok.verdicts import (
    CODES,
    Verdict,
    VerdictKind,
    judge,
    read_response,
)

D, R, C, O = VerdictKind.ACCEPTED, VerdictKind.TRANSIENT, VerdictKind.CONTENT, VerdictKind.OPERATOR  # noqa: E741

# Every code that TikTok documents for this endpoint: kind and reason of its verdict.
DOCUMENTED: dict[int, tuple[VerdictKind, str]] = {
    0: (D, "tiktok_accepted"),
    20001: (D, "tiktok_accepted_partially"),
    40050: (D, "tiktok_duplicate_request"),
    40000: (C, "tiktok_parameter_invalid"),
    40002: (C, "tiktok_parameter_invalid"),
    40061: (C, "tiktok_request_too_large"),
    40062: (C, "tiktok_identifier_not_hashed"),
    40001: (O, "tiktok_permission_denied"),
    40007: (O, "tiktok_pixel_not_found"),
    40063: (O, "tiktok_envelope_refused"),
    **dict.fromkeys(
        (40102, 40104, 40105, 40106, 40113, 40117, 40118, 40125, 40130),
        (O, "tiktok_token_invalid"),
    ),
    **dict.fromkeys(
        (40006, 40008, 40010, 40051, 40400, 41001),
        (O, "tiktok_endpoint_refused"),
    ),
    40700: (O, "tiktok_validation_failed"),
    41000: (O, "tiktok_region_blocked"),
    **dict.fromkeys((40016, 40100, 40132, 40133, 61000), (R, "tiktok_throttled")),
    40202: (R, "tiktok_write_conflict"),
    **dict.fromkeys(
        (50000, 50002, 51000, 51050, 51099, 51305, 52000, 52999, 53000, 53999, 60001),
        (R, "tiktok_unavailable"),
    ),
}


def body_of(code: Any, message: str = "scripted") -> bytes:
    """The body of a response."""
    return json.dumps({"code": code, "message": message, "request_id": "r-1"}).encode()


def verdict(body: bytes, http_status: int = 200) -> Verdict:
    """The verdict on a response."""
    return judge(read_response(http_status, body, 0.1))


@pytest.mark.parametrize("http_status", [200, 400, 401, 429, 500, 503])
@pytest.mark.parametrize(("code", "expected"), DOCUMENTED.items())
def test_every_documented_code_has_a_verdict_whatever_the_http_status(
    code: int, expected: tuple[VerdictKind, str], http_status: int
) -> None:
    found = verdict(body_of(code), http_status)

    assert (found.kind, found.reason) == expected


def test_no_undocumented_code_has_a_verdict() -> None:
    assert CODES.keys() <= DOCUMENTED.keys()


def test_only_rate_limits_are_throttling() -> None:
    throttled = {code for code in DOCUMENTED if verdict(body_of(code)).throttled}

    assert throttled == {40016, 40100, 40132, 40133, 61000}


def test_credentials_are_read_again_where_the_operator_may_have_fixed_them() -> None:
    renewed = {
        verdict(body_of(code)).reason for code in CODES if verdict(body_of(code)).credentials
    }

    assert renewed == {
        "tiktok_token_invalid",
        "tiktok_permission_denied",
        "tiktok_pixel_not_found",
        "tiktok_envelope_refused",
    }


@pytest.mark.parametrize(
    ("http_status", "kind", "reason"),
    [
        (200, O, "tiktok_code_unknown"),
        (400, O, "tiktok_code_unknown"),
        (401, O, "tiktok_code_unknown"),
        (429, R, "tiktok_throttled"),
        (500, R, "tiktok_unavailable"),
        (503, R, "tiktok_unavailable"),
    ],
)
@pytest.mark.parametrize("code", [1, 40003, 49999, 51100, 99999, -1, 10**30])
def test_an_unknown_code_is_transient_with_429_and_5xx_and_else_an_operator_error(
    code: int, http_status: int, kind: VerdictKind, reason: str
) -> None:
    found = verdict(body_of(code), http_status)

    assert (found.kind, found.reason) == (kind, reason)


@pytest.mark.parametrize("code", [40000, 40002, 40061, 40062])
@pytest.mark.parametrize(
    "message",
    [
        "Invalid value for event_source_id: not a valid string.",
        "Invalid value for event_source: must be one of web, app, offline, crm.",
        "partner_name is unknown",
    ],
)
def test_a_refusal_of_a_shared_field_is_an_operator_error(code: int, message: str) -> None:
    found = verdict(body_of(code, message))

    assert (found.kind, found.reason) == (O, "tiktok_envelope_refused")


def test_a_refusal_of_the_test_event_code_has_a_reason_of_its_own() -> None:
    found = verdict(body_of(40002, "test_event_code: not a valid string"))

    assert (found.kind, found.reason) == (O, "tiktok_test_event_code_refused")


@pytest.mark.parametrize(
    "message",
    [
        "Invalid value for event_id: not a valid string.",
        "Batch.0.properties.contents.0.content_id: Not a valid string",
        "Invalid value for event_sources: unknown",
        "PII not hashed: email",
        "",
    ],
)
def test_a_refusal_of_another_field_is_a_refusal_of_content(message: str) -> None:
    assert verdict(body_of(40002, message)).kind is C


@pytest.mark.parametrize(
    ("http_status", "kind", "reason"),
    [
        (200, R, "tiktok_answer_unreadable"),
        (204, R, "tiktok_answer_unreadable"),
        (301, O, "tiktok_endpoint_refused"),
        (400, O, "tiktok_endpoint_refused"),
        (401, O, "tiktok_token_invalid"),
        (403, O, "tiktok_permission_denied"),
        (404, O, "tiktok_endpoint_refused"),
        (405, O, "tiktok_endpoint_refused"),
        (408, R, "tiktok_timeout"),
        (413, C, "tiktok_request_too_large"),
        (429, R, "tiktok_throttled"),
        (500, R, "tiktok_unavailable"),
        (502, R, "tiktok_unavailable"),
        (503, R, "tiktok_unavailable"),
        (504, R, "tiktok_unavailable"),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>502 Bad Gateway</html>", b"[]", b"{}"])
def test_without_a_code_the_http_status_decides(
    body: bytes, http_status: int, kind: VerdictKind, reason: str
) -> None:
    """The HTTP status alone is never a success."""
    found = verdict(body, http_status)

    assert (found.kind, found.reason) == (kind, reason)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"null",
        b"0",
        b'"code"',
        b"[0]",
        b"{}",
        b'{"code":0',
        b'{"code":"0"}',
        b'{"code":null}',
        b'{"code":true}',
        b'{"code":false}',
        b'{"code":0.0}',
        b'{"code":[0]}',
        b'{"Code":0}',
        b"\xff\xfe\xfd",
        b'{"code":' + b"9" * 5000 + b"}",
        b"[" * 50_000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_an_unreadable_body_has_no_code(body: bytes) -> None:
    assert read_response(200, body, 0.1).code is None


@pytest.mark.parametrize(
    ("rest", "message", "request_id"),
    [
        ({"message": "OK", "request_id": "r-1", "data": {}}, "OK", "r-1"),
        ({}, "", ""),
        ({"message": None, "request_id": 5}, "", ""),
        ({"message": {"text": "OK"}, "request_id": []}, "", ""),
    ],
)
def test_message_and_request_id_are_optional(
    rest: dict[str, Any], message: str, request_id: str
) -> None:
    found = read_response(200, json.dumps({"code": 0} | rest).encode(), 0.1)

    assert (found.code, found.message, found.request_id) == (0, message, request_id)
