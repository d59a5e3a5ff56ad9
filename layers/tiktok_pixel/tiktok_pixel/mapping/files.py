"""Read mapping files: JSON text, and the shapes that presets come in.

A file is an array of presets, or an object that contains one: ``{"presets": […]}``, or what
Segment's Public API returns for the subscriptions of a destination. In an object, ``"defaults"``
may have further default fields for the presets.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from tiktok_pixel.mapping.errors import MappingError, MappingProblem

# The keys that lead to presets. Segment's Public API has subscriptions in "data", and the presets
# of its catalog in the "metadata" of a destination.
_CONTAINERS: Final = (
    "presets",
    "subscriptions",
    "subscription",
    "data",
    "destination",
    "metadata",
)
_MAX_LINE: Final = 80  # characters of a line in a message


def read_file(path: Path) -> tuple[object, list[MappingProblem]]:
    """Read a JSON file.

    Returns:
        The content, and a warning for each key that an object has twice.

    Raises:
        MappingError: The file does not exist, cannot be read, or is not JSON.
    """
    duplicates: list[tuple[dict[str, Any], str]] = []

    def make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            keys = [key for key, _ in pairs]
            duplicates.extend((members, key) for key in members if keys.count(key) > 1)
        return members

    try:
        # Editors on Windows write a byte order mark; utf-8-sig would be one more import.
        text = path.read_text(encoding="utf-8").removeprefix("\ufeff")
        content = json.loads(text, object_pairs_hook=make_object)
    except (OSError, ValueError, RecursionError) as error:
        raise MappingError(str(path), [MappingProblem("", "", _reason(error, path))]) from error
    message = "is written twice; the last one is used"
    return content, [
        MappingProblem("", "/".join((*(_path_to(content, owner) or ()), key)), message)
        for owner, key in duplicates
    ]


def find_presets(content: object) -> tuple[list[Any] | None, list[MappingProblem]]:
    """Find the presets or subscriptions in the content of a file.

    Returns:
        The list, None when there is none, and warnings about what is ignored.
    """
    if isinstance(content, list):
        return content, []
    if not isinstance(content, dict):
        return None, []
    if any(key in content for key in ("subscribe", "trigger")):
        return [content], []
    warnings = []
    if content.get("settings"):
        message = "the settings of the destination are not read"
        warnings.append(MappingProblem("", "settings", message))
    for key in _CONTAINERS:
        if isinstance(content.get(key), dict | list):
            presets, inner_warnings = find_presets(content[key])
            if presets is not None:
                return presets, [*warnings, *inner_warnings]
    return None, []


def _reason(error: Exception, path: Path) -> str:
    if isinstance(error, FileNotFoundError):
        others = sorted(file.name for file in path.parent.glob("*.json"))
        return f"file not found; files beside it: {', '.join(others) or 'none'}"
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror}"
    if isinstance(error, json.JSONDecodeError):
        # Imported here: only a mistake needs it, and every cold start would pay for it.
        from tiktok_pixel.mapping.json_hints import what_to_write  # noqa: PLC0415

        line = error.doc.split("\n")[error.lineno - 1].strip()[:_MAX_LINE]
        where = f"line {error.lineno}, column {error.colno}"
        return f"not valid JSON: {where}: {what_to_write(error)}: {line}"
    return f"not valid JSON: {error}"


def _path_to(content: object, owner: dict[str, Any]) -> tuple[str, ...] | None:
    """Return the keys that lead to an object; None when it is not in the content."""
    if content is owner:
        return ()
    members: list[tuple[str, object]] = []
    if isinstance(content, dict):
        members = list(content.items())
    elif isinstance(content, list):
        members = [(f"#{number}", item) for number, item in enumerate(content, 1)]
    for key, member in members:
        below = _path_to(member, owner)
        if below is not None:
            return (key, *below)
    return None
