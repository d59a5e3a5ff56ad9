"""The way through: Segment events in, one outcome for each of them out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tiktok_pixel.observability import report_crash
from tiktok_pixel.outcomes import Outcome, Status, shown_message_id
from tiktok_pixel.problems import InvalidEventError, Problem
from tiktok_pixel.segment.errors import InvalidSegmentEventError
from tiktok_pixel.segment.event import SegmentEvent, read_event
from tiktok_pixel.tiktok.delivery import Call, Delivery, Route
from tiktok_pixel.tiktok.events import build_event
from tiktok_pixel.tiktok.isolation import Parcel

if TYPE_CHECKING:
    from tiktok_pixel.credentials import Credentials
    from tiktok_pixel.deadline import Deadline
    from tiktok_pixel.mapping import Mapping, MappingSet
    from tiktok_pixel.settings import Settings
    from tiktok_pixel.tiktok.client import TikTokClient

# Compact and pure ASCII: lone surrogates, which UTF-8 cannot hold, stay escaped.
_ENCODE: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Destination:
    """What every request of an environment shares."""

    settings: Settings
    mappings: MappingSet
    credentials: Credentials
    client: TikTokClient


@dataclass(frozen=True, slots=True)
class Report:
    """What happened: for the answer, the metrics and the log.

    Attributes:
        outcomes: One for every event and mapping that matched it, in order.
        problems: What was left out of events or cost them, counted.
        calls: The requests to TikTok.
    """

    outcomes: tuple[Outcome, ...]
    problems: Counter[Problem]
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An event that is ready to be sent."""

    message_id: str | None
    event: str
    route: Route
    body: str


def forward(
    events: Sequence[object], destination: Destination, *, deadline: Deadline, now: float
) -> Report:
    """Map, check and send events, and say what became of each.

    Args:
        events: Parsed JSON values, as :func:`tiktok_pixel.segment.payload.parse_events` gives.
        destination: What the environment holds ready.
        deadline: When the answer has to be out.
        now: Unix time in seconds.
    """
    problems: Counter[Problem] = Counter()
    rows: list[Outcome | _Prepared] = []
    for prepared in _prepare_all(events, destination, now, problems):
        rows.extend(prepared)
    parcels = [
        (row.route, Parcel(index, row.body))
        for index, row in enumerate(rows)
        if isinstance(row, _Prepared)
    ]
    delivery = Delivery(destination.client, destination.credentials, deadline)
    fates = delivery.deliver(parcels) if parcels else {}
    outcomes = []
    for index, row in enumerate(rows):
        if isinstance(row, _Prepared):
            fate = fates[index]
            outcomes.append(
                Outcome(row.message_id, fate.status, fate.reason, row.event, fate.throttled)
            )
        else:
            outcomes.append(row)
    return Report(tuple(outcomes), problems, tuple(delivery.calls))


def _prepare_all(
    events: Sequence[object], destination: Destination, now: float, problems: Counter[Problem]
) -> Iterator[list[Outcome | _Prepared]]:
    taken: set[str] = set()
    for value in events:
        try:
            event = read_event(value)
        except InvalidSegmentEventError as error:
            problems[error.problem] += 1
            shown = shown_message_id(error.message_id)
            yield [Outcome(shown, Status.REJECTED, error.problem.code)]
            continue
        if event.message_id in taken:
            shown = shown_message_id(event.message_id)
            yield [Outcome(shown, Status.IGNORED, "duplicate_in_batch")]
            continue
        rows = _prepare_safely(event, destination, now, problems)
        # A copy of an event that could not be sent may be a better one.
        if event.is_known and not all(_is_rejected(row) for row in rows):
            taken.add(event.message_id)
        yield rows


def _prepare_safely(
    event: SegmentEvent, destination: Destination, now: float, problems: Counter[Problem]
) -> list[Outcome | _Prepared]:
    try:
        return _prepare(event, destination, now, problems)
    except Exception as error:  # noqa: BLE001  # a mistake of ours must not cost the rest of a batch
        report_crash(error)
        shown = shown_message_id(event.message_id)
        return [Outcome(shown, Status.RETRY, "internal_error")]


def _prepare(
    event: SegmentEvent, destination: Destination, now: float, problems: Counter[Problem]
) -> list[Outcome | _Prepared]:
    shown = shown_message_id(event.message_id)
    if not event.is_known:
        return [Outcome(shown, Status.IGNORED, "type_unknown")]
    matching = destination.mappings.match(event.raw)
    if not matching:
        return [Outcome(shown, Status.IGNORED, "not_mapped")]
    return [_apply(mapping, event, destination.settings, now, problems) for mapping in matching]


def _apply(
    mapping: Mapping,
    event: SegmentEvent,
    settings: Settings,
    now: float,
    problems: Counter[Problem],
) -> Outcome | _Prepared:
    shown = shown_message_id(event.message_id)
    fields: dict[str, Any] = mapping.evaluate(event.raw)
    try:
        built = build_event(
            fields,
            message_id=event.message_id,
            now=now,
            default_region=settings.default_phone_region,
        )
    except InvalidEventError as error:
        problems[error.problem] += 1
        name = fields.get("event")
        return Outcome(
            shown,
            Status.REJECTED,
            error.problem.code,
            name if isinstance(name, str) else None,
        )
    problems.update(built.left_out)
    route = Route(
        mapping.pixel, built.event_source, built.test_event_code or settings.test_event_code
    )
    return _Prepared(shown, built.wire["event"], route, _ENCODE(built.wire))


def _is_rejected(row: Outcome | _Prepared) -> bool:
    return isinstance(row, Outcome) and row.status is Status.REJECTED
