"""Turn Segment events into outgoing events, or into the outcomes that end them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from tiktok_pixel.mapping.paths import resolve, split_path
from tiktok_pixel.observability import report_crash
from tiktok_pixel.outcomes import Outcome, Status, Summary, shown_message_id
from tiktok_pixel.segment.consent import has_consent, is_consent_event, is_selected
from tiktok_pixel.segment.errors import InvalidSegmentEventError
from tiktok_pixel.segment.event import TYPES, SegmentEvent, read_event
from tiktok_pixel.tiktok.events import DEDUPLICATION_SECONDS, EventContext, build_event
from tiktok_pixel.tiktok.limits import count_further_identifiers, with_first_identifiers
from tiktok_pixel.tiktok.outgoing import OutgoingEvent
from tiktok_pixel.values.coercion import id_text
from tiktok_pixel.values.validation import ForbiddenEventError, InvalidEventError, Problem, Problems

if TYPE_CHECKING:
    from tiktok_pixel.deadline import Deadline
    from tiktok_pixel.mapping import EventMapping, MappingSet
    from tiktok_pixel.settings import Settings


# Each mapping that sends an event costs as much as a further event.
_MOST_SENDING_MAPPINGS: Final = 5
# In a body, beyond the first of each kind in an event: phones are slow to read.
_MOST_FURTHER_IDENTIFIERS: Final = 10_000

Row = Outcome | OutgoingEvent

# The mapped fields of problems that have another name.
_MAPPED_FIELDS: Final = {"phone": "phone_number", "page_url": "url", "page_referrer": "referrer"}
# An unreadable privacy flag counts as set.
_FINAL_FIELDS: Final = ("limited_data_use",)
# Parts of them are sent although others cannot be.
_DIVISIBLE_FIELDS: Final = ("contents", "ad")
# More candidates of one field are not tried.
_MOST_CANDIDATES: Final = 8


def prepare(
    events: Sequence[object],
    mappings: MappingSet,
    settings: Settings,
    now: float,
    deadline: Deadline | None = None,
) -> tuple[list[Row], list[Problem]]:
    """Map and validate events.

    Args:
        events: Parsed JSON values of any kind.
        mappings: The active mappings.
        settings: The settings of the deployment.
        now: Unix time in seconds.
        deadline: When to stop: the events left then end as ``retry``.

    Returns:
        One row for every event and mapping that matches it, in order, and the problems of all.
    """
    rows: list[Row] = []
    problems: list[Problem] = []
    taken: set[str] = set()
    further_identifiers = _MOST_FURTHER_IDENTIFIERS
    for value in events:
        try:
            event = read_event(value)
        except InvalidSegmentEventError as error:
            problems.append(error.problem)
            shown = shown_message_id(error.message_id)
            code = error.problem.code
            summary = Summary(problems=(code,))
            rows.append(Outcome(shown, Status.REJECTED, code, summary=summary))
            continue
        if event.message_id and event.message_id in taken:
            rows.append(_ignored(event, "duplicate_in_batch"))
            continue
        if deadline is not None and not deadline.remaining():
            rows.append(_outcome(event, Status.RETRY, "budget_exhausted"))
            continue
        try:
            event_rows, found, used = _prepare_event(
                event, mappings, settings, now, further_identifiers
            )
        except RecursionError:
            problem = Problem("event", "nested_too_deeply")
            problems.append(problem)
            rows.append(_rejected(event, (problem,)))
            continue
        except Exception as error:  # noqa: BLE001  # one crash must not lose the rest of a batch
            report_crash(error)
            rows.append(_outcome(event, Status.RETRY, "internal_error"))
            taken.add(event.message_id)
            continue
        for row in event_rows:
            # A later copy of an event that was rejected may be usable.
            if isinstance(row, OutgoingEvent) or row.status is not Status.REJECTED:
                taken.add(event.message_id)
                break
        rows += event_rows
        problems += found
        further_identifiers -= used
    return rows, problems


def _prepare_event(
    event: SegmentEvent,
    mappings: MappingSet,
    settings: Settings,
    now: float,
    further_identifiers: int,
) -> tuple[list[Row], Problems, int]:
    """Prepare one event.

    Returns:
        Its rows, the problems, and how many further identifiers it used up.
    """
    if event.type not in TYPES:
        return [_ignored(event, "type_unknown")], (), 0
    matching = mappings.match(event.raw)
    if not matching:
        return [_ignored(event, "not_mapped")], (), 0
    agreed = has_consent(event.raw, settings.consent_categories)
    reason = _reason_to_ignore(event.raw, settings, agreed=agreed)
    if reason is not None:
        return [_ignored(event, reason)], (), 0
    shared_id = None
    if settings.use_existing_pixel:
        shared_id = id_text(resolve(event.raw, split_path(settings.event_id_path)))
        if shared_id is None:
            return [_ignored(event, "shared_event_id_missing")], (), 0
    # Hot path: keyword arguments would take twice as long.
    context = EventContext(
        event.message_id,
        now,
        settings.default_page_url,
        settings.default_phone_region,
        settings.test_event_code is not None,
        shared_id,
        not agreed,
    )
    rows: list[Row] = []
    problems: Problems = ()
    used = sent = 0
    for mapping in matching:
        if sent == _MOST_SENDING_MAPPINGS:
            rows.append(_outcome(event, Status.IGNORED, "too_many_mappings", mapping.event_name))
            continue
        fields = mapping.evaluate(event.raw)
        further = count_further_identifiers(fields)
        if used + further > further_identifiers:
            fields, cut = with_first_identifiers(fields)
            problems += cut
            further = 0
        left = further_identifiers - used - further
        row, found, further_tried = _build_usable(mapping, event, fields, context, left)
        if settings.use_existing_pixel and _is_too_old_to_share(row, now):
            reason = "deduplication_window_passed"
            row = _outcome(event, Status.REJECTED, reason, mapping.event_name)
        rows.append(row)
        problems += found
        used += further + further_tried
        sent += isinstance(row, OutgoingEvent)
    return rows, problems, used


def _build(
    mapping: EventMapping, event: SegmentEvent, fields: dict[str, Any], context: EventContext
) -> tuple[Row, Problems]:
    try:
        return build_event(fields, mapping.pixel, context, mapping.derive)
    except InvalidEventError as error:
        problems = (error.problem, *error.left_out)
        return _rejected(event, problems, mapping.event_name), problems
    except ForbiddenEventError as error:
        return _outcome(event, Status.IGNORED, error.reason, mapping.event_name), ()


def _build_usable(
    mapping: EventMapping,
    event: SegmentEvent,
    fields: dict[str, Any],
    context: EventContext,
    further_identifiers: int,
) -> tuple[Row, Problems, int]:
    """Build an event; replace unusable values by the next candidates of their ``@first``.

    Args:
        mapping: The mapping.
        event: The event.
        fields: The mapped fields.
        context: What does not come from the mapping.
        further_identifiers: How many the candidates may have beyond the first of each kind.

    Returns:
        The row, the problems, and how many further identifiers the candidates used up.
    """
    row, problems = _build(mapping, event, fields, context)
    cut: Problems = ()
    used = 0
    tried: dict[str, int] = {}
    while problems:
        unusable = {
            _MAPPED_FIELDS.get(problem.field, problem.field)
            for problem in (problems if isinstance(row, OutgoingEvent) else problems[1:])
            if problem.field not in _FINAL_FIELDS and not _is_partly_sent(problem, row)
        }
        others = {}
        for field in unusable:
            tried[field] = tried.get(field, 0) + 1
            candidates = mapping.candidates(field, event.raw)
            if tried[field] < min(len(candidates), _MOST_CANDIDATES):
                others[field] = candidates[tried[field]]
        if not others:
            break
        further = count_further_identifiers(others)
        if used + further > further_identifiers:
            others, found = with_first_identifiers(others)
            cut += found
        else:
            used += further
        fields = {**fields, **others}
        row, problems = _build(mapping, event, fields, context)
    return row, problems + cut, used


def _is_partly_sent(problem: Problem, row: Row) -> bool:
    """Say whether an event is sent with a part of the value, such as some emails of a list."""
    if isinstance(row, Outcome):
        return False
    if problem.rule == "too_many" or problem.field in row.summary.match_keys:
        return True
    # In JSON, the quotes of other text are escaped.
    return problem.field in _DIVISIBLE_FIELDS and f'"{problem.field}":' in row.json


def _is_too_old_to_share(row: Row, now: float) -> bool:
    """Say whether TikTok would count an event again that the browser pixel has sent."""
    if isinstance(row, Outcome):
        return False
    sent_at: int = json.loads(row.json)["event_time"]
    return now - sent_at > DEDUPLICATION_SECONDS


def _reason_to_ignore(event: dict[str, Any], settings: Settings, *, agreed: bool) -> str | None:
    """Return why the person's consent or the integrations object forbids sending, if they do."""
    if is_consent_event(event):
        return "consent_event"
    if not (agreed or settings.limit_without_consent):
        return "consent_denied"
    return None if is_selected(event) else "integration_disabled"


def _ignored(event: SegmentEvent, reason: str) -> Outcome:
    return _outcome(event, Status.IGNORED, reason)


def _outcome(
    event: SegmentEvent, status: Status, reason: str, event_name: str | None = None
) -> Outcome:
    return Outcome(shown_message_id(event.message_id), status, reason, event_name)


def _rejected(event: SegmentEvent, problems: Problems, event_name: str | None = None) -> Outcome:
    """Return the outcome of an event that the first of its problems rejects."""
    codes = tuple(problem.code for problem in problems)
    shown = shown_message_id(event.message_id)
    return Outcome(shown, Status.REJECTED, codes[0], event_name, summary=Summary(problems=codes))
