"""The ``user`` object: match keys, normalised and hashed as the destination promises.

======================  ========================================  ========
match key               normalisation                             sent as
======================  ========================================  ========
email                   trim, lower case                          SHA-256
phone                   E.164 (:mod:`tiktok_pixel.tiktok.phones`)  SHA-256
external_id             trim                                      SHA-256
first_name, last_name   lower case, no white space, punctuation   SHA-256
zip_code                lower case, no white space, no dashes     SHA-256
city, state             lower case, ASCII letters and digits      plain
country                 lower case ISO 3166-1 alpha-2             plain
ip                      public addresses only                     plain
ttclid, ttp, locale,    as they are                               plain
user_agent
======================  ========================================  ========

A SHA-256 in hex is taken as already hashed. Another digest can match nobody at TikTok, so it is
left out and counted, like a phone or an address that cannot be one; what is blank is absent.
Sources: the destination's documentation, "PII Requirement & Validation"; TikTok Events API 2.0,
"Parameters"; TikTok's own code for Segment (names and addresses).
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tiktok_pixel.ecmascript import WHITESPACE
from tiktok_pixel.problems import Problem, UnusableValueError
from tiktok_pixel.tiktok import coercion
from tiktok_pixel.tiktok.phones import region_of, to_e164

_HEX: Final = re.compile(r"[0-9A-Fa-f]+\Z")
_SHA256_DIGITS: Final = 64
# MD5, SHA-1, SHA-384 and SHA-512 in hex.
_OTHER_DIGEST_DIGITS: Final = frozenset({32, 40, 96, 128})
_NOT_ASCII_ALPHANUMERIC: Final = re.compile(r"[^A-Za-z0-9]+")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_ALPHA_2: Final = re.compile(r"[a-z]{2}\Z")
# TikTok takes up to 1,000 characters and asks not to truncate a click id.
_TTCLID_LONGEST: Final = 1000

Normalise = Callable[[str], str | None]


def build_user(
    fields: dict[str, Any], default_region: str | None, problems: list[Problem]
) -> dict[str, Any]:
    """The ``user`` object of one event, holding only what can be sent.

    Args:
        fields: Mapped fields, by the names of Segment's TikTok destination. ``external_ids`` is
            ``context.externalIds``: its items of type ``email`` and ``phone`` are match keys too.
        default_region: Region for national phone numbers of unknown country.
        problems: What is left out is appended here.
    """
    address = fields.get("address")
    if not isinstance(address, dict):
        if address:
            problems.append(Problem("identifier", "not_an_object"))
        address = {}
    user = _hashed_keys(fields, address.get("country"), default_region, problems)
    for source, convert_by_key in ((fields, _OF_PERSON), (address, _OF_ADDRESS)):
        for field, convert in convert_by_key:
            value = source.get(field)
            if value is not None:
                text = _only(field, value, convert, problems)
                if text is not None:
                    user[field] = text
    if "ttclid" not in user:
        from_url = _only("ttclid", _click_id_of_url(fields.get("url")), click_id, problems)
        if from_url is not None:
            user["ttclid"] = from_url
    return user


def identifies(user: dict[str, Any]) -> bool:
    """Whether TikTok could match the event to anybody by this ``user``."""
    return (
        "email" in user
        or "phone" in user
        or "external_id" in user
        or "ttclid" in user
        or "ttp" in user
        or ("ip" in user and "user_agent" in user)
    )


def email_address(value: str) -> str:
    """Trimmed and lower-cased, nothing else.

    Raises:
        UnusableValueError: Not exactly one ``@`` with something on both sides, or white space.
    """
    address = value.strip(WHITESPACE).lower()
    local, at, domain = address.partition("@")
    if not (local and at and domain) or "@" in domain or len(address.split()) > 1:
        raise UnusableValueError("not_an_address")
    return address


def name(value: str) -> str | None:
    """Lower case without white space and punctuation; letters of any script stay."""
    if value.isalpha():
        return value.lower()
    kept = (
        character
        for character in value.lower()
        if not character.isspace() and not unicodedata.category(character).startswith("P")
    )
    return "".join(kept).strip(WHITESPACE) or None


def zip_code(value: str) -> str | None:
    """Lower case without white space and dashes."""
    return "".join(value.lower().replace("-", "").split()).strip(WHITESPACE) or None


def place(value: str) -> str | None:
    """City or state: lower-case ASCII letters and digits, as TikTok's own code for Segment."""
    return _NOT_ASCII_ALPHANUMERIC.sub("", value).lower() or None


def country_code(value: str) -> str:
    """ISO 3166-1 alpha-2, lower case."""
    code = value.strip(WHITESPACE).lower()
    if not _ALPHA_2.match(code):
        raise UnusableValueError("not_supported")
    return code


def public_ip(value: str) -> str:
    """An address that is reachable from the internet: others identify nobody."""
    address = value.strip(WHITESPACE)
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError as error:
        raise UnusableValueError("not_an_address") from error
    if not parsed.is_global or parsed.is_multicast:
        raise UnusableValueError("not_public")
    return address


def click_id(value: str) -> str:
    """A TikTok click id, whole or not at all."""
    trimmed = value.strip(WHITESPACE)
    if len(trimmed) > _TTCLID_LONGEST:
        raise UnusableValueError("too_long")
    return trimmed


def _as_it_is(value: str) -> str:
    return value.strip(WHITESPACE)


def _hashed(value: str, normalise: Normalise) -> str | None:
    trimmed = value.strip(WHITESPACE)
    digits = len(trimmed)
    if digits >= 32 and _HEX.match(trimmed):  # noqa: PLR2004  # no digest is shorter than MD5
        if digits == _SHA256_DIGITS:
            return trimmed.lower()
        if digits in _OTHER_DIGEST_DIGITS:
            raise UnusableValueError("not_sha256")
    normalised = normalise(trimmed)
    if normalised is None:
        return None
    return sha256(_utf8(normalised)).hexdigest()


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Lone surrogates: JavaScript's encoders write U+FFFD for them, and so must the hash.
        return _SURROGATE.sub("\ufffd", text).encode()


def _hashed_keys(
    fields: dict[str, Any], country: object, default_region: str | None, problems: list[Problem]
) -> dict[str, Any]:
    external = fields.get("external_ids")

    def phone_number(phone: str) -> str:
        return to_e164(phone, region_of(country, default_region, fields.get("locale")))

    sources: tuple[tuple[str, object, Normalise], ...] = (
        ("email", _with_external(fields.get("email"), external, "email"), email_address),
        ("phone", _with_external(fields.get("phone_number"), external, "phone"), phone_number),
        ("external_id", fields.get("external_id"), _as_it_is),
    )
    keys: dict[str, Any] = {}
    for key, values, normalise in sources:
        if values is not None:
            hashes = _hash_all(key, values, normalise, problems)
            if hashes:
                keys[key] = hashes
    return keys


def _hash_all(key: str, values: object, normalise: Normalise, problems: list[Problem]) -> list[str]:
    items: Iterable[object] = values if isinstance(values, list) else (values,)
    hashes: dict[str, None] = {}
    for item in items:
        if item is not None:
            digest = _only(key, item, lambda text: _hashed(text, normalise), problems)
            if digest is not None:
                hashes[digest] = None
    return list(hashes)


def _only(key: str, value: object, convert: Normalise, problems: list[Problem]) -> str | None:
    try:
        text = coercion.text(value)
        return None if text is None else convert(text)
    except UnusableValueError as error:
        problems.append(Problem(key, error.rule))
        return None


def _hashing(normalise: Normalise) -> Normalise:
    return lambda value: _hashed(value, normalise)


# Field and key on the wire -> what is made of the text.
_OF_PERSON: Final[tuple[tuple[str, Normalise], ...]] = (
    ("first_name", _hashing(name)),
    ("last_name", _hashing(name)),
    ("ttclid", click_id),
    ("ttp", _as_it_is),
    ("ip", public_ip),
    ("user_agent", _as_it_is),
    ("locale", _as_it_is),
)
_OF_ADDRESS: Final[tuple[tuple[str, Normalise], ...]] = (
    ("city", place),
    ("state", place),
    ("zip_code", _hashing(zip_code)),
    ("country", country_code),
)


def _with_external(values: object, external: object, kind: str) -> object:
    # Segment's identity resolution puts further emails and phones into context.externalIds.
    if not isinstance(external, list):
        return values
    found = [
        item.get("id") for item in external if isinstance(item, dict) and item.get("type") == kind
    ]
    if not found:
        return values
    return [*(values if isinstance(values, list) else [values]), *found]


def _click_id_of_url(url: object) -> str | None:
    if not isinstance(url, str) or "ttclid=" not in url:
        return None
    try:
        found = parse_qs(urlsplit(url).query, max_num_fields=1000).get("ttclid")
    except ValueError:
        return None
    return found[0] if found else None
