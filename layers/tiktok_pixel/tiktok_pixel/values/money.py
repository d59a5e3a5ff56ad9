"""Read amounts of money as shops write them: ``$18.99``, ``1.234,50``, ``EUR 12``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set as AbstractSet
from typing import Final

from tiktok_pixel.values import coercion
from tiktok_pixel.values.javascript import to_number, trim
from tiktok_pixel.values.validation import UnusableValueError

Number = int | float

_LONGEST: Final = 40  # characters
# A number with a currency code or symbol, or both, around it, such as "BRL R$".
_MONEY: Final = re.compile(
    r"(?P<sign>[+-]?)(?P<before>[^\d.,'\u2019+-]{0,7})\s*(?P<inner_sign>[+-]?)"
    r"(?P<digits>[0-9](?:[0-9.,'\u2019\s]*[0-9])?)\s*(?P<after>[^\d.,'\u2019+-]{0,7})"
)
# Of a country, before a symbol: US$, R$. More letters can be a currency that TikTok does not take.
_MOST_COUNTRY_LETTERS: Final = 2
# Symbols that Unicode does not list as currency symbols.
_LETTER_SYMBOLS: Final = frozenset({"kr", "zł", "kč", "ft", "lei", "rs", "rp", "rm"})

# One comma before three digits: one thousand and something, or a fraction.
_AMBIGUOUS: Final = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")
# Notations with their decimal separator; all other separators group digits. The groups of India's
# notation have two digits.
_NOTATIONS: Final = (
    (re.compile(r"[0-9]+(?:\.[0-9]+)?"), "."),
    (re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{2,3})*,[0-9]{3}(?:\.[0-9]+)?"), "."),
    (re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+,[0-9]+"), ","),
    (re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,}"), ","),
    (re.compile(r"[1-9][0-9]{0,2}(?:[\s'\u2019][0-9]{3})+(?:\.[0-9]+)?"), "."),
    (re.compile(r"[1-9][0-9]{0,2}(?:[\s'\u2019][0-9]{3})+,[0-9]+"), ","),
    (re.compile(r"[0-9]+,[0-9]+"), ","),
)


def read_amount(value: object, currencies: AbstractSet[str]) -> tuple[Number | None, str | None]:
    """Read an amount from a JSON value.

    Args:
        value: A number, or text with a number and perhaps a currency code or symbol.
        currencies: The currency codes to recognise.

    Returns:
        The amount, ``None`` for a blank value, and the currency code if the text has one. Symbols
        are ignored, since many are shared by several currencies.

    Raises:
        UnusableValueError: ``ambiguous`` or ``not_a_number``.
    """
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        value = value[0]
    if not isinstance(value, str):
        return coercion.number(value), None
    text = trim(value)
    number = to_number(text)
    if number is not None or not text:
        return number, None
    found = _MONEY.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None or (found["sign"] and found["inner_sign"]):
        raise UnusableValueError("not_a_number")
    codes = _codes(found["before"], currencies) | _codes(found["after"], currencies)
    if len(codes) > 1:
        raise UnusableValueError("ambiguous")
    sign = "-" if "-" in (found["sign"], found["inner_sign"]) else ""
    return to_number(sign + _plain(found["digits"])), codes.pop() if codes else None


def _codes(affix: str, currencies: AbstractSet[str]) -> set[str]:
    """Return the currency codes beside a number, where symbols may stand as well."""
    letters = "".join(" " if unicodedata.category(char) == "Sc" else char for char in affix)
    most_letters = _MOST_COUNTRY_LETTERS if letters != affix else 0
    codes = set()
    for word in letters.split():
        if word.upper() in currencies:
            codes.add(word.upper())
        elif len(word) > most_letters and word.lower() not in _LETTER_SYMBOLS:
            raise UnusableValueError("not_a_number")
    return codes


def _plain(digits: str) -> str:
    """Convert a number in any notation to digits with a decimal point."""
    if _AMBIGUOUS.fullmatch(digits):
        raise UnusableValueError("ambiguous")
    for pattern, decimal in _NOTATIONS:
        if pattern.fullmatch(digits):
            whole, _, fraction = digits.partition(decimal)
            return re.sub("[^0-9]", "", whole) + (f".{fraction}" if fraction else "")
    raise UnusableValueError("not_a_number")
