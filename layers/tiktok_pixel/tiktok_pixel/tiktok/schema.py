"""TikTok's schema, as the mapping language needs it: fields, event names, literals, shipped files.

The mapping language gets this module as an argument (``tiktok_pixel.mapping.schema.Schema``), and
what is sent is coerced by the same tables. So a mapping file is refused for exactly the literals
that could never be sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tiktok_pixel.tiktok.event_names import (
    combination_problem,
    event_name_problem,
    event_name_warning,
    legacy_name,
)
from tiktok_pixel.tiktok.fields import CURRENCIES, FIELDS, Scalar, coercion_of
from tiktok_pixel.values import coercion
from tiktok_pixel.values.javascript import to_string
from tiktok_pixel.values.validation import UnusableValueError

__all__ = [
    "FIELDS",
    "combination_problem",
    "default_fields",
    "event_name_problem",
    "event_name_warning",
    "legacy_name",
    "literal_problem",
    "shipped",
]

_DESCRIPTIONS: Final[Mapping[str, str]] = {
    "text": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "time": "a time in ISO 8601",
    "currency": "a currency that TikTok accepts",
    "amount": "an amount of money",
    "share": "a number from 0 to 1",
}


def literal_problem(value: object, kind: Scalar) -> str | None:
    """Describe why a literal in a mapping could never be sent; None when it can, or is blank.

    Args:
        value: A JSON value without directives.
        kind: The type of the field.
    """
    if kind == "anything":
        return None
    if kind == "event":
        return event_name_problem(value) if isinstance(value, str) else None
    try:
        (_check_time if kind == "time" else coercion_of(kind))(value)
    except UnusableValueError:
        return f"must be {_description(kind)}; got {_shown(value)}"
    return None


def _check_time(value: Any) -> None:
    if coercion.text(value) is None:
        return
    moment = value[0] if isinstance(value, list) else value
    try:
        datetime.fromisoformat(moment)
    except (TypeError, ValueError) as error:
        raise UnusableValueError("unparsable") from error


def _description(kind: Scalar) -> str:
    if isinstance(kind, tuple):
        return f"one of: {', '.join(kind)}"
    if kind == "currency":
        return f"{_DESCRIPTIONS[kind]} ({', '.join(sorted(CURRENCIES))})"
    return _DESCRIPTIONS[kind]


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    return f'"{value}"' if isinstance(value, str) else to_string(value)


_DATA: Final = Path(__file__).parent / "data"


def shipped(name: str) -> Path:
    """Return the path of a shipped mapping file: ``default`` or ``full``."""
    return _DATA / f"{name}.json"


def default_fields() -> dict[str, Any]:
    """Read the fields that ``"defaults": true`` adds to a preset."""
    fields: dict[str, Any] = json.loads((_DATA / "fields.json").read_text(encoding="utf-8"))
    return fields
