"""Segment events and mappings from pasted text, and the paths in an event."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from tiktok_pixel.mapping.files import find_presets
from tools.studio.draft import in_own_format

MAX_EVENTS: Final = 10_000
_MAX_PATHS: Final = 500
_MAX_DEPTH: Final = 8
_PLAIN_KEY: Final = re.compile(r"[^\s.\[\]$'\"\\]+")


class PastedError(ValueError):
    """Pasted text that is not what it must be; the message says why."""


def parse_events(text: str) -> tuple[dict[str, Any], ...]:
    """Read one event, an array of events, a batch, or one event per line.

    Raises:
        PastedError: The text holds no events, or something else besides.
    """
    if not text.strip():
        raise PastedError("paste a Segment event")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        events = _parse_lines(text, error)
    else:
        if isinstance(content, dict) and isinstance(content.get("batch"), list):
            content = content["batch"]
        events = content if isinstance(content, list) else [content]
    if not events:
        raise PastedError("there is no event in it")
    if len(events) > MAX_EVENTS:
        raise PastedError(f"{len(events):,} events; at most {MAX_EVENTS:,} can be shown at once")
    for number, event in enumerate(events, 1):
        if not isinstance(event, dict):
            raise PastedError(f"event {number} must be an object")
    return tuple(events)


def _parse_lines(text: str, error: Exception) -> list[Any]:
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    events = []
    for number, line in lines:
        try:
            events.append(json.loads(line))
        except (ValueError, RecursionError) as line_error:
            if not events:  # not one event per line: the text as a whole is what is wrong
                raise PastedError(f"not JSON: {error}") from error
            raise PastedError(f"line {number} is not JSON: {line_error}") from line_error
    return events


def parse_mappings(text: str) -> tuple[Any, ...]:
    """Read mappings as Segment has them: presets, or what its Public API returns.

    Raises:
        PastedError: The text is not JSON or holds something else.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PastedError(f"not JSON: {error}") from error
    presets, _ = find_presets(content)
    if not presets:
        raise PastedError('there is no mapping in it: an object with "subscribe" or "trigger"')
    for number, preset in enumerate(presets, 1):
        if not isinstance(preset, dict):
            raise PastedError(f"mapping {number} must be an object")
    return tuple(map(in_own_format, presets))


def paths_in(event: Any) -> tuple[str, ...]:
    """Return the paths of the values in an event, as a mapping writes them."""
    found = []
    for path in _walk(event, "$", 0):
        found.append(path)
        if len(found) == _MAX_PATHS:
            break
    return tuple(found)


def _walk(value: Any, path: str, depth: int) -> Iterator[str]:
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        return
    for key, member in value.items():
        if not _PLAIN_KEY.fullmatch(key):
            continue
        inner = f"{path}.{key}"
        if isinstance(member, dict):
            yield from _walk(member, inner, depth + 1)
        else:
            yield inner
