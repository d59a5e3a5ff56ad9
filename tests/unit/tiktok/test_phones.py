"""Convert phone numbers to E.164."""

from __future__ import annotations

import pytest

from tiktok_pixel.tiktok.phones import Locality, to_e164
from tiktok_pixel.values.validation import UnusableValueError


@pytest.mark.parametrize(
    ("phone", "e164"),
    [
        ("+12133734253", "+12133734253"),
        ("+1 (213) 373-4253", "+12133734253"),
        ("+1.213.373.4253", "+12133734253"),
        ("\uff0b12133734253", "+12133734253"),
        ("+1555-555-5555", "+15555555555"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("+1 213 373 4253 ext. 55", "+12133734253"),
        ("+1 213 373 4253 x55", "+12133734253"),
        ("+39 02 3661 8300", "+390236618300"),
        ("+4930123456789012", "+4930123456789012"),
        ("+8613912345678", "+8613912345678"),
    ],
)
@pytest.mark.parametrize("region", [None, "US", "DE"])
def test_a_number_with_plus_counts_when_it_is_possible(
    phone: str, e164: str, region: str | None
) -> None:
    """The number names its country: the region does not matter, and it need not be valid."""
    assert to_e164(phone, Locality(default_region=region)) == e164


@pytest.mark.parametrize(
    "phone",
    [
        "+",
        "+1",
        "+1 555",
        pytest.param("+1 5550100", id="possible only inside its area"),
        "+123456789012345678",
        pytest.param("+999123456789", id="no such country"),
        "+abc",
        "+\ud83d123",
        "+" + "1" * 249,
        "+" + "1" * 250,
    ],
)
@pytest.mark.parametrize("region", [None, "US"])
def test_a_number_with_plus_that_is_not_possible_is_refused(phone: str, region: str | None) -> None:
    with pytest.raises(UnusableValueError, match=r"^not_possible$"):
        to_e164(phone, Locality(default_region=region))


@pytest.mark.parametrize(
    ("phone", "region", "e164"),
    [
        ("2065550100", "US", "+12065550100"),
        ("(206) 555-0100", "US", "+12065550100"),
        ("1 206 555 0100", "US", "+12065550100"),
        ("206-555-0100 ext. 7", "US", "+12065550100"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("0044 20 7946 0958", "GB", "+442079460958"),
        ("011 44 20 7946 0958", "US", "+442079460958"),
        ("030 123456", "DE", "+4930123456"),
        ("02 3661 8300", "IT", "+390236618300"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("tel:+12065550100", "DE", "+12065550100"),
    ],
)
def test_a_national_number_is_read_in_its_region(phone: str, region: str, e164: str) -> None:
    assert to_e164(phone, Locality(default_region=region)) == e164


@pytest.mark.parametrize(
    ("phone", "region", "rule"),
    [
        ("12345", "US", "not_valid"),
        pytest.param("555-0100", "US", "not_valid", id="without its area code"),
        pytest.param("020 7946 0958", "US", "not_valid", id="British, read as American"),
        pytest.param("0044 20 7946 0958", "US", "not_valid", id="another country's prefix"),
        ("555 555 5555", "US", "not_valid"),
        ("abc", "US", "not_possible"),
        ("", "US", "not_possible"),
        ("\ud83d", "US", "not_possible"),
        ("Infinity", "US", "not_possible"),
        pytest.param("1" * 251, "US", "not_possible", id="251 digits"),
        ("2065550100", None, "without_region"),
        ("tel:+12065550100", None, "without_region"),
        ("abc", None, "without_region"),
    ],
)
def test_a_national_number_has_to_be_valid(phone: str, region: str | None, rule: str) -> None:
    """In a wrong region it would be another person's number."""
    with pytest.raises(UnusableValueError) as raised:
        to_e164(phone, Locality(default_region=region))

    assert raised.value.rule == rule


@pytest.mark.parametrize(
    ("locality", "region"),
    [
        pytest.param(Locality("DE", default_region="US", locale="en-GB"), "DE", id="country first"),
        pytest.param(Locality(default_region="US", locale="en-GB"), "US", id="then the default"),
        pytest.param(Locality(locale="en-GB"), "GB", id="the locale last"),
        pytest.param(
            Locality(is_unclear=True, default_region="US", locale="en-US"),
            None,
            id="no region when the country is not understood",
        ),
        pytest.param(Locality("AQ", default_region="US"), None, id="a country without phones"),
        (Locality(locale="en_GB"), "GB"),
        (Locality(locale="zh-Hant-TW"), "TW"),
        (Locality(locale="pt-br"), "BR"),
        (Locality(locale="en-US-x-private"), "US"),
        pytest.param(Locality(locale="de"), None, id="a language is not a region"),
        (Locality(locale="sr-Latn"), None),
        (Locality(locale="en-XX"), None),
        (Locality(locale="en-" + "a" * 40), None),
        (Locality(locale=""), None),
        (Locality(locale=5), None),
        (Locality(), None),
    ],
)
def test_the_region_comes_from_country_default_or_locale(
    locality: Locality, region: str | None
) -> None:
    assert locality.region() == region


@pytest.mark.parametrize(
    ("phone", "locality", "e164"),
    [
        ("447911123456", Locality("US"), "+447911123456"),
        ("44 7911 123456", Locality(default_region="US"), "+447911123456"),
        ("447911123456", Locality(locale="en-US"), "+447911123456"),
        ("447911123456", Locality(), "+447911123456"),
        ("5511987654321", Locality(), "+5511987654321"),
    ],
)
def test_digits_without_plus_are_international_when_too_long_for_the_region(
    phone: str, locality: Locality, e164: str
) -> None:
    assert to_e164(phone, locality) == e164


@pytest.mark.parametrize(
    ("phone", "locality", "rule"),
    [
        pytest.param("2065550100", Locality(), "without_region", id="10 digits"),
        pytest.param("12065550100", Locality(), "without_region", id="11 digits"),
        pytest.param("999999999999", Locality(), "without_region", id="not valid anywhere"),
        pytest.param("447911123456", Locality(is_unclear=True), "without_region", id="unclear"),
        pytest.param("447911123456", Locality("AQ"), "without_region", id="no phones"),
        pytest.param("447911123456", Locality("IT"), "not_valid", id="not too long"),
        pytest.param("2005550100", Locality("US"), "not_valid", id="one wrong digit"),
    ],
)
def test_other_digits_without_plus_are_not_international(
    phone: str, locality: Locality, rule: str
) -> None:
    with pytest.raises(UnusableValueError) as raised:
        to_e164(phone, locality)
    assert raised.value.rule == rule


def test_us_numbers_with_one_wrong_digit_never_become_foreign_numbers() -> None:
    right = "2065550100"
    for place in range(len(right)):
        for digit in "0123456789":
            phone = right[:place] + digit + right[place + 1 :]
            try:
                e164 = to_e164(phone, Locality("US"))
            except UnusableValueError:
                continue
            assert e164 == f"+1{phone}"
