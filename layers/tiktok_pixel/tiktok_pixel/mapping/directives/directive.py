"""What a directive consists of, and what the directives share: reading their arguments.

The limits are those of packages/core/src/mapping-kit/validate.ts in Segment's action-destinations
repository.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from tiktok_pixel.mapping.diagnostics import Location, evaluate_to_undefined, json_type
from tiktok_pixel.mapping.paths import Evaluator

# Compiles any value of a mapping; passed down, because directives nest in each other.
CompileValue = Callable[[Any, Location], Evaluator]
# Checks that a value of a mapping can be sent as a type; passed down for the same reason.
CheckValue = Callable[[Any, Any, Location], None]


class Explainer(Protocol):
    """Explains the values of a mapping for one event."""

    def evaluate(self, value: Any) -> Any:
        """Evaluate a value of a mapping."""

    def paths(self, value: Any) -> tuple[str, ...]:
        """Return the paths that supplied a value, as they are written."""


class Link(NamedTuple):
    """One candidate of a chain.

    Attributes:
        value: The candidate, a directive. A plain path is compiled inline, too.
        path: Where it stands in the arguments of the directive.
        condition: A Python expression that is true when the chain ends with this candidate.
            ``{value}`` stands for the expression of its value, which assigns it to ``v``.
    """

    value: dict[str, Any]
    path: tuple[str, ...]
    condition: str


class Chain(NamedTuple):
    """A directive as "the first of these candidates that …, else the rest".

    Attributes:
        links: The candidates in order.
        rest: What the field is when no candidate is chosen; undefined when it is falsy.
        rest_path: Where the rest stands in the arguments of the directive.
    """

    links: tuple[Link, ...]
    rest: Any = None
    rest_path: tuple[str, ...] = ()


def check_nothing(_arguments: Any, _kind: Any, _location: Location, _check: CheckValue) -> None:
    """Check nothing: the results of the directive are not known before there is an event."""


def explain_arguments(arguments: Any, explainer: Explainer) -> tuple[str, ...]:
    """Return the paths of all arguments."""
    return explainer.paths(arguments)


def explain_value(arguments: Any, explainer: Explainer) -> tuple[str, ...]:
    """Return the paths of the argument ``value``."""
    return explainer.paths(arguments["value"])


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive of the mapping language.

    Attributes:
        name: The name with its ``@``.
        compile: Compiles the arguments, which it reports problems of.
        check: Checks the literals among the values that the directive can have.
        explain: Returns the paths that supplied a value that is not undefined.
        chain: Reads arguments as a chain, None when they are not one. Chains are compiled inline,
            without a function call per candidate.
        names: What the conditions of its chains use, by name.
    """

    name: str
    compile: Callable[[Any, Location, CompileValue], Evaluator]
    check: Callable[[Any, Any, Location, CheckValue], None] = check_nothing
    explain: Callable[[Any, Explainer], tuple[str, ...]] = explain_arguments
    chain: Callable[[Any], Chain | None] | None = None
    names: Mapping[str, object] = field(default_factory=dict)


def is_directive(value: Any) -> bool:
    """Return whether a value of a mapping is a directive."""
    # Loops, here and below: generators would cost more, and every cold start compiles mappings.
    if isinstance(value, dict):
        for key in value:
            if key.startswith("@"):
                return True
    return False


def has_directive(value: Any) -> bool:
    """Return whether a value of a mapping depends on the event."""
    if isinstance(value, dict):
        for key, item in value.items():  # noqa: SIM110
            if key.startswith("@") or has_directive(item):
                return True
        return False
    return isinstance(value, list) and any(map(has_directive, value))


def truthy(value: Any) -> bool:
    """Return whether JavaScript takes a literal for true; empty objects and arrays are."""
    return not (value is None or value is False or value in ("", 0))


def constant(value: Any) -> Evaluator:
    """Return an evaluator of a literal."""
    return lambda _data: value


def read_object(options: Any, location: Location, known: tuple[str, ...]) -> dict[str, Any] | None:
    """Return arguments that must be a plain object; None, and a problem, when they are not.

    Segment ignores unknown keys, so they are only a warning.
    """
    keys = ", ".join(known)
    if not isinstance(options, dict) or is_directive(options):
        got = "a directive" if isinstance(options, dict) else json_type(options)
        location.error(f"must be an object with {keys}; got {got}")
        return None
    for key in options:
        if key not in known:
            location.warning(f'unknown key "{key}" is ignored; known keys: {keys}')
    return options


def read_choice(
    options: dict[str, Any], key: str, choices: tuple[str, ...], location: Location
) -> str:
    """Return an argument that must be one of a few words; empty, and a problem, when it is not."""
    choice = options.get(key)
    if choice in choices:
        return str(choice)
    got = f'"{choice}"' if isinstance(choice, str) else type_of(options, key)
    location.at(key).error(f"must be one of: {', '.join(choices)}; got {got}")
    return ""


def type_of(options: dict[str, Any], key: str) -> str:
    """Name the JSON type of an argument, for messages."""
    return json_type(options[key]) if key in options else "nothing"


def read_flag(options: dict[str, Any], key: str, location: Location, *, default: bool) -> bool:
    """Return a boolean argument."""
    flag = options.get(key, default)
    if not isinstance(flag, bool):
        location.at(key).error(f"must be true or false; got {json_type(flag)}")
    return bool(flag)


def string_or_directive(
    value: Any, location: Location, compile_value: CompileValue
) -> Evaluator | None:
    """Compile an operand that must be a string or a directive; None stands for the string."""
    if isinstance(value, str):
        return None
    if is_directive(value):
        return compile_value(value, location)
    return location.error(f"must be a string or a directive; got {json_type(value)}")


def text_operand(
    options: dict[str, Any], location: Location, compile_value: CompileValue
) -> Evaluator:
    """Compile the argument ``value``; it is undefined when absent or empty."""
    value = options.get("value", "")
    if value == "":
        return evaluate_to_undefined
    evaluate = string_or_directive(value, location.at("value"), compile_value)
    return constant(value) if evaluate is None else evaluate
