"""Problems of values: which field breaks which rule.

Every pair becomes a CloudWatch metric series and a reason code that alarms and dashboards rely on,
so both come from short fixed lists: the rules below, and the names of TikTok's fields, never text
from the input. Adding a rule is a change of the interface, described in the README.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tiktok_pixel.errors import TikTokPixelError

Rule = Literal[
    "missing",
    "unparsable",
    "in_future",
    "too_old",
    "too_long",
    "not_a_string",
    "not_a_number",
    "not_an_integer",
    "not_a_boolean",
    "not_an_object",
    "not_an_address",
    "not_possible",
    "not_valid",
    "not_public",
    "not_supported",
    "not_sha256",
    "without_region",
    "without_ip",
    "placeholder",
    "ambiguous",
    "too_many",
    "not_for_source",
    "nested_too_deeply",
]
"""All rules; the type checker compares every use with this list."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule.

    Attributes:
        field: The field, by TikTok's name.
        rule: The rule it breaks.
    """

    field: str
    rule: Rule

    @property
    def code(self) -> str:
        """The stable reason code, for example ``event_time_too_old``."""
        return f"{self.field}_{self.rule}"


Problems = tuple[Problem, ...]


class InvalidEventError(TikTokPixelError):
    """An event that can never be sent.

    Attributes:
        problem: The reason for the rejection.
        left_out: The problems of optional values found before it; one may be the cause.
    """

    def __init__(self, problem: Problem, left_out: Problems = ()) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.left_out = left_out


class ForbiddenEventError(TikTokPixelError):
    """An event that the person's choice forbids to send; ``reason`` is the stable code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnusableValueError(TikTokPixelError):
    """A single value that cannot be sent; ``rule`` says why."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(rule)
        self.rule: Rule = rule
