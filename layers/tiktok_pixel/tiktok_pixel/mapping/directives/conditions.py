"""``@if``, and ``@first``, which Segment does not have.

``@first`` is the first of several candidates that is not blank, and undefined when all are. Blank
are null, undefined, text that is empty or white space, ``[]`` and ``{}``. A candidate is a
directive, or a path as a string::

    {"@first": ["$.properties.email", "$.traits.email", {"@literal": "unknown"}]}
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from tiktok_pixel.mapping.diagnostics import Diagnostics, Location, evaluate_to_undefined, json_type
from tiktok_pixel.mapping.directives.directive import (
    Chain,
    CheckValue,
    CompileValue,
    Directive,
    Explainer,
    Link,
    is_directive,
    read_object,
    truthy,
)
from tiktok_pixel.mapping.paths import UNDEFINED, Evaluator, exists, resolve, split_path
from tiktok_pixel.values.javascript import WHITESPACE

# ------------------------------------------------------------------ @if

# Hot path: most values are text.
_IF_CONDITIONS: Final = {
    "exists": "{value} is not None",
    "blank": "(v if {value}.__class__ is str else has_content(v))",
}
_FIRST_CONDITION: Final = "(v.strip(WHITESPACE) if {value}.__class__ is str else is_not_blank(v))"


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
    if not isinstance(options, dict) or len(options.keys() & _IF_CONDITIONS.keys()) != 1:
        return None
    test = "exists" if "exists" in options else "blank"
    if options.get("then") != options[test] or not options.keys() <= {test, "then", "else"}:
        return None
    if not path_keys(options[test]):
        return None
    link = Link(options[test], (test,), _IF_CONDITIONS[test])
    return Chain((link,), options.get("else"), ("else",))


# The presets of a file read the same paths.
_split_path: Final = lru_cache(maxsize=512)(split_path)


def path_keys(value: Any) -> tuple[str, ...] | None:
    """Return the keys of a plain ``@path``; None for anything else, () for the event itself."""
    if not isinstance(value, dict) or "@path" not in value:
        return None
    path = value["@path"]
    if not isinstance(path, str) or len(value) - ("_metadata" in value) != 1:
        return None
    return _split_path(path)


# ------------------------------------------------------------------ @first


def is_not_blank(value: Any) -> bool:
    """Return whether ``@first`` takes a value."""
    if isinstance(value, str):
        return bool(value.strip(WHITESPACE))
    # Hot path: `dict | list` would be created at each call.
    if value.__class__ is dict or value.__class__ is list:
        return bool(value)
    return exists(value)


def _compile_first(arguments: Any, location: Location, compile_value: CompileValue) -> Evaluator:
    if not isinstance(arguments, list) or not arguments:
        got = "an empty array" if arguments == [] else json_type(arguments)
        return location.error(f"must be an array of paths and directives; got {got}")
    candidates = [
        _compile_candidate(argument, location.at(str(index), keeps_undefined=False), compile_value)
        for index, argument in enumerate(arguments)
    ]

    def evaluate(data: Any) -> Any:
        values = (candidate(data) for candidate in candidates)
        return next(filter(is_not_blank, values), UNDEFINED)

    return evaluate


def _compile_candidate(argument: Any, location: Location, compile_value: CompileValue) -> Evaluator:
    candidate = _candidate(argument)
    if candidate is not None:
        return compile_value(candidate, location)
    got = f'"{argument}"' if isinstance(argument, str) else json_type(argument)
    return location.error(
        f'must be a path that starts with "$.", or a directive; got {got}; '
        'write a literal as {"@literal": …}'
    )


def _candidate(argument: Any) -> dict[str, Any] | None:
    """Return the directive that an argument stands for."""
    if isinstance(argument, str) and argument.startswith("$."):
        return {"@path": argument}
    return argument if is_directive(argument) else None


def candidate_values(arguments: list[Any], event: Any, compile_value: CompileValue) -> list[Any]:
    """Return the candidates of an ``@first`` that are not blank, in order.

    Args:
        arguments: The candidates as written, checked.
        event: A Segment event.
        compile_value: Compiles candidates that are not paths.
    """
    values = []
    for candidate in map(_candidate, arguments):
        keys = path_keys(candidate)
        if keys is None:
            values.append(compile_value(candidate, Location(Diagnostics(), ""))(event))
        else:
            values.append(resolve(event, keys))
    return [value for value in values if is_not_blank(value)]


def _check_first(arguments: Any, kind: Any, location: Location, check: CheckValue) -> None:
    for index, argument in enumerate(arguments if isinstance(arguments, list) else ()):
        if is_directive(argument):
            check(argument, kind, location.at(str(index)))


def _explain_first(arguments: Any, explainer: Explainer) -> tuple[str, ...]:
    candidates = map(_candidate, arguments)
    found = (candidate for candidate in candidates if is_not_blank(explainer.evaluate(candidate)))
    return explainer.paths(next(found))


def _read_first(arguments: Any) -> Chain | None:
    if not isinstance(arguments, list):
        return None
    links = []
    for index, argument in enumerate(arguments):
        candidate = _candidate(argument)
        if candidate is None:
            return None
        links.append(Link(candidate, (str(index),), _FIRST_CONDITION))
    return Chain(tuple(links)) if links else None


IF: Final = Directive(
    "@if", _compile_if, _check_if, _explain_if, _read_if, {"has_content": has_content}
)
FIRST: Final = Directive(
    "@first",
    _compile_first,
    _check_first,
    _explain_first,
    _read_first,
    {"WHITESPACE": WHITESPACE, "is_not_blank": is_not_blank},
)
