"""Phone numbers to E.164, by libphonenumber.

TikTok matches on the SHA-256 of the E.164 form with its leading ``+``. A number that is
written with ``+`` says its country itself and counts when libphonenumber calls it possible;
a national one needs a region and must be valid, since a wrong region would make another
person's number of it.
"""

from __future__ import annotations

from typing import Final

from tiktok_pixel.tiktok.plain_phones import phone_library, plain_e164
from tiktok_pixel.values.javascript import WHITESPACE
from tiktok_pixel.values.validation import UnusableValueError

# libphonenumber refuses longer text itself; a bound of ours keeps its regular expressions off it.
_LONGEST: Final = 250


def is_international(phone: str) -> bool:
    """Whether a number says its country itself."""
    # The full-width plus is what libphonenumber takes for a plus as well.
    return phone[:1] in ("+", "\uff0b")


def to_e164(phone: str, region: str | None) -> str:
    """The E.164 form of ``phone``, an extension dropped.

    Args:
        phone: The number as a person or a shop wrote it.
        region: ISO 3166-1 alpha-2 code (upper case) in which a national number is read.

    Raises:
        UnusableValueError: ``not_possible``, ``not_valid`` or ``without_region``.
    """
    phone = phone.strip(WHITESPACE)
    international = is_international(phone)
    known = plain_e164(phone, None if international else region)
    if known is not None:
        return known
    if len(phone) > _LONGEST:
        raise UnusableValueError("not_possible")
    if not international and region is None:
        raise UnusableValueError("without_region")
    library = phone_library()
    try:
        number = library.parse(phone, None if international else region)
    except library.NumberParseException as error:
        raise UnusableValueError("not_possible") from error
    if international:
        reason = library.is_possible_number_with_reason(number)
        if reason != library.ValidationResult.IS_POSSIBLE:
            raise UnusableValueError("not_possible")
    elif not library.is_valid_number(number):
        raise UnusableValueError("not_valid")
    # What `format_number` gives for E.164, without its general preparations.
    return f"+{number.country_code}{library.national_significant_number(number)}"


def region_of(country: object, default: str | None, locale: object) -> str | None:
    """The region for national numbers: address country, else the default, else the locale's."""
    return _known_region(country) or default or _locale_region(locale)


def _known_region(country: object) -> str | None:
    if not isinstance(country, str):
        return None
    code = country.strip(WHITESPACE).upper()
    return code if code in phone_library().SUPPORTED_REGIONS else None


def _locale_region(locale: object) -> str | None:
    # BCP 47: language[-Script][-REGION]...; some systems write it with underscores.
    if not isinstance(locale, str) or len(locale) > 35:  # noqa: PLR2004  # RFC 5646 4.4.1
        return None
    for subtag in locale.replace("_", "-").split("-")[1:]:
        if len(subtag) == 2:  # noqa: PLR2004  # an alpha-2 region
            return _known_region(subtag)
    return None
