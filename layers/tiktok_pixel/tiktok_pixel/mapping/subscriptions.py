"""Compile subscriptions to functions that decide whether an event matches.

The tests are those of packages/destination-subscriptions/src/validate.ts in Segment's
action-destinations repository: strict about types, so the number 5 is not the text "5".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tiktok_pixel.mapping.fql import Condition, Group, Node, parse_fql
from tiktok_pixel.mapping.paths import UNDEFINED, exists, resolve

Event = dict[str, Any]
Predicate = Callable[[Event], bool]


@dataclass(frozen=True, slots=True)
class Subscription:
    """A compiled subscription.

    Attributes:
        source: The subscription as written.
        matches: Returns whether an event matches.
        index_field: ``type`` or ``event``, where an event can only match with one of
            ``index_values`` in it; None when any event may match.
        index_values: The values of ``index_field``.
        index_decides: Whether every event with one of the values matches.
        warnings: What Segment reads differently than it looks.
    """

    source: str
    matches: Predicate
    index_field: str | None
    index_values: frozenset[str]
    index_decides: bool
    warnings: tuple[str, ...]


def compile_subscription(source: str) -> Subscription:
    """Compile FQL.

    Raises:
        SubscriptionError: Segment cannot read the text.
    """
    node, warnings = parse_fql(source)
    field, values, decides = _implied(node) or (None, frozenset[str](), False)
    return Subscription(source, _predicate(node), field, values, decides, warnings)


def _implied(node: Node) -> tuple[str, frozenset[str], bool] | None:
    """Find an equality on ``type`` or ``event`` without which the condition is never true.

    Returns:
        The member, the values that it may have, and whether that is the whole condition.
    """
    if isinstance(node, Condition):
        if node.test == "=" and node.keys in (("type",), ("event",)):
            return node.keys[0], frozenset({str(node.expected)}), True
        return None
    found = [_implied(child) for child in node.children]
    implied = [item for item in found if item is not None]
    if node.operator == "and":
        # The event name is more selective than the type.
        best = min(implied, key=lambda item: item[0], default=None)
        return best and (best[0], best[1], best[2] and len(found) == 1)
    fields = {field for field, _, _ in implied}
    if len(implied) < len(found) or len(fields) != 1:
        return None
    values = frozenset[str]().union(*(values for _, values, _ in implied))
    return fields.pop(), values, all(decides for _, _, decides in implied)


def _predicate(node: Node) -> Predicate:
    if isinstance(node, Group):
        children = tuple(map(_predicate, node.children))
        combine = all if node.operator == "and" else any
        return lambda event: combine(child(event) for child in children)
    test, keys = _test(node), node.keys
    if len(keys) == 1:
        key = keys[0]
        return lambda event: test(event.get(key, UNDEFINED))
    return lambda event: test(resolve(event, keys))


def _test(condition: Condition) -> Callable[[Any], bool]:
    expected: Any = condition.expected
    simple: dict[str, Callable[[Any], bool]] = {
        "=": lambda actual: isinstance(actual, str) and actual == expected,
        "!=": lambda actual: not isinstance(actual, str) or actual != expected,
        "exists": exists,
        "not exists": lambda actual: not exists(actual),
        "is true": lambda actual: actual is True,
        "is false": lambda actual: actual is False,
    }
    if condition.test in simple:
        return simple[condition.test]
    numeric: dict[str, Callable[[Any], bool]] = {
        "number =": lambda actual: actual == expected,
        "number !=": lambda actual: actual != expected,
        "<": lambda actual: actual < expected,
        "<=": lambda actual: actual <= expected,
        ">": lambda actual: actual > expected,
        ">=": lambda actual: actual >= expected,
    }
    if condition.test in numeric:
        holds = numeric[condition.test]
        return lambda actual: (
            expected is not None
            and isinstance(actual, int | float)
            and not isinstance(actual, bool)
            and holds(actual)
        )
    negated = condition.test.startswith("not ")
    textual: dict[str, Callable[[str], bool]] = {
        "contains": lambda actual: expected in actual,
        "starts with": lambda actual: actual.startswith(expected),
        "ends with": lambda actual: actual.endswith(expected),
    }
    has = textual[condition.test.removeprefix("not ")]
    # The negated forms need a string too: they are false for an absent member.
    return lambda actual: isinstance(actual, str) and has(actual) != negated
