"""Fold text to ASCII for comparisons."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_NOT_ALPHANUMERIC: Final = re.compile(r"[^a-z0-9]+")


def fold(text: str) -> str:
    """Convert to lower-case ASCII letters and digits: ``São Paulo`` → ``saopaulo``.

    Other characters are dropped, so text in another script becomes empty.
    """
    text = text.lower()
    if text.isascii() and text.isalnum():
        return text
    # NFD separates letters from their accents; the accents are dropped with all other characters.
    return _NOT_ALPHANUMERIC.sub("", unicodedata.normalize("NFD", text))
