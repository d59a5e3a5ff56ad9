"""Paths into JSON values, and JavaScript's ``undefined``.

The rules are those of ``get``, ``removeUndefined`` and ``@if`` in Segment's action-destinations
repository (packages/core/src/get.ts, remove-undefined.ts, mapping-kit/index.ts).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

# A compiled directive: takes the event (or an item of it), returns the value or UNDEFINED.
Evaluator = Callable[[Any], Any]

# Directives that walk a value (@flatten, @json, @excludeWhenNull) are undefined for deeper ones: no
# real event comes near this depth, and a hostile one must not exhaust the stack.
MAX_DEPTH: Final = 100


class Undefined(tuple[()]):
    """The type of ``UNDEFINED``; an empty tuple, because its truth test is free."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNDEFINED"


# JavaScript's ``undefined``: a path that leads nowhere. JSON has no such value, and ``null`` (None)
# is a different one: a field that is null is sent on, one that is undefined is left out.
UNDEFINED: Final = Undefined()

EMPTY: Final[dict[str, Any]] = {}

# Where Segment's ``get`` splits a path: at dots, and at brackets around a quoted key or a number.
_SEPARATORS: Final = re.compile(r"""\[(?=["'0-9])|\.|(?<=["'0-9])\]+""")
_INDEX: Final = re.compile(r"0|[1-9][0-9]*")
# No array has an index with more digits.
_MAX_INDEX_DIGITS: Final = 9


def split_path(path: str) -> tuple[str, ...]:
    """Split a path as written (``$.properties.products[0].name``) into its keys.

    The first ``$.`` is dropped wherever it stands, as in Segment; ``$.`` and the empty path are the
    event itself and have no keys. A key that contains a dot cannot be addressed.
    """
    path = path.replace("$.", "", 1)
    if "[" not in path and "]" not in path and "'" not in path and '"' not in path:
        return tuple(filter(None, path.split(".")))
    keys = (key for key in _SEPARATORS.split(path) if key)
    return tuple(key.replace("'", "").replace('"', "") for key in keys)


def member(value: Any, key: str) -> Any:
    """Return a member of any value, as ``value && value[key]`` does in JavaScript.

    A falsy value (``null``, ``""``, ``0``, ``false``) is the result itself, so ``$.a.b`` of
    ``{"a": null}`` is null. Properties that every JavaScript object inherits (``constructor``) are
    undefined.
    """
    if isinstance(value, dict):
        return value.get(key, UNDEFINED)
    if value is None or value is False or value in ("", 0):
        return value
    if isinstance(value, list | str):
        if key == "length":
            return len(value)
        if len(key) <= _MAX_INDEX_DIGITS and _INDEX.fullmatch(key):
            index = int(key)
            return value[index] if index < len(value) else UNDEFINED
    return UNDEFINED


def resolve(value: Any, keys: tuple[str, ...]) -> Any:
    """Follow keys (of ``split_path``) into a value; UNDEFINED where they lead nowhere."""
    for key in keys:
        value = value.get(key, UNDEFINED) if value.__class__ is dict else member(value, key)
    return value


class DictView:
    """Makes any value look like a dict, so that compiled paths need no type tests."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __contains__(self, key: str) -> bool:
        return member(self._value, key) is not UNDEFINED

    def __getitem__(self, key: str) -> Any:
        return member(self._value, key)


def exists(value: Any) -> bool:
    """Return whether a value is neither null nor undefined."""
    return value is not None and value is not UNDEFINED


def drop_undefined(value: Any, depth: int = MAX_DEPTH, *, in_arrays: bool = True) -> Any:
    """Copy a value without the undefined members of its objects.

    Only objects that a mapping builds have such members, and no mapping is nested deeper than
    ``MAX_DEPTH``; deeper values belong to the event and are shared.

    Args:
        value: A value that a mapping built.
        depth: How many levels to copy.
        in_arrays: Whether undefined items of arrays become null, or stay undefined.
    """
    if not depth:
        return value
    if value.__class__ is dict:
        return {
            key: drop_undefined(item, depth - 1, in_arrays=in_arrays)
            for key, item in value.items()
            if item is not UNDEFINED
        }
    if value.__class__ is list:
        return [
            None
            if item is UNDEFINED and in_arrays
            else drop_undefined(item, depth - 1, in_arrays=in_arrays)
            for item in value
        ]
    return value


def within_depth(value: Any) -> bool:
    """Return whether a value is nested no deeper than ``MAX_DEPTH``, without recursion."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        inner: list[Any] = []
        for item in level:
            if item.__class__ is dict:
                inner.extend(item.values())
            elif item.__class__ is list:
                inner.extend(item)
        level = [item for item in inner if item.__class__ is dict or item.__class__ is list]
        if not level:
            return True
    return False
