"""The ``properties`` object: what was bought, searched or looked at, and what it is worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tiktok_pixel import coercion
from tiktok_pixel.coercion import Coercion
from tiktok_pixel.field_types import CONTENT, PROPERTIES, Scalar, coercion_of
from tiktok_pixel.problems import Problem, UnusableValueError
from tiktok_pixel.tiktok.verticals import vertical_properties

_Coercions = tuple[tuple[str, Coercion], ...]

_AMOUNTS: Final = frozenset({"value", "predicted_ltv", "price"})


def _coercions(kinds: Mapping[str, Scalar], *, priced: bool) -> _Coercions:
    return tuple(
        (field, coercion_of(kind))
        for field, kind in kinds.items()
        if priced or field not in _AMOUNTS
    )


# By whether the amounts can be sent. The names on the wire are those of the mapped fields.
_PROPERTIES: Final = {priced: _coercions(PROPERTIES, priced=priced) for priced in (True, False)}
_CONTENT: Final = {priced: _coercions(CONTENT, priced=priced) for priced in (True, False)}


def build_properties(fields: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The ``properties`` of one event; what cannot be sent is appended to ``problems``.

    A currency that TikTok does not take costs the amounts that are in it as well: TikTok would
    read them in another.
    """
    properties: dict[str, Any] = {}
    priced = True
    try:
        currency = coercion.currency(fields.get("currency"))
        if currency is not None:
            properties["currency"] = currency
    except UnusableValueError as error:
        problems.append(Problem("currency", error.rule))
        priced = False
    coercion.coerce_into(properties, fields, _PROPERTIES[priced], problems)
    if "value" in properties and "currency" not in properties:
        problems.append(Problem("currency", "missing"))
    contents = _contents(fields.get("contents"), _CONTENT[priced], problems)
    if contents:
        properties["contents"] = contents
    if "event_spec_type" in fields:
        properties |= vertical_properties(fields, problems)
    return properties


def _contents(
    value: object, coercions: _Coercions, problems: list[Problem]
) -> list[dict[str, Any]]:
    if value is None:
        return []
    contents = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            content: dict[str, Any] = {}
            coercion.coerce_into(content, item, coercions, problems)
            if content:
                contents.append(content)
        elif item is not None and item != "":
            problems.append(Problem("contents", "not_an_object"))
    return contents
