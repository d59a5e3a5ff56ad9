"""Read Segment events: check what every event has, keep the rest as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tiktok_pixel.segment.errors import InvalidSegmentEventError
from tiktok_pixel.segment.nesting import NESTED_TOO_DEEPLY
from tiktok_pixel.values.coercion import id_text
from tiktok_pixel.values.javascript import WHITESPACE
from tiktok_pixel.values.validation import Problem, Rule

TYPES: Final = frozenset({"track", "page", "screen", "identify", "group", "alias"})
"""The calls of Segment's spec. Webhooks receive others too, such as ``delete``."""


# Final fields instead of a frozen class, which takes four times as long to create (see
# `tiktok.events.OutgoingEvent`).
@dataclass(slots=True)
class SegmentEvent:
    """One event.

    Attributes:
        message_id: Segment's messageId, the same in every retry.
        type: ``track``, ``page``, …
        raw: The event as it was received; read-only.
    """

    message_id: Final[str]
    type: Final[str]
    raw: Final[dict[str, Any]]


def read_event(value: object) -> SegmentEvent:
    """Check one parsed JSON value.

    Raises:
        InvalidSegmentEventError: Not an object, no string ``type``, or no messageId.
    """
    if value is NESTED_TOO_DEEPLY:
        raise InvalidSegmentEventError(Problem("event", "nested_too_deeply"))
    if not isinstance(value, dict):
        raise InvalidSegmentEventError(Problem("event", "not_an_object"))
    message_id = id_text(value.get("messageId"))
    kind = value.get("type")
    if not isinstance(kind, str) or not kind:
        rule: Rule = "not_a_string" if kind else "missing"
        raise InvalidSegmentEventError(Problem("type", rule), message_id)
    if kind in TYPES and message_id is None:
        rule = "missing" if _is_blank(value.get("messageId")) else "not_a_string"
        raise InvalidSegmentEventError(Problem("message_id", rule))
    return SegmentEvent(message_id or "", kind, value)


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip(WHITESPACE))
