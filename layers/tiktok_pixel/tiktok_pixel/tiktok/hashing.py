"""SHA-256 of identifiers, and what is hashed already.

TikTok takes SHA-256 in hex and nothing else. Source: the destination's documentation, "PII
Requirement & Validation".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from tiktok_pixel.values.validation import UnusableValueError

# From text that is trimmed and not empty to what is sent; nothing where that would be empty.
Convert = Callable[[str], str | None]

_HEX: Final = re.compile(r"[0-9A-Fa-f]+\Z")
_SHA256_DIGITS: Final = 64
# SHA-256, and MD5, SHA-1, SHA-384 and SHA-512, in hex.
DIGEST_DIGITS: Final = frozenset({_SHA256_DIGITS, 32, 40, 96, 128})
SHORTEST_DIGEST: Final = min(DIGEST_DIGITS)
# Shops that hash before they look send it for everybody who gave nothing.
_SHA256_OF_NOTHING: Final = sha256(b"").hexdigest()
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def hashed(text: str, normalise: Convert | None) -> str | None:
    """The SHA-256 of an identifier; one that is a SHA-256 itself only gets lower case.

    There is nothing to send where nothing is left of the text, or where it is the hash of nothing.

    Args:
        text: Trimmed and not empty.
        normalise: What is done to it before; ``None`` for nothing.

    Raises:
        UnusableValueError: Another digest, which can match nobody, or what ``normalise`` raises.
    """
    if len(text) in DIGEST_DIGITS and _HEX.match(text):
        if len(text) != _SHA256_DIGITS:
            raise UnusableValueError("not_sha256")
        digest = text.lower()
        return None if digest == _SHA256_OF_NOTHING else digest
    normalised = text if normalise is None else normalise(text)
    if not normalised:
        return None
    try:
        return sha256(normalised.encode()).hexdigest()
    except UnicodeEncodeError:
        # Lone surrogates: JavaScript's encoders write U+FFFD for them, and so must the hash.
        return sha256(_SURROGATE.sub("\ufffd", normalised).encode()).hexdigest()
