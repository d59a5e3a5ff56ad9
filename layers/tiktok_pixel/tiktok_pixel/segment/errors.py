"""What a request from Segment can be refused for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_pixel.errors import TikTokPixelError

if TYPE_CHECKING:
    from tiktok_pixel.values.validation import Problem


class PayloadError(TikTokPixelError):
    """A request body that holds no Segment event; ``reason`` is the stable code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidSegmentEventError(TikTokPixelError):
    """One event that lacks what every Segment event has; ``problem`` names field and rule."""

    def __init__(self, problem: Problem, message_id: str | None = None) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.message_id = message_id
