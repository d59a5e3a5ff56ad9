"""Build the ``properties`` object: what was bought, searched or viewed, and its value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from tiktok_pixel.tiktok.derived import derived_properties
from tiktok_pixel.tiktok.schema import CONTENT, CURRENCIES, PROPERTIES, coercion_of, currency
from tiktok_pixel.tiktok.verticals import vertical_properties
from tiktok_pixel.values.coercion import usable, usable_fields
from tiktok_pixel.values.javascript import trim
from tiktok_pixel.values.money import read_amount
from tiktok_pixel.values.validation import Problem, UnusableValueError

# TikTok's names are those of the mapped fields. Amounts are read with their currency.
_AMOUNTS: Final = tuple(field for field, kind in PROPERTIES.items() if kind == "amount")
_PRICE: Final = tuple(field for field, kind in CONTENT.items() if kind == "amount")
_PROPERTIES: Final = {
    field: coercion_of(kind) for field, kind in PROPERTIES.items() if field not in _AMOUNTS
}
_CONTENT: Final = {
    field: coercion_of(kind) for field, kind in CONTENT.items() if field not in _PRICE
}
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
) -> tuple[dict[str, Any], list[Problem]]:
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
    fields, problems = _bounded(fields)
    properties, found = usable_fields(fields, _PROPERTIES)
    problems += found
    labelled, found = _read_amounts(properties, fields, _AMOUNTS)
    problems += found
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
        problems.append(Problem("currency", "missing"))
    if "content_type" in fields:
        _fix_content_type(properties, problems)
    for field in _SEARCHES:
        if field in properties:
            properties[field] = trim(properties[field])
    if event_source != "web" and properties.pop("customer_type", None) is not None:
        problems.append(Problem("customer_type", "not_for_source"))
    if "event_spec_type" in fields:
        vertical, found = vertical_properties(fields, event_source)
        properties |= vertical
        problems += found
    return properties, problems


def _bounded(fields: dict[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Cut the lists of contents and their ids before they are read."""
    problems = []
    for field in ("contents", "content_ids"):
        items = fields.get(field)
        if isinstance(items, list) and len(items) > _MOST_CONTENTS:
            fields = {**fields, field: items[:_MOST_CONTENTS]}
            problems.append(Problem(field, "too_many"))
    return fields, problems


def _contents(
    value: object,
) -> tuple[list[dict[str, Any]], list[_Labelled], list[Problem]]:
    """Coerce the contents that are not blank."""
    contents = []
    labelled = []
    problems = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            content, found = usable_fields(item, _CONTENT)
            labels, amount_problems = _read_amounts(content, item, _PRICE)
            labelled += labels
            problems += found + amount_problems
            if content:
                contents.append(content)
        elif item is not None and item != "":
            problems.append(Problem("contents", "not_an_object"))
    return contents, labelled, problems


def _read_amounts(
    target: dict[str, Any], source: dict[str, Any], amounts: Iterable[str]
) -> tuple[list[_Labelled], list[Problem]]:
    """Read the amounts of an object into ``target``; return those with a currency code."""
    labelled = []
    problems = []
    for field in amounts:
        if field not in source:
            continue
        try:
            amount, code = read_amount(source[field], CURRENCIES)
        except UnusableValueError as error:
            problems.append(Problem(field, error.rule))
            continue
        if amount is not None:
            target[field] = amount
            if code is not None:
                labelled.append(_Labelled(target, field, code))
    return labelled, problems


def _currency(
    value: object, owners: Iterable[dict[str, Any]], labelled: list[_Labelled]
) -> tuple[str | None, list[Problem]]:
    """Determine the currency, and remove the amounts that are not in it."""
    code, problem = usable("currency", value, currency)
    if problem is not None:
        for owner in owners:
            for field in (*_AMOUNTS, *_PRICE):
                owner.pop(field, None)
        return None, [problem]
    problems = []
    for amount in labelled:
        if code is None:
            code = amount.code
        elif amount.code != code:
            del amount.owner[amount.field]
            problems.append(Problem(amount.field, "ambiguous"))
    return code, problems


def _fix_content_type(properties: dict[str, Any], problems: Sequence[Problem]) -> None:
    """Keep ``content_type`` only with contents; there, replace an unusable one by ``product``."""
    if "contents" not in properties and "content_ids" not in properties:
        properties.pop("content_type", None)
    elif problems and any(problem.field == "content_type" for problem in problems):
        properties["content_type"] = "product"
