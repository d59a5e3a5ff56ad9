"""Cases recorded from Segment's own implementation, where the recordings are at hand.

Segment is the authority on its mapping language, quirks included; the cases below that differ do
so on purpose, each with its reason.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tiktok_pixel.mapping.diagnostics import Findings, Place
from tiktok_pixel.mapping.fql_tokens import SubscriptionError
from tiktok_pixel.mapping.presets import compile_fields
from tiktok_pixel.mapping.subscriptions import compile_subscription

FOLDER = Path(__file__).parents[3] / ".." / "shared" / "fixtures"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recorded cases are not here")

# Segment reads the end of the text as a value, so `type = ` matches the type "eos".
READ_BY_SEGMENT_ONLY = {"type = "}


def recorded(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return cases


def difference(case: dict[str, Any]) -> str | None:
    """Say why a mapping case is not expected to come out as Segment's does."""
    text = json.dumps(case)
    if '"@liquid"' in text:
        return "@liquid is a template language of its own; a mapping that uses it does not load"
    mapping = case["input"]["mapping"] if "input" in case else case["args"][0]
    if not isinstance(mapping, dict):
        return "the mapping of a preset is an object"
    if "input" in case and not isinstance(case["input"].get("payload", {}), dict):
        return "an event is an object: the reader of events sees to that"
    return None


def evaluate(mapping: dict[str, Any], event: dict[str, Any]) -> tuple[Any, list[str]]:
    """Map an event as Segment's `transform` does: the result, or the problems of the mapping."""
    findings = Findings()
    # A field of its own, because a mapping may be a directive that gives no object.
    wrapped = mapping if "__segment_internal_directive" in mapping else {"it": mapping}
    run = compile_fields(wrapped, Place(findings, "case"))
    if findings.problems:
        return None, [str(problem) for problem in findings.problems]
    mapped = run(event)
    return (mapped if wrapped is mapping else mapped.get("it")), []


def test_mappings_give_what_segment_gives() -> None:
    """Each recorded mapping gives Segment's output, or a problem where Segment has an error."""
    counts: Counter[str] = Counter()
    for case in recorded("mapping_kit.json"):
        if reason := difference(case):
            counts[reason] += 1
            continue
        result, problems = evaluate(case["input"]["mapping"], case["input"].get("payload", {}))
        assert bool(problems) == ("error" in case), (case, problems)
        if not problems:
            assert result == case["output"], case
        counts["same"] += 1
    print(dict(counts))
    assert counts["same"] >= 100


def test_validation_refuses_what_segment_refuses() -> None:
    """A mapping has problems exactly when Segment's validation throws."""
    counts: Counter[str] = Counter()
    for case in recorded("core_extra.json"):
        if case["fn"] != "validateMapping":
            continue
        if reason := difference(case):
            counts[reason] += 1
            continue
        _, problems = evaluate(case["args"][0], {})
        assert bool(problems) == ("error" in case), (case, problems)
        counts["same"] += 1
    print(dict(counts))


def test_flatten_gives_what_segment_gives() -> None:
    """`@flatten` is Segment's flattenObject."""
    for case in recorded("core_extra.json"):
        if case["fn"] != "flattenObject":
            continue
        value, *rest = case["args"]
        separator = rest[1] if len(rest) > 1 else "."
        flatten = {"@flatten": {"value": {"@path": "$.value"}, "separator": separator}}
        assert evaluate(flatten, {"value": value}) == (case["output"], [])


def test_the_rest_of_core_is_not_part_of_mapping() -> None:
    """`removeEmptyValues` belongs to Segment's coercion; typed coercion drops empties here."""
    functions = Counter(case["fn"] for case in recorded("core_extra.json"))
    assert set(functions) == {"validateMapping", "flattenObject", "removeEmptyValues"}


def test_subscriptions_match_what_segment_matches() -> None:
    """Each recorded subscription decides as Segment does; what it cannot read never matches."""
    counts: Counter[str] = Counter()
    for case in recorded("fql.json"):
        event = case["event"]
        if case["fql"] in READ_BY_SEGMENT_ONLY or not isinstance(event, dict):
            counts["different"] += 1
            continue
        try:
            matches = compile_subscription(case["fql"]).matches(event)
        except SubscriptionError:
            matches = False
        assert matches == case["expected"], case
        counts["same"] += 1
    print(dict(counts))
    assert counts["same"] >= 500
