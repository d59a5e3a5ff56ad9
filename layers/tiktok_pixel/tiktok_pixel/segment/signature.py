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

# Only the end of the event matters; int() would refuse very long numbers.
_DECODER: Final = json.JSONDecoder(parse_int=str)
_ARRAY_START: Final = re.compile(r"\s*\[\s*(?=\{)")
# The Extensible Webhook wraps every event but signs it without the wrapper.
_WRAPPER_START: Final = re.compile(r"\{\s*\"json\"\s*:\s*(?=\{)")


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
    for start in (array, _WRAPPER_START.match(text, array.end())):
        if start is not None:
            try:
                _, end = _DECODER.raw_decode(text, start.end())
            except (ValueError, RecursionError):
                return
            yield text[start.end() : end]


def is_bearer(authorization: str | None, tokens: Sequence[str]) -> bool:
    """Say whether an ``Authorization`` header carries one of the bearer tokens."""
    scheme, _, given = (authorization or "").strip().partition(" ")
    if scheme.lower() != "bearer":
        return False
    presented = given.strip().encode("utf-8", "replace")
    return any(hmac.compare_digest(token.encode(), presented) for token in tokens)
