"""The directives that change the shape of a value.

They are ``@arrayPath``, ``@merge``, ``@transform``, ``@flatten`` and ``@excludeWhenNull``. The last
two walk the value, and are undefined for one nested deeper than ``paths.MAX_DEPTH``.
"""

from __future__ import annotations

from typing import Any, Final

from tiktok_pixel.mapping.diagnostics import Location, evaluate_to_undefined, json_type
from tiktok_pixel.mapping.directives.directive import (
    CheckValue,
    CompileValue,
    Directive,
    Explainer,
    explain_value,
    is_directive,
    read_choice,
    read_object,
    string_or_directive,
    truthy,
    type_of,
)
from tiktok_pixel.mapping.directives.lookups import compile_path, explain_path
from tiktok_pixel.mapping.paths import UNDEFINED, Evaluator, drop_undefined, within_depth

# ------------------------------------------------------------------ @arrayPath


def _compile_array_path(
    arguments: Any, location: Location, compile_value: CompileValue
) -> Evaluator:
    """Compile a shape that is applied to each item of an array."""
    if not isinstance(arguments, list) or not arguments:
        got = "an empty array" if arguments == [] else json_type(arguments)
        return location.error(f"must be [path, shape]; got {got}")
    # Undefined items stay undefined for the shape, they are not null yet.
    root = string_or_directive(arguments[0], location.at("0", keeps_undefined=True), compile_value)
    evaluate = root or compile_path(arguments[0])
    shape = arguments[1] if len(arguments) > 1 else None
    raw = location.keeps_undefined
    if isinstance(shape, dict) and shape:
        items = evaluate if root is None else _without_undefined_members(root)
        # Only a directive can be undefined for an item; an object never is.
        keep = raw or not is_directive(shape)
        evaluate = _array_of(items, compile_value(shape, location.at("1")), raw=keep)
    if root is None or raw:
        return evaluate
    return lambda data: drop_undefined(evaluate(data))


def _without_undefined_members(evaluate: Evaluator) -> Evaluator:
    return lambda data: drop_undefined(evaluate(data), in_arrays=False)


def _array_of(root: Evaluator, evaluate_item: Evaluator, *, raw: bool) -> Evaluator:
    def evaluate(data: Any) -> Any:
        found = root(data)
        if found.__class__ is dict:
            found = [found]
        elif found.__class__ is not list:
            return found
        items = [evaluate_item(item) for item in found]
        return items if raw else [None if item is UNDEFINED else item for item in items]

    return evaluate


def _check_array_path(arguments: Any, kind: Any, location: Location, check: CheckValue) -> None:
    shape = arguments[1] if isinstance(arguments, list) and len(arguments) > 1 else None
    if isinstance(kind, list) and isinstance(shape, dict):
        check(shape, kind[0], location.at("1"))


def _explain_array_path(arguments: Any, explainer: Explainer) -> tuple[str, ...]:
    return explain_path(arguments[0], explainer)


# ------------------------------------------------------------------ @merge


def _compile_merge(arguments: Any, location: Location, compile_value: CompileValue) -> Evaluator:
    """Compile the members of all objects; the last one wins (``left``: the first one)."""
    options = read_object(arguments, location, ("objects", "direction"))
    if options is None:
        return evaluate_to_undefined
    direction = read_choice(options, "direction", ("left", "right"), location)
    objects = options.get("objects")
    if not isinstance(objects, list):
        return location.at("objects").error(f"must be an array; got {type_of(options, 'objects')}")
    members = []
    for index, member in enumerate(objects):
        at = location.at("objects", str(index), keeps_undefined=True)
        if not isinstance(member, dict):
            at.error(f"must be an object or a directive; got {json_type(member)}")
        members.append(compile_value(member, at))
    if direction == "left":
        members.reverse()
    raw = location.keeps_undefined

    def evaluate(data: Any) -> Any:
        merged: dict[str, Any] = {}
        for member in members:
            merged.update(_own_members(member(data)))
        return merged if raw else drop_undefined(merged)

    return evaluate


def _own_members(value: Any) -> dict[str, Any]:
    """Return what ``Object.assign`` copies from a value: strings and arrays have indices."""
    if isinstance(value, dict):
        return value
    if isinstance(value, str | list):
        return {str(index): item for index, item in enumerate(value)}
    return {}


def _explain_merge(arguments: Any, explainer: Explainer) -> tuple[str, ...]:
    return explainer.paths(arguments["objects"])


# ------------------------------------------------------------------ @transform


def _compile_transform(
    arguments: Any, location: Location, compile_value: CompileValue
) -> Evaluator:
    """Compile two steps: ``apply`` maps the event, then ``mapping`` maps the result."""
    options = read_object(arguments, location, ("apply", "mapping"))
    if options is None:
        return evaluate_to_undefined
    for key in ("apply", "mapping"):
        if not isinstance(options.get(key), dict):
            got = type_of(options, key)
            return location.at(key).error(f"must be an object or a directive; got {got}")
    apply = compile_value(options["apply"], location.at("apply", keeps_undefined=True))
    mapping = compile_value(options["mapping"], location.at("mapping"))

    def evaluate(data: Any) -> Any:
        return mapping(drop_undefined(apply(data))) if isinstance(data, dict) else UNDEFINED

    return evaluate


def _explain_transform(arguments: Any, explainer: Explainer) -> tuple[str, ...]:
    return explainer.paths(arguments["apply"])


# ------------------------------------------------------------------ @flatten


def _compile_flatten(arguments: Any, location: Location, compile_value: CompileValue) -> Evaluator:
    """Compile to one object, with the joined path of each leaf as key.

    Empty objects and arrays are left out; a value that is neither has the key "".
    """
    options = read_object(arguments, location, ("value", "separator", "omitArrays"))
    if options is None:
        return evaluate_to_undefined
    separator = options.get("separator")
    if not isinstance(separator, str) or not separator:
        got = "an empty string" if separator == "" else type_of(options, "separator")
        return location.at("separator").error(f"must be a string that is not empty; got {got}")
    if "value" not in options:
        return location.error('must have "value"')
    value = compile_value(options["value"], location.at("value", keeps_undefined=True))
    omit_arrays, raw = truthy(options.get("omitArrays")), location.keeps_undefined

    def evaluate(data: Any) -> Any:
        found = value(data)
        if not within_depth(found):
            return UNDEFINED
        flat = _flattened(found, "", separator, omit_arrays=omit_arrays)
        return flat if raw else drop_undefined(flat)

    return evaluate


def _flattened(value: Any, prefix: str, separator: str, *, omit_arrays: bool) -> dict[str, Any]:
    if value.__class__ is list and not omit_arrays:
        value = {str(index): item for index, item in enumerate(value)}
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, member in value.items():
        path = f"{prefix}{separator}{key}" if prefix else key
        flat |= _flattened(member, path, separator, omit_arrays=omit_arrays)
    return flat


# ------------------------------------------------------------------ @excludeWhenNull


def _compile_exclude_when_null(
    value: Any, location: Location, compile_value: CompileValue
) -> Evaluator:
    """Compile a value whose nulls are undefined, in objects (not in arrays) at any depth."""
    inner = compile_value(value, location)
    raw = location.keeps_undefined

    def evaluate(data: Any) -> Any:
        found = inner(data)
        if found is None:
            return UNDEFINED
        if not isinstance(found, dict):
            return found
        return _without_nulls(found, raw=raw) if within_depth(found) else UNDEFINED

    return evaluate


def _without_nulls(members: dict[str, Any], *, raw: bool) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, member in members.items():
        if isinstance(member, dict):
            kept[key] = _without_nulls(member, raw=raw)
        elif member is not None:
            kept[key] = member
        elif raw:
            kept[key] = UNDEFINED
    return kept


def _check_exclude_when_null(value: Any, kind: Any, location: Location, check: CheckValue) -> None:
    check(value, kind, location)


ARRAY_PATH: Final = Directive(
    "@arrayPath", _compile_array_path, _check_array_path, _explain_array_path
)
MERGE: Final = Directive("@merge", _compile_merge, explain=_explain_merge)
TRANSFORM: Final = Directive("@transform", _compile_transform, explain=_explain_transform)
FLATTEN: Final = Directive("@flatten", _compile_flatten, explain=explain_value)
EXCLUDE_WHEN_NULL: Final = Directive(
    "@excludeWhenNull", _compile_exclude_when_null, _check_exclude_when_null
)
