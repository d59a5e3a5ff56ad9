"""Recognise countries."""

from __future__ import annotations

import phonenumbers
import pytest

from tiktok_pixel.tiktok.countries import alpha_2


@pytest.mark.parametrize(
    ("text", "code"),
    [("US", "US"), ("us", "US"), ("USA", "US"), ("united states", "US"), ("Åland Islands", "AX")],
)
def test_knows_codes_and_names(text: str, code: str) -> None:
    assert alpha_2(text) == code


@pytest.mark.parametrize("text", ["", "XX", "ZZZ", "Atlantis", "America's", "Korea"])
def test_other_text_is_not_a_country(text: str) -> None:
    assert alpha_2(text) is None


def test_knows_the_regions_of_libphonenumber() -> None:
    """Except those that ISO 3166-1 does not list: Ascension, Tristan da Cunha and Kosovo."""
    missing = {region for region in phonenumbers.SUPPORTED_REGIONS if alpha_2(region) != region}
    assert missing == {"AC", "TA", "XK"}
