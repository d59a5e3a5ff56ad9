"""A file of mappings, and the mappings that are for an event."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tiktok_pixel.mapping.diagnostics import Diagnostics, Location, json_type
from tiktok_pixel.mapping.errors import MappingError, MappingProblem
from tiktok_pixel.mapping.fields import check_fields
from tiktok_pixel.mapping.files import find_presets, read_file
from tiktok_pixel.mapping.paths import MAX_DEPTH, within_depth
from tiktok_pixel.mapping.presets import EventMapping, Fields, compile_preset

if TYPE_CHECKING:
    from tiktok_pixel.mapping.schema import Schema

# A mapping with its position in the file, and whether the index alone decides that it matches.
_Indexed = tuple[int, EventMapping, bool]


@dataclass(frozen=True, slots=True)
class MappingSet:
    """The mappings of one file.

    Attributes:
        mappings: All mappings in the order of the file.
        warnings: What is allowed in the file but probably not meant.
        event_names: The event names that stand in the mappings.
    """

    mappings: tuple[EventMapping, ...]
    warnings: tuple[str, ...]
    event_names: frozenset[str]
    _by_type: dict[str, tuple[_Indexed, ...]]
    _by_event: dict[str, tuple[_Indexed, ...]]
    _not_indexed: tuple[_Indexed, ...]

    def match(self, event: dict[str, Any]) -> tuple[EventMapping, ...]:
        """Return the enabled mappings whose subscription matches, in the order of the file."""
        name, kind = event.get("event"), event.get("type")
        found = self._not_indexed
        if name.__class__ is str and name in self._by_event:
            found += self._by_event[name]
        if kind.__class__ is str and kind in self._by_type:
            found += self._by_type[kind]
        if not found:
            return ()
        if len(found) == 1 and found[0][2]:
            return (found[0][1],)
        matching = [item for item in found if item[2] or item[1].subscription.matches(event)]
        matching.sort(key=_position)
        return tuple([mapping for _, mapping, _ in matching])


def load_mapping_set(path: Path, schema: Schema) -> MappingSet:
    """Read and compile a mapping file.

    Args:
        path: The file.
        schema: The fields and event names of the destination.

    Raises:
        MappingError: The file does not exist or cannot be used; the error lists all problems.
    """
    content, warnings = read_file(path)
    mapping_set = compile_mapping_set(content, schema, source=str(path))
    return replace(mapping_set, warnings=(*map(str, warnings), *mapping_set.warnings))


def compile_mapping_set(content: object, schema: Schema, *, source: str) -> MappingSet:
    """Compile the content of a mapping file.

    Args:
        content: An array of presets, or an object that contains one.
        schema: The fields and event names of the destination.
        source: The name of the file in errors.

    Raises:
        MappingError: The file cannot be used; the error lists all problems.
    """
    presets, warnings = find_presets(content)
    if presets is None:
        message = f'must be an array of presets, or {{"presets": […]}}; got {json_type(content)}'
        raise MappingError(source, [MappingProblem("", "", message)])
    diagnostics = Diagnostics()
    defaults = _default_fields(content, presets, schema, diagnostics)
    compiled = [
        compile_preset(preset, number, defaults, schema, diagnostics)
        for number, preset in enumerate(presets, 1)
    ]
    mappings = tuple(mapping for mapping in compiled if mapping is not None)
    problems = [*diagnostics.problems, *_duplicate_names(mappings)]
    if problems:
        raise MappingError(source, problems)
    return _indexed(mappings, tuple(map(str, [*warnings, *diagnostics.warnings])))


def _default_fields(
    content: object, presets: list[Any], schema: Schema, diagnostics: Diagnostics
) -> Fields:
    """Return the default fields of the schema, with those of the file in their place."""
    # In a file that is one preset, "defaults" is the preset's.
    own: object = {}
    if isinstance(content, dict) and content not in presets:
        own = content.get("defaults", {})
    location = Location(diagnostics, "defaults")
    if not isinstance(own, dict):
        location.error(f"must be an object; got {json_type(own)}")
        return {}
    if not within_depth(own):
        location.error(f"must not be nested deeper than {MAX_DEPTH} levels")
        return {}
    check_fields(own, schema, location)
    wanted = any(isinstance(entry, dict) and entry.get("defaults") is True for entry in presets)
    return schema.default_fields() | own if wanted else {}


def _duplicate_names(mappings: Iterable[EventMapping]) -> list[MappingProblem]:
    problems = []
    seen: set[str] = set()
    for mapping in mappings:
        if mapping.name in seen:
            message = "must be unique; two presets have this name"
            problems.append(MappingProblem(mapping.name, "name", message))
        seen.add(mapping.name)
    return problems


def _indexed(mappings: tuple[EventMapping, ...], warnings: tuple[str, ...]) -> MappingSet:
    by_field: dict[str, dict[str, list[_Indexed]]] = {"type": {}, "event": {}}
    not_indexed: list[_Indexed] = []
    for number, mapping in enumerate(mappings):
        subscription = mapping.subscription
        item = (number, mapping, subscription.index_decides)
        if not mapping.enabled:
            continue
        if subscription.index_field is None:
            not_indexed.append(item)
            continue
        index = by_field[subscription.index_field]
        for value in subscription.index_values:
            index.setdefault(value, []).append(item)
    by_type, by_event = (
        {value: tuple(found) for value, found in by_field[field].items()}
        for field in ("type", "event")
    )
    names = frozenset(mapping.event_name for mapping in mappings if mapping.event_name)
    return MappingSet(mappings, warnings, names, by_type, by_event, tuple(not_indexed))


def _position(item: _Indexed) -> int:
    return item[0]
