"""Segment events from files: one event, a batch, or a signed sample."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from tiktok_pixel.segment.body import parse_events
from tiktok_pixel.segment.errors import InvalidBodyError
from tools.pixel.console import CommandError


def read_events(file: Path) -> list[Any]:
    """Read the events of a JSON file.

    The file holds what Segment posts (an event or a batch), or an API Gateway request with that
    in its body, as the signed samples in `events/` do.

    Raises:
        CommandError: The file cannot be read or holds no events.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise CommandError(f"{file}: {reason}") from error
    events = _parse(text, str(file))
    if len(events) == 1 and _is_api_gateway_request(events[0]):
        return _parse(_body(events[0], file), f"{file}: body")
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
        except ValueError as invalid:
            return f"not JSON: {invalid}"
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
