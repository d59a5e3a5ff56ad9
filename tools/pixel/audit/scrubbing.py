"""Remove personal data from names and ids before they are reported."""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 200
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]")
# Addresses, digests, and runs of digits that could be phone numbers or IP addresses.
_PERSONAL: Final = re.compile(
    r"[^\s\"'@]+@[^\s\"'@]+|\b[0-9A-Fa-f]{16,}\b|\+?\d[\d\s().:-]{5,}\d|[0-9a-fA-F]*:[0-9a-fA-F:]{3,}"
)


def scrubbed(text: str) -> str:
    """Return text of an event that is safe to report: short, printable, nothing personal."""
    # The first cut bounds the work. The second must come last, or it would split an address.
    bounded = _UNPRINTABLE.sub("?", text[: 2 * _LONGEST])
    return _PERSONAL.sub("…", bounded)[:_LONGEST]
