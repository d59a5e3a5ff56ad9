"""Build the ``user`` object: match keys, normalised and hashed.

A value that is a SHA-256 in hex counts as hashed already. Values that cannot be used are left out
and reported; blank values are absent. Sources: the destination's documentation, "PII Requirement &
Validation"; TikTok Events API 2.0, "Parameters"; TikTok's own code for Segment (names and
addresses).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from tiktok_pixel.tiktok.countries import alpha_2
from tiktok_pixel.tiktok.hashing import existing_digest, sha256_hex
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
from tiktok_pixel.values.validation import Problem, UnusableValueError


class MatchKey(NamedTuple):
    """How one match key is made.

    Attributes:
        key: Its name in TikTok's ``user`` object.
        source: The mapped field (or member of ``address``) that it is made from.
        normalise: What is done to the trimmed text; ``None`` leaves it unchanged.
        is_hashed: Whether it is sent as SHA-256.
        is_list: Whether a person may have several; it is sent as an array then.
    """

    key: str
    source: str
    normalise: Normalise | None
    is_hashed: bool
    is_list: bool


# More emails, phones and external ids of one event are left out.
_MOST_ITEMS: Final = 20
# What programs write for missing values.
_PLACEHOLDERS: Final = frozenset({"null", "undefined", "none", "nan", "true", "false", "n/a"})
_PLACEHOLDER_INITIALS: Final = frozenset("nutfNUTF")

# When a match key has several rows, the first one with a usable value counts.
MATCH_KEYS: Final = (
    #        key            source          normalise      is_hashed  is_list
    MatchKey("email", "email", email_address, True, True),
    MatchKey("phone", "phone_number", to_e164, True, True),
    MatchKey("external_id", "external_id", None, True, True),
    MatchKey("first_name", "first_name", name, True, False),
    MatchKey("last_name", "last_name", name, True, False),
    MatchKey("ip", "ip", public_ip, False, False),
    MatchKey("user_agent", "user_agent", None, False, False),
    MatchKey("locale", "locale", None, False, False),
    MatchKey("ttp", "ttp", click_id, False, False),
    MatchKey("ttclid", "url_ttclid", click_id, False, False),
    MatchKey("ttclid", "ttclid", click_id, False, False),
    MatchKey("city", "city", place, False, False),
    MatchKey("state", "state", place, False, False),
    MatchKey("zip_code", "zip_code", zip_code, True, False),
    MatchKey("country", "country", country_code, False, False),
)
# Hot path: plain tuples unpack four times as fast as named ones.
_ROWS: Final = tuple((*row,) for row in MATCH_KEYS)


def build_user(
    fields: dict[str, Any], default_region: str | None
) -> tuple[dict[str, Any], list[Problem]]:
    """Build the ``user`` object of one event.

    Args:
        fields: Mapped fields, by the names of Segment's TikTok destination. ``external_ids`` is
            ``context.externalIds``: its items of type ``email`` and ``phone`` are match keys too.
        default_region: Region for national phone numbers of unknown country.

    Returns:
        The match keys that can be sent, and the problems of those that cannot.
    """
    sources, problems = _sources(fields)
    locality = locality_of(sources, default_region)
    user: dict[str, Any] = {}
    for key, source, normalise, is_hashed, is_list in _ROWS:
        value = sources.get(source)
        if value is None or key in user:
            continue
        if is_list and isinstance(value, list):
            texts, found = _usable_items(key, value, normalise, locality, is_hashed=is_hashed)
            problems += found
            if texts:
                user[key] = texts
            continue
        try:
            text = _usable(value, normalise, locality, is_hashed=is_hashed)
        except UnusableValueError as error:
            problems.append(Problem(key, error.rule))
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
    key: str, items: list[Any], normalise: Normalise | None, locality: Locality, *, is_hashed: bool
) -> tuple[list[str], list[Problem]]:
    problems = [Problem(key, "too_many")] if len(items) > _MOST_ITEMS else []
    texts: dict[str, None] = {}  # ordered, without duplicates
    for item in items[:_MOST_ITEMS]:
        try:
            text = _usable(item, normalise, locality, is_hashed=is_hashed)
        except UnusableValueError as error:
            problems.append(Problem(key, error.rule))
            continue
        if text:
            texts[text] = None
    return list(texts), problems


def _usable(
    value: object, normalise: Normalise | None, locality: Locality, *, is_hashed: bool
) -> str | None:
    """Return a match key as it is sent; nothing for a blank value.

    Raises:
        UnusableValueError: The value cannot be sent.
    """
    text = value if value.__class__ is str else coercion.text(value)
    if not text or not (text := text.strip(WHITESPACE)):
        return None
    if text[0] in _PLACEHOLDER_INITIALS and text.lower() in _PLACEHOLDERS:
        raise UnusableValueError("placeholder")
    if not is_hashed:
        return text if normalise is None else normalise(text, locality)
    digest = existing_digest(text)
    if digest is not None:
        return digest
    if normalise is not None:
        text = normalise(text, locality)
    return sha256_hex(text) if text else None


def locality_of(sources: dict[str, Any], default_region: str | None) -> Locality:
    """Return what the mapped fields, those of the address included, say about the country."""
    given, locale = sources.get("country"), sources.get("locale")
    # Hot path: most countries are alpha-2 codes.
    country = alpha_2(given) if isinstance(given, str) and len(given) == 2 else None  # noqa: PLR2004
    is_unclear = False
    if country is None and given is not None:
        try:
            text = _usable(given, None, Locality(), is_hashed=False)
        except UnusableValueError as error:
            is_unclear = error.rule != "placeholder"
        else:
            country = alpha_2(text) if text else None
            is_unclear = country is None and bool(text)
    return Locality(country, is_unclear, default_region, locale)


def _sources(fields: dict[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Collect the values that :data:`MATCH_KEYS` refers to in one flat dictionary."""
    sources = dict(fields)
    problems = []
    address = fields.get("address")
    if isinstance(address, dict):
        sources |= address
    elif address:
        problems.append(Problem("identifier", "not_an_object"))
    external_ids = fields.get("external_ids")
    if isinstance(external_ids, list):
        # Segment's identity resolution collects further emails and phones there.
        for kind, source in (("email", "email"), ("phone", "phone_number")):
            sources[source] = _joined(fields.get(source), external_ids, kind)
    url = fields.get("url")
    if isinstance(url, str) and ("ttclid" in url or "%" in url):
        sources["url_ttclid"] = click_id_of_url(url)
    return sources, problems


def _joined(values: object, external_ids: list[Any], kind: str) -> list[Any]:
    own = values if isinstance(values, list) else [values]
    return own + [
        item.get("id")
        for item in external_ids
        if isinstance(item, dict) and item.get("type") == kind
    ]
