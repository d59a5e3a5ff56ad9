"""A trigger as a form, as FQL, and as an answer to "why does this event not match?".

The form has conditions that are joined by "all" or "any", and groups of conditions inside of it,
one level deep: that is what FQL can express. Every form that is written as FQL is read back first,
so that the FQL means what the form shows.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from tiktok_pixel.mapping import SubscriptionError
from tiktok_pixel.mapping.fql import Condition, Group, Node, parse_fql
from tiktok_pixel.mapping.paths import UNDEFINED, resolve
from tiktok_pixel.mapping.subscriptions import compile_subscription
from tiktok_pixel.values.javascript import to_number, to_string

FIELDS: Final = {
    "event": "Event name",
    "type": "Event type",
    "properties": "Event property",
    "traits": "Trait",
    "context": "Context",
    "userId": "User ID",
    "name": "Page or screen name",
}
"""The fields of a trigger and their names; properties, traits and context need a path."""

WITH_PATH: Final = ("properties", "traits", "context")
EVENT_TYPES: Final = ("track", "page", "screen", "identify", "group", "alias")

TESTS: Final = {
    "=": "is",
    "!=": "is not",
    "contains": "contains",
    "not contains": "does not contain",
    "starts with": "starts with",
    "not starts with": "does not start with",
    "ends with": "ends with",
    "not ends with": "does not end with",
    "exists": "exists",
    "not exists": "does not exist",
    "number =": "is the number",
    "number !=": "is not the number",
    "<": "is less than",
    "<=": "is at most",
    ">": "is greater than",
    ">=": "is at least",
    "is true": "is true",
    "is false": "is false",
}
"""The tests of a condition, as FQL's reader names them, and their names."""

WITHOUT_VALUE: Final = ("exists", "not exists", "is true", "is false")
_NUMERIC: Final = ("number =", "number !=", "<", "<=", ">", ">=")
_TEXTUAL: Final = ("contains", "starts with", "ends with")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_SAFE: Final = re.compile(r"[A-Za-z0-9_-]")
_PATH_KEYS: Final = re.compile(r"[^\[.\]]+")


class TriggerError(ValueError):
    """A form that FQL cannot express; the message says why."""


@dataclass(frozen=True, slots=True)
class ConditionForm:
    """One condition as a form shows it: everything is text as a person types it."""

    field: str = "event"
    path: str = ""
    test: str = "="
    value: str = ""


@dataclass(frozen=True, slots=True)
class TriggerForm:
    """Conditions and groups of conditions, joined by `and` or `or`."""

    operator: str = "and"
    items: tuple[ConditionForm | TriggerForm, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A condition that an event does not meet.

    Attributes:
        condition: The condition in words.
        actual: What the event has instead, as JSON would show it; None when it has nothing there.
    """

    condition: str
    actual: Any


def item_at(form: TriggerForm, place: tuple[int, ...]) -> ConditionForm | TriggerForm:
    """Return the condition or group at a place: the indexes that lead to it."""
    item: ConditionForm | TriggerForm = form
    for index in place:
        if isinstance(item, TriggerForm):
            item = item.items[index]
    return item


def with_item(
    form: TriggerForm, place: tuple[int, ...], item: ConditionForm | TriggerForm | None
) -> TriggerForm:
    """Return a form with another item at a place; None removes the item, and an empty group."""
    if not place:
        return item if isinstance(item, TriggerForm) else TriggerForm(form.operator)
    index, *rest = place
    inner = form.items[index]
    if rest and isinstance(inner, TriggerForm):
        changed = with_item(inner, tuple(rest), item)
        item = changed if changed.items else None
    kept = () if item is None else (item,)
    return replace(form, items=(*form.items[:index], *kept, *form.items[index + 1 :]))


def offered_tests(field: str) -> tuple[str, ...]:
    """Return the tests that FQL has for a field."""
    if field == "type":
        return ("=", "!=")
    if field in WITH_PATH:
        return tuple(TESTS)
    numeric_or_boolean = (*_NUMERIC, "is true", "is false")
    # FQL compares an event name with the text "null".
    existence = ("exists", "not exists") if field == "event" else ()
    return tuple(test for test in TESTS if test not in (*numeric_or_boolean, *existence))


def read_form(fql: str) -> TriggerForm | None:
    """Return the form of FQL, or None when it can be edited as text only.

    Raises:
        SubscriptionError: The FQL cannot be read.
    """
    node, _ = parse_fql(fql)
    form = _form_of(node)
    try:
        return form if parse_fql(write_fql(form))[0] == _ordered(node) else None
    except (TriggerError, SubscriptionError):
        return None


def write_fql(form: TriggerForm) -> str:
    """Return the FQL of a form.

    Raises:
        TriggerError: FQL cannot express the form.
    """
    if not form.items:
        raise TriggerError("add a condition")
    intended = _ordered(_node_of(form))
    fql = _fql(intended, nested=False)
    try:
        node, warnings = parse_fql(fql)
    except SubscriptionError as error:
        raise TriggerError(f"cannot be written as FQL: {error}") from error
    if node != intended or warnings:
        raise TriggerError(
            "cannot be written as FQL; a group can have one condition with "
            '"contains", "starts with" or "ends with"'
        )
    return fql


def describe_condition(condition: Condition) -> str:
    """Say a condition in words."""
    form = _condition_form(condition)
    subject = FIELDS.get(form.field, form.field).lower()
    if form.path:
        subject = f"{form.field}.{form.path}"
    words = f"{subject} {TESTS.get(condition.test, condition.test)}"
    if condition.test in WITHOUT_VALUE:
        return words
    value = form.value if condition.test in _NUMERIC else f'"{form.value}"'
    return f"{words} {value}"


def failures(fql: str, event: dict[str, Any]) -> tuple[Failure, ...]:
    """Return the conditions that keep an event from matching; empty when it matches.

    Raises:
        SubscriptionError: The FQL cannot be read.
    """
    return tuple(
        Failure(describe_condition(condition), _actual(condition, event))
        for condition in _failing(parse_fql(fql)[0], event)
    )


def _failing(node: Node, event: dict[str, Any]) -> tuple[Condition, ...]:
    if isinstance(node, Condition):
        return () if _holds(node, event) else (node,)
    found = [_failing(child, event) for child in node.children]
    if node.operator == "or" and not all(found):
        return ()
    return tuple(condition for conditions in found for condition in conditions)


def _holds(condition: Condition, event: dict[str, Any]) -> bool:
    if condition.test in _NUMERIC and condition.expected is None:
        return False  # compares with something that is not a number
    return compile_subscription(_fql(condition, nested=False)).matches(event)


def _actual(condition: Condition, event: dict[str, Any]) -> Any:
    value = resolve(event, condition.keys)
    return None if value is UNDEFINED else value


# ------------------------------------------------------------------ form to FQL


def _node_of(form: TriggerForm) -> Node:
    children: list[Node] = []
    for item in form.items:
        if isinstance(item, ConditionForm):
            children.append(_condition_of(item))
        elif item.items:
            children.append(_node_of(item))
    if not children:
        raise TriggerError("add a condition")
    return children[0] if len(children) == 1 else Group(form.operator, tuple(children))


def _condition_of(form: ConditionForm) -> Condition:
    keys = _keys(form)
    if form.test in WITHOUT_VALUE:
        return Condition(keys, form.test)
    if form.test in _NUMERIC:
        number = to_number(form.value.strip()) if form.value.strip() else None
        if number is None or not math.isfinite(number):
            raise TriggerError("enter a number")
        return Condition(keys, form.test, number)
    if form.value == "":
        raise TriggerError("enter a value")
    if '"' in form.value:
        raise TriggerError('FQL cannot express a value with a quotation mark (")')
    return Condition(keys, form.test, form.value)


def _keys(form: ConditionForm) -> tuple[str, ...]:
    if form.field not in WITH_PATH:
        return (form.field,)
    path = form.path.strip().removeprefix("$.").removeprefix(f"{form.field}.")
    keys = tuple(filter(None, map(str.strip, _PATH_KEYS.findall(path))))
    if not keys:
        raise TriggerError("enter the name of the property, such as order_id")
    return (form.field, *keys)


def _ordered(node: Node) -> Node:
    """Put the condition with a function last in each group, where FQL's brackets need it."""
    if isinstance(node, Condition):
        return node
    children = tuple(
        Group(child.operator, tuple(sorted(child.children, key=_is_function)))
        if isinstance(child, Group)
        else child
        for child in node.children
    )
    return Group(node.operator, children)


def _is_function(node: Node) -> bool:
    return isinstance(node, Condition) and node.test.removeprefix("not ") in _TEXTUAL


def _fql(node: Node, *, nested: bool) -> str:
    if isinstance(node, Group):
        joined = f" {node.operator} ".join(_fql(child, nested=True) for child in node.children)
        return f"({joined})" if nested else joined
    head, *keys = node.keys
    field = ".".join([head, *map(_escaped, keys)])
    if node.test in ("exists", "not exists"):
        return f"{field} {'!=' if node.test == 'exists' else '='} null"
    if node.test in ("is true", "is false"):
        return f"{field} = {node.test.removeprefix('is ')}"
    if node.test in _NUMERIC:
        return f"{field} {node.test.removeprefix('number ')} {_number(node.expected)}"
    test = node.test.removeprefix("not ")
    if test not in _TEXTUAL:
        return f'{field} {test} "{node.expected}"'
    pattern = {"contains": "{}", "starts with": "{}*", "ends with": "*{}"}[test]
    function = "contains" if test == "contains" else "match"
    sign = "!" if node.test.startswith("not ") else ""
    return f'{sign}{function}({field}, "{pattern.format(node.expected)}")'


def _number(value: str | float | None) -> str:
    # FQL has no exponents.
    return format(Decimal(to_string(value)), "f")


def _escaped(key: str) -> str:
    """Write a key of a path as FQL's names are written: other characters behind a backslash."""
    if _NAME.fullmatch(key):
        return key
    first = key[0] if re.match(r"[A-Za-z_]", key) else f"\\{key[0]}"
    return first + "".join(char if _SAFE.match(char) else f"\\{char}" for char in key[1:])


# ------------------------------------------------------------------ FQL to form


def _form_of(node: Node) -> TriggerForm:
    if isinstance(node, Condition):
        return TriggerForm("and", (_condition_form(node),))
    items = tuple(
        _condition_form(child) if isinstance(child, Condition) else _form_of(child)
        for child in node.children
    )
    return TriggerForm(node.operator, items)


def _condition_form(condition: Condition) -> ConditionForm:
    head, *keys = condition.keys
    expected = condition.expected
    value = "" if expected is None else to_string(expected)
    return ConditionForm(head, ".".join(keys), condition.test, value)
