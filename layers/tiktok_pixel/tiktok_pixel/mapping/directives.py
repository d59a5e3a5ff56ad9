"""The directives of Segment's mapping kit, compiled to functions.

Source of the rules: packages/core/src/mapping-kit of Segment's action-destinations repository
(README.md, index.ts, validate.ts, flatten.ts). Compiling validates: what Segment refuses when it
validates a mapping, and what it could only refuse at run time whatever the event, is a problem of
the file. What depends on the event (an inner directive of `@path` that gives no string) makes
Segment throw away the whole event; here that directive is undefined and the event goes on.
"""

import re
from typing import Any

from tiktok_pixel.ecmascript import to_string

from .json_text import parse, stringify
from .objects import compile_object, has_directive
from .place import Place, kind_of, nothing
from .templates import compile_template
from .values import (
    UNDEFINED,
    Evaluator,
    drop_undefined,
    exists,
    has_content,
    resolve,
    split_path,
    within_depth,
)

# Segment's limits (MAX_PATTERN_LENGTH, MAX_REPLACEMENT_LENGTH).
_MAX_REPLACE_LENGTH = 10
# What JavaScript puts for these in a replacement string; `$1` means nothing without groups.
_REPLACEMENT_PATTERN = re.compile(r"\$([$&`'])")
_NO_ARGUMENT = object()


def compile_value(value: Any, place: Place) -> Evaluator:
    """Compile any JSON value of a mapping; problems go to the findings of `place`."""
    if isinstance(value, dict):
        if any(key.startswith("@") for key in value):
            return _compile_directive(value, place)
        if not place.raw and not has_directive(value):
            return _constant(value)
        return compile_object(value, place, compile_value)
    if isinstance(value, list) and has_directive(value):
        return _compile_array(value, place)
    return _constant(value)


def _constant(value: Any) -> Evaluator:
    return lambda _data: value


def _compile_array(items: list[Any], place: Place) -> Evaluator:
    evaluators = [compile_value(item, place.at(str(index))) for index, item in enumerate(items)]
    if place.raw:
        return lambda data: [evaluate(data) for evaluate in evaluators]

    def evaluate_array(data: Any) -> list[Any]:
        values = (evaluate(data) for evaluate in evaluators)
        return [None if value is UNDEFINED else value for value in values]

    return evaluate_array


def _compile_directive(value: dict[str, Any], place: Place) -> Evaluator:
    names = [key for key in value if key.startswith("@")]
    if len(value) - ("_metadata" in value) > 1:
        return place.refuse(
            f"has {len(value)} keys",
            'one key that begins with "@", and "_metadata" beside it',
        )
    name = names[0]
    compile_arguments = _DIRECTIVES.get(name)
    if compile_arguments is None:
        reason = "is not supported" if name == "@liquid" else "is not a directive"
        return place.refuse(f"{name} {reason}", ", ".join(sorted(_DIRECTIVES)))
    return compile_arguments(value[name], place.at(name))


def _string_or_directive(value: Any, place: Place) -> Evaluator | None:
    """Compile an operand that must be one of the two; None is for a literal string."""
    if isinstance(value, str):
        return None
    if isinstance(value, dict) and any(key.startswith("@") for key in value):
        return compile_value(value, place)
    return place.refuse(f"expected a string or a directive, got {kind_of(value)}")


def _compile_path(path: Any, place: Place) -> Evaluator:
    inner = _string_or_directive(path, place)
    if inner is None:
        keys = split_path(path)
        return lambda data: resolve(data, keys)

    def evaluate(data: Any) -> Any:
        found = inner(data)
        return resolve(data, split_path(found)) if isinstance(found, str) else UNDEFINED

    return evaluate


def _compile_template(template: Any, place: Place) -> Evaluator:
    inner = _string_or_directive(template, place)
    if inner is None:
        return compile_template(template)

    def evaluate(data: Any) -> Any:
        found = inner(data)
        return compile_template(found)(data) if isinstance(found, str) else UNDEFINED

    return evaluate


def _compile_literal(value: Any, place: Place) -> Evaluator:
    return compile_value(value, place)


def _compile_if(options: Any, place: Place) -> Evaluator:
    if not _is_object(options, place, {"exists", "blank", "then", "else"}):
        return nothing
    if not (_truthy(options.get("exists")) or _truthy(options.get("blank"))):
        return place.refuse('needs "exists" or "blank"')
    test, key = (exists, "exists") if "exists" in options else (has_content, "blank")
    subject = compile_value(options[key], place.at(key, raw=False))
    then = compile_value(options["then"], place.at("then")) if "then" in options else nothing
    # Segment resolves `else` only when JavaScript takes it for true: `"else": 0` is undefined.
    otherwise = nothing
    if _truthy(options.get("else")):
        otherwise = compile_value(options["else"], place.at("else"))
    return lambda data: (then if test(subject(data)) else otherwise)(data)


def _compile_array_path(arguments: Any, place: Place) -> Evaluator:
    if not isinstance(arguments, list) or not arguments:
        return place.refuse(f"expected [path, shape], got {kind_of(arguments)}")
    source = arguments[0]
    root = _string_or_directive(source, place.at("0"))
    if root is None:
        keys = split_path(source)
        root = lambda data: resolve(data, keys)  # noqa: E731 - the other branch of an expression
    shape = arguments[1] if len(arguments) > 1 else None
    if not isinstance(shape, dict) or not shape:
        return root
    evaluate_item = compile_value(shape, place.at("1"))
    raw = place.raw

    def evaluate(data: Any) -> Any:
        found = root(data)
        if found.__class__ is dict:
            found = [found]
        elif found.__class__ is not list:
            return found
        items = [evaluate_item(item) for item in found]
        return items if raw else [None if item is UNDEFINED else item for item in items]

    return evaluate


def _compile_case(options: Any, place: Place) -> Evaluator:
    if not _is_object(options, place, {"operator", "value"}):
        return nothing
    operator = options.get("operator")
    if operator not in ("lower", "upper"):
        return place.at("operator").refuse(f"is {_shown(operator)}", '"lower", "upper"')
    change = str.lower if operator == "lower" else str.upper
    value = _operand(options, place)

    def evaluate(data: Any) -> Any:
        found = value(data)
        return change(found) if isinstance(found, str) else found

    return evaluate


def _compile_replace(options: Any, place: Place) -> Evaluator:
    keys = {"pattern", "replacement", "pattern2", "replacement2", "value", "ignorecase", "global"}
    if not _is_object(options, place, keys):
        return nothing
    if "value" not in options:
        return place.refuse('needs "value"')
    flags = [options.get("ignorecase", False), options.get("global", True)]
    for flag, key in zip(flags, ("ignorecase", "global"), strict=True):
        if not isinstance(flag, bool):
            place.at(key).refuse(f"expected a boolean, got {kind_of(flag)}")
    value = _operand(options, place)
    passes = [_replacement(options, "pattern", "replacement", place)]
    if _truthy(options.get("pattern2")):
        passes.append(_replacement(options, "pattern2", "replacement2", place))
    if not options["value"]:
        return nothing

    def evaluate(data: Any) -> str:
        found = value(data)
        if isinstance(found, bool | int | float):
            found = to_string(found)
        if not isinstance(found, str):
            return ""
        for pattern, put in passes:
            found = pattern.sub(put, found, count=0 if flags[1] else 1)
        return found

    return evaluate


def _replacement(
    options: dict[str, Any], pattern_key: str, replacement_key: str, place: Place
) -> tuple[re.Pattern[str], Any]:
    """Compile one pattern (literal text, not a regular expression) and what replaces it."""
    pattern, replacement = options.get(pattern_key), options.get(replacement_key, "")
    for key, text, shortest in (
        (pattern_key, pattern, 1),
        (replacement_key, replacement, 0),
    ):
        if not isinstance(text, str):
            place.at(key).refuse(f"expected a string, got {kind_of(text)}")
        elif not shortest <= len(text) <= _MAX_REPLACE_LENGTH:
            allowed = f"{shortest} to {_MAX_REPLACE_LENGTH} characters"
            place.at(key).refuse(f"has {len(text)} characters", allowed)
    flags = re.IGNORECASE if options.get("ignorecase") is True else re.NOFLAG

    def put(match: re.Match[str]) -> str:
        before, after = match.string[: match.start()], match.string[match.end() :]
        special = {"$": "$", "&": match[0], "`": before, "'": after}
        return _REPLACEMENT_PATTERN.sub(lambda found: special[found[1]], str(replacement))

    return re.compile(re.escape(str(pattern)), flags), put


def _compile_merge(options: Any, place: Place) -> Evaluator:
    if not _is_object(options, place, {"objects", "direction"}):
        return nothing
    direction, objects = options.get("direction"), options.get("objects")
    if direction not in ("left", "right"):
        return place.at("direction").refuse(f"is {_shown(direction)}", '"left", "right"')
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
            found = member(data)
            # Object.assign takes the indices of strings and arrays for keys, and nothing else.
            if isinstance(found, str | list) and not isinstance(found, tuple):
                found = {str(index): item for index, item in enumerate(found)}
            if isinstance(found, dict):
                merged.update(found)
        return merged if raw else drop_undefined(merged)

    return evaluate


def _compile_transform(options: Any, place: Place) -> Evaluator:
    if not _is_object(options, place, {"apply", "mapping"}):
        return nothing
    for key in ("apply", "mapping"):
        if not isinstance(options.get(key), dict):
            got = kind_of(options[key]) if key in options else "nothing"
            return place.at(key).refuse(f"expected an object or a directive, got {got}")
    apply = compile_value(options["apply"], place.at("apply", raw=False))
    mapping = compile_value(options["mapping"], place.at("mapping"))
    return lambda data: mapping(apply(data)) if isinstance(data, dict) else UNDEFINED


def _compile_flatten(options: Any, place: Place) -> Evaluator:
    if not _is_object(options, place, {"value", "separator", "omitArrays"}):
        return nothing
    separator = options.get("separator")
    if not isinstance(separator, str) or not separator:
        got = f"is {_shown(separator)}"
        return place.at("separator").refuse(got, "a string of at least one character")
    if "value" not in options:
        return place.refuse('needs "value"')
    value = compile_value(options["value"], place.at("value", raw=True))
    walked = dict if _truthy(options.get("omitArrays")) else (dict, list)
    raw = place.raw

    def evaluate(data: Any) -> Any:
        found = value(data)
        if not within_depth(found):
            return UNDEFINED
        flat: dict[str, Any] = {}
        _flatten(found, "", separator, walked, flat)
        return flat if raw else drop_undefined(flat)

    return evaluate


def _flatten(
    value: Any,
    prefix: str,
    separator: str,
    walked: type | tuple[type, ...],
    flat: dict[str, Any],
) -> None:
    if not isinstance(value, walked) or value is UNDEFINED:
        flat[prefix] = value
        return
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in members:
        _flatten(member, f"{prefix}{separator}{key}" if prefix else str(key), separator, walked, flat)


def _compile_json(options: Any, place: Place) -> Evaluator:
    if not _is_object(options, place, {"value", "mode"}):
        return nothing
    mode = options.get("mode")
    if mode not in ("encode", "decode"):
        return place.at("mode").refuse(f"is {_shown(mode)}", '"encode", "decode"')
    if not _truthy(options.get("value")):
        return place.refuse('needs "value"')
    value = compile_value(options["value"], place.at("value", raw=False))

    def encode(data: Any) -> Any:
        found = value(data)
        return UNDEFINED if found is UNDEFINED else stringify(found)

    def decode(data: Any) -> Any:
        found = value(data)
        return parse(found) if isinstance(found, str) else found

    return encode if mode == "encode" else decode


def _compile_exclude_when_null(value: Any, place: Place) -> Evaluator:
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
    return {
        key: UNDEFINED
        if member is None
        else _without_nulls(member, raw=raw)
        if isinstance(member, dict)
        else member
        for key, member in members.items()
        if raw or member is not None
    }


def _operand(options: dict[str, Any], place: Place) -> Evaluator:
    """Compile the `value` of `@case` and `@replace`: a string or a directive, or none at all."""
    value = options.get("value", _NO_ARGUMENT)
    if value is _NO_ARGUMENT or value == "":
        return nothing
    return _string_or_directive(value, place.at("value")) or _constant(value)


def _is_object(options: Any, place: Place, known: set[str]) -> bool:
    """Tell whether the argument of a directive is a plain object; report it when not."""
    if not isinstance(options, dict) or any(key.startswith("@") for key in options):
        got = "a directive" if isinstance(options, dict) else kind_of(options)
        place.refuse(f"expected an object, got {got}", ", ".join(sorted(known)))
        return False
    for key in options.keys() - known:
        place.warn(f'"{key}" means nothing here and is ignored')
    return True


def _truthy(value: Any) -> bool:
    """Take a literal for true or false as JavaScript does."""
    return not (value is None or value is False or value == "" or value == 0)


def _shown(value: Any) -> str:
    return "missing" if value is None else repr(value) if isinstance(value, str) else kind_of(value)


_DIRECTIVES = {
    "@path": _compile_path,
    "@template": _compile_template,
    "@literal": _compile_literal,
    "@if": _compile_if,
    "@arrayPath": _compile_array_path,
    "@case": _compile_case,
    "@replace": _compile_replace,
    "@merge": _compile_merge,
    "@transform": _compile_transform,
    "@flatten": _compile_flatten,
    "@json": _compile_json,
    "@excludeWhenNull": _compile_exclude_when_null,
}
