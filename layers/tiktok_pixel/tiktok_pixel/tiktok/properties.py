"""The ``properties`` object: what was bought, searched or looked at, and what it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tiktok_pixel.problems import Problem, UnusableValueError
from tiktok_pixel.tiktok import coercion
from tiktok_pixel.tiktok.verticals import vertical_properties

if TYPE_CHECKING:
    from tiktok_pixel.tiktok.coercion import Coercion

# Mapped field -> coercion; the names on the wire are the same.
_PROPERTIES: Final[tuple[tuple[str, Coercion], ...]] = (
    ("content_type", coercion.one_of("product", "product_group")),
    ("content_ids", coercion.texts),
    ("num_items", coercion.integer),
    ("order_id", coercion.text),
    ("shop_id", coercion.text),
    ("query", coercion.text),
    ("search_string", coercion.text),
    ("description", coercion.text),
    ("delivery_category", coercion.one_of("in_store", "curbside", "home_delivery")),
)
_CONTENT: Final[tuple[tuple[str, Coercion], ...]] = (
    ("quantity", coercion.integer),
    ("content_id", coercion.text),
    ("content_category", coercion.text),
    ("content_name", coercion.text),
    ("brand", coercion.text),
)


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
    if priced:
        _coerce_into(properties, fields, _MONEY, problems)
        if "value" in properties and "currency" not in properties:
            problems.append(Problem("currency", "missing"))
    contents = _contents(fields.get("contents"), priced=priced, problems=problems)
    if contents:
        properties["contents"] = contents
    _coerce_into(properties, fields, _PROPERTIES, problems)
    if "event_spec_type" in fields:
        properties |= vertical_properties(fields, problems)
    return properties


_MONEY: Final[tuple[tuple[str, Coercion], ...]] = (
    ("value", coercion.number),
    ("predicted_ltv", coercion.number),
)
_PRICE: Final[tuple[tuple[str, Coercion], ...]] = (("price", coercion.number),)


def _contents(value: object, *, priced: bool, problems: list[Problem]) -> list[dict[str, Any]]:
    if value is None:
        return []
    contents = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            content: dict[str, Any] = {}
            if priced:
                _coerce_into(content, item, _PRICE, problems)
            _coerce_into(content, item, _CONTENT, problems)
            if content:
                contents.append(content)
        elif item is not None and item != "":
            problems.append(Problem("contents", "not_an_object"))
    return contents


def _coerce_into(
    target: dict[str, Any],
    fields: dict[str, Any],
    coercions: tuple[tuple[str, Coercion], ...],
    problems: list[Problem],
) -> None:
    for field, coerce in coercions:
        value = fields.get(field)
        if value is not None:
            try:
                usable = coerce(value)
            except UnusableValueError as error:
                problems.append(Problem(field, error.rule))
            else:
                if usable is not None:
                    target[field] = usable
