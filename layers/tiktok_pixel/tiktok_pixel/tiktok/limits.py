"""Bound the identifiers of a request body: an event may have many, and each is normalised."""

from __future__ import annotations

from typing import Any, Final

from tiktok_pixel.values.validation import Problem, Problems

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
        if field in fields and isinstance(values := fields[field], list):
            further += max(0, min(len(values), _MOST_PER_EVENT) - 1)
    if _EXTERNAL_IDS in fields and isinstance(values := fields[_EXTERNAL_IDS], list):
        # Emails and phones.
        further += min(len(values), 2 * _MOST_PER_EVENT)
    return further


def with_first_identifiers(fields: dict[str, Any]) -> tuple[dict[str, Any], Problems]:
    """Return the fields with the first identifier of each kind, and the problems."""
    bounded = dict(fields)
    problems: Problems = ()
    for field, key in _LISTS.items():
        values = fields.get(field)
        if isinstance(values, list) and len(values) > 1:
            bounded[field] = next((value for value in values if value not in (None, "")), None)
            problems += (Problem(key, "too_many"),)
    if bounded.pop(_EXTERNAL_IDS, None):
        problems += (Problem("external_id", "too_many"),)
    return bounded, problems
