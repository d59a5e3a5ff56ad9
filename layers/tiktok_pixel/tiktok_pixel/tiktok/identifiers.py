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
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final
from urllib.parse import unquote_plus

from tiktok_pixel import coercion
from tiktok_pixel.ecmascript import WHITESPACE
from tiktok_pixel.problems import Problem, UnusableValueError
from tiktok_pixel.tiktok.phones import is_international, region_of, to_e164

_HEX: Final = re.compile(r"[0-9A-Fa-f]+\Z")
_SHA256_DIGITS: Final = 64
# Shops that hash before they look send it for everybody who gave nothing.
_SHA256_OF_NOTHING: Final = sha256(b"").hexdigest()
# MD5, SHA-1, SHA-384 and SHA-512 in hex.
_OTHER_DIGEST_DIGITS: Final = frozenset({32, 40, 96, 128})
_SHORTEST_DIGEST: Final = min(_OTHER_DIGEST_DIGITS)
# Python's own white space and JavaScript's byte order mark.
_INNER_SPACE: Final = re.compile(r"[\s\ufeff]")
_PLAIN_EMAIL: Final = re.compile(r"[!-?A-~]+@[!-?A-~]+\Z")
# IPv4 addresses whose first number alone says that they are public; the ranges of IANA's registry
# that are not lie in the ones left out, which are looked at by `ipaddress`.
_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PLAINLY_PUBLIC: Final = re.compile(
    r"(?!(?:0|10|100|127|169|172|192|198|203|22[4-9]|23[0-9]|24[0-9]|25[0-5])\.)"
    rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}\Z"
)
_NOT_ASCII_ALPHANUMERIC: Final = re.compile(r"[^A-Za-z0-9]+")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# TikTok takes up to 1,000 characters and asks not to truncate a click id.
_TTCLID_LONGEST: Final = 1000

# From text that is trimmed and not empty to what is sent; nothing where that would be empty.
Convert = Callable[[str], str | None]


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
    user: dict[str, Any] = {}
    emails, phones = fields.get("email"), fields.get("phone_number")
    external = fields.get("external_ids")
    if external is not None:
        emails = _with_external(emails, external, "email")
        phones = _with_external(phones, external, "phone")
    if emails is not None:
        _convert_all_into(user, "email", emails, hashed_email, problems)
    if phones is not None:

        def e164(phone: str) -> str:
            if is_international(phone):
                return to_e164(phone, None)
            region = region_of(address.get("country"), default_region, fields.get("locale"))
            return to_e164(phone, region)

        _convert_all_into(user, "phone", phones, lambda phone: _hashed(phone, e164), problems)
    ids = fields.get("external_id")
    if ids is not None:
        _convert_all_into(user, "external_id", ids, hashed_id, problems)
    _convert_into(user, fields, _OF_PERSON, problems)
    if address:
        _convert_into(user, address, _OF_ADDRESS, problems)
    if "ttclid" not in user:
        url = fields.get("url")
        if isinstance(url, str) and "ttclid=" in url:
            _convert_into(user, {"ttclid": _click_id_of_url(url)}, _CLICK_ID, problems)
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


def email_address(text: str) -> str:
    """Lower-cased, nothing else.

    Raises:
        UnusableValueError: Not exactly one ``@`` with something on both sides, or white space.
    """
    local, _, domain = text.partition("@")
    if not (local and domain) or "@" in domain or _INNER_SPACE.search(text):
        raise UnusableValueError("not_an_address")
    return text.lower()


def name(text: str) -> str | None:
    """Lower case without white space and punctuation; letters of any script stay."""
    if text.isalpha():
        return text.lower()
    kept = (
        character
        for character in text.lower()
        if not character.isspace() and not unicodedata.category(character).startswith("P")
    )
    return "".join(kept).strip(WHITESPACE)


def zip_code(text: str) -> str | None:
    """Lower case without white space and dashes."""
    return "".join(text.lower().replace("-", "").split()).strip(WHITESPACE)


def place(text: str) -> str | None:
    """City or state: lower-case ASCII letters and digits, as TikTok's own code for Segment."""
    if text.isascii() and text.isalnum():
        return text.lower()
    return _NOT_ASCII_ALPHANUMERIC.sub("", text).lower()


def country_code(text: str) -> str:
    """ISO 3166-1 alpha-2, lower case."""
    if len(text) != 2 or not (text.isascii() and text.isalpha()):  # noqa: PLR2004  # alpha-2
        raise UnusableValueError("not_supported")
    return text.lower()


def public_ip(text: str) -> str:
    """An address that is reachable from the internet: others identify nobody."""
    if _PLAINLY_PUBLIC.match(text):
        return text
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
    if len(text) > _TTCLID_LONGEST:
        raise UnusableValueError("too_long")
    return text


def hashed_email(text: str) -> str | None:
    """SHA-256 of an email address."""
    # Nearly all addresses are plain ASCII, which one expression can tell.
    if _PLAIN_EMAIL.match(text):
        return sha256(text.lower().encode()).hexdigest()
    return _hashed(text, email_address)


def hashed_id(text: str) -> str | None:
    """SHA-256 of an id as it is."""
    if len(text) < _SHORTEST_DIGEST and text.isascii():
        return sha256(text.encode()).hexdigest()
    return _hashed(text, None)


def hashed_name(text: str) -> str | None:
    """SHA-256 of a name."""
    if len(text) < _SHORTEST_DIGEST and text.isalpha():
        return sha256(text.lower().encode()).hexdigest()
    return _hashed(text, name)


def hashed_zip_code(text: str) -> str | None:
    """SHA-256 of a zip code."""
    return _hashed(text, zip_code)


# Mapped field, which is the key on the wire as well -> what is made of its text.
_OF_PERSON: Final[tuple[tuple[str, Convert | None], ...]] = (
    ("first_name", hashed_name),
    ("last_name", hashed_name),
    ("ttclid", click_id),
    ("ttp", None),
    ("ip", public_ip),
    ("user_agent", None),
    ("locale", None),
)
_CLICK_ID: Final = (("ttclid", click_id),)
_OF_ADDRESS: Final[tuple[tuple[str, Convert | None], ...]] = (
    ("city", place),
    ("state", place),
    ("zip_code", hashed_zip_code),
    ("country", country_code),
)


def _hashed(text: str, normalise: Convert | None) -> str | None:
    if len(text) >= _SHORTEST_DIGEST and _HEX.match(text):
        if len(text) == _SHA256_DIGITS:
            digest = text.lower()
            return None if digest == _SHA256_OF_NOTHING else digest
        if len(text) in _OTHER_DIGEST_DIGITS:
            raise UnusableValueError("not_sha256")
    normalised = text if normalise is None else normalise(text)
    if not normalised:
        return None
    try:
        return sha256(normalised.encode()).hexdigest()
    except UnicodeEncodeError:
        # Lone surrogates: JavaScript's encoders write U+FFFD for them, and so must the hash.
        return sha256(_SURROGATE.sub("\ufffd", normalised).encode()).hexdigest()


def _convert_into(
    user: dict[str, Any],
    source: dict[str, Any],
    converts: tuple[tuple[str, Convert | None], ...],
    problems: list[Problem],
) -> None:
    get = source.get
    for key, convert in converts:
        value = get(key)
        if value is not None:
            try:
                text = value if value.__class__ is str else coercion.text(value)
                if text:
                    text = text.strip(WHITESPACE)
                    if text and convert is not None:
                        text = convert(text)
                    if text:
                        user[key] = text
            except UnusableValueError as error:
                problems.append(Problem(key, error.rule))


def _convert_all_into(
    user: dict[str, Any], key: str, values: object, convert: Convert, problems: list[Problem]
) -> None:
    """Put what is usable of a value, or of a list of them, into ``user`` as a list."""
    found: dict[str, None] = {}
    for value in values if isinstance(values, list) else (values,):
        try:
            text = value if isinstance(value, str) else coercion.text(value)
            if text:
                text = text.strip(WHITESPACE)
                if text:
                    text = convert(text)
                    if text:
                        found[text] = None
        except UnusableValueError as error:
            problems.append(Problem(key, error.rule))
    if found:
        user[key] = list(found)


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


def _click_id_of_url(url: str) -> str | None:
    # By hand, since urllib.parse takes ten times as long: a query is what stands between the
    # first question mark and a fragment, its parts between ampersands.
    query = url.partition("#")[0].partition("?")[2]
    for part in query.split("&"):
        if part.startswith("ttclid=") and len(part) > len("ttclid="):
            return unquote_plus(part.removeprefix("ttclid="))
    return None
