"""Verify Segment's ``X-Signature``: hex HMAC-SHA1 with the webhook's shared secret.

A single event is signed as a whole. Of a batch, Segment signs only the first event, as it was
serialised. Its text is cut out of the body, since serialising it again could change numbers, key
order and escapes. A signature over the whole batch is accepted as well: Segment has announced it.

Source: Segment documentation, "Webhooks (Actions) Destination", and action-destinations
``webhook/index.ts``.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from tiktok_pixel.segment.nesting import container_end

# Only the end of the event matters; int() would refuse very long numbers.
_DECODER: Final = json.JSONDecoder(parse_int=str)
# Segment's events have 32 KB at most; an attacker's request must not take long.
_LONGEST_DEEP_EVENT: Final = 100_000
_ARRAY_START: Final = re.compile(r"\s*\[\s*(?=\{)")
# The Extensible Webhook wraps every event but signs it without the wrapper.
_WRAPPER_START: Final = re.compile(r"\{\s*\"json\"\s*:\s*(?=\{)")
_WRAPPER_END: Final = re.compile(r"\s*\}")


def is_signed(text: str, signature: str | None, secrets: Sequence[str]) -> bool:
    """Say whether the body, or its first event, was signed with any of the secrets.

    Args:
        text: The request body; Segment signs its UTF-8 bytes.
        signature: The header's value, ``None`` without one.
        secrets: Shared secrets: two during a rotation.
    """
    if not signature:
        return False
    given = signature.strip().lower().encode("utf-8", "replace")
    signed = False
    for candidate in _signed_texts(text):
        # A lone surrogate has no UTF-8: it must not raise.
        message = candidate.encode("utf-8", "surrogatepass")
        for secret in secrets:
            expected = hmac.new(secret.encode(), message, "sha1").hexdigest().encode()
            signed |= hmac.compare_digest(expected, given)
        if signed:
            return True
    return False


def _signed_texts(text: str) -> Iterator[str]:
    yield text
    array = _ARRAY_START.match(text)
    if array is None:
        return
    wrapper = _WRAPPER_START.match(text, array.end())
    try:
        yield text[array.end() : _event_end(text, array.end())]
        if wrapper is not None:
            end = _event_end(text, wrapper.end())
            # Nothing else in the wrapper: the signature would not cover it.
            if _WRAPPER_END.match(text, end):
                yield text[wrapper.end() : end]
    except ValueError:
        return


def _event_end(text: str, start: int) -> int:
    try:
        return _DECODER.raw_decode(text, start)[1]
    except RecursionError:
        return container_end(text, start, _LONGEST_DEEP_EVENT)


def is_bearer(authorization: str | None, tokens: Sequence[str]) -> bool:
    """Say whether an ``Authorization`` header carries one of the bearer tokens."""
    scheme, _, given = (authorization or "").strip().partition(" ")
    if scheme.lower() != "bearer":
        return False
    presented = given.strip().encode("utf-8", "replace")
    return any(hmac.compare_digest(token.encode(), presented) for token in tokens)
