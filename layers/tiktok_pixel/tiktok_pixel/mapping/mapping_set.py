"""A file of mappings, and the mappings that are for an event."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tiktok_pixel.mapping.diagnostics import Findings, kind_of
from tiktok_pixel.mapping.errors import MappingError, MappingProblem
from tiktok_pixel.mapping.presets import Fields, Mapping, compile_preset
from tiktok_pixel.mapping.schema import Schema

# The place in the file, the mapping, and whether to be found by its index is to match.
Position = tuple[int, Mapping, bool]


@dataclass(frozen=True, slots=True)
class MappingSet:
    """The mappings of one file.

    `mappings` are all of them in the order of the file, `warnings` what is allowed in it and will
    still surprise, one text each. The other members are how `match` finds mappings fast.
    """

    mappings: tuple[Mapping, ...]
    warnings: tuple[str, ...]
    _by_type: dict[str, tuple[Position, ...]]
    _by_event: dict[str, tuple[Position, ...]]
    _rest: tuple[Position, ...]

    def match(self, event: dict[str, Any]) -> tuple[Mapping, ...]:
        """Give the enabled mappings whose subscription matches, in the order of the file."""
        name, kind = event.get("event"), event.get("type")
        found = self._rest
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
    """Read a mapping file: a JSON array of presets, or an object with such an array as `presets`.

    `schema` has the fields and event names of the destination.

    Raises:
        MappingError: the file is not there or cannot be used; the error lists all that is wrong.
    """
    return compile_mapping_set(_read_json(path), schema, source=str(path))


def compile_mapping_set(presets: object, schema: Schema, *, source: str) -> MappingSet:
    """Compile what a mapping file holds; `source` is its name in errors.

    Raises:
        MappingError: as `load_mapping_set`.
    """
    entries = presets.get("presets") if isinstance(presets, dict) else presets
    if not isinstance(entries, list):
        problem = f"expected an array of presets, got {kind_of(presets)}"
        raise MappingError(
            source, [MappingProblem("", "", problem, 'an array, or {"presets": []}')]
        )
    findings = Findings()
    defaults = _default_fields(entries, schema)
    compiled = [
        compile_preset(preset, number, defaults, schema, findings)
        for number, preset in enumerate(entries, 1)
    ]
    mappings = tuple(mapping for mapping in compiled if mapping is not None)
    _check_names(mappings, findings)
    if findings.problems:
        raise MappingError(source, findings.problems)
    return _indexed(mappings, tuple(findings.warnings))


def _default_fields(entries: list[Any], schema: Schema) -> Fields:
    wanted = any(isinstance(entry, dict) and entry.get("defaults") is True for entry in entries)
    return schema.default_fields() if wanted else {}


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise MappingError(str(path), [MappingProblem("", "", _why(error, path))]) from error


def _why(error: Exception, path: Path) -> str:
    if isinstance(error, FileNotFoundError):
        there = sorted(file.name for file in path.parent.glob("*.json"))
        return f"there is no such file; beside it: {', '.join(there) or 'no *.json at all'}"
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror}"
    return f"is not JSON: {error}"


def _check_names(mappings: Iterable[Mapping], findings: Findings) -> None:
    seen: set[str] = set()
    for mapping in mappings:
        if mapping.name in seen:
            problem = MappingProblem(mapping.name, "name", "is the name of two presets")
            findings.problems.append(problem)
        seen.add(mapping.name)


def _indexed(mappings: tuple[Mapping, ...], warnings: tuple[str, ...]) -> MappingSet:
    by_field: dict[str, dict[str, list[Position]]] = {"type": {}, "event": {}}
    rest: list[Position] = []
    for number, mapping in enumerate(mappings):
        subscription = mapping.subscription
        position = (number, mapping, subscription.index_decides)
        if not mapping.enabled:
            continue
        if subscription.index_field is None:
            rest.append(position)
            continue
        index = by_field[subscription.index_field]
        for value in subscription.index_values:
            index.setdefault(value, []).append(position)
    by_type, by_event = (
        {value: tuple(found) for value, found in by_field[field].items()}
        for field in ("type", "event")
    )
    return MappingSet(mappings, warnings, by_type, by_event, tuple(rest))


def _position(item: Position) -> int:
    return item[0]
