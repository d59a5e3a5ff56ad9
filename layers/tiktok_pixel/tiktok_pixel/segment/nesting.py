"""Find the ends of JSON values without recursion, so that one deep value costs no other.

Python's parser refuses a document as a whole when any value in it is nested too deeply.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

NESTED_TOO_DEEPLY: Final = object()
"""Stands for a value that is nested too deeply to be parsed."""

_TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]+|[\]}]+', re.DOTALL)
# A string, number or word, a comma or a colon, or white space.
_SCALAR: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^\s,:\[\]{}"]+', re.DOTALL)
_BETWEEN: Final = re.compile(r"[\s,:]*")


def container_end(text: str, start: int, longest: int | None = None) -> int:
    """Return the end of the array or object that starts at ``start``.

    Args:
        text: The document.
        start: Where the array or object starts.
        longest: How many characters to read at most.

    Raises:
        ValueError: It does not end there.
    """
    depth = 0
    stop = len(text) if longest is None else start + longest
    for token in _TOKEN.finditer(text, start, stop):
        run = token[0]
        if run[0] in "[{":
            depth += len(run)
        elif run[0] in "]}":
            if len(run) >= depth:
                return token.start() + depth
            depth -= len(run)
    raise ValueError("unterminated")


def parse_members(text: str, parse: Callable[[str], Any]) -> Any:
    """Parse an array, or an object with an array as ``batch``, member by member.

    Members that are nested too deeply become :data:`NESTED_TOO_DEEPLY`.

    Args:
        text: The document, an array or an object.
        parse: Parses one member.

    Raises:
        ValueError: Not JSON.
    """
    if text.startswith("["):
        return [_parse_member(member, parse) for member in _members(text)]
    members = iter(_members(text))
    found: dict[str, Any] = {}
    for key in members:
        member = next(members, "")
        is_batch = key == '"batch"' and member.startswith("[")
        found[parse(key)] = (
            parse_members(member, parse) if is_batch else _parse_member(member, parse)
        )
    return found


def _parse_member(text: str, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(text)
    except RecursionError:
        return NESTED_TOO_DEEPLY


def _members(text: str) -> Iterator[str]:
    """Yield the texts of the members of a container; of an object, keys and values in turn."""
    position = _end_of(_BETWEEN, text, 1)
    while position < len(text) and text[position] not in "]}":
        if text[position] in "[{":
            end = container_end(text, position)
        else:
            end = _end_of(_SCALAR, text, position)
        yield text[position:end]
        position = _end_of(_BETWEEN, text, end)
    if position != len(text) - 1:
        raise ValueError("not JSON")


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    if found is None:
        raise ValueError("not JSON")
    return found.end()
