"""Say what to write in place of the mistakes that people make in JSON."""

from __future__ import annotations

import json
import re
from typing import Final

_QUOTES: Final = 'write straight double quotes: "text"'
# What stands where the parser stopped. Python 3.13 stops at a comma before a closing bracket.
_FOUND: Final = {
    r"\Z": "the file ends here; a closing bracket or quote is missing",
    r",\s*[}\]]": "remove the comma before the closing bracket",
    "['\u2018\u2019\u201c\u201d\u201e]": _QUOTES,
    r"//|/\*|#": "JSON has no comments; remove it",
    r"True\b": "write true instead of True",
    r"False\b": "write false instead of False",
    r"None\b": "write null instead of None",
}


def what_to_write(error: json.JSONDecodeError) -> str:
    """Return how to fix the mistake, or the parser's message where that is not known."""
    text, at = error.doc, error.pos
    if not text.strip():
        return "the file is empty"
    before = text[:at].rstrip()
    # Older versions stop behind the comma.
    start = len(before) - 1 if before.endswith(",") and text[at : at + 1] in "}]" else at
    for pattern, hint in _FOUND.items():
        if re.match(pattern, text[start:].rstrip()):
            return hint
    if error.msg == "Extra data":
        return "more text follows the end; put several presets into one array"
    if error.msg == "Expecting ',' delimiter":
        if "\n" in text[len(before) : at]:
            return "a comma is missing before this line, or a bracket is not closed"
        if before.endswith('"'):
            return 'a comma is missing, or a quote inside the text is not written as \\"'
    return error.msg
