"""Define an event on its way to TikTok, and its state while it is parked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tiktok_pixel.outcomes import NO_SUMMARY, Cause, Summary


class Traffic(StrEnum):
    """Whether TikTok counts an event or only shows it as a test."""

    REAL = "real"
    MAPPING = "mapping"
    """A test, with the mapping's own test event code."""
    SETTING = "setting"
    """A test, with the test event code of the settings on the day of sending."""


@dataclass(frozen=True, slots=True)
class Route:
    """What all events of one request share.

    Attributes:
        pixel: The pixel's name in the settings, ``None`` for the default one.
        event_source: ``web``, ``offline`` or ``crm``.
        traffic: Whether the events are real or a test.
        test_event_code: The mapping's own code; ``None`` unless ``traffic`` is ``MAPPING``.
    """

    pixel: str | None
    event_source: str
    traffic: Traffic = Traffic.REAL
    test_event_code: str | None = None

    def code(self, setting: str | None) -> str | None:
        """Return the test event code to send, given that of the settings."""
        return setting if self.traffic is Traffic.SETTING else self.test_event_code


@dataclass(frozen=True, slots=True)
class Parked:
    """The state of an event in the queue of parked events.

    Attributes:
        cause: Why it waits.
        reason: Reason code of the last failure.
        parked_at: Unix time in seconds when it was first parked.
        unanswered_at: Unix time in seconds of the first attempt that TikTok may have counted
            without a readable response.
        refused_at: Unix time in seconds when TikTok first refused its content.
        tries: Passes since parking; for ``CONTENT`` the tries of its schedule that are over.
        is_alone: TikTok refused it while no other event was in the request.
    """

    cause: Cause
    reason: str
    parked_at: float
    unanswered_at: float | None = None
    refused_at: float | None = None
    tries: int = 0
    is_alone: bool = False


# Classes of which every event needs one have Final fields instead of being frozen: mypy protects
# them as well, and a frozen class takes four times as long to create.
@dataclass(slots=True)
class OutgoingEvent:
    """An event on its way to TikTok: mapped, hashed and validated.

    Attributes:
        route: What it shares with the other events of its request.
        message_id: Segment's messageId as it may be shown: bounded, printable.
        name: TikTok's event name.
        json: The item of ``data[]`` as JSON.
        parked: Its state in the queue; ``None`` if it was never parked.
        summary: What it has, for reports.
    """

    route: Final[Route]
    message_id: Final[str | None]
    name: Final[str]
    json: Final[str]
    parked: Final[Parked | None] = None
    summary: Final[Summary] = NO_SUMMARY


def parked_state(event: OutgoingEvent) -> Parked:
    """Return the state of an event that was parked.

    Raises:
        ValueError: It never was.
    """
    if event.parked is None:
        raise ValueError("an event that was never parked")
    return event.parked
