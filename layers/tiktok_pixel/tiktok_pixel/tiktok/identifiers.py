"""Build the ``user`` object: match keys, normalised and hashed.

A value that is a SHA-256 in hex counts as hashed already. Values that cannot be used are left out
and reported; blank values are absent. Sources: the destination's documentation, "PII Requirement &
Validation"; TikTok Events API 2.0, "Parameters"; TikTok's own code for Segment (names and
addresses).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from tiktok_pixel.tiktok.countries import alpha_2
from tiktok_pixel.tiktok.hashing import SHA256_DIGITS, existing_digest, sha256_hex
from tiktok_pixel.tiktok.normalisation import (
    Normalise,
    click_id,
    click_id_of_url,
    country_code,
    email_address,
    name,
    place,
    public_ip,
    zip_code,
)
from tiktok_pixel.tiktok.phones import Locality, to_e164
from tiktok_pixel.values import coercion
from tiktok_pixel.values.javascript import WHITESPACE
from tiktok_pixel.values.validation import Problem, Problems, UnusableValueError

Hash = Callable[[str], str]


class MatchKey(NamedTuple):
    """How one match key is made.

    Attributes:
        key: Its name in TikTok's ``user`` object.
        source: The mapped field, or the member of ``address``, that it is made from.
        normalise: What is done to the trimmed text; ``None`` leaves it unchanged.
        is_hashed: Whether it is sent as SHA-256.
        is_list: Whether a person may have several; it is sent as an array then.
        is_in_address: Whether its source is a member of ``address``.
    """

    key: str
    source: str
    normalise: Normalise | None
    is_hashed: bool
    is_list: bool = False
    is_in_address: bool = False


# More emails, phones and external ids of one event are left out.
_MOST_ITEMS: Final = 20
# What programs write for missing values.
_PLACEHOLDERS: Final = frozenset({"null", "undefined", "none", "nan", "true", "false", "n/a"})
_PLACEHOLDER_INITIALS: Final = frozenset("nutfNUTF")

# When a match key has several rows, the first one with a usable value counts.
MATCH_KEYS: Final = (
    #        key            source          normalise      is_hashed  is_list  is_in_address
    MatchKey("email", "email", email_address, True, True),
    MatchKey("phone", "phone_number", to_e164, True, True),
    MatchKey("external_id", "external_id", None, True, True),
    MatchKey("first_name", "first_name", name, True),
    MatchKey("last_name", "last_name", name, True),
    MatchKey("ip", "ip", public_ip, False),
    MatchKey("user_agent", "user_agent", None, False),
    MatchKey("locale", "locale", None, False),
    MatchKey("ttp", "ttp", click_id, False),
    MatchKey("ttclid", "url_ttclid", click_id, False),
    MatchKey("ttclid", "ttclid", click_id, False),
    MatchKey("city", "city", place, False, False, True),
    MatchKey("state", "state", place, False, False, True),
    MatchKey("zip_code", "zip_code", zip_code, True, False, True),
    MatchKey("country", "country", country_code, False, False, True),
)


# Hot path: plain tuples unpack four times as fast as named ones.
_Row = tuple[str, str, Normalise | None, Hash | None, bool]


def _rows(*, is_in_address: bool) -> tuple[_Row, ...]:
    return tuple(
        (key.key, key.source, key.normalise, sha256_hex if key.is_hashed else None, key.is_list)
        for key in MATCH_KEYS
        if key.is_in_address is is_in_address
    )


_ROWS: Final = _rows(is_in_address=False)
_ADDRESS_ROWS: Final = _rows(is_in_address=True)


def build_user(
    fields: dict[str, Any], default_region: str | None
) -> tuple[dict[str, Any], Problems]:
    """Build the ``user`` object of one event.

    Args:
        fields: Mapped fields, by the names of Segment's TikTok destination. ``external_ids`` is
            ``context.externalIds``: its items of type ``email`` and ``phone`` are match keys too.
        default_region: Region for national phone numbers of unknown country.

    Returns:
        The match keys that can be sent, and the problems of those that cannot.
    """
    sources = _sources(fields)
    address, problems = _address(fields.get("address"))
    locality = locality_of(address.get("country"), fields.get("locale"), default_region)
    user: dict[str, Any] = {}
    for values, rows in ((sources, _ROWS), (address, _ADDRESS_ROWS)):
        for key, source, normalise, digest, is_list in rows:
            value = values.get(source)
            if value is None or key in user:
                continue
            if is_list and isinstance(value, list):
                texts, found = _usable_items(key, value, normalise, digest, locality)
                problems += found
                if texts:
                    user[key] = texts
                continue
            try:
                text = _usable(value, normalise, digest, locality)
            except UnusableValueError as error:
                problems += (Problem(key, error.rule),)
                continue
            if text:
                user[key] = [text] if is_list else text
    return user, problems


def identifies(user: dict[str, Any]) -> bool:
    """Say whether TikTok can match an event with this ``user`` to a person."""
    return (
        "email" in user
        or "phone" in user
        or "external_id" in user
        or "ttclid" in user
        or "ttp" in user
        or ("ip" in user and "user_agent" in user)
    )


def _usable_items(
    key: str,
    items: list[Any],
    normalise: Normalise | None,
    digest: Hash | None,
    locality: Locality,
) -> tuple[list[str], Problems]:
    problems: Problems = (Problem(key, "too_many"),) if len(items) > _MOST_ITEMS else ()
    texts: dict[str, None] = {}  # ordered, without duplicates
    for item in items[:_MOST_ITEMS]:
        try:
            text = _usable(item, normalise, digest, locality)
        except UnusableValueError as error:
            problems += (Problem(key, error.rule),)
            continue
        if text:
            texts[text] = None
    return list(texts), problems


def _usable(
    value: object, normalise: Normalise | None, digest: Hash | None, locality: Locality
) -> str | None:
    """Return a match key as it is sent; nothing for a blank value.

    Raises:
        UnusableValueError: The value cannot be sent.
    """
    text = value if isinstance(value, str) else coercion.text(value) or ""
    text = text.strip(WHITESPACE)
    if not text:
        return None
    if text[0] in _PLACEHOLDER_INITIALS and text.lower() in _PLACEHOLDERS:
        raise UnusableValueError("placeholder")
    if digest is None:
        return text if normalise is None else normalise(text, locality)
    if len(text) == SHA256_DIGITS and (existing := existing_digest(text)) is not None:
        return existing
    if normalise is not None:
        text = normalise(text, locality)
    return digest(text) if text else None


def locality_of(country: object, locale: object, default_region: str | None) -> Locality:
    """Return what is known about the country of a person.

    Args:
        country: The country of the address, as it was mapped.
        locale: The browser's locale, as it was mapped.
        default_region: Region for national phone numbers of unknown country.
    """
    if country is None:
        return Locality(None, False, default_region, locale)
    # Hot path: most countries are alpha-2 codes.
    if isinstance(country, str) and len(country) == 2 and (code := alpha_2(country)):  # noqa: PLR2004
        return Locality(code, False, default_region, locale)
    try:
        text = _usable(country, None, None, Locality())
    except UnusableValueError as error:
        return Locality(None, error.rule != "placeholder", default_region, locale)
    code = alpha_2(text) if text else None
    return Locality(code, code is None and bool(text), default_region, locale)


def _sources(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with the further identifiers that some of them contain."""
    sources = fields
    external_ids = fields.get("external_ids")
    if isinstance(external_ids, list):
        # Segment's identity resolution collects further emails and phones there.
        sources = {
            **sources,
            "email": _joined(fields.get("email"), external_ids, "email"),
            "phone_number": _joined(fields.get("phone_number"), external_ids, "phone"),
        }
    url = fields.get("url")
    if isinstance(url, str) and ("ttclid" in url or "%" in url):
        sources = {**sources, "url_ttclid": click_id_of_url(url)}
    return sources


def _joined(values: object, external_ids: list[Any], kind: str) -> list[Any]:
    own = values if isinstance(values, list) else [values] if values else []
    return own + [
        item.get("id")
        for item in external_ids
        if isinstance(item, dict) and item.get("type") == kind
    ]


def _address(value: object) -> tuple[dict[str, Any], Problems]:
    if isinstance(value, dict):
        return value, ()
    return {}, (Problem("identifier", "not_an_object"),) if value else ()
