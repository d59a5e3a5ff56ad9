"""The directives that change the shape of a value.

`@flatten`, `@json` and `@excludeWhenNull` walk it, and are undefined for one nested deeper than
`values.MAX_DEPTH`.
"""

from typing import Any

from tiktok_pixel.mapping.arguments import CompileValue, read_choice, read_object, truthy
from tiktok_pixel.mapping.diagnostics import Place, kind_of, nothing
from tiktok_pixel.mapping.json_text import parse, stringify
from tiktok_pixel.mapping.paths import UNDEFINED, Evaluator, drop_undefined, within_depth


def compile_merge(arguments: Any, place: Place, compile_value: CompileValue) -> Evaluator:
    """Compile `@merge`: the members of all objects; the last (or, leftwards, first) one wins."""
    options = read_object(arguments, place, {"objects", "direction"})
    if options is None:
        return nothing
    direction = read_choice(options, "direction", ("left", "right"), place)
    objects = options.get("objects")
    if not isinstance(objects, list):
        return place.at("objects").refuse(f"expected an array, got {kind_of(objects)}")
    members = []
    for index, member in enumerate(objects):
        at = place.at("objects", str(index), raw=True)
        if not isinstance(member, dict):
            at.refuse(f"expected an object or a directive, got {kind_of(member)}")
        members.append(compile_value(member, at))
    if direction == "left":
        members.reverse()
    raw = place.raw

    def evaluate(data: Any) -> Any:
        merged: dict[str, Any] = {}
        for member in members:
            merged.update(_own_members(member(data)))
        return merged if raw else drop_undefined(merged)

    return evaluate


def _own_members(value: Any) -> dict[str, Any]:
    """Give what `Object.assign` takes from a value: strings and arrays have their indices."""
    if isinstance(value, dict):
        return value
    if isinstance(value, str | list):
        return {str(index): item for index, item in enumerate(value)}
    return {}


def compile_transform(arguments: Any, place: Place, compile_value: CompileValue) -> Evaluator:
    """Compile `@transform`: `apply` is mapped from the event, then `mapping` from the result."""
    options = read_object(arguments, place, {"apply", "mapping"})
    if options is None:
        return nothing
    for key in ("apply", "mapping"):
        if not isinstance(options.get(key), dict):
            got = kind_of(options[key]) if key in options else "nothing"
            return place.at(key).refuse(f"expected an object or a directive, got {got}")
    apply = compile_value(options["apply"], place.at("apply", raw=True))
    mapping = compile_value(options["mapping"], place.at("mapping"))

    def evaluate(data: Any) -> Any:
        return mapping(drop_undefined(apply(data))) if isinstance(data, dict) else UNDEFINED

    return evaluate


def compile_flatten(arguments: Any, place: Place, compile_value: CompileValue) -> Evaluator:
    """Compile `@flatten`: one object with the path to each leaf for a key.

    Empty objects and arrays vanish; a value that is neither has the key "".
    """
    options = read_object(arguments, place, {"value", "separator", "omitArrays"})
    if options is None:
        return nothing
    separator = options.get("separator")
    if not isinstance(separator, str) or not separator:
        at = place.at("separator")
        return at.refuse(f"is {separator!r}", "a string of at least one character")
    if "value" not in options:
        return place.refuse('needs "value"')
    value = compile_value(options["value"], place.at("value", raw=True))
    omit_arrays, raw = truthy(options.get("omitArrays")), place.raw

    def evaluate(data: Any) -> Any:
        found = value(data)
        if not within_depth(found):
            return UNDEFINED
        flat: dict[str, Any] = {}
        _flatten(found, "", flat, separator, omit_arrays=omit_arrays)
        return flat if raw else drop_undefined(flat)

    return evaluate


def _flatten(
    value: Any, prefix: str, flat: dict[str, Any], separator: str, *, omit_arrays: bool
) -> None:
    if value.__class__ is list and not omit_arrays:
        value = {str(index): item for index, item in enumerate(value)}
    if not isinstance(value, dict):
        flat[prefix] = value
        return
    for key, member in value.items():
        below = f"{prefix}{separator}{key}" if prefix else key
        _flatten(member, below, flat, separator, omit_arrays=omit_arrays)


def compile_json(arguments: Any, place: Place, compile_value: CompileValue) -> Evaluator:
    """Compile `@json`: a value as JSON text, or text read as JSON."""
    options = read_object(arguments, place, {"value", "mode"})
    if options is None:
        return nothing
    mode = read_choice(options, "mode", ("encode", "decode"), place)
    if not truthy(options.get("value")):
        return place.refuse('needs "value"')
    # Only objects built in a raw place keep the order of their members, which the text shows.
    raw = place.raw or mode == "encode"
    value = compile_value(options["value"], place.at("value", raw=raw))

    def encode(data: Any) -> Any:
        found = value(data)
        return UNDEFINED if found is UNDEFINED else stringify(drop_undefined(found))

    def decode(data: Any) -> Any:
        found = value(data)
        return parse(found) if isinstance(found, str) else found

    return encode if mode == "encode" else decode


def compile_exclude_when_null(value: Any, place: Place, compile_value: CompileValue) -> Evaluator:
    """Compile `@excludeWhenNull`: null is undefined, in objects (not in arrays) at any depth."""
    inner = compile_value(value, place)
    raw = place.raw

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
