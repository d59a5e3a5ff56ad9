"""Convert phone numbers to E.164, by libphonenumber.

TikTok matches on the SHA-256 of the E.164 form with its leading ``+``. A number written with ``+``
names its country and counts when libphonenumber calls it possible. A national number needs a region
and must be valid in it, since in a wrong region it would be another person's number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tiktok_pixel.tiktok.hashing import refuse_other_digests
from tiktok_pixel.tiktok.plain_phones import phone_library, plain_e164
from tiktok_pixel.values.validation import UnusableValueError

# libphonenumber refuses longer text too, but only after running regular expressions over it.
_LONGEST: Final = 250
# Digits without a plus and without a known region are international from this length.
_INTERNATIONAL_DIGITS: Final = 12
_SEPARATORS: Final = str.maketrans("", "", " ().-/")


@dataclass(slots=True)
class Locality:
    """What is known about the country of a person.

    Attributes:
        country: The address's country as an ISO 3166-1 alpha-2 code, in upper case.
        is_unclear: Whether the address has a country that is not understood.
        default_region: The region to assume for national phone numbers.
        locale: The browser's locale, as it was mapped.
    """

    country: Final[str | None] = None
    is_unclear: Final[bool] = False
    default_region: Final[str | None] = None
    locale: Final[object] = None

    @property
    def has_no_country(self) -> bool:
        """Whether the address has no country, neither one that is understood nor another."""
        return self.country is None and not self.is_unclear

    def region(self) -> str | None:
        """Return the region for national numbers: the country, else the default, else locale's.

        A country that is not understood excludes the others: the number would probably be another
        person's there.
        """
        if self.is_unclear:
            return None
        region = self.country or self.default_region or _region_of_locale(self.locale)
        return region if region in phone_library().SUPPORTED_REGIONS else None


def to_e164(phone: str, locality: Locality) -> str:
    """Convert a phone number to E.164, dropping an extension.

    Args:
        phone: The number as a person or a shop wrote it, trimmed.
        locality: Determines the region in which a national number is read.

    Raises:
        UnusableValueError: ``not_possible``, ``not_valid``, ``without_region`` or ``not_sha256``.
    """
    refuse_other_digests(phone)
    # libphonenumber takes the full-width plus for a plus as well.
    is_international = phone[:1] in ("+", "\uff0b")
    region = None if is_international else locality.region()
    known = plain_e164(phone, region)
    if known is not None:
        return known
    if len(phone) > _LONGEST:
        raise UnusableValueError("not_possible")
    library = phone_library()
    if is_international:
        number = _parsed(phone, None)
        reason = library.is_possible_number_with_reason(number)
        if reason != library.ValidationResult.IS_POSSIBLE:
            raise UnusableValueError("not_possible")
        return _e164(number)
    if region is None:
        digits = sum(map(str.isdigit, phone))
        if locality.has_no_country and digits >= _INTERNATIONAL_DIGITS:
            number = _without_plus(phone)
            if number is not None:
                return _e164(number)
        raise UnusableValueError("without_region")
    number = _parsed(phone, region)
    if not library.is_valid_number(number):
        reason = library.is_possible_number_with_reason(number)
        is_too_long = reason == library.ValidationResult.TOO_LONG
        number = _without_plus(phone) if is_too_long else None
        if number is None:
            raise UnusableValueError("not_valid")
    return _e164(number)


def _parsed(phone: str, region: str | None) -> Any:
    library = phone_library()
    try:
        return library.parse(phone, region)
    except library.NumberParseException as error:
        raise UnusableValueError("not_possible") from error


def _without_plus(phone: str) -> Any:
    """Read digits as an international number without its plus; ``None`` unless it is valid."""
    digits = phone.translate(_SEPARATORS)
    if not (digits.isascii() and digits.isdigit()):
        return None
    try:
        number = _parsed(f"+{digits}", None)
    except UnusableValueError:
        return None
    return number if phone_library().is_valid_number(number) else None


def _e164(number: Any) -> str:
    # The same as `format_number` gives for E.164, without its general preparations.
    return f"+{number.country_code}{phone_library().national_significant_number(number)}"


def _region_of_locale(locale: object) -> str | None:
    # BCP 47: language[-Script][-REGION]...; some systems write it with underscores.
    if not isinstance(locale, str) or len(locale) > 35:  # noqa: PLR2004  # RFC 5646 4.4.1
        return None
    for subtag in locale.replace("_", "-").split("-")[1:]:
        if len(subtag) == 2:  # noqa: PLR2004  # an alpha-2 region
            return subtag.upper()
    return None
