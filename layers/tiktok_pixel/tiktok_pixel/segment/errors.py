"""Errors of requests from Segment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_pixel.errors import TikTokPixelError

if TYPE_CHECKING:
    from tiktok_pixel.values.validation import Problem


class InvalidBodyError(TikTokPixelError):
    """A request body that cannot be read as Segment events; ``reason`` is the stable code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidSegmentEventError(TikTokPixelError):
    """An event without a field that every Segment event has; ``problem`` names field and rule."""

    def __init__(self, problem: Problem, message_id: str | None = None) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.message_id = message_id
