"""JSON text as JavaScript writes and reads it, for `@json`.

Members stand in the order they came in; JavaScript would put keys that are whole numbers first.
"""

import json
import re
from typing import Any

from tiktok_pixel.mapping.paths import UNDEFINED, within_depth
from tiktok_pixel.values.javascript import to_string

_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_encode_string = json.encoder.encode_basestring


def stringify(value: Any) -> Any:
    """Write a value as `JSON.stringify` does; UNDEFINED for one nested too deeply."""
    return _text(value) if within_depth(value) else UNDEFINED


def parse(text: str) -> Any:
    """Read JSON text as `@json: decode` does: text that is no JSON is the value itself.

    The answer is UNDEFINED for a value nested too deeply.
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
    # A surrogate without its partner is no character; JavaScript escapes it since ES2019.
    return _LONE_SURROGATES.sub(lambda match: f"\\u{ord(match[0]):x}", _encode_string(text))


def _refuse_constant(name: str) -> Any:
    # json.loads would take NaN and Infinity, which are not JSON.
    raise ValueError(name)
