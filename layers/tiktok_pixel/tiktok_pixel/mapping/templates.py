"""`@template`: text with `{{path}}` placeholders.

The rules are those of Segment's mapping kit (packages/core/src/mapping-kit/placeholders.ts):
paths are written without `$.`, `{{…}}` and `{{{…}}}` mean the same, nothing is escaped, and null
or undefined prints as nothing. One thing differs on purpose: Segment reads the text that a
`{{{…}}}` put in once more for placeholders, so a visitor could pull other fields of the event
into the text; here a value is never read as a template.
"""

import re
from typing import Any

from tiktok_pixel.mapping.paths import UNDEFINED, Evaluator, resolve, split_path
from tiktok_pixel.values.javascript import to_string, trim

# Segment replaces the triple braces first, wherever they stand, then the double ones.
_TRIPLE = re.compile(r"\{\{\{([^}]+)\}\}\}")
_DOUBLE = re.compile(r"\{\{([^}]+)\}\}")

# Text stands as it is; a tuple of keys is a placeholder.
Part = str | tuple[str, ...]


def parse_template(template: str) -> list[Part]:
    """Cut a template into text and the paths that go between."""
    parts: list[Part] = []
    # re.split with one group: text and group alternate.
    for triple, piece in enumerate(_TRIPLE.split(template)):
        if triple % 2:
            parts.append(_keys(piece))
            continue
        for double, text in enumerate(_DOUBLE.split(piece)):
            if double % 2:
                parts.append(_keys(text))
            elif text:
                parts.append(text)
    return parts


def placeholders(template: str) -> list[str]:
    """Give the paths of a template as they are written."""
    return [trim(found) for found in _DOUBLE.findall(_TRIPLE.sub(r"{{\1}}", template))]


def compile_template(template: str) -> Evaluator:
    """Compile a template to a function that fills it from the event."""
    parts = parse_template(template)
    if all(isinstance(part, str) for part in parts):
        return lambda _data: template

    def evaluate(data: Any) -> str:
        texts = []
        for part in parts:
            if part.__class__ is str:
                texts.append(part)
                continue
            value = resolve(data, part)  # type: ignore[arg-type] # not text, so keys
            if value is not None and value is not UNDEFINED:
                texts.append(value if value.__class__ is str else to_string(value))
        return "".join(texts)

    return evaluate


def _keys(placeholder: str) -> tuple[str, ...]:
    path = trim(placeholder)
    # split_path drops a leading `$.`; a placeholder has none, and `$.a` leads nowhere.
    return ("$", *split_path(path[2:])) if path.startswith("$.") else split_path(path)
