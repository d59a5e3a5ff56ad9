"""What the checks of `pixel check` return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from tools.pixel.aws_errors import explain

T = TypeVar("T")


class Result(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One item of the report.

    Attributes:
        name: What was checked.
        result: How it ended.
        found: What was seen, in sentences.
        todo: What to do about it, in sentences; empty if nothing.
    """

    name: str
    result: Result
    found: str
    todo: str = ""


def passed(name: str, found: str) -> Check:
    """Return a check that passed."""
    return Check(name, Result.PASSED, found)


def warning(name: str, found: str, todo: str) -> Check:
    """Return a check that found something unusual, with what to do if it is not intended."""
    return Check(name, Result.WARNING, found, todo)


def failed(name: str, found: str, todo: str) -> Check:
    """Return a check that failed, with what to do."""
    return Check(name, Result.FAILED, found, todo)


def skipped(name: str, found: str, todo: str = "") -> Check:
    """Return a check that was not made, with the reason."""
    return Check(name, Result.SKIPPED, found, todo)


def attempt(name: str, read: Callable[[], T]) -> tuple[T | None, list[Check]]:
    """Read from AWS; an error is a failed check, so that the other checks still run."""
    # Slow to import.
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    try:
        return read(), []
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        return None, [failed(name, *explain(error))]


def guard(name: str, check: Callable[[], list[Check]]) -> list[Check]:
    """Run checks that read from AWS; an error is a failed check."""
    found, problems = attempt(name, check)
    return problems if found is None else found
