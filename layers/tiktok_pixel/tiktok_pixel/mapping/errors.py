"""What is wrong with a mapping file, told as a compiler tells it."""

from collections.abc import Sequence
from dataclasses import dataclass

from tiktok_pixel.errors import TikTokPixelError


@dataclass(frozen=True, slots=True)
class MappingProblem:
    """One thing that stops a mapping file from being used.

    `mapping` is the name of the preset, or its place (`#3`) when it has no name, or empty when the
    problem is the file's. `field` is the path inside of the preset's `mapping`, joined by slashes
    as Segment's own validation prints it, or the key of the preset (`subscribe`). `allowed` says
    what may stand there, where that is not plain from the problem.
    """

    mapping: str
    field: str
    problem: str
    allowed: str = ""

    def __str__(self) -> str:
        where = [f'"{self.mapping}"'] if self.mapping else []
        if self.field:
            where.append(self.field)
        allowed = f"; allowed: {self.allowed}" if self.allowed else ""
        return ": ".join([*where, self.problem]) + allowed


class MappingError(TikTokPixelError):
    """A mapping file that cannot be used.

    `file` is the path as it was given, `problems` holds everything that was found, so that one
    attempt shows all that is to be mended. As text it is one line a problem::

        mappings/prod.json: "Add to Cart": contents/@arrayPath/0: expected …, got a number
    """

    def __init__(self, file: str, problems: Sequence[MappingProblem]) -> None:
        self.file = file
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{file}: {problem}" for problem in self.problems))
