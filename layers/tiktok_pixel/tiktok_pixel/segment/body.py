"""Request bodies to events: single events and the three forms in which Segment sends batches."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

from tiktok_pixel.segment.errors import PayloadError

# Python refuses to read longer integers; JavaScript, which wrote the body, has no such bound.
_LONGEST_INTEGER: Final = 4300
# RFC 8259, section 2.
_WHITESPACE: Final = " \t\n\r"


def parse_events(text: str) -> list[Any]:
    """The JSON values of all events in a request body, in order (see :func:`events_of`).

    Raises:
        PayloadError: Nothing there, not JSON, or neither an object nor an array.
    """
    if not text or text.isspace():
        raise PayloadError("body_missing")
    return events_of(_parse(text))


def events_of(body: object) -> list[Any]:
    """The events in a parsed body.

    ``{…}``
        One event.
    ``[{…}, …]``
        A batch of Segment's Webhooks (Actions).
    ``[{"json": {…}}, …]``
        A batch of Segment's Extensible Webhook.
    ``{"batch": [{…}, …]}``
        Segment's own HTTP Tracking API.

    Raises:
        PayloadError: Neither an object nor an array, or a batch of nothing.
    """
    if isinstance(body, dict):
        batch = None if "type" in body else body.get("batch")
        if not isinstance(batch, list):
            return [body]
        events = batch
    elif isinstance(body, list):
        events = [_unwrapped(item) for item in body]
    else:
        raise PayloadError("body_not_an_event")
    if not events:
        raise PayloadError("batch_empty")
    return events


def _parse(text: str) -> Any:
    text = text.strip(_WHITESPACE)
    try:
        # `decode` does the same, but looks for white space with regular expressions.
        value, end = _DECODER.raw_decode(text)
    except RecursionError as error:
        raise PayloadError("body_nested_too_deeply") from error
    except json.JSONDecodeError as error:
        raise PayloadError("body_not_json") from error
    except ValueError:
        return _parse_long_integers(text)
    if end < len(text):
        raise PayloadError("body_not_json")
    return value


def _parse_long_integers(text: str) -> Any:
    # Python refuses them; they are read as JavaScript reads them, so that one silly number costs a
    # field, not the batch.
    try:
        return json.loads(text, parse_constant=_no_constant, parse_int=_integer)
    except RecursionError as error:
        raise PayloadError("body_nested_too_deeply") from error
    except ValueError as error:
        raise PayloadError("body_not_json") from error


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


def _no_constant(name: str) -> NoReturn:
    # NaN and Infinity are no JSON, though Python reads them.
    raise json.JSONDecodeError(f"{name} is not JSON", name, 0)


# Made once: `json.loads` makes a new one for every call that asks for anything special.
_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant)


def _unwrapped(item: Any) -> Any:
    if isinstance(item, dict) and len(item) == 1 and isinstance(item.get("json"), dict):
        return item["json"]
    return item
