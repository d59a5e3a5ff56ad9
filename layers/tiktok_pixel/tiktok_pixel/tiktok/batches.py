"""Group outgoing events into requests within TikTok's limits, and write their bodies."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from tiktok_pixel.tiktok.outgoing import OutgoingEvent, Route
from tiktok_pixel.values.json_text import compact

# TikTok refuses a request with more events or bytes as a whole.
EVENTS_PER_REQUEST: Final = 1000
BYTES_PER_REQUEST: Final = 1_000_000
# For the fields that the events of a request share.
_HEAD_BYTES: Final = 1_000

Batch = Sequence[OutgoingEvent]
"""The events of one request: all of one route."""


def batches(events: Sequence[OutgoingEvent]) -> list[list[int]]:
    """Return the requests that events need, as positions, each within TikTok's limits."""
    groups: dict[tuple[Route, bool], list[list[int]]] = {}
    sizes: dict[tuple[Route, bool], int] = {}
    for index, event in enumerate(events):
        key = (event.route, _lacks_page(event))
        size = len(event.json) + 1
        requests = groups.setdefault(key, [[]])
        taken = sizes.get(key, _HEAD_BYTES)
        if len(requests[-1]) >= EVENTS_PER_REQUEST or (
            requests[-1] and taken + size > BYTES_PER_REQUEST
        ):
            requests.append([])
            taken = _HEAD_BYTES
        requests[-1].append(index)
        sizes[key] = taken + size
    return [request for requests in groups.values() for request in requests]


def _lacks_page(event: OutgoingEvent) -> bool:
    # TikTok requires the page of a web event and may refuse a whole request without it. A quoted
    # value cannot look like this key: its quotation marks are escaped.
    return event.route.event_source == "web" and '"page":{' not in event.json


def request_body(batch: Batch, pixel_code: str, test_event_code: str | None) -> bytes:
    """Return the body of one request: the fields that its events share, then the events.

    Args:
        batch: Events of one route.
        pixel_code: The code of the route's pixel.
        test_event_code: The test event code of the settings.
    """
    route = batch[0].route
    head = _head(route.event_source, pixel_code, route.code(test_event_code))
    return f'{head},"data":[{",".join([event.json for event in batch])}]}}'.encode()


# Cached: there are few heads, and writing one takes as long as the rest of a single event.
@lru_cache(maxsize=64)
def _head(event_source: str, pixel_code: str, test_event_code: str | None) -> str:
    shared: dict[str, str] = {"event_source": event_source, "event_source_id": pixel_code}
    if test_event_code:
        shared["test_event_code"] = test_event_code
    return compact(shared)[:-1]
