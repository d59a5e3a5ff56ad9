"""Normalise identifiers to the form that TikTok compares, before any hashing.

Each function takes text that is trimmed and not empty, and returns what is left of it, which may be
the empty text. All take the person's locality, which only some need. Sources: the destination's
documentation, "PII Requirement & Validation"; TikTok's own code for Segment (names and addresses).
"""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

from tiktok_pixel.tiktok.phones import Locality
from tiktok_pixel.values.javascript import WHITESPACE
from tiktok_pixel.values.validation import UnusableValueError

Normalise = Callable[[str, Locality], str]

# Python's own white space and JavaScript's byte order mark.
_INNER_SPACE: Final = re.compile(r"[\s\ufeff]")
_NOT_ASCII_ALPHANUMERIC: Final = re.compile(r"[^A-Za-z0-9]+")
# TikTok takes up to 1,000 characters and asks not to truncate a click id.
_LONGEST_CLICK_ID: Final = 1000
# The first octets of IPv4 blocks in IANA's special-purpose registry, and of multicast and reserved
# addresses: only with these does an address need a closer look.
_SPECIAL_OCTETS: Final = frozenset({0, 10, 100, 127, 169, 172, 192, 198, 203, *range(224, 256)})


def unchanged(text: str, _: Locality) -> str:
    """Return the text as it is."""
    return text


def email_address(text: str, _: Locality) -> str:
    """Convert to lower case, nothing else.

    Raises:
        UnusableValueError: Not exactly one ``@`` with something on both sides, or white space.
    """
    local, _at, domain = text.partition("@")
    if not (local and domain) or "@" in domain or _INNER_SPACE.search(text):
        raise UnusableValueError("not_an_address")
    return text.lower()


def name(text: str, _: Locality) -> str:
    """Convert to lower case without white space and punctuation; letters of any script stay."""
    text = text.lower()
    if text.isalpha():
        return text
    kept = (
        character
        for character in text
        if not character.isspace() and not unicodedata.category(character).startswith("P")
    )
    return "".join(kept).strip(WHITESPACE)


def zip_code(text: str, _: Locality) -> str:
    """Convert to lower case without white space and dashes."""
    return "".join(text.lower().replace("-", "").split()).strip(WHITESPACE)


def place(text: str, _: Locality) -> str:
    """Convert a city or state to lower-case ASCII letters and digits."""
    if not (text.isascii() and text.isalnum()):
        text = _NOT_ASCII_ALPHANUMERIC.sub("", text)
    return text.lower()


def country_code(text: str, _: Locality) -> str:
    """Convert an ISO 3166-1 alpha-2 code to lower case.

    Raises:
        UnusableValueError: Not two ASCII letters.
    """
    if len(text) != 2 or not (text.isascii() and text.isalpha()):  # noqa: PLR2004  # alpha-2
        raise UnusableValueError("not_supported")
    return text.lower()


def public_ip(text: str, _: Locality) -> str:
    """Accept an address that is reachable from the internet; others identify nobody.

    Raises:
        UnusableValueError: Not an address, or not a public one.
    """
    try:
        # Hot path: ipaddress takes fifty times as long.
        if socket.inet_pton(socket.AF_INET, text)[0] not in _SPECIAL_OCTETS:
            return text
    except (OSError, ValueError):
        pass
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise UnusableValueError("not_an_address") from error
    if "%" in text:
        # A zone is the name of a machine's interface.
        raise UnusableValueError("not_an_address")
    if not address.is_global or address.is_multicast:
        raise UnusableValueError("not_public")
    return text


def click_id(text: str, _: Locality) -> str:
    """Accept a TikTok click id whole or not at all.

    Raises:
        UnusableValueError: Too long.
    """
    if len(text) > _LONGEST_CLICK_ID:
        raise UnusableValueError("too_long")
    return text


def click_id_of_url(url: str) -> str | None:
    """Return the first ``ttclid`` of a URL's query that is not empty, ``None`` without one."""
    query = url.partition("#")[0].partition("?")[2]
    return parse_qs(query).get("ttclid", [None])[0]
