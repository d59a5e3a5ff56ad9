"""Reproduce JavaScript's semantics of values.

Segment's mapping language is defined by a TypeScript program, and analytics.js and TikTok's own
code trim, print and parse values as JavaScript does. These helpers do the same (ECMA-262,
"Abstract Operations"), for values read from JSON.
"""

import re

# The characters that String.prototype.trim removes: WhiteSpace and LineTerminator of ECMA-262.
# Python's own set differs: it has U+001C to U+001F and U+0085, and lacks U+FEFF.
WHITESPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)

# Arrays nested deeper than this print as empty; JavaScript is limited by its stack instead.
_MAX_PRINTED_DEPTH = 100
# Number::toString writes an exponent from 1e21 and below 1e-6.
_EXPONENT_FROM = 10**21
_POINT_LIMIT = 21
_SMALLEST_PLAIN_EXPONENT = -6

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_PREFIXED = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")
_BASES = {"x": 16, "o": 8, "b": 2}
# Up to this a double holds every whole number exactly.
_MAX_SAFE_INTEGER = 2**53 - 1


def trim(text: str) -> str:
    """Remove white space from both ends, as `String.prototype.trim` does."""
    return text.strip(WHITESPACE)


def to_string(value: object) -> str:
    """Print a JSON value as JavaScript's `String(value)` does.

    `None` gives `null`, a list its items joined by commas (`null` items are empty), a dict
    `[object Object]`. Never raises: a whole number too large for a double gives `Infinity`.

    A whole number below 1e21 keeps all its digits. JavaScript would round it to a double, and an
    order number of 18 digits would end in zeros.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return _integer_text(value)
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, list):
        return _joined(value, 0)
    return "[object Object]"


def to_number(text: str) -> int | float | None:
    """Read a number as JavaScript's `Number(text)` does; an `int` when it is whole.

    White space around it is ignored; `0x10`, `0o7`, `0b1`, `1e3` and `.5` are numbers, `1_000`
    and digits outside ASCII are not. Returns `None` for anything but a finite number, and for
    blank text, although JavaScript reads it as 0: a missing price is not a price of 0.
    """
    text = trim(text)
    number: int | float
    if _DECIMAL.fullmatch(text):
        number = float(text)
    elif _PREFIXED.fullmatch(text):
        number = _as_double(int(text[2:], _BASES[text[1].lower()]))
    else:
        return None
    if number in (float("inf"), float("-inf")):
        return None
    if number.is_integer() and abs(number) <= _MAX_SAFE_INTEGER:
        return int(number)
    return number


def _as_double(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def _integer_text(number: int) -> str:
    if -_EXPONENT_FROM < number < _EXPONENT_FROM:
        return str(number)
    # Through a double: str() of an int refuses more than 4,300 digits.
    return _float_text(_as_double(number))


def _float_text(number: float) -> str:
    if number != number:  # noqa: PLR0124 - only NaN differs from itself
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    sign = "-" if number < 0 else ""
    # repr() finds the same shortest digits as Number::toString and only lays them out differently.
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= _POINT_LIMIT:
        text = digits + "0" * (point - count)
    elif 0 < point <= _POINT_LIMIT:
        text = f"{digits[:point]}.{digits[point:]}"
    elif _SMALLEST_PLAIN_EXPONENT < point <= 0:
        text = f"0.{'0' * -point}{digits}"
    else:
        tail = f".{digits[1:]}" if count > 1 else ""
        text = f"{digits[0]}{tail}e{point - 1:+d}"
    return sign + text


def _joined(items: list[object], depth: int) -> str:
    if depth > _MAX_PRINTED_DEPTH:
        return ""
    parts = []
    for item in items:
        if item is None:
            parts.append("")
        elif isinstance(item, list):
            parts.append(_joined(item, depth + 1))
        else:
            parts.append(to_string(item))
    return ",".join(parts)
