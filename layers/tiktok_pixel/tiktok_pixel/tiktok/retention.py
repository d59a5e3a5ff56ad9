"""Decide how long a parked event is retried, and when the next try is due.

Transient failures and operator errors are retried until 13 days 12 hours after the first parking,
after 1, 3 and 7 minutes and then every 15 minutes, the longest delay of SQS. An event that TikTok
refuses for its content is tried 15 minutes, 1, 6, 24 and 47 hours after the first refusal: a wrong
setting can look like bad content, and a fix arrives within that time or not at all.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Final

from tiktok_pixel.outcomes import Cause
from tiktok_pixel.tiktok.events import DEDUPLICATION_SECONDS, OLDEST_SECONDS
from tiktok_pixel.tiktok.outgoing import Traffic, parked_state
from tiktok_pixel.tiktok.verdicts import TEST_CODE

if TYPE_CHECKING:
    from tiktok_pixel.settings import Settings
    from tiktok_pixel.tiktok.outgoing import OutgoingEvent, Parked

_HOUR: Final = 3600
# SQS deletes messages after fourteen days. Each new message starts that period again, so the end is
# this rule's and never the queue's.
LONGEST_PARKED_SECONDS: Final = (13 * 24 + 12) * _HOUR
CONTENT_TRY_SECONDS: Final = (900, 1 * _HOUR, 6 * _HOUR, 24 * _HOUR, 47 * _HOUR)
"""Seconds from the first refusal of an event's content to each further try."""

# The longest delay of SQS.
LONGEST_DELAY_SECONDS: Final = 900
_DELAYS: Final = (60, 180, 420, LONGEST_DELAY_SECONDS)


def end_reason(event: OutgoingEvent, settings: Settings, now: float) -> str | None:
    """Return the reason why an event must not be sent any more, ``None`` while it may.

    Args:
        event: The event, with its state in the queue.
        settings: Today's settings, which may differ from those at parking.
        now: Unix time in seconds.
    """
    parked = parked_state(event)
    age = now - json.loads(event.json)["event_time"]
    if age > OLDEST_SECONDS:
        return "event_time_too_old"
    if parked.unanswered_at is not None and now - parked.unanswered_at > DEDUPLICATION_SECONDS:
        return "deduplication_window_passed"
    if settings.use_existing_pixel and age > DEDUPLICATION_SECONDS:
        return "deduplication_window_passed"
    if now - parked.parked_at > LONGEST_PARKED_SECONDS:
        return "parked_too_long"
    if event.route.traffic is Traffic.SETTING and not settings.test_event_code:
        # Refused because of the code, it was never meant as a test; all others were test traffic.
        return None if is_refused_test(event) else "test_event_code_removed"
    return None


def is_refused_test(event: OutgoingEvent) -> bool:
    """Return whether TikTok has refused an event for the test event code of the settings."""
    is_test = event.route.traffic is Traffic.SETTING
    return is_test and parked_state(event).reason == TEST_CODE.reason


def seconds_until_due(parked: Parked, now: float) -> float:
    """Return how long an event still has to wait for its next try; 0 or less when it is due."""
    if parked.cause is not Cause.CONTENT or parked.refused_at is None:
        return 0.0
    step = min(parked.tries, len(CONTENT_TRY_SECONDS) - 1)
    return parked.refused_at + CONTENT_TRY_SECONDS[step] - now


def content_tries(refused_at: float, now: float) -> int:
    """Return how many tries of the content schedule are over by ``now``.

    Steps that a long outage skipped count as over: one try stands for all of them.
    """
    return sum(refused_at + seconds <= now for seconds in CONTENT_TRY_SECONDS)


def is_last_content_try(parked: Parked, now: float) -> bool:
    """Return whether an event is rejected if its content is refused by ``now``."""
    refused_at = parked.refused_at
    return refused_at is not None and refused_at + CONTENT_TRY_SECONDS[-1] <= now


def delay_seconds(parked: Parked, now: float) -> int:
    """Return the delay of the message that an event waits in: whole seconds, at most 900."""
    if parked.cause is Cause.CONTENT:
        left = seconds_until_due(parked, now)
        # Whole minutes, so that events of about the same time share messages. An event that is due
        # could not be tried: it comes back after the longest delay.
        minutes = math.ceil(left / 60) if left > 0 else LONGEST_DELAY_SECONDS // 60
        return min(LONGEST_DELAY_SECONDS, 60 * minutes)
    return _DELAYS[min(max(parked.tries, 1), len(_DELAYS)) - 1]
