"""``@if``."""

from __future__ import annotations

from typing import Any, Final

from tiktok_pixel.mapping.diagnostics import Location, evaluate_to_undefined
from tiktok_pixel.mapping.directives.directive import (
    Chain,
    CheckValue,
    CompileValue,
    Directive,
    Explainer,
    Link,
    read_object,
    truthy,
)
from tiktok_pixel.mapping.paths import UNDEFINED, Evaluator, exists, split_path

_IS_CHOSEN: Final = {
    "exists": "{member} is not None",
    # Hot path: most values are text.
    "blank": "(v if {member}.__class__ is str else has_content(v))",
}


def has_content(value: Any) -> bool:
    """Return whether ``blank`` takes its ``then``: the value exists, and is not ``== ""``.

    That loose comparison of JavaScript takes ``0``, ``false``, ``[]`` and ``[null]`` for blank too,
    and ``" "`` not.
    """
    while value.__class__ is list:
        if len(value) != 1:
            return len(value) > 1  # two items print with a comma between them
        value = value[0]
        if value is None or value is UNDEFINED:
            return False
        if value.__class__ is not list:
            return bool(value != "")  # in an array, 0 prints as "0"
    return True if value.__class__ is dict else bool(value)


def _compile_if(arguments: Any, location: Location, compile_value: CompileValue) -> Evaluator:
    options = read_object(arguments, location, ("exists", "blank", "then", "else"))
    if options is None:
        return evaluate_to_undefined
    if not (truthy(options.get("exists")) or truthy(options.get("blank"))):
        return location.error('must have "exists" or "blank"')
    test, key = (exists, "exists") if "exists" in options else (has_content, "blank")
    subject = compile_value(options[key], location.at(key, keeps_undefined=False))
    then: Evaluator = evaluate_to_undefined
    if "then" in options:
        then = compile_value(options["then"], location.at("then"))
    # Segment resolves ``else`` only when it is truthy: ``"else": 0`` is undefined.
    otherwise: Evaluator = evaluate_to_undefined
    if truthy(options.get("else")):
        otherwise = compile_value(options["else"], location.at("else"))
    return lambda data: (then if test(subject(data)) else otherwise)(data)


def _check_if(arguments: Any, kind: Any, location: Location, check: CheckValue) -> None:
    if not isinstance(arguments, dict):
        return
    if "then" in arguments:
        check(arguments["then"], kind, location.at("then"))
    if truthy(arguments.get("else")):
        check(arguments["else"], kind, location.at("else"))


def _explain_if(options: dict[str, Any], explainer: Explainer) -> tuple[str, ...]:
    key = "exists" if "exists" in options else "blank"
    chosen = explainer.evaluate({"@if": {key: options[key], "then": "then", "else": "else"}})
    return explainer.paths(options.get(chosen))


def _read_if(options: Any) -> Chain | None:
    """Read ``if P then P else rest``, where P is a path."""
    if not isinstance(options, dict) or len(options.keys() & _IS_CHOSEN.keys()) != 1:
        return None
    test = "exists" if "exists" in options else "blank"
    if options.get("then") != options[test] or not options.keys() <= {test, "then", "else"}:
        return None
    keys = path_keys(options[test])
    if not keys:
        return None
    return Chain((Link(keys, _IS_CHOSEN[test]),), options.get("else"), ("else",))


def path_keys(value: Any) -> tuple[str, ...] | None:
    """Return the keys of a plain ``@path``; None for anything else, () for the event itself."""
    if not isinstance(value, dict):
        return None
    path = value.get("@path")
    if not isinstance(path, str) or not value.keys() <= {"@path", "_metadata"}:
        return None
    return split_path(path)


IF: Final = Directive("@if", _compile_if, _check_if, _explain_if, _read_if)
