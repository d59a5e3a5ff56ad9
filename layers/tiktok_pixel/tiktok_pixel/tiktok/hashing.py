"""Hash identifiers with SHA-256, and recognise values that are hashed already.

TikTok accepts SHA-256 in hex and nothing else. Source: the destination's documentation, "PII
Requirement & Validation".
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

from tiktok_pixel.values.validation import UnusableValueError

_HEX: Final = re.compile(r"[0-9A-Fa-f]+\Z")
SHA256_DIGITS: Final = 64
# MD5, SHA-1, SHA-384 and SHA-512.
_OTHER_DIGEST_DIGITS: Final = frozenset({32, 40, 96, 128})
# Shops that hash missing values send this.
_SHA256_OF_EMPTY_TEXT: Final = sha256(b"").hexdigest()
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def existing_digest(text: str) -> str | None:
    """Return the SHA-256 that ``text`` is, in lower case; ``None`` for any other text.

    The SHA-256 of the empty text is returned as the empty text: it identifies nobody.
    """
    if len(text) != SHA256_DIGITS or not _HEX.match(text):
        return None
    digest = text.lower()
    return "" if digest == _SHA256_OF_EMPTY_TEXT else digest


def refuse_other_digests(text: str) -> None:
    """Refuse MD5, SHA-1, SHA-384 and SHA-512, which TikTok cannot match.

    Raises:
        UnusableValueError: The text is such a digest in hex.
    """
    if len(text) in _OTHER_DIGEST_DIGITS and _HEX.match(text):
        raise UnusableValueError("not_sha256")


def sha256_hex(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, as hex digits."""
    try:
        return sha256(text.encode()).hexdigest()
    except UnicodeEncodeError:
        # JavaScript encodes a lone surrogate as U+FFFD.
        return sha256(_SURROGATE.sub("\ufffd", text).encode()).hexdigest()
