"""What the directives' arguments have in common: reading them and refusing wrong ones.

The limits are those of packages/core/src/mapping-kit/validate.ts in Segment's action-destinations
repository.
"""

from collections.abc import Callable
from typing import Any

from tiktok_pixel.mapping.diagnostics import Place, kind_of, nothing
from tiktok_pixel.mapping.paths import Evaluator

# Compiles any value of a mapping; handed down, because directives nest in each other.
CompileValue = Callable[[Any, Place], Evaluator]


def is_directive(value: Any) -> bool:
    """Tell whether a value of a mapping is to be taken for a directive."""
    return isinstance(value, dict) and any(key.startswith("@") for key in value)


def has_directive(value: Any) -> bool:
    """Tell whether a value of a mapping depends on the event."""
    if isinstance(value, dict):
        return any(key.startswith("@") or has_directive(item) for key, item in value.items())
    return isinstance(value, list) and any(map(has_directive, value))


def truthy(value: Any) -> bool:
    """Take a literal for true or false as JavaScript does: empty objects and arrays are true."""
    return not (value is None or value is False or value in ("", 0))


def constant(value: Any) -> Evaluator:
    """Evaluate to a value of the mapping itself."""
    return lambda _data: value


def read_object(options: Any, place: Place, known: set[str]) -> dict[str, Any] | None:
    """Take the argument of a directive for a plain object; None, and a problem, when it is not.

    Segment ignores keys that it does not know, so they are a warning only.
    """
    if not isinstance(options, dict) or is_directive(options):
        got = "a directive" if isinstance(options, dict) else kind_of(options)
        place.refuse(f"expected an object, got {got}", ", ".join(sorted(known)))
        return None
    for key in options.keys() - known:
        place.warn(f'"{key}" means nothing here and is ignored')
    return options


def read_choice(options: dict[str, Any], key: str, choices: tuple[str, ...], place: Place) -> str:
    """Take one of a few words; the answer is empty, and there is a problem, for anything else."""
    choice = options.get(key)
    if choice in choices:
        return str(choice)
    got = "is missing" if choice is None else f"is {choice!r}"
    place.at(key).refuse(got, ", ".join(f'"{allowed}"' for allowed in choices))
    return ""


def string_or_directive(value: Any, place: Place, compile_value: CompileValue) -> Evaluator | None:
    """Compile an operand that must be one of the two; None stands for a literal string."""
    if isinstance(value, str):
        return None
    if is_directive(value):
        return compile_value(value, place)
    return place.refuse(f"expected a string or a directive, got {kind_of(value)}")


def text_operand(options: dict[str, Any], place: Place, compile_value: CompileValue) -> Evaluator:
    """Compile the `value` of `@case` and `@replace`; without one, or with "", it is undefined."""
    value = options.get("value", "")
    if value == "":
        return nothing
    evaluate = string_or_directive(value, place.at("value"), compile_value)
    return constant(value) if evaluate is None else evaluate
