"""JSON values of any type to the types that TikTok's fields have.

The rules are those of Segment's own validation (actions-core, AJV with ``coerceTypes``), so
that a mapping behaves as it does there, but for two that damage data: ``null`` and blank text
are absent here, never 0 or ``""``.

Every function returns the usable value, ``None`` where there is nothing to send, or raises
:class:`UnusableValueError` with the rule that is broken.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any, Final

from tiktok_pixel.values.javascript import WHITESPACE, to_number, to_string
from tiktok_pixel.values.validation import Problem, UnusableValueError

Coercion = Callable[[object], Any]

# Integers up to here are exact in the doubles that JSON readers use.
EXACT_INTEGER: Final = 2**53


def text(value: object) -> str | None:
    """Text; numbers and booleans as JavaScript prints them; a list of one is its item."""
    if type(value) is str:
        return value if value.strip(WHITESPACE) else None
    if value is None:
        return None
    if isinstance(value, bool | int | float):
        printed = to_string(value)
        if printed.endswith("Infinity"):
            # Beyond the range of a double all numbers are one: an id would be everybody's.
            raise UnusableValueError("not_a_string")
        return printed
    if isinstance(value, list):
        return text(_sole_item(value, "not_a_string"))
    raise UnusableValueError("not_a_string")


def number(value: object) -> int | float | None:
    """A finite number, an integer only as far as doubles are exact; text and lists of one count."""
    # What nearly all values are comes first, here and below: these run for every field.
    if (type(value) is float and isfinite(value)) or (
        type(value) is int and -EXACT_INTEGER <= value <= EXACT_INTEGER
    ):
        return value
    if value is None:
        return None
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, list):
        return number(_sole_item(value, "not_a_number"))
    if isinstance(value, str):
        if not value.strip(WHITESPACE):
            return None
        parsed = to_number(value)
        if parsed is not None:
            return parsed
    raise UnusableValueError("not_a_number")


def integer(value: object) -> int | None:
    """A whole number, also from ``2.0`` and ``"2"``."""
    if type(value) is int and -EXACT_INTEGER <= value <= EXACT_INTEGER:
        return value
    parsed = number(value)
    if parsed is None:
        return None
    if parsed != int(parsed) or abs(parsed) > EXACT_INTEGER:
        raise UnusableValueError("not_an_integer")
    return int(parsed)


def boolean(value: object) -> bool | None:
    """``true``/``false``, also as text and as 1/0."""
    if value is None or isinstance(value, bool):
        return value
    if value in ("true", 1):
        return True
    if value in ("false", 0):
        return False
    if isinstance(value, str) and not value.strip(WHITESPACE):
        return None
    raise UnusableValueError("not_a_boolean")


def texts(value: object) -> list[str] | None:
    """A list of texts; a scalar becomes a list of one, blank items go."""
    items = value if isinstance(value, list) else [value]
    found = [item for item in map(text, items) if item is not None]
    return found or None


def one_of(*choices: str) -> Coercion:
    """A coercion to one of ``choices``, exactly as written."""
    allowed = frozenset(choices)

    def choice(value: object) -> str | None:
        chosen = text(value)
        if chosen is not None and chosen not in allowed:
            raise UnusableValueError("not_supported")
        return chosen

    return choice


def usable(field: str, value: object, coerce: Coercion, problems: list[Problem]) -> Any:
    """What ``coerce`` makes of an optional value; ``None``, and a problem, where it cannot.

    Args:
        field: The field's name in ``problems``.
        value: The value as it was mapped.
        coerce: A coercion of this module, or one like them.
        problems: What cannot be used is appended here.
    """
    if value is None:
        return None
    try:
        return coerce(value)
    except UnusableValueError as error:
        problems.append(Problem(field, error.rule))
        return None


def _sole_item(items: list[Any], rule: str) -> object:
    # One level only, as AJV does it; a list in the list is no scalar.
    if not items:
        return None
    if len(items) > 1 or isinstance(items[0], list):
        raise UnusableValueError(rule)
    return items[0]
