"""Bound the identifiers of a request body: an event may have many, and each is normalised."""

from __future__ import annotations

from typing import Any, Final

from tiktok_pixel.values.validation import Problem

# Mapped field: name of the match key in problems.
_LISTS: Final = {"email": "email", "phone_number": "phone", "external_id": "external_id"}
# `context.externalIds`: its items of these types are emails and phones too.
_EXTERNAL_IDS: Final = "external_ids"
# More values of one kind are left out of an event anyway.
_MOST_PER_EVENT: Final = 20


def count_further_identifiers(fields: dict[str, Any]) -> int:
    """Return how many identifiers an event has beyond the first of each kind."""
    further = 0
    for field in _LISTS:
        values = fields.get(field)
        if isinstance(values, list):
            further += max(0, min(len(values), _MOST_PER_EVENT) - 1)
    external = fields.get(_EXTERNAL_IDS)
    # Emails and phones.
    return further + (min(len(external), 2 * _MOST_PER_EVENT) if isinstance(external, list) else 0)


def with_first_identifiers(fields: dict[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the fields with the first identifier of each kind, and the problems."""
    bounded = dict(fields)
    problems = []
    for field, key in _LISTS.items():
        values = fields.get(field)
        if isinstance(values, list) and len(values) > 1:
            bounded[field] = next((value for value in values if value not in (None, "")), None)
            problems.append(Problem(key, "too_many"))
    if bounded.pop(_EXTERNAL_IDS, None):
        problems.append(Problem("external_id", "too_many"))
    return bounded, problems
