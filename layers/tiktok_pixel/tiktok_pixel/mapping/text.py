"""The directives that change text: `@case` and `@replace`."""

import re
from collections.abc import Callable
from typing import Any

from tiktok_pixel.mapping.arguments import (
    CompileValue,
    read_choice,
    read_object,
    text_operand,
    truthy,
)
from tiktok_pixel.mapping.diagnostics import Place, kind_of, nothing
from tiktok_pixel.mapping.paths import Evaluator
from tiktok_pixel.values.javascript import to_string

# Segment's limits (MAX_PATTERN_LENGTH, MAX_REPLACEMENT_LENGTH).
_MAX_LENGTH = 10
# What JavaScript puts for these in a replacement; `$1` means nothing in a pattern without groups.
_SPECIAL = re.compile(r"\$([$&`'])")

_Replacement = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


def compile_case(arguments: Any, place: Place, compile_value: CompileValue) -> Evaluator:
    """Compile `@case`: lower or upper case of a string, any other value as it is."""
    options = read_object(arguments, place, {"operator", "value"})
    if options is None:
        return nothing
    operator = read_choice(options, "operator", ("lower", "upper"), place)
    change = str.lower if operator == "lower" else str.upper
    value = text_operand(options, place, compile_value)

    def evaluate(data: Any) -> Any:
        found = value(data)
        return change(found) if isinstance(found, str) else found

    return evaluate


def compile_replace(arguments: Any, place: Place, compile_value: CompileValue) -> Evaluator:
    """Compile `@replace`: one or two replacements of literal text.

    Numbers and booleans are printed first; what is neither they nor a string gives "".
    """
    known = {"pattern", "replacement", "pattern2", "replacement2", "value", "ignorecase", "global"}
    options = read_object(arguments, place, known)
    if options is None:
        return nothing
    if "value" not in options:
        return place.refuse('needs "value"')
    ignore_case = _flag(options, "ignorecase", place, default=False)
    count = 0 if _flag(options, "global", place, default=True) else 1
    value = text_operand(options, place, compile_value)
    passes = [_replacement(options, "", place, ignore_case=ignore_case)]
    if truthy(options.get("pattern2")):
        passes.append(_replacement(options, "2", place, ignore_case=ignore_case))
    if options["value"] == "":
        return nothing

    def evaluate(data: Any) -> str:
        found = value(data)
        if isinstance(found, bool | int | float):
            found = to_string(found)
        if not isinstance(found, str):
            return ""
        for pattern, put in passes:
            found = pattern.sub(put, found, count=count)
        return found

    return evaluate


def _flag(options: dict[str, Any], key: str, place: Place, *, default: bool) -> bool:
    flag = options.get(key, default)
    if not isinstance(flag, bool):
        place.at(key).refuse(f"expected a boolean, got {kind_of(flag)}")
    return bool(flag)


def _replacement(
    options: dict[str, Any], suffix: str, place: Place, *, ignore_case: bool
) -> _Replacement:
    pattern = _short_text(options, f"pattern{suffix}", place, shortest=1)
    replacement = _short_text(options, f"replacement{suffix}", place, shortest=0)

    def put(match: re.Match[str]) -> str:
        text, start, end = match.string, match.start(), match.end()
        special = {"$": "$", "&": match[0], "`": text[:start], "'": text[end:]}
        return _SPECIAL.sub(lambda found: special[found[1]], replacement)

    return re.compile(re.escape(pattern), re.IGNORECASE if ignore_case else re.NOFLAG), put


def _short_text(options: dict[str, Any], key: str, place: Place, *, shortest: int) -> str:
    text = options.get(key, "")
    if not isinstance(text, str):
        place.at(key).refuse(f"expected a string, got {kind_of(text)}")
        return ""
    if not shortest <= len(text) <= _MAX_LENGTH:
        allowed = f"{shortest} to {_MAX_LENGTH} characters"
        place.at(key).refuse(f"has {len(text)} characters", allowed)
    return text
