"""Where the compiler stands in a mapping file, and what it has found so far."""

from typing import Any

from tiktok_pixel.mapping.errors import MappingProblem
from tiktok_pixel.mapping.paths import UNDEFINED, Evaluator


class Findings:
    """Collects the problems and warnings of a whole file, so that one load shows them all."""

    __slots__ = ("problems", "warnings")

    def __init__(self) -> None:
        self.problems: list[MappingProblem] = []
        self.warnings: list[str] = []


class Place:
    """A place inside of one preset's mapping.

    `raw` says that the value built here is fed to a directive which can tell an undefined member
    from an absent one (`@merge`, `@flatten`): objects built in a raw place keep `UNDEFINED`
    members, all others leave them out at once.
    """

    __slots__ = ("findings", "mapping", "path", "raw")

    def __init__(
        self,
        findings: Findings,
        mapping: str,
        path: tuple[str, ...] = (),
        *,
        raw: bool = False,
    ) -> None:
        self.findings = findings
        self.mapping = mapping
        self.path = path
        self.raw = raw

    def at(self, *keys: str, raw: bool | None = None) -> "Place":
        """Go to the place that keys lead to from here."""
        return Place(
            self.findings,
            self.mapping,
            self.path + keys,
            raw=self.raw if raw is None else raw,
        )

    def refuse(self, problem: str, allowed: str = "") -> Evaluator:
        """Note a problem here; the answer stands in for what cannot be compiled."""
        field = "/".join(self.path)
        self.findings.problems.append(MappingProblem(self.mapping, field, problem, allowed))
        return nothing

    def warn(self, text: str) -> None:
        """Note what is allowed here and will still surprise."""
        field = "/".join(self.path)
        self.findings.warnings.append(f'"{self.mapping}": {field}: {text}')


def nothing(_data: Any) -> Any:
    """Evaluate to undefined."""
    return UNDEFINED


def kind_of(value: Any) -> str:
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
