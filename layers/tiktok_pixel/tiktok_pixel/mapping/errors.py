"""What is wrong with a mapping file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tiktok_pixel.errors import TikTokPixelError


@dataclass(frozen=True, slots=True)
class MappingProblem:
    """One thing that makes a mapping file unusable.

    Attributes:
        mapping: The name of the preset, its position (``#3``) when it has no name, or empty when
            the problem is in the file as a whole.
        field: The path inside the preset's ``mapping``, joined by slashes as in Segment's own
            validation, or a key of the preset (``subscribe``).
        message: What is wrong, and what to write.
    """

    mapping: str
    field: str
    message: str

    def __str__(self) -> str:
        mapping = f'"{self.mapping}"' if self.mapping else ""
        return ": ".join(filter(None, (mapping, self.field, self.message)))


class MappingError(TikTokPixelError):
    """A mapping file that cannot be used.

    As text it has one line per problem::

        mappings/prod.json: "Add to Cart": content_type: must be one of: product, product_group; …

    Attributes:
        file: The path of the file, as it was given.
        problems: All problems of the file, so that one attempt shows everything to fix.
    """

    def __init__(self, file: str, problems: Sequence[MappingProblem]) -> None:
        self.file = file
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{file}: {problem}" for problem in self.problems))


class SubscriptionError(TikTokPixelError):
    """FQL that Segment cannot read, so that the subscription would never match.

    Attributes:
        column: Where the problem is, counted in characters from 1.
    """

    def __init__(self, column: int, message: str) -> None:
        self.column = column
        super().__init__(f"column {column}: {message}")
