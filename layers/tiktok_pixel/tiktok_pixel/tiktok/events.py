"""Build events for TikTok's Events API 2.0 from mapped fields.

Required data that is unusable rejects the event (:class:`InvalidEventError`). Optional data that is
unusable is left out and reported. Nothing empty is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from tiktok_pixel.outcomes import shown_message_id
from tiktok_pixel.tiktok.identifiers import build_user, identifies
from tiktok_pixel.tiktok.properties import build_properties
from tiktok_pixel.tiktok.schema import EVENT_SOURCES, coercion_of, is_event_name
from tiktok_pixel.values.coercion import boolean, text, usable_fields
from tiktok_pixel.values.javascript import WHITESPACE
from tiktok_pixel.values.json_text import compact
from tiktok_pixel.values.validation import InvalidEventError, Problem, UnusableValueError

_COERCIONS: Final = {
    "event_source": coercion_of(EVENT_SOURCES),
    "event_id": text,
    "url": text,
    "referrer": text,
    "limited_data_use": boolean,
    "test_event_code": text,
}
_PROBLEM_FIELDS: Final = {"url": "page_url", "referrer": "page_referrer"}
_LEAD: Final = {"lead_id": text, "lead_event_source": text}
_LEAD_PROBLEM_FIELDS: Final = dict.fromkeys(_LEAD, "lead")

_DAY: Final = 86_400  # seconds
# TikTok attributes clicks for 28 days at most; older events can no longer be matched.
OLDEST_SECONDS: Final = 28 * _DAY
_NEWEST: Final = 1 * _DAY


@dataclass(frozen=True, slots=True)
class Route:
    """What all events of one request share.

    Attributes:
        pixel: The pixel's name in the settings, ``None`` for the default one.
        event_source: ``web``, ``offline`` or ``crm``.
        test_event_code: The code of a test in TikTok's Events Manager.
    """

    pixel: str | None
    event_source: str
    test_event_code: str | None


# There are few routes, and every event needs one.
_route = lru_cache(maxsize=64)(Route)


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
        parked_at: Unix time in seconds when it was first parked; ``None`` if it never was.
    """

    route: Final[Route]
    message_id: Final[str | None]
    name: Final[str]
    json: Final[str]
    parked_at: Final[float | None] = None


@dataclass(slots=True)
class EventContext:
    """What an event is built from besides its mapped fields.

    Attributes:
        message_id: Segment's messageId: the ``event_id`` when the mapping gives none.
        now: Unix time in seconds: the ``event_time`` when the mapping gives none.
        default_region: Region for national phone numbers of unknown country.
        test_event_code: The test code when the mapping gives none.
        event_id: The ``event_id``, whatever the mapping gives.
        limit_data_use: Whether TikTok must limit the use of the data, whatever the mapping gives.
    """

    message_id: Final[str]
    now: Final[float]
    default_region: Final[str | None] = None
    test_event_code: Final[str | None] = None
    event_id: Final[str | None] = None
    limit_data_use: Final[bool] = False


def build_event(
    fields: dict[str, Any], pixel: str | None, context: EventContext
) -> tuple[OutgoingEvent, list[Problem]]:
    """Build and validate one event.

    Args:
        fields: Mapped fields, by the names of Segment's TikTok destination.
        pixel: The name of the mapping's pixel, ``None`` for the default one.
        context: What does not come from the mapping.

    Returns:
        The event, and the problems of what was left out of it.

    Raises:
        InvalidEventError: Required data is missing or unusable.
    """
    values, problems = usable_fields(fields, _COERCIONS, _PROBLEM_FIELDS)
    event_source = values.get("event_source", "web")
    event_name = _event_name(fields.get("event"))
    item: dict[str, Any] = {
        "event": event_name,
        "event_time": event_time(fields.get("timestamp"), context.now),
        "event_id": context.event_id or values.get("event_id", context.message_id),
    }
    user, found = build_user(fields, context.default_region)
    problems += found
    lead, found = _lead(fields) if event_source == "crm" else ({}, [])
    problems += found
    if not identifies(user) and not lead:
        raise InvalidEventError(Problem("identifier", "missing"), tuple(problems))
    properties, found = build_properties(fields)
    problems += found
    page = {key: values[key] for key in ("url", "referrer") if key in values}
    if "url" not in page:
        # TikTok requires the URL with a page, and a page with a web event.
        page = {}
        if event_source == "web":
            problems.append(Problem("page_url", "missing"))
    parts = {"user": user, "properties": properties, "page": page, "lead": lead}
    item |= {name: part for name, part in parts.items() if part}
    if context.limit_data_use:
        item["limited_data_use"] = True
    elif "limited_data_use" in values:
        item["limited_data_use"] = values["limited_data_use"]
    route = _route(pixel, event_source, values.get("test_event_code") or context.test_event_code)
    message_id = shown_message_id(context.message_id)
    return OutgoingEvent(route, message_id, event_name, compact(item)), problems


def event_time(timestamp: object, now: float) -> int:
    """Convert an ISO 8601 timestamp to Unix seconds; without one, return ``now``.

    Text without an offset is UTC, as all of Segment's timestamps are.

    Raises:
        InvalidEventError: Not ISO 8601, more than a day ahead, or older than 28 days.
    """
    if timestamp is None:
        return int(now)
    try:
        moment = datetime.fromisoformat(timestamp)  # type: ignore[arg-type]  # TypeError below
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = moment.timestamp()
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidEventError(Problem("event_time", "unparsable")) from error
    if seconds > now + _NEWEST:
        raise InvalidEventError(Problem("event_time", "in_future"))
    if seconds < now - OLDEST_SECONDS:
        raise InvalidEventError(Problem("event_time", "too_old"))
    return int(seconds)


def _event_name(value: object) -> str:
    # Literal names were checked when the mappings were loaded; a mapping can compute a name too.
    try:
        name = text(value) or ""
    except UnusableValueError as error:
        raise InvalidEventError(Problem("event", error.rule)) from error
    if not name.strip(WHITESPACE):
        raise InvalidEventError(Problem("event", "missing"))
    if not is_event_name(name):
        raise InvalidEventError(Problem("event", "not_valid"))
    return name


def _lead(fields: dict[str, Any]) -> tuple[dict[str, str], list[Problem]]:
    given = fields.get("lead_fields")
    lead, problems = usable_fields(
        given if isinstance(given, dict) else fields, _LEAD, _LEAD_PROBLEM_FIELDS
    )
    return lead if "lead_id" in lead else {}, problems
