"""Segment events to events that can be sent: chosen, mapped, checked; or the reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tiktok_pixel.mapping.paths import resolve, split_path
from tiktok_pixel.observability import report_crash
from tiktok_pixel.outcomes import Outcome, Status, shown_message_id
from tiktok_pixel.segment.consent import has_consent, is_consent_event, is_selected
from tiktok_pixel.segment.errors import InvalidSegmentEventError
from tiktok_pixel.segment.event import SegmentEvent, read_event
from tiktok_pixel.tiktok.events import OutgoingEvent, Route, build_event
from tiktok_pixel.values.javascript import WHITESPACE, to_string
from tiktok_pixel.values.json_text import compact
from tiktok_pixel.values.validation import InvalidEventError, Problem

if TYPE_CHECKING:
    from tiktok_pixel.mapping import MappingSet
    from tiktok_pixel.settings import Settings


Row = Outcome | OutgoingEvent


def prepare(
    events: Sequence[object],
    mappings: MappingSet,
    settings: Settings,
    now: float,
    problems: list[Problem],
) -> list[Row]:
    """One row for every event and mapping that matches it, in order.

    Args:
        events: Parsed JSON values of any kind.
        mappings: The active mappings.
        settings: The settings of the deployment.
        now: Unix time in seconds.
        problems: What is left out of events, or costs them, is appended here.
    """
    rows: list[Row] = []
    taken: set[str] = set()
    for value in events:
        try:
            event = read_event(value)
        except InvalidSegmentEventError as error:
            problems.append(error.problem)
            shown = shown_message_id(error.message_id)
            rows.append(Outcome(shown, Status.REJECTED, error.problem.code))
            continue
        if event.message_id and event.message_id in taken:
            shown = shown_message_id(event.message_id)
            rows.append(Outcome(shown, Status.IGNORED, "duplicate_in_batch"))
            continue
        try:
            of_event = _prepare(event, mappings, settings, now, problems)
        except Exception as error:  # noqa: BLE001  # a mistake of ours must not cost the rest of a batch
            report_crash(error)
            shown = shown_message_id(event.message_id)
            of_event = [Outcome(shown, Status.RETRY, "internal_error")]
        for row in of_event:
            # A copy of an event that could not be sent may be a better one.
            if type(row) is not Outcome or row.status is not Status.REJECTED:
                taken.add(event.message_id)
        rows += of_event
    return rows


def _prepare(
    event: SegmentEvent,
    mappings: MappingSet,
    settings: Settings,
    now: float,
    problems: list[Problem],
) -> list[Row]:
    shown = shown_message_id(event.message_id)
    if not event.is_known:
        return [Outcome(shown, Status.IGNORED, "type_unknown")]
    matching = mappings.match(event.raw)
    if not matching:
        return [Outcome(shown, Status.IGNORED, "not_mapped")]
    decided = _decide(event.raw, settings)
    if not isinstance(decided, dict):
        return [Outcome(shown, Status.IGNORED, decided)]
    rows: list[Row] = []
    for mapping in matching:
        try:
            built = build_event(
                mapping.evaluate(event.raw),
                message_id=event.message_id,
                now=now,
                default_region=settings.default_phone_region,
            )
        except InvalidEventError as error:
            problems += (error.problem, *error.left_out)
            code = error.problem.code
            rows.append(Outcome(shown, Status.REJECTED, code, mapping.event_name))
            continue
        problems += built.left_out
        wire = built.wire | decided if decided else built.wire
        test_event_code = built.test_event_code or settings.test_event_code
        route = _route(mapping.pixel, built.event_source, test_event_code)
        rows.append(OutgoingEvent(route, shown, wire["event"], compact(wire)))
    return rows


def _decide(event: dict[str, Any], settings: Settings) -> str | dict[str, Any]:
    """What the person's choice and the site's own pixel decide, whatever the mapping.

    The reason not to send the event, or what of its wire form does not come from the mapping.
    """
    if is_consent_event(event):
        return "consent_event"
    agreed = has_consent(event, settings.consent_categories)
    if not (agreed or settings.limit_without_consent):
        return "consent_denied"
    if not is_selected(event):
        return "integration_disabled"
    decided: dict[str, Any] = {}
    if settings.use_existing_pixel:
        decided["event_id"] = _shared_id(event, settings.event_id_path)
        if decided["event_id"] is None:
            return "shared_event_id_missing"
    if not agreed:
        decided["limited_data_use"] = True
    return decided


# There are few routes, and each would be made for every event.
_route = lru_cache(maxsize=64)(Route)


def _shared_id(event: dict[str, Any], path: str) -> str | None:
    """The id that the site's own pixel sends as well."""
    value = resolve(event, split_path(path))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return to_string(value)
    return value if isinstance(value, str) and value.strip(WHITESPACE) else None
