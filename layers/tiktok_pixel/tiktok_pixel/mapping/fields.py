"""The names and literal values in a mapping that can never be sent.

What the event gives is coerced when it is sent, and left out when that fails. A literal that is
bound to fail, and a name that nobody reads, are mistakes in the file and are told when it loads.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from tiktok_pixel.mapping.arguments import is_directive, truthy
from tiktok_pixel.mapping.diagnostics import Place, kind_of
from tiktok_pixel.tiktok.event_names import event_name_problem
from tiktok_pixel.tiktok.schema import Kind, KnownFields, Scalar, coercion_of
from tiktok_pixel.values import coercion
from tiktok_pixel.values.javascript import WHITESPACE, to_string
from tiktok_pixel.values.validation import UnusableValueError

_IN_WORDS: Final = {
    "text": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "time": "a time in ISO 8601",
    "currency": "a currency",
}


def check_fields(fields: Mapping[str, Any], known: KnownFields, place: Place) -> None:
    """Warn of names that nothing reads, and refuse literals that could never be sent.

    Args:
        fields: Members of an object in a mapping; not nested too deeply.
        known: What may stand there.
        place: Where the object stands.
    """
    for name, value in fields.items():
        if name in known:
            _check(value, known[name], place.at(name))
        elif not name.startswith("__"):  # Segment's own
            place.at(name).warn(f"is not a field of TikTok's and is not sent{_meant(name, known)}")


def _meant(name: str, known: KnownFields) -> str:
    # Imported here: only a mistake needs it, and every cold start would pay for it.
    from difflib import get_close_matches  # noqa: PLC0415

    close = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""


def _check(value: Any, kind: Kind, place: Place) -> None:
    if is_directive(value):
        _check_results(value, kind, place)
    elif isinstance(kind, Mapping):
        if isinstance(value, dict):
            check_fields(value, kind, place)
        elif not _is_blank(value):
            place.refuse(f"expected an object, got {kind_of(value)}", ", ".join(kind))
    elif isinstance(kind, list):
        _check_items(value, kind[0], place)
    elif kind == "texts":
        _check_items(value, "text", place)
    elif kind == "event":
        # The name that stands there itself is checked with the preset.
        is_inner = isinstance(value, str) and len(place.path) > 1
        if is_inner and (problem := event_name_problem(value)):
            place.refuse(problem)
    elif isinstance(value, list) and any(map(is_directive, value)):
        _check_items(value, kind, place)
    elif not _is_usable(value, kind):
        _refuse(value, kind, place)


def _check_items(value: Any, kind: Kind, place: Place) -> None:
    """Check an array, or what stands for an array of one."""
    if not isinstance(value, list):
        _check(value, kind, place)
        return
    for index, item in enumerate(value):
        _check(item, kind, place.at(str(index)))


def _check_results(directive: dict[str, Any], kind: Kind, place: Place) -> None:
    """Check the literals among the values that a directive can have."""
    name = next(key for key in directive if key.startswith("@"))
    arguments = directive[name]
    place = place.at(name)
    if name in ("@literal", "@excludeWhenNull"):
        _check(arguments, kind, place)
    elif name == "@if" and isinstance(arguments, dict):
        if "then" in arguments:
            _check(arguments["then"], kind, place.at("then"))
        if truthy(arguments.get("else")):
            _check(arguments["else"], kind, place.at("else"))
    elif name == "@arrayPath" and isinstance(arguments, list) and isinstance(kind, list):
        shape = arguments[1] if len(arguments) > 1 else None
        if isinstance(shape, dict):
            _check(shape, kind[0], place.at("1"))


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip(WHITESPACE))


def _is_usable(value: Any, kind: Scalar) -> bool:
    """Tell whether coercion can make something of a literal; blank ones are left out, not wrong."""
    if kind == "anything":
        return True
    coerce = _check_time if kind == "time" else coercion_of(kind)
    try:
        coerce(value)
    except UnusableValueError:
        return False
    return True


def _check_time(value: Any) -> None:
    if coercion.text(value) is None:
        return
    moment = value[0] if isinstance(value, list) else value
    try:
        datetime.fromisoformat(moment)
    except (TypeError, ValueError) as error:
        raise UnusableValueError("unparsable") from error


def _refuse(value: Any, kind: Scalar, place: Place) -> None:
    words = sorted(coercion.CURRENCIES) if kind == "currency" else kind
    allowed = () if isinstance(words, str) else words
    expected = "one of a few words" if isinstance(kind, tuple) else _IN_WORDS[kind]
    if isinstance(value, dict | list):
        got = kind_of(value)
    else:
        got = f'"{value}"' if isinstance(value, str) else to_string(value)
    place.refuse(f"expected {expected}, got {got}", ", ".join(allowed))
