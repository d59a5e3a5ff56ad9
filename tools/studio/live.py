"""The last events that the sandbox's endpoint received (`pixel sandbox`)."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any, Final

_TIMEOUT: Final = 2.0
_MAX_BYTES: Final = 50_000_000


class LiveError(Exception):
    """The endpoint cannot be asked; the message says what to do."""


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """An event that the endpoint received.

    Attributes:
        time: The local time of day.
        name: The name or type of the event.
        status: The outcome, or `refused`.
        event: The event; None when the request was refused.
    """

    time: str
    name: str
    status: str
    event: Any


def last_events(endpoint: str) -> tuple[LiveEvent, ...]:
    """Ask the sandbox for the last events that its endpoint received, the newest first.

    Raises:
        LiveError: No sandbox answers there.
    """
    try:
        with urllib.request.urlopen(f"{endpoint}/received", timeout=_TIMEOUT) as response:
            rows = json.loads(response.read(_MAX_BYTES))
    except (OSError, ValueError) as error:
        raise LiveError(
            "No sandbox is running. Start one with “pixel sandbox”, then post signed events to "
            f"{endpoint}/segment (“pixel send” does)."
        ) from error
    return tuple(LiveEvent(row["time"], row["name"], row["status"], row["event"]) for row in rows)
