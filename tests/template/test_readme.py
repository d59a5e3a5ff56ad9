"""The tables of the README agree with the code and the template."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

import tiktok_pixel
from tests.bench.__main__ import TARGETS
from tests.problems import PROBLEM_CODES
from tiktok_pixel.outcomes import Status
from tiktok_pixel.tiktok.verdicts import (
    CODE_RANGES,
    CODES,
    CREDENTIALS_UNAVAILABLE,
    Verdict,
    VerdictKind,
)
from tools.ops.metrics import METRICS

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = ROOT / "layers" / "tiktok_pixel" / "tiktok_pixel"
README: Final = (ROOT / "README.md").read_text()
CODE: Final = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")
# Functions that get the reason for which a whole request is refused.
REFUSE: Final = {"InvalidBodyError", "refusal_body", "_Check"}
COUNT: Final = {"count", "count_by", "hours", "time_taken"}
OUTCOME_OF_KIND: Final = {
    VerdictKind.ACCEPTED: Status.FORWARDED,
    VerdictKind.TRANSIENT: Status.PARKED,
    VerdictKind.OPERATOR: Status.PARKED,
    VerdictKind.CONTENT: Status.PARKED,
}


def table(header: str) -> list[list[str]]:
    """The rows of the table with this header row."""
    assert README.count(header) == 1, f"one table with the header {header}"
    lines = README.split(header)[1].strip().splitlines()[1:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    assert rows
    return rows


def names(text: str) -> list[str]:
    """The names in backticks."""
    return re.findall(r"`([^`]+)`", text)


def trees() -> Iterator[ast.Module]:
    """The syntax trees of the package."""
    for file in PACKAGE.rglob("*.py"):
        yield ast.parse(file.read_text())


def nodes(kind: type[Any]) -> Iterator[Any]:
    for tree in trees():
        yield from (node for node in ast.walk(tree) if isinstance(node, kind))


def called(call: ast.Call) -> str:
    """The name of the function that is called."""
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else ast.unparse(function)


def literals(expressions: list[ast.expr]) -> list[str]:
    return [
        one.value
        for one in expressions
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    ]


def status_of(expression: ast.expr) -> Status | None:
    """The status that an expression like `Status.PARKED` names."""
    text = ast.unparse(expression)
    return Status[text.removeprefix("Status.")] if text.startswith("Status.") else None


def verdicts() -> Iterator[Verdict]:
    """The tables of codes, and every verdict that a module defines."""
    yield from CODES.values()
    yield from (verdict for _, verdict in CODE_RANGES)
    for module in pkgutil.walk_packages(tiktok_pixel.__path__, "tiktok_pixel."):
        defined = vars(importlib.import_module(module.name)).values()
        yield from (one for one in defined if isinstance(one, Verdict))


def outcomes_in_code() -> set[tuple[str, Status]]:
    """Reason and status of all verdicts, and of all outcomes with a literal reason."""
    found = {
        (verdict.reason, OUTCOME_OF_KIND[verdict.kind])
        for verdict in verdicts()
        if verdict != CREDENTIALS_UNAVAILABLE
    }
    found.add((CREDENTIALS_UNAVAILABLE.reason, Status.RETRY))
    for tree in trees():
        makers = makers_of_outcomes(tree)
        for call in ast.walk(tree):
            if isinstance(call, ast.Call):
                status = makers.get(called(call)) or status_of_outcome(call)
                if status:
                    found |= {(reason, status) for reason in literals(call.args)}
    return found


def status_of_outcome(call: ast.Call) -> Status | None:
    """The status that a call of `Outcome`, or of a function that makes one, names."""
    if called(call) not in {"Outcome", "_outcome"}:
        return None
    return next((status for one in call.args if (status := status_of(one))), None)


def makers_of_outcomes(tree: ast.Module) -> dict[str, Status]:
    """The functions of a module that return an outcome of one status, by name."""
    return {
        function.name: status
        for function in tree.body
        if isinstance(function, ast.FunctionDef)
        for node in function.body
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Call)
        if (status := status_of_outcome(node.value))
    }


def returned_in_code() -> set[str]:
    """The reasons that functions return to a caller that makes an outcome of them."""
    return {
        text
        for tree in trees()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and "reason" in function.name
        for node in ast.walk(function)
        if isinstance(node, ast.Return)
        for text in literals(parts(node.value))
        if CODE.fullmatch(text)
    }


def parts(value: ast.expr | None) -> list[ast.expr]:
    """The values that an expression may have, or return in a tuple."""
    match value:
        case None:
            return []
        case ast.Tuple(elts=elements):
            return [part for element in elements for part in parts(element)]
        case ast.IfExp(body=body, orelse=orelse):
            return parts(body) + parts(orelse)
    return [value]


def refusals_in_code() -> set[str]:
    """The reasons for which a whole request is refused."""
    return {
        reason
        for call in nodes(ast.Call)
        if called(call) in REFUSE
        for reason in literals([*call.args, *(keyword.value for keyword in call.keywords)])
        if CODE.fullmatch(reason)
    }


def reasons_in_readme() -> dict[str, set[Status]]:
    return {
        reason: {Status(word) for word in re.findall(r"[a-z]+", outcome) if word in set(Status)}
        for reasons, outcome, _ in table("| reason | outcome | what to do |")
        for reason in names(reasons)
    }


PATTERN: Final = "<field>_<rule>"


def test_every_reason_is_described_with_its_outcome() -> None:
    described = reasons_in_readme()

    for reason, status in outcomes_in_code():
        assert status in described.get(reason, ()) or reason in PROBLEM_CODES, f"{reason}: {status}"
    assert returned_in_code() <= described.keys() | PROBLEM_CODES


def test_every_reason_that_is_described_exists() -> None:
    known = {reason for reason, _ in outcomes_in_code()} | returned_in_code() | PROBLEM_CODES

    assert reasons_in_readme().keys() - {PATTERN} <= known


def test_every_refusal_of_a_whole_request_is_described() -> None:
    (paragraph,) = (one for one in README.split("\n\n") if "`batch_empty`" in one)

    assert set(names(paragraph)) == refusals_in_code()


def metrics_in_code() -> set[str]:
    """The names of all metrics: literals, and tables from status to name."""
    counted = {
        name
        for call in nodes(ast.Call)
        if called(call) in COUNT
        for name in literals(call.args[:1])
        if name[:1].isupper()
    }
    by_status = {
        name
        for mapping in nodes(ast.Dict)
        if mapping.keys and all(key and status_of(key) for key in mapping.keys)
        for name in literals(mapping.values)
        if name[:1].isupper()
    }
    return counted | by_status


def test_every_metric_is_described_and_exists() -> None:
    # Purchases are counted by a change that is not merged yet.
    described = {metric.name for metric in METRICS}

    # The entry point counts cold starts before the package is used.
    assert described == metrics_in_code() | {"ColdStarts"}


@pytest.mark.parametrize("outcome", Status)
def test_every_outcome_is_described(outcome: Status) -> None:
    rows = table("| outcome | HTTP | what it means |")

    assert [outcome] in [names(name) for name, _, _ in rows]


def test_the_targets_in_contributing_are_those_of_the_benchmark() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)`.*\| ([\d.]+) \| [\d.]+ \|$", text, re.MULTILINE)

    assert {name: float(target) for name, target in rows} == TARGETS
