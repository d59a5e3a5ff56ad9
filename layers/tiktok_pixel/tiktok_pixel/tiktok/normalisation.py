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

from tiktok_pixel.tiktok.hashing import refuse_other_digests
from tiktok_pixel.tiktok.phones import Locality
from tiktok_pixel.values.folding import fold
from tiktok_pixel.values.javascript import WHITESPACE
from tiktok_pixel.values.validation import UnusableValueError

Normalise = Callable[[str, Locality], str]

_US_ZIP_PLUS_4: Final = re.compile(r"(?P<zip>[0-9]{5})\s*(?P<dash>-?)\s*[0-9]{4}")
_ZIP_PLUS_4_LENGTH: Final = 9
# TikTok documents no limit and asks not to truncate click ids and cookies; this one bounds abuse.
_LONGEST_CLICK_ID: Final = 4096
# Normalising Unicode takes quadratic time for a long row of combining marks.
_LONGEST_NAME: Final = 200
# Segment accepts events of at most 32 KB.
_LONGEST_URL: Final = 32_768
# Proxies that an address list may name; more addresses are not read.
_MOST_ADDRESSES: Final = 20
# The first octets of IPv4 blocks in IANA's special-purpose registry, and of multicast and reserved
# addresses: only with these does an address need a closer look.
_SPECIAL_OCTETS: Final = frozenset({0, 10, 100, 127, 169, 172, 192, 198, 203, *range(224, 256)})


def email_address(text: str, _: Locality) -> str:
    """Convert to lower case, nothing else.

    Raises:
        UnusableValueError: Not exactly one ``@`` with something on both sides, or white space.
    """
    local, _at, domain = text.partition("@")
    # JavaScript's white space is Python's and the byte order mark.
    has_space = text.split() != [text] or "\ufeff" in text
    if not (local and domain) or "@" in domain or has_space:
        refuse_other_digests(text)
        raise UnusableValueError("not_an_address")
    return text.lower()


def name(text: str, _: Locality) -> str:
    """Convert to NFC, lower case, without white space and punctuation; all scripts stay.

    Raises:
        UnusableValueError: Too long.
    """
    if len(text) > _LONGEST_NAME:
        raise UnusableValueError("too_long")
    text = text.lower() if text.isascii() else unicodedata.normalize("NFC", text).lower()
    if text.isalpha():
        return text
    kept = (
        character
        for character in text
        if not (character.isspace() or character in WHITESPACE)
        and not unicodedata.category(character).startswith("P")
    )
    return "".join(kept)


def zip_code(text: str, locality: Locality) -> str:
    """Convert to lower case without white space and dashes; ZIP+4 of the US to five digits."""
    # Hot path: most codes are short and plain.
    if len(text) < _ZIP_PLUS_4_LENGTH and text.isalnum():
        return text.lower()
    found = _US_ZIP_PLUS_4.fullmatch(text)
    if found and (locality.country == "US" or (found["dash"] and locality.has_no_country)):
        return found["zip"]
    return "".join(text.lower().replace("-", "").split()).strip(WHITESPACE)


def place(text: str, _: Locality) -> str:
    """Convert a city or state to lower-case ASCII letters and digits, accents removed.

    Raises:
        UnusableValueError: Too long.
    """
    if len(text) > _LONGEST_NAME:
        raise UnusableValueError("too_long")
    return fold(text)


def country_code(_: str, locality: Locality) -> str:
    """Return the country that the text names, as an ISO 3166-1 alpha-2 code in lower case.

    Raises:
        UnusableValueError: Not a code or an English name of a country.
    """
    if locality.country is None:
        raise UnusableValueError("not_supported")
    return locality.country.lower()


def public_ip(text: str, _: Locality) -> str:
    """Accept an address that is reachable from the internet; others identify nobody.

    Proxies append addresses to a list; its first public one is the person's.

    Raises:
        UnusableValueError: Not an address, or not a public one.
    """
    try:
        # Hot path: ipaddress takes fifty times as long.
        if socket.inet_pton(socket.AF_INET, text)[0] not in _SPECIAL_OCTETS:
            return text
    except (OSError, ValueError):
        pass
    if "," not in text:
        return _public_ip(text)
    rules = set()
    for address in text.split(",", _MOST_ADDRESSES)[:_MOST_ADDRESSES]:
        try:
            return _public_ip(address.strip())
        except UnusableValueError as error:
            rules.add(error.rule)
    raise UnusableValueError("not_public" if "not_public" in rules else "not_an_address")


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
    if len(url) > _LONGEST_URL:
        return None
    query = url.partition("#")[0].partition("?")[2]
    return parse_qs(query).get("ttclid", [None])[0]


def _public_ip(text: str) -> str:
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
