"""Verify Segment's signatures."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from tiktok_pixel.segment.signature import is_bearer, is_signed

SECRET = "shared secret"
EVENT = '{"type":"track","messageId":"m-1"}'
SECOND = '{"type":"page","messageId":"m-2"}'

# First events that JavaScript writes in a way in which Python's json would not.
HOSTILE = [
    '{"messageId":"m-1","value":1e-7}',
    '{"messageId":"m-1","value":0.000001}',
    '{"messageId":"m-1","value":1e+21}',
    '{"messageId":"m-1","value":100000000000000000000}',
    '{"messageId":"m-1","value":5e-324,"zero":-0}',
    '{"1":"integer-like keys first","10":1,"messageId":"m-1"}',
    '{"messageId":"m-1","name":"line\u2028separator\u2029raw"}',
    '{"messageId":"m-1","name":"a lone surrogate \\ud83d escaped"}',
    '{"messageId":"m-1","name":"a pair raw \U0001f600"}',
    '{"messageId":"m-1","name":"Zoë 東京 \u00a0"}',
    '{"messageId":"m-1","name":"] } , [ { \\" \\\\"}',
    '{"messageId":"m-1","nested":[[{"a":[{}]}],[]]}',
    '{"messageId":"m-1","messageId":"m-2"}',
    '{ "messageId" : "m-1" }',
    "{}",
    '{"messageId":"m-1","value":' + "9" * 5000 + "}",
]


def sign(text: str, secret: str = SECRET) -> str:
    """Compute the header's value as Segment does."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha1).hexdigest()


def test_agrees_with_a_known_signature() -> None:
    """HMAC-SHA1 of RFC 2202, test case 2."""
    signature = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"

    assert is_signed("what do ya want for nothing?", signature, ["Jefe"])


@pytest.mark.parametrize("first", HOSTILE, ids=lambda text: repr(text)[1:50])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{first}", id="one event"),
        pytest.param("[{first}]", id="a batch of one"),
        pytest.param("[{first},{second}]", id="a batch"),
        pytest.param(' \n[ \r\n\t{first} , {second}]"', id="white space and a broken end"),
        pytest.param('[{{"json":{first}}},{{"json":{second}}}]', id="Extensible Webhook"),
        pytest.param('[ {{ "json" : {first}}}]', id="Extensible Webhook with white space"),
    ],
)
def test_the_signature_of_the_first_event_is_accepted(first: str, body: str) -> None:
    text = body.format(first=first, second=SECOND)

    assert is_signed(text, sign(first), [SECRET])
    assert not is_signed(text, sign(SECOND), [SECRET])


@pytest.mark.parametrize(
    "body", [EVENT, f"[{EVENT},{SECOND}]", f'[{{"json":{EVENT}}}]', "", "not json", "[]", "[1,2]"]
)
def test_the_signature_of_the_whole_body_is_accepted(body: str) -> None:
    assert is_signed(body, sign(body), [SECRET])


@pytest.mark.parametrize(
    ("body", "signed"),
    [
        pytest.param(EVENT, EVENT + " ", id="other bytes"),
        pytest.param(f"[{EVENT},{SECOND}]", json.dumps(json.loads(EVENT)), id="serialised anew"),
        pytest.param(f"[{SECOND},{EVENT}]", EVENT, id="the second event"),
        pytest.param(f'{{"json":{EVENT}}}', EVENT, id="a wrapper outside of a batch"),
        pytest.param(f'[{{"json":{EVENT},"type":"x"}}]', EVENT, id="a wrapper with another key"),
        pytest.param(f'[{{"json":{EVENT},"json":{SECOND}}}]', EVENT, id="two events in it"),
        pytest.param(f'{{"batch":[{EVENT}]}}', EVENT, id="an event inside an object"),
        pytest.param(f"[[{EVENT}]]", EVENT, id="an event inside a list"),
        pytest.param(f'["x",{EVENT}]', EVENT, id="an event after junk"),
        pytest.param(f'[{{"other":1,"json":{EVENT}}}]', EVENT, id="json after another key"),
        pytest.param("[" + EVENT[:-1], EVENT, id="an event without its end"),
        pytest.param(f"[{EVENT}]", "", id="nothing"),
    ],
)
def test_the_signature_of_other_text_is_refused(body: str, signed: str) -> None:
    assert not is_signed(body, sign(signed), [SECRET])


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        " ",
        "0" * 40,
        sign(EVENT)[:-1],
        sign(EVENT) + "0",
        sign(EVENT, "another secret"),
        "sha1=" + sign(EVENT),
        "ü" * 40,
        "\ud83d",
    ],
)
def test_a_wrong_or_missing_signature_is_refused(signature: str | None) -> None:
    assert not is_signed(EVENT, signature, [SECRET])


@pytest.mark.parametrize("write", [str.upper, lambda text: f" {text} "])
def test_case_and_surrounding_space_of_the_header_do_not_matter(write: Any) -> None:
    assert is_signed(EVENT, write(sign(EVENT)), [SECRET])


@pytest.mark.parametrize("secret", ["old", "new"])
def test_both_secrets_are_accepted_during_a_rotation(secret: str) -> None:
    assert is_signed(EVENT, sign(EVENT, secret), ["old", "new"])
    assert is_signed(f"[{EVENT},{SECOND}]", sign(EVENT, secret), ["old", "new"])


def test_without_a_secret_nothing_is_signed() -> None:
    assert not is_signed(EVENT, sign(EVENT, ""), [])


@pytest.mark.parametrize(
    "text",
    ["\ud83d", '[{"messageId":"\ud83d"}]', "[{" + '"a":{' * 50_000, "[" * 50_000],
    ids=["surrogate", "surrogate in a batch", "nested objects", "nested lists"],
)
def test_text_without_utf_8_is_refused(text: str) -> None:
    assert not is_signed(text, sign("x"), [SECRET])


@pytest.mark.parametrize(
    ("header", "counts"),
    [
        ("Bearer token-1", True),
        ("bearer token-2", True),
        ("BEARER   token-1 ", True),
        ("Bearer token-3", False),
        ("Bearer Token-1", False),
        ("Bearer", False),
        ("Bearer ", False),
        ("Basic token-1", False),
        ("token-1", False),
        ("Bearer tökén", False),
        ("", False),
        (None, False),
    ],
)
def test_a_bearer_token_must_match_exactly(
    header: str | None, counts: bool
) -> None:  # a table's column
    assert is_bearer(header, ["token-1", "token-2"]) is counts


def test_without_tokens_every_bearer_is_refused() -> None:
    assert not is_bearer("Bearer ", [])
