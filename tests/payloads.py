"""What becomes of the sample events: the exact payloads, outcomes, and what must stay private.

`tests/expected/` has the request that TikTok gets for each sample of `events/`, without the time
of the event, which is the time of the test.
"""

from __future__ import annotations

import json
import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tools.sandbox.tiktok import ACCESS_TOKEN

if TYPE_CHECKING:
    from tools.sandbox.tiktok import Received

EXPECTED: Final = Path(__file__).parent / "expected"
_OLDEST_SECONDS: Final = 300

PERSONAL: Final = (
    "jane.doe@example.com",
    "jane@example.org",
    "user@example.com",
    "+12065550100",
    "+442079460958",
    "+442079460000",
    "user-4711",
    "a1b2c3d4-0000-4000-8000-000000000001",
    "jane",
    "doe",
    "odoe",
    "98101",
)
"""The identifiers in the samples, as they are hashed."""

OUTCOMES: Final = {
    **{file.stem: (200, "forwarded", "tiktok_accepted") for file in EXPECTED.glob("*.json")},
    "ignored-identify": (200, "ignored", "not_mapped"),
    "rejected-no-identifier": (400, "rejected", "identifier_missing"),
    "rejected-too-old": (400, "rejected", "event_time_too_old"),
}
"""Sample -> HTTP status, outcome and reason."""

REFUSALS: Final = {
    "refused-wrong-signature": (401, "signature_wrong"),
    "refused-unsigned": (401, "signature_missing"),
    "refused-not-json": (400, "body_not_json"),
}
"""HTTP sample that is refused as a whole -> HTTP status and reason."""


def expected(name: str) -> dict[str, Any]:
    """The request that TikTok gets for a sample."""
    payload: dict[str, Any] = json.loads((EXPECTED / f"{name}.json").read_text())
    return payload


def assert_payload(received: Received, name: str) -> None:
    """Check that a request to TikTok is the one of this sample, with an event of now."""
    assert received.parsed is not None
    (event,) = received.parsed["data"]
    event = dict(event)
    assert 0 <= time.time() - event.pop("event_time") <= _OLDEST_SECONDS
    assert received.parsed | {"data": [event]} == expected(name)
    assert received.headers["access-token"] == ACCESS_TOKEN


def hashed(text: str) -> str:
    """SHA-256 in hex, which TikTok matches by."""
    return sha256(text.encode()).hexdigest()


def assert_nothing_personal(text: str) -> None:
    """Check that a text has neither the identifiers of the samples nor their hashes."""
    seen = text.lower()
    for identifier in PERSONAL:
        assert hashed(identifier) not in seen
        # Shorter ones are part of other words.
        if len(identifier) > 4:
            assert identifier not in seen
    assert "206) 555" not in seen
    assert "8.8.8.8" not in seen
