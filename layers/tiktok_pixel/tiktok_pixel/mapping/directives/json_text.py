"""``@json``: a value as JSON text, or JSON text as a value, as JavaScript writes and reads it.

Members keep their order; JavaScript would put keys that are whole numbers first.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from tiktok_pixel.mapping.diagnostics import Location, evaluate_to_undefined
from tiktok_pixel.mapping.directives.directive import (
    CompileValue,
    Directive,
    explain_value,
    read_choice,
    read_object,
    truthy,
)
from tiktok_pixel.mapping.paths import UNDEFINED, Evaluator, drop_undefined, within_depth
from tiktok_pixel.values.javascript import to_string

_LONE_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_encode_string: Final = json.encoder.encode_basestring


def _compile_json(arguments: Any, location: Location, compile_value: CompileValue) -> Evaluator:
    options = read_object(arguments, location, ("value", "mode"))
    if options is None:
        return evaluate_to_undefined
    mode = read_choice(options, "mode", ("encode", "decode"), location)
    if not truthy(options.get("value")):
        return location.error('must have "value"')
    # Only objects that keep undefined members keep the order of the others, which the text shows.
    keeps_undefined = location.keeps_undefined or mode == "encode"
    value = compile_value(options["value"], location.at("value", keeps_undefined=keeps_undefined))

    def encode(data: Any) -> Any:
        found = value(data)
        return UNDEFINED if found is UNDEFINED else stringify(drop_undefined(found))

    def decode(data: Any) -> Any:
        found = value(data)
        return parse(found) if isinstance(found, str) else found

    return encode if mode == "encode" else decode


def stringify(value: Any) -> Any:
    """Write a value as ``JSON.stringify`` does; UNDEFINED for one nested too deeply."""
    return _text(value) if within_depth(value) else UNDEFINED


def parse(text: str) -> Any:
    """Read JSON text; text that is not JSON is the value itself.

    The result is UNDEFINED for a value nested too deeply.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except ValueError:
        return text
    except RecursionError:
        return UNDEFINED
    return value if within_depth(value) else UNDEFINED


def _text(value: Any) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        members = (f"{_quoted(key)}:{_text(item)}" for key, item in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    text = to_string(value)
    return "null" if text.endswith("Infinity") else text


def _quoted(text: str) -> str:
    # A surrogate without its partner is not a character; JavaScript escapes it since ES2019.
    return _LONE_SURROGATES.sub(lambda match: f"\\u{ord(match[0]):x}", _encode_string(text))


def _refuse_constant(name: str) -> Any:
    # json.loads accepts NaN and Infinity, which are not JSON.
    raise ValueError(name)


JSON: Final = Directive("@json", _compile_json, explain=explain_value)
