"""Values of a mapping, compiled to functions.

The rules are those of packages/core/src/mapping-kit in Segment's action-destinations repository
(README.md, index.ts, validate.ts, flatten.ts). Compiling validates: what Segment refuses when it
validates a mapping, and what could only fail at run time whatever the event, is a problem of the
file. What depends on the event (an inner directive of ``@path`` that gives no string) makes Segment
drop the whole event; here that directive is undefined and the event is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tiktok_pixel.mapping.diagnostics import Location, json_type
from tiktok_pixel.mapping.directives import DIRECTIVES
from tiktok_pixel.mapping.directives.directive import constant, has_directive, is_directive
from tiktok_pixel.mapping.objects import compile_object
from tiktok_pixel.mapping.paths import MAX_DEPTH, UNDEFINED, Evaluator, within_depth

# A directive whose result is what all other fields are mapped from (Segment's core).
_ROOT_KEY: Final = "__segment_internal_directive"


def compile_value(value: Any, location: Location) -> Evaluator:
    """Compile any JSON value of a mapping, and report its problems."""
    if is_directive(value):
        return _compile_directive(value, location)
    if not has_directive(value):
        return constant(value)
    if isinstance(value, dict):
        return compile_object(value, location, compile_value)
    return _compile_array(value, location)


def _compile_array(items: list[Any], location: Location) -> Evaluator:
    evaluators = [compile_value(item, location.at(str(index))) for index, item in enumerate(items)]
    if location.keeps_undefined:
        return lambda data: [evaluate(data) for evaluate in evaluators]

    def evaluate_array(data: Any) -> list[Any]:
        values = (evaluate(data) for evaluate in evaluators)
        return [None if value is UNDEFINED else value for value in values]

    return evaluate_array


def _compile_directive(value: dict[str, Any], location: Location) -> Evaluator:
    keys = [key for key in value if key != "_metadata"]
    if len(keys) > 1:
        found = ", ".join(f'"{key}"' for key in keys)
        return location.error(
            f'must have one key that starts with "@" and no other, except "_metadata"; got {found}'
        )
    (name,) = keys
    directive = DIRECTIVES.get(name)
    if directive is None:
        reason = "is not supported" if name == "@liquid" else "is not a directive"
        return location.error(f"{name} {reason}; use one of: {', '.join(sorted(DIRECTIVES))}")
    return directive.compile(value[name], location.at(name), compile_value)


def compile_fields(
    fields: dict[str, Any], location: Location
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Compile the fields of a mapping to one function from event to mapped fields."""
    if not within_depth(fields):
        return location.error(f"must not be nested deeper than {MAX_DEPTH} levels")
    if _ROOT_KEY in fields:
        return _compile_root(fields, location)
    evaluate = compile_value(fields, location)
    if not is_directive(fields):
        return evaluate

    def evaluate_directive(event: dict[str, Any]) -> dict[str, Any]:
        mapped = evaluate(event)
        return mapped if isinstance(mapped, dict) else {}

    return evaluate_directive


def _compile_root(
    fields: dict[str, Any], location: Location
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    root = fields[_ROOT_KEY]
    location = location.at(_ROOT_KEY)
    if not isinstance(root, dict) or len(root) != 1:
        return location.error("must be an object with one directive")
    ((directive, options),) = root.items()
    if not isinstance(options, dict):
        return location.at(directive).error(f"must be an object; got {json_type(options)}")
    rest = {key: value for key, value in fields.items() if key != _ROOT_KEY}
    return compile_fields({directive: {**options, "mapping": rest}}, location)
