"""The directives of Segment's mapping kit, compiled to functions.

Source of the rules: packages/core/src/mapping-kit of Segment's action-destinations repository
(README.md, index.ts, validate.ts, flatten.ts). Compiling validates: what Segment refuses when it
validates a mapping, and what it could only refuse at run time whatever the event, is a problem of
the file. What depends on the event (an inner directive of `@path` that gives no string) makes
Segment throw away the whole event; here that directive is undefined and the event goes on.
"""

from typing import Any

from tiktok_pixel.mapping.arguments import (
    CompileValue,
    constant,
    has_directive,
    is_directive,
    read_object,
    string_or_directive,
    truthy,
)
from tiktok_pixel.mapping.diagnostics import Place, kind_of, nothing
from tiktok_pixel.mapping.objects import compile_object
from tiktok_pixel.mapping.paths import (
    UNDEFINED,
    Evaluator,
    drop_undefined,
    exists,
    has_content,
    resolve,
    split_path,
)
from tiktok_pixel.mapping.reshaping import (
    compile_exclude_when_null,
    compile_flatten,
    compile_json,
    compile_merge,
    compile_transform,
)
from tiktok_pixel.mapping.templates import compile_template
from tiktok_pixel.mapping.text import compile_case, compile_replace


def compile_value(value: Any, place: Place) -> Evaluator:
    """Compile any JSON value of a mapping; problems go to the findings of `place`."""
    if is_directive(value):
        return _compile_directive(value, place)
    if not has_directive(value):
        return constant(value)
    if isinstance(value, dict):
        return compile_object(value, place, compile_value)
    return _compile_array(value, place)


def _compile_array(items: list[Any], place: Place) -> Evaluator:
    evaluators = [compile_value(item, place.at(str(index))) for index, item in enumerate(items)]
    if place.raw:
        return lambda data: [evaluate(data) for evaluate in evaluators]

    def evaluate_array(data: Any) -> list[Any]:
        values = (evaluate(data) for evaluate in evaluators)
        return [None if value is UNDEFINED else value for value in values]

    return evaluate_array


def _compile_directive(value: dict[str, Any], place: Place) -> Evaluator:
    if len(value) - ("_metadata" in value) > 1:
        return place.refuse(
            f"has {len(value)} keys",
            'one key that begins with "@", and "_metadata" beside it',
        )
    name = next(key for key in value if key.startswith("@"))
    compile_arguments = _DIRECTIVES.get(name)
    if compile_arguments is None:
        reason = "is not supported" if name == "@liquid" else "is not a directive"
        return place.refuse(f"{name} {reason}", ", ".join(sorted(_DIRECTIVES)))
    return compile_arguments(value[name], place.at(name), compile_value)


def _compile_path(path: Any, place: Place, compile_value: CompileValue) -> Evaluator:
    inner = string_or_directive(path, place, compile_value)
    if inner is None:
        return _path(path)

    def evaluate(data: Any) -> Any:
        found = inner(data)
        return resolve(data, split_path(found)) if isinstance(found, str) else UNDEFINED

    return evaluate


def _path(path: str) -> Evaluator:
    keys = split_path(path)
    return lambda data: resolve(data, keys)


def _compile_template(template: Any, place: Place, compile_value: CompileValue) -> Evaluator:
    inner = string_or_directive(template, place, compile_value)
    if inner is None:
        return compile_template(template)

    def evaluate(data: Any) -> Any:
        found = inner(data)
        return compile_template(found)(data) if isinstance(found, str) else UNDEFINED

    return evaluate


def _compile_literal(value: Any, place: Place, compile_value: CompileValue) -> Evaluator:
    return compile_value(value, place)


def _compile_if(arguments: Any, place: Place, compile_value: CompileValue) -> Evaluator:
    options = read_object(arguments, place, {"exists", "blank", "then", "else"})
    if options is None:
        return nothing
    if not (truthy(options.get("exists")) or truthy(options.get("blank"))):
        return place.refuse('needs "exists" or "blank"')
    test, key = (exists, "exists") if "exists" in options else (has_content, "blank")
    subject = compile_value(options[key], place.at(key, raw=False))
    then = compile_value(options["then"], place.at("then")) if "then" in options else nothing
    # Segment resolves `else` only when JavaScript takes it for true: `"else": 0` is undefined.
    otherwise: Evaluator = nothing
    if truthy(options.get("else")):
        otherwise = compile_value(options["else"], place.at("else"))
    return lambda data: (then if test(subject(data)) else otherwise)(data)


def _compile_array_path(arguments: Any, place: Place, compile_value: CompileValue) -> Evaluator:
    if not isinstance(arguments, list) or not arguments:
        got = "an empty array" if arguments == [] else kind_of(arguments)
        return place.refuse(f"expected [path, shape], got {got}")
    # Items that are undefined are so to the shape as well, not yet null.
    root = string_or_directive(arguments[0], place.at("0", raw=True), compile_value)
    evaluate = root or _path(arguments[0])
    shape = arguments[1] if len(arguments) > 1 else None
    if isinstance(shape, dict) and shape:
        items = evaluate if root is None else _without_undefined_members(root)
        evaluate = _array_of(items, compile_value(shape, place.at("1")), raw=place.raw)
    if root is None or place.raw:
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


_DIRECTIVES = {
    "@path": _compile_path,
    "@template": _compile_template,
    "@literal": _compile_literal,
    "@if": _compile_if,
    "@arrayPath": _compile_array_path,
    "@case": compile_case,
    "@replace": compile_replace,
    "@merge": compile_merge,
    "@transform": compile_transform,
    "@flatten": compile_flatten,
    "@json": compile_json,
    "@excludeWhenNull": compile_exclude_when_null,
}
