"""Parse request bodies: single events and the three forms in which Segment sends batches."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

from tiktok_pixel.segment.errors import InvalidBodyError
from tiktok_pixel.segment.nesting import parse_members

# Python refuses to parse longer integers; JavaScript has no such limit.
_LONGEST_INTEGER: Final = 4300
# RFC 8259, section 2.
_WHITESPACE: Final = " \t\n\r"


def parse_events(text: str) -> list[Any]:
    """Parse a request body into the JSON values of its events (see :func:`events_of`).

    Raises:
        InvalidBodyError: Empty, not JSON, or neither an object nor an array.
    """
    if not text or text.isspace():
        raise InvalidBodyError("body_missing")
    return events_of(_parse(text))


def events_of(body: object) -> list[Any]:
    """Return the events of a parsed body, in order.

    ``{…}``
        One event.
    ``[{…}, …]``
        A batch of Segment's Webhooks (Actions).
    ``[{"json": {…}}, …]``
        A batch of Segment's Extensible Webhook.
    ``{"batch": [{…}, …]}``
        Segment's own HTTP Tracking API.

    Raises:
        InvalidBodyError: Neither an object nor an array, or an empty batch.
    """
    if isinstance(body, dict):
        batch = None if "type" in body else body.get("batch")
        if not isinstance(batch, list):
            return [body]
        events = batch
    elif isinstance(body, list):
        events = [_unwrapped(item) for item in body]
    else:
        raise InvalidBodyError("body_not_an_event")
    if not events:
        raise InvalidBodyError("batch_empty")
    return events


def _parse(text: str) -> Any:
    text = text.strip(_WHITESPACE)
    try:
        # Faster than `decode`, which skips white space with regular expressions.
        value, end = _DECODER.raw_decode(text)
    except RecursionError:
        return _parse_deep(text)
    except json.JSONDecodeError as error:
        raise InvalidBodyError("body_not_json") from error
    except ValueError:
        return _parse_long_integers(text)
    if end < len(text):
        raise InvalidBodyError("body_not_json")
    return value


def _parse_long_integers(text: str) -> Any:
    # Read them as JavaScript does, so that one oversized number affects a field, not the batch.
    try:
        return json.loads(text, parse_constant=_no_constant, parse_int=_integer)
    except RecursionError:
        return _parse_deep(text)
    except ValueError as error:
        raise InvalidBodyError("body_not_json") from error


def _parse_deep(text: str) -> Any:
    """Parse a body in which a value is nested too deeply; only that event is lost."""
    try:
        body = parse_members(
            text, lambda member: json.loads(member, parse_constant=_no_constant, parse_int=_integer)
        )
    except (ValueError, RecursionError) as error:
        raise InvalidBodyError("body_not_json") from error
    if isinstance(body, dict) and not isinstance(body.get("batch"), list):
        raise InvalidBodyError("body_nested_too_deeply")
    return body


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


def _no_constant(name: str) -> NoReturn:
    # NaN and Infinity are not JSON, though Python accepts them.
    raise json.JSONDecodeError(f"{name} is not JSON", name, 0)


# Created once: `json.loads` creates a decoder per call when it gets any option.
_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant)


def _unwrapped(item: Any) -> Any:
    if isinstance(item, dict) and len(item) == 1 and isinstance(item.get("json"), dict):
        return item["json"]
    return item
