"""JSON text as it goes over the wire: compact, and pure ASCII.

ASCII, because a string may hold lone surrogates, which UTF-8 cannot: they stay escaped.
"""

from __future__ import annotations

import json.encoder
from json import JSONEncoder
from typing import Any, Final

_ENCODER: Final = JSONEncoder(separators=(",", ":"), allow_nan=False)

# `JSONEncoder.encode` makes a new C encoder for every value and has it search for circles, which is
# a fifth of what an event takes. This one is made once, with what `JSONEncoder.iterencode` gives
# it, and does not search: what was read from JSON has no circles. Other Pythons have none in C.
_make_encoder: Final[Any] = getattr(json.encoder, "c_make_encoder", None)
_encode: Final[Any] = _make_encoder and _make_encoder(
    None,
    _ENCODER.default,
    json.encoder.encode_basestring_ascii,
    None,
    _ENCODER.key_separator,
    _ENCODER.item_separator,
    _ENCODER.sort_keys,
    _ENCODER.skipkeys,
    _ENCODER.allow_nan,
)


def compact(value: object) -> str:
    """The JSON text of a value that came out of JSON.

    Raises:
        ValueError: A number that is not finite.
    """
    return "".join(_encode(value, 0)) if _encode else _ENCODER.encode(value)
