"""Segment events from files: one event, a batch, or a signed sample."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, Final

from tiktok_pixel.segment.body import parse_events
from tiktok_pixel.segment.errors import InvalidBodyError
from tools.pixel.audit.blocks import STANDARD_INPUT, find_files, read_blocks
from tools.pixel.console import CommandError

_LINE_FILES: Final = frozenset({".gz", ".jsonl", ".ndjson"})


def read_events(file: Path, limit: int | None = None) -> list[Any]:
    """Read the events of a file, at most as many as the limit.

    The file holds what Segment posts (an event or a batch), or an API Gateway request with that
    in its body, as the signed samples in `events/` do. Standard input and files that end in
    `.ndjson`, `.jsonl` or `.gz` have one event per line.

    Raises:
        CommandError: The file cannot be read or holds no events.
    """
    if file == STANDARD_INPUT or file.suffix in _LINE_FILES:
        return _read_lines(file, limit)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise CommandError(f"{file}: {reason}") from error
    events = _parse(text, str(file))
    if len(events) == 1 and _is_api_gateway_request(events[0]):
        events = _parse(_body(events[0], file), f"{file}: body")
    return events[:limit]


def _read_lines(file: Path, limit: int | None) -> list[Any]:
    events: list[Any] = []
    for block in read_blocks(find_files([file])):
        for line in block.data.splitlines():
            if not line.strip():
                continue
            try:
                events.append(json.loads(line))
            except ValueError as error:
                raise CommandError(f"{file}: line {len(events) + 1}: not JSON: {error}") from error
            if len(events) == limit:
                return events
    return events


def _parse(text: str, source: str) -> list[Any]:
    try:
        return parse_events(text)
    except InvalidBodyError as error:
        raise CommandError(f"{source}: {_reason(error, text)}") from error


def _reason(error: InvalidBodyError, text: str) -> str:
    if error.reason == "body_not_json":
        try:
            json.loads(text)
        except json.JSONDecodeError as invalid:
            is_lines = invalid.msg == "Extra data"
            hint = "; the name of a file with one event per line ends in .ndjson"
            return f"not JSON: {invalid}{hint if is_lines else ''}"
    return {
        "body_missing": "empty",
        "body_not_json": "not JSON",
        "body_not_an_event": "must be a Segment event (an object) or a batch of events",
        "batch_empty": "the batch has no events",
        "body_nested_too_deeply": "nested too deeply",
    }.get(error.reason, error.reason)


def _is_api_gateway_request(value: Any) -> bool:
    return isinstance(value, dict) and "requestContext" in value and "body" in value


def _body(request: dict[str, Any], file: Path) -> str:
    body = request["body"]
    if not isinstance(body, str):
        raise CommandError(f"{file}: body must be a string")
    if request.get("isBase64Encoded") is not True:
        return body
    try:
        return base64.b64decode(body, validate=True).decode()
    except ValueError as error:
        raise CommandError(f"{file}: body is not Base64 of UTF-8 text") from error
