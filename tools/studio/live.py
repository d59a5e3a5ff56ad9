"""The last events that the sandbox's endpoint received (`pixel sandbox`)."""

from __future__ import annotations

import json
import urllib.request
from typing import Final

from tools.sandbox.endpoint import RECEIVED_PATH, SEGMENT_PATH, ReceivedEvent

_TIMEOUT: Final = 2.0
_MAX_BYTES: Final = 50_000_000


class LiveError(Exception):
    """The endpoint cannot be asked; the message says what to do."""


def last_events(endpoint: str) -> tuple[ReceivedEvent, ...]:
    """Ask the sandbox for the last events that its endpoint received, the newest first.

    Raises:
        LiveError: No sandbox answers there.
    """
    try:
        with urllib.request.urlopen(f"{endpoint}{RECEIVED_PATH}", timeout=_TIMEOUT) as response:
            rows = json.loads(response.read(_MAX_BYTES))
    except (OSError, ValueError) as error:
        raise LiveError(
            "No sandbox is running. Start one with “pixel sandbox”, then post signed events to "
            f"{endpoint}{SEGMENT_PATH} (“pixel send” does)."
        ) from error
    return tuple(
        ReceivedEvent(row["time"], row["name"], row["status"], row["event"]) for row in rows
    )
