"""Mapped fields to one item of ``data[]`` of TikTok's Events API 2.0, checked before it leaves.

Required data that is unusable rejects the event (:class:`InvalidEventError`); optional data that
is unusable is left out and reported, so that a price that is no number never costs a purchase.
Nothing empty is ever sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from tiktok_pixel.tiktok.identifiers import build_user, identifies
from tiktok_pixel.tiktok.properties import build_properties
from tiktok_pixel.tiktok.schema import EVENT_SOURCES, coercion_of, is_event_name
from tiktok_pixel.values.coercion import boolean, text, usable
from tiktok_pixel.values.javascript import WHITESPACE
from tiktok_pixel.values.validation import InvalidEventError, Problem, UnusableValueError

_EVENT_SOURCE: Final = coercion_of(EVENT_SOURCES)

_DAY: Final = 86_400  # seconds
# TikTok attributes clicks for 28 days at most; what is older can no longer be matched.
OLDEST_SECONDS: Final = 28 * _DAY
_NEWEST: Final = 1 * _DAY


@dataclass(frozen=True, slots=True)
class Route:
    """What all events of one request share: pixel (by name), source and test code."""

    pixel: str | None
    event_source: str
    test_event_code: str | None


@dataclass(slots=True)
class OutgoingEvent:
    """An event that is mapped, hashed and validated.

    Attributes:
        route: What it shares with the other events of its request.
        message_id: Segment's messageId as it can be shown: bounded, printable.
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
class BuiltEvent:
    """An event as TikTok takes it.

    Attributes:
        wire: The item of ``data[]``.
        event_source: ``web``, ``offline`` or ``crm``; one request carries one source.
        test_event_code: The mapping's own test code, which goes to the top of the request.
        left_out: What could not be sent along.
    """

    wire: Final[dict[str, Any]]
    event_source: Final[str]
    test_event_code: Final[str | None]
    left_out: Final[tuple[Problem, ...]]


def build_event(
    fields: dict[str, Any], *, message_id: str, now: float, default_region: str | None
) -> BuiltEvent:
    """Build and check one event.

    Args:
        fields: Mapped fields, by the names of Segment's TikTok destination.
        message_id: Segment's messageId: the ``event_id`` where the mapping gives none.
        now: Unix time in seconds: the ``event_time`` where the event has none.
        default_region: Region for national phone numbers of unknown country.

    Raises:
        InvalidEventError: Required data is missing or unusable.
    """
    left_out: list[Problem] = []
    event_source = "web"
    if "event_source" in fields:
        given = usable("event_source", fields["event_source"], _EVENT_SOURCE, left_out)
        event_source = given or "web"
    event_id = fields.get("event_id")
    if event_id is not message_id:
        event_id = usable("event_id", event_id, text, left_out) or message_id
    wire: dict[str, Any] = {
        "event": _event_name(fields),
        "event_time": event_time(fields.get("timestamp"), now),
        "event_id": event_id,
    }
    user = build_user(fields, default_region, left_out)
    lead = _lead(fields, left_out) if event_source == "crm" else None
    if not identifies(user) and lead is None:
        raise InvalidEventError(Problem("identifier", "missing"), tuple(left_out))
    if user:
        wire["user"] = user
    properties = build_properties(fields, left_out)
    if properties:
        wire["properties"] = properties
    page = _page(fields, event_source, left_out)
    if page:
        wire["page"] = page
    if lead is not None:
        wire["lead"] = lead
    if "limited_data_use" in fields:
        limited = usable("limited_data_use", fields["limited_data_use"], boolean, left_out)
        if limited is not None:
            wire["limited_data_use"] = limited
    test_event_code = None
    if "test_event_code" in fields:
        test_event_code = usable("test_event_code", fields["test_event_code"], text, left_out)
    return BuiltEvent(wire, event_source, test_event_code, tuple(left_out))


def event_time(timestamp: object, now: float) -> int:
    """Unix seconds of an ISO 8601 timestamp; ``now`` where there is none.

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


def _event_name(fields: dict[str, Any]) -> str:
    name = fields.get("event")
    if name.__class__ is not str:
        name = _event_name_of(name)
    if not is_event_name(name):
        blank = not name.strip(WHITESPACE)
        raise InvalidEventError(Problem("event", "missing" if blank else "not_valid"))
    return name


def _event_name_of(value: object) -> str:
    """The name that another value than text stands for; literal names are checked at load."""
    try:
        return text(value) or ""
    except UnusableValueError as error:
        raise InvalidEventError(Problem("event", error.rule)) from error


def _page(
    fields: dict[str, Any], event_source: str, left_out: list[Problem]
) -> dict[str, str] | None:
    url, referrer = fields.get("url"), fields.get("referrer")
    if url.__class__ is not str or not url.strip(WHITESPACE):
        url = usable("page_url", url, text, left_out)
    if url is None:
        # TikTok wants the page of a web event, and without its address there is none to name.
        if event_source == "web":
            left_out.append(Problem("page_url", "missing"))
        return None
    if referrer.__class__ is not str or not referrer.strip(WHITESPACE):
        referrer = usable("page_referrer", referrer, text, left_out)
    return {"url": url} if referrer is None else {"url": url, "referrer": referrer}


def _lead(fields: dict[str, Any], left_out: list[Problem]) -> dict[str, str] | None:
    given = fields.get("lead_fields")
    source = given if isinstance(given, dict) else fields
    lead_id = usable("lead", source.get("lead_id"), text, left_out)
    if lead_id is None:
        return None
    lead = {"lead_id": lead_id}
    crm = usable("lead", source.get("lead_event_source"), text, left_out)
    if crm is not None:
        lead["lead_event_source"] = crm
    return lead
