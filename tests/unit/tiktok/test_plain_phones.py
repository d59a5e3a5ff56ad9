"""Compare the conversion of plain phone numbers with libphonenumber.

The numbers are libphonenumber's own examples of all regions and kinds, the same with one digit
changed, and random ones, written as people write them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from tiktok_pixel.tiktok.plain_phones import plain_e164

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
KINDS = (
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.MOBILE,
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.VOIP,
    PhoneNumberType.PERSONAL_NUMBER,
    PhoneNumberType.PAGER,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
)


def by_the_library(phone: str, region: str | None) -> str | None:
    """Convert with the library alone."""
    try:
        number = phonenumbers.parse(phone, region)
    except phonenumbers.NumberParseException:
        return None
    if region is None:
        reason = phonenumbers.is_possible_number_with_reason(number)
        if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
            return None
    elif not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@cache
def examples() -> tuple[tuple[str, phonenumbers.PhoneNumber], ...]:
    return tuple(
        (region, number)
        for region in REGIONS
        for kind in KINDS
        if (number := phonenumbers.example_number_for_type(region, kind)) is not None
    )


def changed(digits: str, rng: random.Random) -> str:
    """Change, insert or remove one digit."""
    place = rng.randrange(len(digits))
    return rng.choice(
        (
            digits[:place] + rng.choice("0123456789") + digits[place + 1 :],
            digits[:place] + rng.choice("0123456789") + digits[place:],
            digits[:place] + digits[place + 1 :],
        )
    )


def international(rng: random.Random) -> Iterator[str]:
    """Yield numbers with plus: examples, changed examples, random ones of all calling codes."""
    for _, number in examples():
        e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
        yield e164
        yield phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
        yield "+" + changed(e164[1:], rng)
    for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        for _ in range(8):
            yield f"+{code}" + "".join(rng.choices("0123456789", k=rng.randrange(3, 13)))
    for _ in range(500):
        yield "+" + "".join(rng.choices("0123456789", k=rng.randrange(1, 17)))


def national(rng: random.Random) -> Iterator[tuple[str, str]]:
    """Yield numbers in their own or another region, as the country writes them and as digits."""
    for region, number in examples():
        written = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
        digits = phonenumbers.national_significant_number(number)
        yield written, region
        yield digits, region
        yield changed(digits, rng), region
        yield written, rng.choice(REGIONS)
        yield f"0{digits}", region
        yield f"{number.country_code}{digits}", region
    for region in REGIONS:
        for _ in range(4):
            yield "".join(rng.choices("0123456789", k=rng.randrange(5, 13))), region


@pytest.mark.parametrize("seed", range(5))
def test_numbers_with_plus(seed: int) -> None:
    taken = 0
    for phone in international(random.Random(seed)):  # noqa: S311  # no secret
        fast = plain_e164(phone, None)
        if fast is not None:
            taken += 1
            assert fast == by_the_library(phone, None), phone
    # Of about 5,600: most examples are plain, and some of the random numbers.
    assert taken > 1_500


@pytest.mark.parametrize("seed", range(5))
def test_national_numbers(seed: int) -> None:
    taken = 0
    for phone, region in national(random.Random(seed)):  # noqa: S311  # no secret
        fast = plain_e164(phone, region)
        if fast is not None:
            taken += 1
            assert fast == by_the_library(phone, region), (phone, region)
    # Of about 7,700.
    assert taken > 2_000


@pytest.mark.parametrize(
    ("phone", "region"),
    [
        ("+1 206 555 0100", None),
        ("+12065550100x5", None),
        ("+٠٢٠٦٥٥٥٠١٠٠", None),
        ("+02065550100", None),
        ("+999123456789", None),
        ("+", None),
        ("", None),
        ("", "US"),
        ("2065550100 ext. 7", "US"),
        ("011442079460958", "US"),
        ("1-800-FLOWERS", "US"),
        ("12345", "US"),
        ("٢٠٦٥٥٥٠١٠٠", "US"),
        ("2065550100", "XX"),
        pytest.param("02 3661 8300", "IT", id="a zero that is part of the number"),
        pytest.param("020 7946 0958", "JE", id="a region that shares its calling code"),
    ],
)
def test_other_numbers_are_left_to_the_library(phone: str, region: str | None) -> None:
    assert plain_e164(phone, region) is None
