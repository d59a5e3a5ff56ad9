"""The names and literal values in a mapping that can never be sent.

What the event gives is coerced when it is sent, and left out when that fails. A literal that is
bound to fail, and a name that nobody reads, are mistakes in the file and are told when it loads.
"""

from collections.abc import Mapping
from typing import Any

from tiktok_pixel.mapping.arguments import is_directive, truthy
from tiktok_pixel.mapping.diagnostics import Place, kind_of
from tiktok_pixel.mapping.schema import KnownFields, Schema
from tiktok_pixel.values.javascript import WHITESPACE


def check_fields(fields: Mapping[str, Any], schema: Schema, place: Place) -> None:
    """Warn of names that nothing reads, and refuse literals that could never be sent.

    Args:
        fields: Members of an object in a mapping; not nested too deeply.
        schema: The fields of the destination.
        place: Where the object stands.
    """
    _check_members(fields, schema.FIELDS, schema, place)


def _check_members(
    fields: Mapping[str, Any], known: KnownFields, schema: Schema, place: Place
) -> None:
    for name, value in fields.items():
        if name in known:
            _check(value, known[name], schema, place.at(name))
        elif not name.startswith("__"):  # Segment's own
            place.at(name).warn(f"is not a field of TikTok's and is not sent{_meant(name, known)}")


def _meant(name: str, known: KnownFields) -> str:
    # Imported here: only a mistake needs it, and every cold start would pay for it.
    from difflib import get_close_matches  # noqa: PLC0415

    close = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""


def _check(value: Any, kind: Any, schema: Schema, place: Place) -> None:
    if is_directive(value):
        _check_results(value, kind, schema, place)
    elif isinstance(kind, Mapping):
        if isinstance(value, dict):
            _check_members(value, kind, schema, place)
        elif not _is_blank(value):
            place.refuse(f"must be an object with {', '.join(kind)}; got {kind_of(value)}")
    elif isinstance(kind, list):
        _check_items(value, kind[0], schema, place)
    elif isinstance(value, list) and any(map(is_directive, value)):
        _check_items(value, kind, schema, place)
    elif problem := schema.literal_problem(value, kind):
        place.refuse(problem)


def _check_items(value: Any, kind: Any, schema: Schema, place: Place) -> None:
    """Check an array, or what stands for an array of one."""
    if not isinstance(value, list):
        _check(value, kind, schema, place)
        return
    for index, item in enumerate(value):
        _check(item, kind, schema, place.at(str(index)))


def _check_results(directive: dict[str, Any], kind: Any, schema: Schema, place: Place) -> None:
    """Check the literals among the values that a directive can have."""
    name = next(key for key in directive if key.startswith("@"))
    arguments = directive[name]
    place = place.at(name)
    if name in ("@literal", "@excludeWhenNull"):
        _check(arguments, kind, schema, place)
    elif name == "@if" and isinstance(arguments, dict):
        if "then" in arguments:
            _check(arguments["then"], kind, schema, place.at("then"))
        if truthy(arguments.get("else")):
            _check(arguments["else"], kind, schema, place.at("else"))
    elif name == "@arrayPath" and isinstance(arguments, list) and isinstance(kind, list):
        shape = arguments[1] if len(arguments) > 1 else None
        if isinstance(shape, dict):
            _check(shape, kind[0], schema, place.at("1"))


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip(WHITESPACE))
