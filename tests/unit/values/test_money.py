"""Read amounts of money."""

from __future__ import annotations

from typing import Any

import pytest

from tiktok_pixel.values.money import read_amount
from tiktok_pixel.values.validation import UnusableValueError

CURRENCIES = frozenset({"USD", "EUR", "CHF", "BRL"})


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (18.99, 18.99),
        (0, 0),
        ([5], 5),
        (["$5"], 5),
        (True, 1),
        ("18.99", 18.99),
        ("1e3", 1000),
        ("$18.99", 18.99),
        ("$ 18.99", 18.99),
        ("18,99", 18.99),
        ("18,99 €", 18.99),
        ("1,234.50", 1234.5),
        ("$1,234.50", 1234.5),
        ("1.234,50", 1234.5),
        ("1.234,50€", 1234.5),
        ("R$ 1.234,50", 1234.5),
        ("1 234,50", 1234.5),
        ("1\u00a0234,50\u00a0kr", 1234.5),
        ("1\u202f234,50 zł", 1234.5),
        ("1'234.50", 1234.5),
        ("1\u2019234.50", 1234.5),
        ("1,234,567", 1_234_567),
        ("1.234.567", 1_234_567),
        ("1,23,456.50", 123_456.5),
        ("₹1,23,45,678", 12_345_678),
        ("1.234", 1.234),
        ("$1.234", 1.234),
        ("1234,567", 1234.567),
        ("0,123", 0.123),
        ("18,9", 18.9),
        ("1 234", 1234),
        ("-$5.00", -5),
        ("$-5", -5),
        ("US$5", 5),
    ],
)
def test_reads_the_notations_of_shops(value: Any, amount: float) -> None:
    number, code = read_amount(value, CURRENCIES)
    assert (number, code) == (amount, None)
    assert isinstance(number, int) == (number == int(amount))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("EUR 12", (12, "EUR")),
        ("eur12", (12, "EUR")),
        ("12.50 USD", (12.5, "USD")),
        ("CHF 1'234.50", (1234.5, "CHF")),
        ("$12 USD", (12, "USD")),
        ("USD 12 USD", (12, "USD")),
        ("USD $12", (12, "USD")),
        ("EUR12.50€", (12.5, "EUR")),
        ("BRL$12", (12, "BRL")),
        ("BRL R$ 12,50", (12.5, "BRL")),
    ],
)
def test_reads_the_currency_code(value: str, expected: tuple[float, str]) -> None:
    assert read_amount(value, CURRENCIES) == expected


@pytest.mark.parametrize(
    "value", ["1,234", "$1,234", "EUR 12,500", "-1,000", "USD 5 EUR", "USD EUR 5"]
)
def test_ambiguous_amounts_are_refused(value: str) -> None:
    with pytest.raises(UnusableValueError, match=r"^ambiguous$"):
        read_amount(value, CURRENCIES)


@pytest.mark.parametrize(
    "value",
    [
        *("n/a", "free", "$", "five", "12 pcs", "5 items", "10%", "XYZ 5", "1-2", "$5-$9"),
        *("1,23.45", "1.2.3", "1,,2", "12,34,5", "--5", "-$-5", "1 23", "$.50", "\u0665"),
        *("NaN", "XYZ$5", "from $5", "Infinity", "1e999", "1" * 50 + ",5"),
        *({}, [1, 2], [[1]], float("nan")),
    ],
    ids=repr,
)
def test_other_values_are_not_amounts(value: Any) -> None:
    with pytest.raises(UnusableValueError, match=r"^not_a_number$"):
        read_amount(value, CURRENCIES)


@pytest.mark.parametrize("value", [None, "", " \u00a0", [], [None], [""]], ids=repr)
def test_blank_values_are_absent(value: Any) -> None:
    assert read_amount(value, CURRENCIES) == (None, None)
