"""Build the ``properties`` object: what was bought, searched or viewed, and its value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from tiktok_pixel.tiktok.derived import derived_properties
from tiktok_pixel.tiktok.fields import CONTENT, CURRENCIES, PROPERTIES, coercion_of, currency
from tiktok_pixel.tiktok.verticals import vertical_properties
from tiktok_pixel.values.coercion import usable, usable_fields
from tiktok_pixel.values.javascript import trim
from tiktok_pixel.values.money import read_amount
from tiktok_pixel.values.validation import Problem, Problems

# TikTok's names are those of the mapped fields.
_PROPERTIES: Final = {field: coercion_of(kind) for field, kind in PROPERTIES.items()}
_CONTENT: Final = {field: coercion_of(kind) for field, kind in CONTENT.items()}
_AMOUNTS: Final = tuple(field for field, kind in PROPERTIES.items() if kind == "amount")
_PRICE: Final = tuple(field for field, kind in CONTENT.items() if kind == "amount")
# More contents, and more content ids, of one event are left out.
_MOST_CONTENTS: Final = 500
_SEARCHES: Final = ("query", "search_string")
# Problems of these fields leave the totals of the contents unknown.
_COUNTED: Final = frozenset({"contents", "quantity", "price"})


class _Labelled(NamedTuple):
    """An amount whose text has a currency code."""

    owner: dict[str, Any]
    field: str
    code: str


def build_properties(
    fields: dict[str, Any], event_source: str = "web", *, derive: bool = True
) -> tuple[dict[str, Any], Problems]:
    """Build the ``properties`` of one event.

    A currency that TikTok does not support removes the amounts as well: TikTok would read them in
    another currency. An amount with the code of another currency is left out.

    Args:
        fields: Mapped fields, by the names of Segment's TikTok destination.
        event_source: ``web``, ``offline`` or ``crm``.
        derive: Whether to compute totals that the event lacks from its contents.

    Returns:
        The usable properties, and the problems of the others.
    """
    problems: Problems = ()
    if "content_ids" in fields:
        ids, problems = _bounded("content_ids", fields["content_ids"])
        fields = {**fields, "content_ids": ids}
    properties, found = usable_fields(fields, _PROPERTIES)
    problems += found
    labelled = _labelled(properties, fields, _AMOUNTS)
    contents: list[dict[str, Any]] = []
    if "contents" in fields:
        contents, labels, found = _contents(fields["contents"])
        labelled += labels
        problems += found
    code, found = _currency(fields.get("currency"), (properties, *contents), labelled)
    problems += found
    if code is not None:
        properties["currency"] = code
    kept = [content for content in contents if "content_id" in content or "price" in content]
    if kept:
        properties["contents"] = kept
        is_complete = len(kept) == len(contents) and not (
            problems and any(problem.field in _COUNTED for problem in problems)
        )
        if derive and is_complete:
            # Totals need decimal arithmetic: none is computed for an event that has its value.
            properties = (
                derived_properties(kept, None if "value" in properties else code) | properties
            )
    if "value" in properties and code is None:
        problems += (Problem("currency", "missing"),)
    if "content_type" in fields:
        _fix_content_type(properties, problems)
    for field in _SEARCHES:
        if field in properties:
            properties[field] = trim(properties[field])
    if event_source != "web" and properties.pop("customer_type", None) is not None:
        problems += (Problem("customer_type", "not_for_source"),)
    if "event_spec_type" in fields:
        vertical, found = vertical_properties(fields, event_source)
        properties |= vertical
        problems += found
    return properties, problems


def _bounded(field: str, value: object) -> tuple[object, Problems]:
    """Cut a list of contents, or of their ids, before it is read."""
    if isinstance(value, list) and len(value) > _MOST_CONTENTS:
        return value[:_MOST_CONTENTS], (Problem(field, "too_many"),)
    return value, ()


def _contents(
    value: object,
) -> tuple[list[dict[str, Any]], list[_Labelled], Problems]:
    """Coerce the contents. An item with nothing usable stays, so that totals are not computed."""
    contents = []
    labelled = []
    value, problems = _bounded("contents", value)
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            content, found = usable_fields(item, _CONTENT)
            problems += found
            if content:
                labelled += _labelled(content, item, _PRICE)
            contents.append(content)
        elif item is not None and item != "":
            problems += (Problem("contents", "not_an_object"),)
    return contents, labelled, problems


def _labelled(
    owner: dict[str, Any], source: dict[str, Any], amounts: Iterable[str]
) -> list[_Labelled]:
    """Return the amounts of an object that were read from text with a currency code."""
    return [
        _Labelled(owner, field, code)
        for field in amounts
        # Hot path: a number is used as it is.
        if field in owner and owner[field] is not source[field]
        if (code := read_amount(source[field], CURRENCIES)[1]) is not None
    ]


def _currency(
    value: object, owners: Iterable[dict[str, Any]], labelled: list[_Labelled]
) -> tuple[str | None, Problems]:
    """Determine the currency, and remove the amounts that are not in it."""
    code, problem = usable("currency", value, currency)
    if problem is not None:
        for owner in owners:
            for field in (*_AMOUNTS, *_PRICE):
                owner.pop(field, None)
        return None, (problem,)
    problems: Problems = ()
    for amount in labelled:
        if code is None:
            code = amount.code
        elif amount.code != code:
            del amount.owner[amount.field]
            problems += (Problem(amount.field, "ambiguous"),)
    return code, problems


def _fix_content_type(properties: dict[str, Any], problems: Sequence[Problem]) -> None:
    """Keep ``content_type`` only with contents; there, replace an unusable one by ``product``."""
    if "contents" not in properties and "content_ids" not in properties:
        properties.pop("content_type", None)
    elif problems and any(problem.field == "content_type" for problem in problems):
        properties["content_type"] = "product"
