"""The ``properties`` object: what was bought, searched or looked at, and what it is worth."""

from __future__ import annotations

from typing import Any, Final

from tiktok_pixel.tiktok.schema import CONTENT, PROPERTIES, currency
from tiktok_pixel.tiktok.verticals import vertical_properties
from tiktok_pixel.values.compiled_coercion import compile_coercer
from tiktok_pixel.values.validation import Problem, UnusableValueError

_AMOUNTS: Final = frozenset({"value", "predicted_ltv", "price"})

# The names on the wire are those of the mapped fields.
_coerce_properties: Final = compile_coercer(PROPERTIES)
_coerce_content: Final = compile_coercer(CONTENT)


def build_properties(fields: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The ``properties`` of one event; what cannot be sent is appended to ``problems``.

    A currency that TikTok does not take costs the amounts that are in it as well: TikTok would
    read them in another.
    """
    properties: dict[str, Any] = {}
    try:
        code = currency(fields.get("currency"))
        if code is not None:
            properties["currency"] = code
    except UnusableValueError as error:
        problems.append(Problem("currency", error.rule))
        fields = _without_amounts(fields)
    _coerce_properties(properties, fields, problems)
    if "value" in properties and "currency" not in properties:
        problems.append(Problem("currency", "missing"))
    contents = fields.get("contents")
    if contents is not None:
        found = _contents(contents, problems)
        if found:
            properties["contents"] = found
    if "event_spec_type" in fields:
        properties |= vertical_properties(fields, problems)
    return properties


def _contents(value: object, problems: list[Problem]) -> list[dict[str, Any]]:
    contents = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            content: dict[str, Any] = {}
            _coerce_content(content, item, problems)
            if content:
                contents.append(content)
        elif item is not None and item != "":
            problems.append(Problem("contents", "not_an_object"))
    return contents


def _without_amounts(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields, those of their contents included, without the amounts of money."""
    kept = _without_own_amounts(fields)
    contents = fields.get("contents")
    if contents is not None:
        kept["contents"] = [
            _without_own_amounts(item) if isinstance(item, dict) else item
            for item in (contents if isinstance(contents, list) else [contents])
        ]
    return kept


def _without_own_amounts(fields: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in fields.items() if field not in _AMOUNTS}
