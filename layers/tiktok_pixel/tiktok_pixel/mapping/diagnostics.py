"""The compiler's current location in a mapping file, and the problems that it has found."""

from __future__ import annotations

from typing import Any

from tiktok_pixel.mapping.errors import MappingProblem
from tiktok_pixel.mapping.paths import UNDEFINED, Evaluator


class Diagnostics:
    """Collects the problems and warnings of a whole file, so that one load shows all of them."""

    __slots__ = ("problems", "warnings")

    def __init__(self) -> None:
        self.problems: list[MappingProblem] = []
        self.warnings: list[MappingProblem] = []


class Location:
    """A location inside the mapping of one preset.

    Attributes:
        diagnostics: Collects what is reported here.
        mapping: The name of the preset.
        path: The keys that lead here.
        keeps_undefined: Whether the value built here goes to a directive that distinguishes
            undefined members from absent ones (``@merge``, ``@flatten``). Such objects keep
            ``UNDEFINED`` members; all others leave them out.
    """

    __slots__ = ("diagnostics", "keeps_undefined", "mapping", "path")

    def __init__(
        self,
        diagnostics: Diagnostics,
        mapping: str,
        path: tuple[str, ...] = (),
        *,
        keeps_undefined: bool = False,
    ) -> None:
        self.diagnostics = diagnostics
        self.mapping = mapping
        self.path = path
        self.keeps_undefined = keeps_undefined

    def at(self, *keys: str, keeps_undefined: bool | None = None) -> Location:
        """Return the location that keys lead to from here."""
        if keeps_undefined is None:
            keeps_undefined = self.keeps_undefined
        path = self.path + keys
        return Location(self.diagnostics, self.mapping, path, keeps_undefined=keeps_undefined)

    def error(self, message: str) -> Evaluator:
        """Report a problem here; return an evaluator to use for what cannot be compiled."""
        self.diagnostics.problems.append(self._problem(message))
        return evaluate_to_undefined

    def warning(self, message: str) -> None:
        """Report what is allowed here but probably not meant."""
        self.diagnostics.warnings.append(self._problem(message))

    def _problem(self, message: str) -> MappingProblem:
        return MappingProblem(self.mapping, "/".join(self.path), message)


def evaluate_to_undefined(_data: Any) -> Any:
    """Evaluate to undefined."""
    return UNDEFINED


def json_type(value: Any) -> str:
    """Name the type of a JSON value, with its article."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, list):
        return "an array"
    return "an object" if isinstance(value, dict) else "a number"
