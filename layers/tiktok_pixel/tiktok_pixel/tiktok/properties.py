"""Build the ``properties`` object: what was bought, searched or viewed, and its value."""

from __future__ import annotations

from typing import Any, Final

from tiktok_pixel.tiktok.schema import CONTENT, PROPERTIES, coercion_of, currency
from tiktok_pixel.tiktok.verticals import vertical_properties
from tiktok_pixel.values.coercion import usable, usable_fields
from tiktok_pixel.values.validation import Problem

_AMOUNTS: Final = frozenset({"value", "predicted_ltv", "price"})
# TikTok's names are those of the mapped fields.
_PROPERTIES: Final = {field: coercion_of(kind) for field, kind in PROPERTIES.items()}
_CONTENT: Final = {field: coercion_of(kind) for field, kind in CONTENT.items()}


def build_properties(fields: dict[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Build the ``properties`` of one event.

    A currency that TikTok does not support removes the amounts as well: TikTok would read them in
    another currency.

    Args:
        fields: Mapped fields, by the names of Segment's TikTok destination.

    Returns:
        The usable properties, and the problems of the others.
    """
    code, problem = usable("currency", fields.get("currency"), currency)
    problems = []
    if problem is not None:
        problems.append(problem)
        fields = _without_amounts(fields)
    properties, found = usable_fields(fields, _PROPERTIES)
    problems += found
    if code is not None:
        properties["currency"] = code
    elif "value" in properties:
        problems.append(Problem("currency", "missing"))
    contents = fields.get("contents")
    if contents is not None:
        usable_contents, found = _contents(contents)
        problems += found
        if usable_contents:
            properties["contents"] = usable_contents
    if "event_spec_type" in fields:
        vertical, found = vertical_properties(fields)
        properties |= vertical
        problems += found
    return properties, problems


def _contents(value: object) -> tuple[list[dict[str, Any]], list[Problem]]:
    contents = []
    problems = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            content, found = usable_fields(item, _CONTENT)
            problems += found
            if content:
                contents.append(content)
        elif item is not None and item != "":
            problems.append(Problem("contents", "not_an_object"))
    return contents, problems


def _without_amounts(fields: dict[str, Any]) -> dict[str, Any]:
    """Remove the amounts of money from the fields and their contents."""
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
