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

import re
from hashlib import sha256
from typing import Any, Final

from tiktok_pixel.tiktok import normalisation
from tiktok_pixel.tiktok.hashing import DIGEST_DIGITS, SHORTEST_DIGEST, Convert, hashed
from tiktok_pixel.tiktok.phones import is_international, region_of, to_e164
from tiktok_pixel.tiktok.plain_phones import plain_e164
from tiktok_pixel.values import coercion
from tiktok_pixel.values.javascript import WHITESPACE
from tiktok_pixel.values.validation import Problem, UnusableValueError

# Plain forms, which need no second look: ASCII addresses, and IPv4 addresses whose first number
# alone says that they are public (the ranges of IANA's registry that are not lie in the others).
_PLAIN_EMAIL: Final = re.compile(r"[!-?A-~]+@[!-?A-~]+\Z")
_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PLAINLY_PUBLIC: Final = re.compile(
    r"(?!(?:0|10|100|127|169|172|192|198|203|22[4-9]|23[0-9]|24[0-9]|25[0-5])\.)"
    rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}\Z"
)


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
    _add_contacts(user, fields, address, default_region, problems)
    _add_ids(user, fields, problems)
    _add_person(user, fields, problems)
    _add_click_id(user, fields, problems)
    if address:
        _add_address(user, address, problems)
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


# The functions below take plain values, which nearly all are, in place: with a call or two for
# every match key, an event would take half as long again. All others go through `_add`, which
# decides what counts; the plain forms are those of which it is known what comes out of it.


def _add_contacts(
    user: dict[str, Any],
    fields: dict[str, Any],
    address: dict[str, Any],
    default_region: str | None,
    problems: list[Problem],
) -> None:
    """Emails and phones, of which there may be several."""
    emails, phones = fields.get("email"), fields.get("phone_number")
    external = fields.get("external_ids")
    if external is not None:
        emails = _with_external(emails, external, "email")
        phones = _with_external(phones, external, "phone")
    if emails is not None:
        if emails.__class__ is list:
            emails = _sole_text(emails)
        text = emails.strip(WHITESPACE) if emails.__class__ is str else ""
        if _PLAIN_EMAIL.match(text):
            user["email"] = [sha256(text.lower().encode()).hexdigest()]
        else:
            _add_all(user, "email", emails, _hashed_email, problems)
    if phones is not None:
        if phones.__class__ is list:
            phones = _sole_text(phones)
        text = phones.strip(WHITESPACE) if phones.__class__ is str else ""
        number = None
        if 0 < len(text) < SHORTEST_DIGEST:
            region = None if is_international(text) else _region(fields, address, default_region)
            number = plain_e164(text, region)
        if number is not None:
            user["phone"] = [sha256(number.encode()).hexdigest()]
        else:
            convert = _hashed_phone(fields, address, default_region)
            _add_all(user, "phone", phones, convert, problems)


def _add_ids(user: dict[str, Any], fields: dict[str, Any], problems: list[Problem]) -> None:
    """Ids of the person, of which there may be several too."""
    ids = fields.get("external_id")
    if ids is not None:
        text = ids.strip(WHITESPACE) if ids.__class__ is str else ""
        if text and text.isascii() and len(text) not in DIGEST_DIGITS:
            user["external_id"] = [sha256(text.encode()).hexdigest()]
        else:
            _add_all(user, "external_id", ids, _hashed_id, problems)


def _add_person(user: dict[str, Any], fields: dict[str, Any], problems: list[Problem]) -> None:
    """Who it was, and by which device."""
    get = fields.get
    for key in ("first_name", "last_name"):
        value = get(key)
        if value.__class__ is str and value.isalpha() and len(value) < SHORTEST_DIGEST:
            user[key] = sha256(value.lower().encode()).hexdigest()
        elif value is not None:
            _add(user, key, value, _hashed_name, problems)
    ip = get("ip")
    if ip.__class__ is str and _PLAINLY_PUBLIC.match(ip):
        user["ip"] = ip
    elif ip is not None:
        _add(user, "ip", ip, normalisation.public_ip, problems)
    for key in ("user_agent", "locale", "ttp"):
        value = get(key)
        if value.__class__ is str and (text := value.strip(WHITESPACE)):
            user[key] = text
        elif value is not None:
            _add(user, key, value, None, problems)


def _add_click_id(user: dict[str, Any], fields: dict[str, Any], problems: list[Problem]) -> None:
    """The click that led to the event, by itself or in the page's address."""
    click_id = fields.get("ttclid")
    if click_id is not None:
        _add(user, "ttclid", click_id, normalisation.click_id, problems)
    if "ttclid" not in user:
        url = fields.get("url")
        if isinstance(url, str) and "ttclid=" in url:
            click_id = normalisation.click_id_of_url(url)
            if len(click_id) <= normalisation.LONGEST_CLICK_ID and (
                text := click_id.strip(WHITESPACE)
            ):
                user["ttclid"] = text
            else:
                _add(user, "ttclid", click_id, normalisation.click_id, problems)


def _add_address(user: dict[str, Any], address: dict[str, Any], problems: list[Problem]) -> None:
    """Where they live."""
    get = address.get
    for key in ("city", "state"):
        value = get(key)
        if value.__class__ is str and value.isalnum() and value.isascii():
            user[key] = value.lower()
        elif value is not None:
            _add(user, key, value, normalisation.place, problems)
    value = get("zip_code")
    if (
        value.__class__ is str
        and value.isalnum()
        and value.isascii()
        and len(value) < SHORTEST_DIGEST
    ):
        user["zip_code"] = sha256(value.lower().encode()).hexdigest()
    elif value is not None:
        _add(user, "zip_code", value, _hashed_zip_code, problems)
    value = get("country")
    if value.__class__ is str and len(value) == 2 and value.isalpha() and value.isascii():  # noqa: PLR2004  # alpha-2
        user["country"] = value.lower()
    elif value is not None:
        _add(user, "country", value, normalisation.country_code, problems)


def _add(
    user: dict[str, Any],
    key: str,
    value: object,
    convert: Convert | None,
    problems: list[Problem],
) -> None:
    """Put a value into ``user`` where it can be used."""
    text = _converted(key, value, convert, problems)
    if text:
        user[key] = text


def _add_all(
    user: dict[str, Any], key: str, values: object, convert: Convert, problems: list[Problem]
) -> None:
    """Put what can be used of a value, or of a list of them, into ``user`` as a list."""
    items = values if isinstance(values, list) else [values]
    converted = (_converted(key, item, convert, problems) for item in items)
    found = list(dict.fromkeys(filter(None, converted)))
    if found:
        user[key] = found


def _converted(
    key: str, value: object, convert: Convert | None, problems: list[Problem]
) -> str | None:
    try:
        text = coercion.text(value)
        if text is None:
            return None
        text = text.strip(WHITESPACE)
        return text if convert is None else convert(text)
    except UnusableValueError as error:
        problems.append(Problem(key, error.rule))
        return None


def _hashed_phone(
    fields: dict[str, Any], address: dict[str, Any], default_region: str | None
) -> Convert:
    def e164(phone: str) -> str:
        if is_international(phone):
            return to_e164(phone, None)
        return to_e164(phone, _region(fields, address, default_region))

    return lambda phone: hashed(phone, e164)


def _region(
    fields: dict[str, Any], address: dict[str, Any], default_region: str | None
) -> str | None:
    return region_of(address.get("country"), default_region, fields.get("locale"))


def _hashed_email(text: str) -> str | None:
    return hashed(text, normalisation.email_address)


def _hashed_id(text: str) -> str | None:
    return hashed(text, None)


def _hashed_name(text: str) -> str | None:
    return hashed(text, normalisation.name)


def _hashed_zip_code(text: str) -> str | None:
    return hashed(text, normalisation.zip_code)


def _sole_text(values: list[Any]) -> object:
    """The text in a list that has nothing else, which is the same; all other lists as they are."""
    return values[0] if len(values) == 1 and values[0].__class__ is str else values


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
