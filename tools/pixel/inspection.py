"""What happens to an event: which mappings match, what each field becomes, what TikTok gets.

Pure functions over the code that the Lambda function runs; nothing is sent. The commands and the
Mappings page show what these functions return.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from tiktok_pixel.mapping import EventMapping, MappingSet
from tiktok_pixel.mapping.explain import explain_field
from tiktok_pixel.outcomes import Outcome, Status
from tiktok_pixel.preparing import prepare
from tiktok_pixel.settings import Settings
from tiktok_pixel.tiktok import schema
from tiktok_pixel.tiktok.batches import request_body
from tiktok_pixel.tiktok.outgoing import OutgoingEvent
from tiktok_pixel.values.validation import Problem

PIXEL_CODE: Final = "<pixel code>"


class Origin(StrEnum):
    """Where the value of a field comes from."""

    EVENT = "event"
    CONSTANT = "constant"
    WHOLE_MAPPING = "whole_mapping"
    NOTHING_FOUND = "nothing_found"


@dataclass(frozen=True, slots=True)
class MappedField:
    """A field of a mapping and its value for one event.

    Attributes:
        name: The field.
        value: The mapped value, before it is normalised and hashed; None when nothing was found.
        origin: Where the value comes from.
        paths: The paths that supplied it, or the paths where nothing was found.
        is_own: Whether the mapping itself sets the field, not the default fields.
        alternatives: The values of an `@first` that are tried when the value cannot be sent.
    """

    name: str
    value: Any
    origin: Origin
    paths: tuple[str, ...]
    is_own: bool
    alternatives: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """A mapping that matches an event, and the fields that it gives."""

    mapping: EventMapping
    fields: tuple[MappedField, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """How an event, or one mapping of it, ends before anything is sent.

    Attributes:
        status: `ignored`, `rejected` or `retry`; None when the event can be sent.
        reason: The stable code of the reason; empty when the event can be sent.
        event_name: The TikTok event, where one is known.
        request: The body of the request to TikTok.
    """

    status: Status | None
    reason: str
    event_name: str | None
    request: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Inspection:
    """What happens to one event.

    Attributes:
        event: The Segment event.
        matches: The mappings that match, in order.
        results: What would be sent, or why it is not; one for each mapping, or one for the event.
        left_out: The values that cannot be sent, without those that reject the event.
    """

    event: Any
    matches: tuple[Match, ...]
    results: tuple[Result, ...]
    left_out: tuple[Problem, ...]


def inspect_event(
    event: object, mappings: MappingSet, settings: Settings, *, now: float
) -> Inspection:
    """Run an event through mappings and checks, without sending it.

    Args:
        event: A parsed JSON value.
        mappings: The mappings to apply.
        settings: The settings of the deployment.
        now: The Unix time by which the age of the event is judged.
    """
    rows, problems = prepare([event], mappings, settings, now)
    results = tuple(_result(row, settings) for row in rows)
    rejecting = {result.reason for result in results if result.status is Status.REJECTED}
    return Inspection(
        event=event,
        matches=matching(event, mappings),
        results=results,
        left_out=tuple(
            problem for problem in dict.fromkeys(problems) if problem.code not in rejecting
        ),
    )


def matching(event: object, mappings: MappingSet) -> tuple[Match, ...]:
    """Return the enabled mappings that match an event, with the fields that they give."""
    if not isinstance(event, dict):
        return ()
    return tuple(Match(mapping, map_fields(mapping, event)) for mapping in mappings.match(event))


def map_fields(mapping: EventMapping, event: dict[str, Any]) -> tuple[MappedField, ...]:
    """Return the fields of a mapping for one event, sorted by name."""
    values = mapping.evaluate(event)
    own = set(own_fields(mapping))
    fields = []
    for name in sorted(values.keys() | _named_fields(mapping)):
        origin, paths = _origin(name, values, mapping, event)
        value = values.get(name)
        others = _alternatives(value, mapping.candidates(name, event))
        fields.append(MappedField(name, value, origin, paths, name in own, others))
    return tuple(fields)


def _alternatives(value: Any, candidates: list[Any]) -> tuple[Any, ...]:
    """Return the candidates after the first that differ from all before."""
    seen = [value]
    for candidate in candidates[1:]:
        if candidate not in seen:
            seen.append(candidate)
    return tuple(seen[1:])


def own_fields(mapping: EventMapping) -> tuple[str, ...]:
    """Return the fields that a mapping itself sets, except `event` and unchanged defaults."""
    defaults = schema.default_fields()
    return tuple(
        sorted(
            name
            for name in mapping.own_fields
            if name != "event" and mapping.fields[name] != defaults.get(name)
        )
    )


def _named_fields(mapping: EventMapping) -> set[str]:
    return {name for name in mapping.fields if not name.startswith(("@", "__"))}


def _origin(
    name: str, values: dict[str, Any], mapping: EventMapping, event: dict[str, Any]
) -> tuple[Origin, tuple[str, ...]]:
    if name not in mapping.fields:
        return Origin.WHOLE_MAPPING, ()
    definition = mapping.fields[name]
    if supplied := explain_field(definition, event):
        return Origin.EVENT, supplied
    searched = tuple(dict.fromkeys(_paths(definition)))
    if searched and values.get(name) in (None, {}, []):
        return Origin.NOTHING_FOUND, searched
    return Origin.CONSTANT, ()


def _paths(definition: Any) -> Iterator[str]:
    """Yield every path that a field's definition reads."""
    if isinstance(definition, dict) and isinstance(definition.get("@arrayPath"), list):
        array, *shape = definition["@arrayPath"]
        if not isinstance(array, str):
            yield from _paths(array)
            return
        # The paths of items begin at the item.
        yield from (f"{array}{path.removeprefix('$')}" for path in _paths(shape))
    elif isinstance(definition, dict):
        for path in (definition.get("@path"), *definition.get("@first", ())):
            if isinstance(path, str):
                yield path
        for value in definition.values():
            yield from _paths(value)
    elif isinstance(definition, list):
        for value in definition:
            yield from _paths(value)


def _result(row: Outcome | OutgoingEvent, settings: Settings) -> Result:
    if isinstance(row, Outcome):
        return Result(row.status, row.reason, row.event, None)
    body = request_body([row], PIXEL_CODE, settings.test_event_code)
    return Result(None, "", row.name, json.loads(body))
