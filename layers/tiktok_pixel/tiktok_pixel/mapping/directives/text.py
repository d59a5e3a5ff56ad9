"""The directives that change text: ``@case`` and ``@replace``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tiktok_pixel.mapping.diagnostics import Location, evaluate_to_undefined, json_type
from tiktok_pixel.mapping.directives.directive import (
    CompileValue,
    Directive,
    explain_value,
    read_choice,
    read_flag,
    read_object,
    text_operand,
    truthy,
)
from tiktok_pixel.values.javascript import to_string

if TYPE_CHECKING:
    from tiktok_pixel.mapping.paths import Evaluator

# Segment's limits (MAX_PATTERN_LENGTH, MAX_REPLACEMENT_LENGTH).
_MAX_LENGTH: Final = 10
# What JavaScript expands in a replacement; ``$1`` means nothing in a pattern without groups.
_SPECIAL: Final = re.compile(r"\$([$&`'])")

_Replacement = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


def _compile_case(arguments: Any, location: Location, compile_value: CompileValue) -> Evaluator:
    """Compile a string in lower or upper case; any other value stays as it is."""
    options = read_object(arguments, location, ("operator", "value"))
    if options is None:
        return evaluate_to_undefined
    operator = read_choice(options, "operator", ("lower", "upper"), location)
    change = str.lower if operator == "lower" else str.upper
    value = text_operand(options, location, compile_value)

    def evaluate(data: Any) -> Any:
        found = value(data)
        return change(found) if isinstance(found, str) else found

    return evaluate


def _compile_replace(arguments: Any, location: Location, compile_value: CompileValue) -> Evaluator:
    """Compile one or two replacements of literal text.

    Numbers and booleans are printed first; any other value that is not a string gives "".
    """
    known = (
        "pattern",
        "replacement",
        "pattern2",
        "replacement2",
        "value",
        "ignorecase",
        "global",
    )
    options = read_object(arguments, location, known)
    if options is None:
        return evaluate_to_undefined
    if "value" not in options:
        return location.error('must have "value"')
    ignore_case = read_flag(options, "ignorecase", location, default=False)
    count = 0 if read_flag(options, "global", location, default=True) else 1
    value = text_operand(options, location, compile_value)
    replacements = [_replacement(options, "", location, ignore_case=ignore_case)]
    if truthy(options.get("pattern2")):
        replacements.append(_replacement(options, "2", location, ignore_case=ignore_case))
    if options["value"] == "":
        return evaluate_to_undefined

    def evaluate(data: Any) -> str:
        found = value(data)
        if isinstance(found, bool | int | float):
            found = to_string(found)
        if not isinstance(found, str):
            return ""
        for pattern, replacement in replacements:
            found = pattern.sub(replacement, found, count=count)
        return found

    return evaluate


def _replacement(
    options: dict[str, Any], suffix: str, location: Location, *, ignore_case: bool
) -> _Replacement:
    pattern = _short_text(options, f"pattern{suffix}", location, shortest=1)
    replacement = _short_text(options, f"replacement{suffix}", location, shortest=0)

    def expand(match: re.Match[str]) -> str:
        text, start, end = match.string, match.start(), match.end()
        special = {"$": "$", "&": match[0], "`": text[:start], "'": text[end:]}
        return _SPECIAL.sub(lambda found: special[found[1]], replacement)

    return re.compile(re.escape(pattern), re.IGNORECASE if ignore_case else re.NOFLAG), expand


def _short_text(options: dict[str, Any], key: str, location: Location, *, shortest: int) -> str:
    text = options.get(key, "")
    if not isinstance(text, str):
        location.at(key).error(f"must be a string; got {json_type(text)}")
        return ""
    if not shortest <= len(text) <= _MAX_LENGTH:
        location.at(key).error(f"must have {shortest} to {_MAX_LENGTH} characters; got {len(text)}")
    return text


CASE: Final = Directive("@case", _compile_case, explain=explain_value)
REPLACE: Final = Directive("@replace", _compile_replace, explain=explain_value)
