"""Identifiers as TikTok compares them, before any hashing.

Each function takes text that is trimmed and not empty, and gives what is left of it, which may be
nothing. Sources: the destination's documentation, "PII Requirement & Validation"; TikTok's own code
for Segment (names and addresses).
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Final
from urllib.parse import unquote_plus

from tiktok_pixel.values.javascript import WHITESPACE
from tiktok_pixel.values.validation import UnusableValueError

# Python's own white space and JavaScript's byte order mark.
_INNER_SPACE: Final = re.compile(r"[\s\ufeff]")
_NOT_ASCII_ALPHANUMERIC: Final = re.compile(r"[^A-Za-z0-9]+")
# TikTok takes up to 1,000 characters and asks not to truncate a click id.
LONGEST_CLICK_ID: Final = 1000


def email_address(text: str) -> str:
    """Lower-cased, nothing else.

    Raises:
        UnusableValueError: Not exactly one ``@`` with something on both sides, or white space.
    """
    local, _, domain = text.partition("@")
    if not (local and domain) or "@" in domain or _INNER_SPACE.search(text):
        raise UnusableValueError("not_an_address")
    return text.lower()


def name(text: str) -> str:
    """Lower case without white space and punctuation; letters of any script stay."""
    kept = (
        character
        for character in text.lower()
        if not character.isspace() and not unicodedata.category(character).startswith("P")
    )
    return "".join(kept).strip(WHITESPACE)


def zip_code(text: str) -> str:
    """Lower case without white space and dashes."""
    return "".join(text.lower().replace("-", "").split()).strip(WHITESPACE)


def place(text: str) -> str:
    """City or state: lower-case ASCII letters and digits, as TikTok's own code for Segment."""
    return _NOT_ASCII_ALPHANUMERIC.sub("", text).lower()


def country_code(text: str) -> str:
    """ISO 3166-1 alpha-2, lower case."""
    if len(text) != 2 or not (text.isascii() and text.isalpha()):  # noqa: PLR2004  # alpha-2
        raise UnusableValueError("not_supported")
    return text.lower()


def public_ip(text: str) -> str:
    """An address that is reachable from the internet: others identify nobody."""
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError as error:
        raise UnusableValueError("not_an_address") from error
    if "%" in text:
        # A zone is an interface of one machine.
        raise UnusableValueError("not_an_address")
    if not parsed.is_global or parsed.is_multicast:
        raise UnusableValueError("not_public")
    return text


def click_id(text: str) -> str:
    """A TikTok click id, whole or not at all."""
    if len(text) > LONGEST_CLICK_ID:
        raise UnusableValueError("too_long")
    return text


def click_id_of_url(url: str) -> str:
    """The first ``ttclid`` of the query that is not empty; nothing where there is none."""
    # By hand, since urllib.parse takes ten times as long: a query is what stands between the first
    # question mark and a fragment, its parts between ampersands.
    query = "&" + url.partition("#")[0].partition("?")[2] + "&"
    start = 0
    while (start := query.find("&ttclid=", start)) >= 0:
        start += len("&ttclid=")
        end = query.find("&", start)
        if end > start:
            value = query[start:end]
            return unquote_plus(value) if "%" in value or "+" in value else value
        start = end
    return ""
