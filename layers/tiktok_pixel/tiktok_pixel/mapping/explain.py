"""Where a mapped value came from, for people who look at a mapping and an event."""

from typing import Any

from tiktok_pixel.mapping.arguments import is_directive
from tiktok_pixel.mapping.diagnostics import Findings, Place
from tiktok_pixel.mapping.directives import compile_value
from tiktok_pixel.mapping.paths import UNDEFINED
from tiktok_pixel.mapping.templates import placeholders

# The argument that a directive's value is made of, where the directive has several.
_OPERANDS = {
    "@merge": "objects",
    "@transform": "apply",
    "@case": "value",
    "@replace": "value",
    "@json": "value",
    "@flatten": "value",
}


def explain_field(value: Any, event: Any) -> tuple[str, ...]:
    """Name the paths, as they are written, that supplied a field's value from this event.

    `value` is the field as the mapping has it. Nothing is named for a constant and for a field
    that the event leaves undefined. Of an `@arrayPath` the array is named, not what its items
    have; of a `@template` the placeholders. This evaluates the mapping piece by piece: it is for
    tools, not for traffic.
    """
    if is_directive(value):
        name = next(key for key in value if key.startswith("@"))
        return _explain_directive(name, value[name], event)
    if isinstance(value, dict | list):
        members = value.values() if isinstance(value, dict) else value
        return _union(explain_field(member, event) for member in members)
    return ()


def _explain_directive(name: str, arguments: Any, event: Any) -> tuple[str, ...]:
    if _evaluate({name: arguments}, event) is UNDEFINED:
        return ()
    if name == "@arrayPath":
        name, arguments = "@path", arguments[0]
    if name == "@path" and isinstance(arguments, str):
        return (arguments,)
    if name == "@template" and isinstance(arguments, str):
        paths = placeholders(arguments)
        return tuple(path for path in paths if _evaluate({"@template": f"{{{{{path}}}}}"}, event))
    if name == "@if":
        return _explain_if(arguments, event)
    operand = _OPERANDS.get(name)
    return explain_field(arguments[operand] if operand else arguments, event)


def _explain_if(options: dict[str, Any], event: Any) -> tuple[str, ...]:
    key = "exists" if "exists" in options else "blank"
    chosen = {"@if": {key: options[key], "then": "then", "else": "else"}}
    return explain_field(options.get(_evaluate(chosen, event)), event)


def _evaluate(value: Any, event: Any) -> Any:
    return compile_value(value, Place(Findings(), ""))(event)


def _union(found: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(path for paths in found for path in paths))
