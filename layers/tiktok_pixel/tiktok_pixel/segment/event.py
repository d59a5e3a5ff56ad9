"""A Segment event: the parts that every event has, checked; the rest as it came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tiktok_pixel.segment.errors import InvalidSegmentEventError
from tiktok_pixel.values.javascript import WHITESPACE, to_string
from tiktok_pixel.values.validation import Problem

TYPES: Final = frozenset({"track", "page", "screen", "identify", "group", "alias"})
"""The calls of Segment's spec. Others, like ``delete``, reach webhooks but are no events."""


# The fields of all values that are made for every request are Final instead of the class frozen,
# whose __init__ takes four times as long: mypy keeps them from being changed.
@dataclass(slots=True)
class SegmentEvent:
    """One event.

    Attributes:
        message_id: Segment's messageId, the same in every retry.
        type: ``track``, ``page``, …
        raw: The event as it came; nothing changes it.
    """

    message_id: Final[str]
    type: Final[str]
    raw: Final[dict[str, Any]]

    @property
    def is_known(self) -> bool:
        """Whether the type is one of Segment's spec."""
        return self.type in TYPES


def read_event(value: object) -> SegmentEvent:
    """Check one parsed JSON value.

    Raises:
        InvalidSegmentEventError: Not an object, no string ``type``, or no messageId.
    """
    if not isinstance(value, dict):
        raise InvalidSegmentEventError(Problem("event", "not_an_object"))
    message_id = _message_id(value.get("messageId"))
    kind = value.get("type")
    if not isinstance(kind, str) or not kind:
        rule = "not_a_string" if kind else "missing"
        raise InvalidSegmentEventError(Problem("type", rule), message_id)
    if kind in TYPES and message_id is None:
        rule = "missing" if _is_blank(value.get("messageId")) else "not_a_string"
        raise InvalidSegmentEventError(Problem("message_id", rule))
    return SegmentEvent(message_id or "", kind, value)


def _message_id(value: object) -> str | None:
    if isinstance(value, str):
        return value if value.strip(WHITESPACE) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        printed = to_string(value)
        # Beyond the range of a double all numbers are one, and no id.
        return None if printed.endswith("Infinity") else printed
    return None


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip(WHITESPACE))
