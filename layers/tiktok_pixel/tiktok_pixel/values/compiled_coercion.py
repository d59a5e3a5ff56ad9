"""The coercions of many fields, compiled to one Python function.

Coercing the fields of an event and of its products one by one, with a call for each, would take
as long as hashing its identifiers. So the text of one function is written and compiled, which takes
a value that already is of its field's type as it is::

    def coerce(target, source, problems):
        if 'brand' in source:
            v = source['brand']
            if v.__class__ is str and v.strip(WHITESPACE): target['brand'] = v
            elif (v := usable('brand', v, text, problems)) is not None: target['brand'] = v
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Final, cast

from tiktok_pixel.tiktok.schema import Kind, coercion_of
from tiktok_pixel.values.coercion import EXACT_INTEGER, usable
from tiktok_pixel.values.javascript import WHITESPACE
from tiktok_pixel.values.validation import Problem

Coercer = Callable[[dict[str, Any], Mapping[str, Any], list[Problem]], None]
"""Takes the target, the mapped fields and the problems: puts what is usable of the fields into the
target, under the same names, and what is not among the problems."""

# When a value is what the coercion would make of it.
_IS_INTEGER: Final = "v.__class__ is int and 0 <= v <= EXACT_INTEGER"
_IS_DONE: Final = {
    "text": "v.__class__ is str and v.strip(WHITESPACE)",
    "number": f"v.__class__ is float and isfinite(v) or {_IS_INTEGER}",
    "integer": _IS_INTEGER,
}
_NAMES: Final[dict[str, Any]] = {
    "usable": usable,
    "isfinite": isfinite,
    "WHITESPACE": WHITESPACE,
    "EXACT_INTEGER": EXACT_INTEGER,
}


def compile_coercer(kinds: Mapping[str, Kind]) -> Coercer:
    """Compile the coercions of fields, by their types."""
    names = dict(_NAMES)
    lines = ["def coerce(target, source, problems):"]
    for number, (field, kind) in enumerate(kinds.items()):
        names[f"c{number}"] = coercion_of(kind)
        done = _IS_DONE.get(kind, "False") if isinstance(kind, str) else "False"
        coerced = f"(v := usable({field!r}, v, c{number}, problems))"
        lines += [
            f"  if {field!r} in source:",
            f"    v = source[{field!r}]",
            f"    if {done}: target[{field!r}] = v",
            f"    elif {coerced} is not None: target[{field!r}] = v",
        ]
    exec(compile("\n".join(lines), "<coercion>", "exec"), names)  # noqa: S102  # written above, from names of ours
    return cast("Coercer", names["coerce"])
