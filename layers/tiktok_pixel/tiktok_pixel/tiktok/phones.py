"""Convert phone numbers to E.164, by libphonenumber.

TikTok matches on the SHA-256 of the E.164 form with its leading ``+``. A number written with ``+``
names its country and counts when libphonenumber calls it possible. A national number needs a region
and must be valid in it, since in a wrong region it would be another person's number.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tiktok_pixel.tiktok.plain_phones import phone_library, plain_e164
from tiktok_pixel.values.javascript import WHITESPACE
from tiktok_pixel.values.validation import UnusableValueError

# libphonenumber refuses longer text too, but only after running regular expressions over it.
_LONGEST: Final = 250


class Locality(NamedTuple):
    """What is known about the country of a person.

    Attributes:
        country: The address's country, as it was mapped.
        default_region: The region to assume for national phone numbers.
        locale: The browser's locale, as it was mapped.
    """

    country: object
    default_region: str | None
    locale: object

    def region(self) -> str | None:
        """Return the region for national numbers: the country, else the default, else locale's."""
        return _known_region(self.country) or self.default_region or _region_of_locale(self.locale)


def to_e164(phone: str, locality: Locality) -> str:
    """Convert a phone number to E.164, dropping an extension.

    Args:
        phone: The number as a person or a shop wrote it, trimmed.
        locality: Determines the region in which a national number is read.

    Raises:
        UnusableValueError: ``not_possible``, ``not_valid`` or ``without_region``.
    """
    # libphonenumber takes the full-width plus for a plus as well.
    is_international = phone[:1] in ("+", "\uff0b")
    region = None if is_international else locality.region()
    known = plain_e164(phone, region)
    if known is not None:
        return known
    if len(phone) > _LONGEST:
        raise UnusableValueError("not_possible")
    if not is_international and region is None:
        raise UnusableValueError("without_region")
    library = phone_library()
    try:
        number = library.parse(phone, region)
    except library.NumberParseException as error:
        raise UnusableValueError("not_possible") from error
    if is_international:
        reason = library.is_possible_number_with_reason(number)
        if reason != library.ValidationResult.IS_POSSIBLE:
            raise UnusableValueError("not_possible")
    elif not library.is_valid_number(number):
        raise UnusableValueError("not_valid")
    # The same as `format_number` gives for E.164, without its general preparations.
    return f"+{number.country_code}{library.national_significant_number(number)}"


def _known_region(country: object) -> str | None:
    if not isinstance(country, str):
        return None
    code = country.strip(WHITESPACE).upper()
    return code if code in phone_library().SUPPORTED_REGIONS else None


def _region_of_locale(locale: object) -> str | None:
    # BCP 47: language[-Script][-REGION]...; some systems write it with underscores.
    if not isinstance(locale, str) or len(locale) > 35:  # noqa: PLR2004  # RFC 5646 4.4.1
        return None
    for subtag in locale.replace("_", "-").split("-")[1:]:
        if len(subtag) == 2:  # noqa: PLR2004  # an alpha-2 region
            return _known_region(subtag)
    return None
