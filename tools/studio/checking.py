"""Compile a draft preset by preset, and say where each problem is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tiktok_pixel.mapping import MappingError, MappingProblem, MappingSet, compile_mapping_set
from tiktok_pixel.tiktok import schema

_SOURCE: Final = "draft"


@dataclass(frozen=True, slots=True)
class Checked:
    """A preset of a draft after compiling it.

    Attributes:
        compiled: The preset as a mapping set of its own; None when there are problems.
        problems: What keeps the mapping file from being used.
        warnings: What is allowed and will still surprise.
    """

    compiled: MappingSet | None
    problems: tuple[MappingProblem, ...]
    warnings: tuple[str, ...]

    def problems_of(self, *places: str) -> tuple[str, ...]:
        """Return the problems at these fields of the mapping or keys of the preset."""
        return tuple(
            _text(problem, place)
            for problem in self.problems
            for place in (problem.field.split("/")[0],)
            if place in places
        )

    def other_problems(self, places: frozenset[str]) -> tuple[str, ...]:
        """Return the problems that are at none of these places."""
        return tuple(
            f"{problem.field}: {_text(problem, problem.field)}" if problem.field else str(problem)
            for problem in self.problems
            if problem.field.split("/")[0] not in places
        )


def check(presets: tuple[Any, ...], defaults: dict[str, Any] | None = None) -> tuple[Checked, ...]:
    """Compile each preset alone, so that one with problems does not hide the others.

    Args:
        presets: The presets of a mapping file.
        defaults: The default fields of the file.
    """
    names: set[str] = set()
    checked = []
    for preset in presets:
        result = _check_one(preset, defaults or {})
        name = preset.get("name") if isinstance(preset, dict) else None
        if isinstance(name, str) and name in names:
            problem = MappingProblem(name, "name", "another mapping has this name")
            result = Checked(None, (*result.problems, problem), result.warnings)
        elif isinstance(name, str):
            names.add(name)
        checked.append(result)
    return tuple(checked)


def _check_one(preset: Any, defaults: dict[str, Any]) -> Checked:
    content = {"defaults": defaults, "presets": [preset]}
    try:
        compiled = compile_mapping_set(content, schema, source=_SOURCE)
    except MappingError as error:
        return Checked(None, error.problems, ())
    prefix = f'"{compiled.mappings[0].name}": '
    return Checked(compiled, (), tuple(text.removeprefix(prefix) for text in compiled.warnings))


def _text(problem: MappingProblem, place: str) -> str:
    inner = problem.field.removeprefix(place).strip("/")
    return f"{inner}: {problem.message}" if inner else problem.message
