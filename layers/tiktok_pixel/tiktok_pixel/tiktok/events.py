"""Build events for TikTok's Events API 2.0 from mapped fields.

Required data that is unusable rejects the event (:class:`InvalidEventError`). Optional data that is
unusable is left out and reported. Nothing empty is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from tiktok_pixel.outcomes import Summary, shown_message_id
from tiktok_pixel.tiktok.event_names import is_event_name, is_standard_event
from tiktok_pixel.tiktok.fields import AD, EVENT_SOURCES, USER_KEY_SOURCES, coercion_of
from tiktok_pixel.tiktok.identifiers import build_user, identifies
from tiktok_pixel.tiktok.outgoing import OutgoingEvent, Route, Traffic
from tiktok_pixel.tiktok.properties import build_properties
from tiktok_pixel.values.coercion import boolean, text, usable, usable_fields
from tiktok_pixel.values.json_text import compact
from tiktok_pixel.values.validation import (
    ForbiddenEventError,
    InvalidEventError,
    Problem,
    Problems,
    UnusableValueError,
)

_COERCIONS: Final = {
    "event_source": coercion_of(EVENT_SOURCES),
    "event_id": text,
    "url": text,
    "referrer": text,
    "test_event_code": text,
}
_PROBLEM_FIELDS: Final = {"url": "page_url", "referrer": "page_referrer"}
_LEAD: Final = {"lead_id": text, "lead_event_source": text}
_LEAD_PROBLEM_FIELDS: Final = dict.fromkeys(_LEAD, "lead")
_AD: Final = {field: coercion_of(kind) for field, kind in AD.items()}
_AD_PROBLEM_FIELDS: Final = dict.fromkeys(_AD, "ad")

_DAY: Final = 86_400  # seconds
# TikTok drops a second copy for 48 h. An hour is kept for delays and for clocks that differ.
DEDUPLICATION_SECONDS: Final = 47 * 3600
# TikTok attributes clicks for 28 days at most; older events can no longer be matched.
OLDEST_SECONDS: Final = 28 * _DAY
_NEWEST: Final = 1 * _DAY


@dataclass(slots=True)
class EventContext:
    """What an event is built from besides its mapped fields.

    Attributes:
        message_id: Segment's messageId: the ``event_id`` when the mapping gives none.
        now: Unix time in seconds: the ``event_time`` when the mapping gives none.
        default_page_url: The page of a web event that has none; ``None`` to send it without.
        default_region: Region for national phone numbers of unknown country.
        is_test: Whether the settings mark all events as test events.
        event_id: The ``event_id``, whatever the mapping gives.
        limit_data_use: Whether TikTok must limit the use of the data, whatever the mapping gives.
    """

    message_id: Final[str]
    now: Final[float]
    default_page_url: Final[str | None] = None
    default_region: Final[str | None] = None
    is_test: Final[bool] = False
    event_id: Final[str | None] = None
    limit_data_use: Final[bool] = False


def build_event(
    fields: dict[str, Any],
    pixel: str | None,
    context: EventContext,
    derive: bool = True,  # noqa: FBT001, FBT002  # hot path: keyword arguments cost more
) -> tuple[OutgoingEvent, Problems]:
    """Build and validate one event.

    Args:
        fields: Mapped fields, by the names of Segment's TikTok destination.
        pixel: The name of the mapping's pixel, ``None`` for the default one.
        context: What does not come from the mapping.
        derive: Whether to compute totals that the event lacks from its contents.

    Returns:
        The event, and the problems of what was left out of it.

    Raises:
        InvalidEventError: Required data is missing or unusable.
        ForbiddenEventError: The person limits the use of the data, which TikTok does not support
            for the event source.
    """
    values, problems = usable_fields(fields, _COERCIONS, _PROBLEM_FIELDS)
    event_source = values.get("event_source", "web")
    limited = None
    if "limited_data_use" in fields or context.limit_data_use:
        limited, found = _limited_data_use(fields, event_source, context)
        problems += found
    event_name = _event_name(fields.get("event"), event_source)
    item: dict[str, Any] = {
        "event": event_name,
        "event_time": event_time(fields.get("timestamp"), context.now),
        "event_id": context.event_id or values.get("event_id", context.message_id),
    }
    user, found = build_user(fields, context.default_region)
    problems += found
    rare: dict[str, Any] = {}
    if "lead_fields" in fields or "lead_id" in fields or "ad" in fields:
        rare, found = _rare_parts(fields, event_source)
        problems += found
    if event_source != "web":
        user, found = _for_source(user, event_source)
        problems += found
        if event_source == "crm" and "lead" not in rare:
            problems += (Problem("lead", "missing"),)
    if not identifies(user) and "lead" not in rare:
        raise InvalidEventError(Problem("identifier", "missing"), problems)
    properties, found = build_properties(fields, event_source, derive=derive)
    problems += found
    page, found = _page(values, event_source, context.default_page_url)
    problems += found
    # Hot path: a loop over the parts costs twice as much.
    if user:
        item["user"] = user
    if properties:
        item["properties"] = properties
    if page:
        item["page"] = page
    if rare:
        item |= rare
    if limited is not None:
        item["limited_data_use"] = limited
        if limited and "ip" not in user:
            problems += (Problem("limited_data_use", "without_ip"),)
    route = _route(pixel, event_source, values.get("test_event_code"), context.is_test)
    summary = Summary(
        tuple(user),
        "value" in properties and "currency" in properties,
        tuple(problem.code for problem in problems) if problems else (),
    )
    message_id = shown_message_id(context.message_id)
    # Hot path: a keyword argument would double the time.
    return OutgoingEvent(route, message_id, event_name, compact(item), None, summary), problems


# There are few routes, and every event needs one.
@lru_cache(maxsize=64)
def _route(
    pixel: str | None,
    event_source: str,
    test_event_code: str | None,
    is_test: bool,  # noqa: FBT001  # hot path: a keyword argument would double the time
) -> Route:
    if test_event_code is not None:
        return Route(pixel, event_source, Traffic.MAPPING, test_event_code)
    return Route(pixel, event_source, Traffic.SETTING if is_test else Traffic.REAL)


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


def _event_name(value: object, event_source: str) -> str:
    # Literal names were checked when the mappings were loaded; a mapping can compute a name too.
    try:
        name = text(value)
    except UnusableValueError as error:
        raise InvalidEventError(Problem("event", error.rule)) from error
    if name is None:
        raise InvalidEventError(Problem("event", "missing"))
    if not is_event_name(name):
        raise InvalidEventError(Problem("event", "not_valid"))
    if event_source == "offline" and not is_standard_event(name):
        raise InvalidEventError(Problem("event", "not_for_source"))
    return name


def _limited_data_use(
    fields: dict[str, Any], event_source: str, context: EventContext
) -> tuple[bool | None, Problems]:
    """Read ``limited_data_use``; a value that cannot be read counts as true."""
    limited, problem = usable("limited_data_use", fields.get("limited_data_use"), boolean)
    if problem is not None or context.limit_data_use:
        limited = True
    problems = () if problem is None else (problem,)
    if limited is None or event_source == "web":
        return limited, problems
    if limited:
        raise ForbiddenEventError("limited_data_use_not_for_source")
    return None, (Problem("limited_data_use", "not_for_source"),)


def _for_source(user: dict[str, Any], event_source: str) -> tuple[dict[str, Any], Problems]:
    """Keep the match keys that the event source takes."""
    kept = {
        key: value
        for key, value in user.items()
        if event_source in USER_KEY_SOURCES.get(key, EVENT_SOURCES)
    }
    return kept, tuple(Problem(key, "not_for_source") for key in user if key not in kept)


def _page(
    values: dict[str, Any], event_source: str, default_url: str | None
) -> tuple[dict[str, str], Problems]:
    page: dict[str, str] = {key: values[key] for key in ("url", "referrer") if key in values}
    if event_source != "web":
        return {}, tuple(Problem(f"page_{key}", "not_for_source") for key in page)
    if "url" not in page:
        # TikTok requires a page's URL, and a page for a web event.
        return {"url": default_url} if default_url else {}, (Problem("page_url", "missing"),)
    return page, ()


def _rare_parts(fields: dict[str, Any], event_source: str) -> tuple[dict[str, Any], Problems]:
    """Build the parts of an event that few events have: ``lead`` and ``ad``."""
    lead, problems = _lead(fields, event_source)
    ad, found = _ad(fields.get("ad"), event_source)
    parts = {"lead": lead, "ad": ad}
    return {name: part for name, part in parts.items() if part}, problems + found


def _lead(fields: dict[str, Any], event_source: str) -> tuple[dict[str, str], Problems]:
    if "lead_fields" not in fields and "lead_id" not in fields:
        return {}, ()
    given = fields.get("lead_fields")
    lead, problems = usable_fields(
        given if isinstance(given, dict) else fields, _LEAD, _LEAD_PROBLEM_FIELDS
    )
    if lead and event_source != "crm":
        return {}, (Problem("lead", "not_for_source"),)
    return lead if "lead_id" in lead else {}, problems


def _ad(given: object, event_source: str) -> tuple[dict[str, Any], Problems]:
    if given is None or given == "":
        return {}, ()
    if not isinstance(given, dict):
        return {}, (Problem("ad", "not_an_object"),)
    ad, problems = usable_fields(given, _AD, _AD_PROBLEM_FIELDS)
    if ad and event_source != "web":
        return {}, (Problem("ad", "not_for_source"),)
    return ad, problems
