"""``@path``, ``@template`` and ``@literal``.

Templates follow Segment's mapping kit (packages/core/src/mapping-kit/placeholders.ts): paths are
written without ``$.``, ``{{…}}`` and ``{{{…}}}`` mean the same, nothing is escaped, and null or
undefined prints as nothing. One difference is on purpose: Segment searches the text that a
``{{{…}}}`` inserted for placeholders again, so a visitor could read other fields of the event into
the text. Here a value is never read as a template.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tiktok_pixel.mapping.directives.directive import (
    CheckValue,
    CompileValue,
    Directive,
    Explainer,
    string_or_directive,
)
from tiktok_pixel.mapping.paths import UNDEFINED, Evaluator, resolve, split_path
from tiktok_pixel.values.javascript import to_string, trim

if TYPE_CHECKING:
    from tiktok_pixel.mapping.diagnostics import Location

# Segment replaces the triple braces first, wherever they stand, then the double ones.
_TRIPLE: Final = re.compile(r"\{\{\{([^}]+)\}\}\}")
_DOUBLE: Final = re.compile(r"\{\{([^}]+)\}\}")

# Text stands for itself; a tuple of keys is a placeholder.
_Part = str | tuple[str, ...]


def compile_path(path: str) -> Evaluator:
    """Compile a path to a function that follows it."""
    keys = split_path(path)
    return lambda data: resolve(data, keys)


def _compile_path(path: Any, location: Location, compile_value: CompileValue) -> Evaluator:
    inner = string_or_directive(path, location, compile_value)
    if inner is None:
        return compile_path(path)

    def evaluate(data: Any) -> Any:
        found = inner(data)
        return resolve(data, split_path(found)) if isinstance(found, str) else UNDEFINED

    return evaluate


def explain_path(path: Any, explainer: Explainer) -> tuple[str, ...]:
    """Return the path itself, or what supplied it."""
    return (path,) if isinstance(path, str) else explainer.paths(path)


def _compile_template(template: Any, location: Location, compile_value: CompileValue) -> Evaluator:
    inner = string_or_directive(template, location, compile_value)
    if inner is None:
        return _template(template)

    def evaluate(data: Any) -> Any:
        found = inner(data)
        return _template(found)(data) if isinstance(found, str) else UNDEFINED

    return evaluate


def _template(template: str) -> Evaluator:
    parts = _parse_template(template)
    if all(isinstance(part, str) for part in parts):
        return lambda _data: template

    def evaluate(data: Any) -> str:
        texts = []
        for part in parts:
            if isinstance(part, str):
                texts.append(part)
                continue
            value = resolve(data, part)
            if value is not None and value is not UNDEFINED:
                texts.append(to_string(value))
        return "".join(texts)

    return evaluate


def _parse_template(template: str) -> list[_Part]:
    parts: list[_Part] = []
    # re.split with one group: text and group alternate.
    for triple, piece in enumerate(_TRIPLE.split(template)):
        if triple % 2:
            parts.append(_placeholder_keys(piece))
            continue
        for double, text in enumerate(_DOUBLE.split(piece)):
            if double % 2:
                parts.append(_placeholder_keys(text))
            elif text:
                parts.append(text)
    return parts


def _placeholder_keys(placeholder: str) -> tuple[str, ...]:
    # split_path drops the first "$.", but placeholders have none: "{{$.a}}" is a member of "$".
    return split_path(f"$.{trim(placeholder)}")


def _explain_template(template: Any, explainer: Explainer) -> tuple[str, ...]:
    if not isinstance(template, str):
        return explainer.paths(template)
    paths = [trim(found) for found in _DOUBLE.findall(_TRIPLE.sub(r"{{\1}}", template))]
    return tuple(path for path in paths if explainer.evaluate({"@template": f"{{{{{path}}}}}"}))


def _compile_literal(value: Any, location: Location, compile_value: CompileValue) -> Evaluator:
    return compile_value(value, location)


def _check_literal(value: Any, kind: Any, location: Location, check: CheckValue) -> None:
    check(value, kind, location)


PATH: Final = Directive("@path", _compile_path, explain=explain_path)
TEMPLATE: Final = Directive("@template", _compile_template, explain=_explain_template)
LITERAL: Final = Directive("@literal", _compile_literal, check=_check_literal)
