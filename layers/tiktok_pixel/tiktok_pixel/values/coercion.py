"""Convert JSON values of any type to the types of TikTok's fields.

The rules are those of Segment's own validation (actions-core, AJV with ``coerceTypes``), so that a
mapping behaves as it does in Segment, with one exception: ``null`` and blank text are absent here,
while Segment converts them to 0 or ``""``.

A coercion returns the converted value, or ``None`` when the value is blank, or raises
:class:`UnusableValueError` with the rule that is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Final

from tiktok_pixel.values.javascript import WHITESPACE, to_number, to_string
from tiktok_pixel.values.validation import Problem, Problems, Rule, UnusableValueError

Coercion = Callable[[object], Any]

# Integers up to this are exact in the doubles that JSON readers use.
EXACT_INTEGER: Final = 2**53


def text(value: object) -> str | None:
    """Convert to text: numbers, booleans as JavaScript prints them, a list of one as its item."""
    if type(value) is str:
        return value if value.strip(WHITESPACE) else None
    if value is None:
        return None
    if isinstance(value, bool | int | float):
        printed = to_string(value)
        if printed.endswith("Infinity"):
            # All numbers beyond the range of a double print alike, so they cannot be ids.
            raise UnusableValueError("not_a_string")
        return printed
    if isinstance(value, list):
        return text(_sole_item(value, "not_a_string"))
    raise UnusableValueError("not_a_string")


def id_text(value: object) -> str | None:
    """Return an id: text that is not blank, or a number as JavaScript prints it; else ``None``."""
    if isinstance(value, str):
        return value if value.strip(WHITESPACE) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        printed = to_string(value)
        # All numbers beyond the range of a double print alike, so they cannot be ids.
        return None if printed.endswith("Infinity") else printed
    return None


def number(value: object) -> int | float | None:
    """Convert to a finite number, also from text and from a list of one.

    Integers that a double cannot hold exactly are refused.
    """
    # Hot path: most common types first.
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
    """Convert to a whole number, also from ``2.0`` and ``"2"``."""
    if type(value) is int and -EXACT_INTEGER <= value <= EXACT_INTEGER:
        return value
    parsed = number(value)
    if parsed is None:
        return None
    if parsed != int(parsed) or abs(parsed) > EXACT_INTEGER:
        raise UnusableValueError("not_an_integer")
    return int(parsed)


def boolean(value: object) -> bool | None:
    """Convert to a boolean, also from ``"true"``, ``"false"``, 1, 0 and a list of one of them."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list) and value:
        return boolean(_sole_item(value, "not_a_boolean"))
    if value in ("true", 1):
        return True
    if value in ("false", 0):
        return False
    if isinstance(value, str) and not value.strip(WHITESPACE):
        return None
    raise UnusableValueError("not_a_boolean")


def texts(value: object) -> list[str] | None:
    """Convert to a list of texts; a scalar becomes a list of one, blank items are dropped."""
    items = value if isinstance(value, list) else [value]
    found = [item for item in map(text, items) if item is not None]
    return found or None


def one_of(*choices: str) -> Coercion:
    """Return a coercion that accepts only ``choices``, exactly as written."""
    allowed = frozenset(choices)

    def choice(value: object) -> str | None:
        chosen = text(value)
        if chosen is not None and chosen not in allowed:
            raise UnusableValueError("not_supported")
        return chosen

    return choice


def usable(field: str, value: object, coerce: Coercion) -> tuple[Any, Problem | None]:
    """Coerce an optional value.

    Args:
        field: The field's name in the problem.
        value: The value as it was mapped.
        coerce: The coercion of the field's type.

    Returns:
        The converted value, ``None`` when it is blank or unusable, and the problem if there is one.
    """
    if value is None:
        return None, None
    try:
        return coerce(value), None
    except UnusableValueError as error:
        return None, Problem(field, error.rule)


def usable_fields(
    source: Mapping[str, Any],
    coercions: Mapping[str, Coercion],
    problem_fields: Mapping[str, str] | None = None,
) -> tuple[dict[str, Any], Problems]:
    """Coerce the fields of an object, each on its own.

    Args:
        source: The object as it was mapped.
        coercions: The fields to take from it, with the coercions of their types.
        problem_fields: The fields' names in problems, where they differ.

    Returns:
        The usable values, and the problems of the unusable ones.
    """
    values: dict[str, Any] = {}
    problems: Problems = ()
    for field, coerce in coercions.items():
        if field not in source:
            continue
        try:
            value = coerce(source[field])
        except UnusableValueError as error:
            name = (problem_fields or {}).get(field, field)
            problems += (Problem(name, error.rule),)
            continue
        if value is not None:
            values[field] = value
    return values, problems


def _sole_item(items: list[Any], rule: Rule) -> object:
    # One level only, as AJV does it: a list inside the list is not a scalar.
    if not items:
        return None
    if len(items) > 1 or isinstance(items[0], list):
        raise UnusableValueError(rule)
    return items[0]
