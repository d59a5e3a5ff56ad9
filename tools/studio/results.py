"""What happens to an event under a draft: matches, fields step by step, the request, the outcome.

Each mapping is run alone through the code that the Lambda function runs, so that what is left out
can be shown where it happens.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tiktok_pixel.mapping import EventMapping, MappingSet
from tiktok_pixel.outcomes import Outcome
from tiktok_pixel.preparing import prepare
from tiktok_pixel.settings import Settings
from tiktok_pixel.tiktok.batches import request_body
from tools.pixel.inspection import map_fields
from tools.sandbox import rules
from tools.sandbox.tiktok import ACCESS_TOKEN
from tools.studio.checking import Checked
from tools.studio.tracing import Trace, trace_fields
from tools.studio.triggers import Failure, failures

PIXEL_CODE: Final = "YOUR_PIXEL_CODE"


@dataclass(frozen=True, slots=True)
class MatchResult:
    """A mapping that matches the event, and what comes of it.

    Attributes:
        name: The name of the mapping.
        event_name: The TikTok event, where one is known.
        status: `sent`, `rejected` or `ignored`.
        reason: The stable code of the reason; empty when the event is sent.
        traces: What becomes of each field.
        request: The body of the request to TikTok; None when nothing is sent.
        response: The answer of the local TikTok.
    """

    name: str
    event_name: str | None
    status: str
    reason: str
    traces: tuple[Trace, ...]
    request: dict[str, Any] | None
    response: dict[str, Any] | None

    @property
    def is_accepted(self) -> bool:
        """Whether the local TikTok accepted the event."""
        return self.response is not None and self.response["code"] == rules.OK


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A mapping that does not match the event.

    Attributes:
        name: The name of the mapping.
        is_enabled: Whether the mapping is on.
        failures: The conditions that the event does not meet.
    """

    name: str
    is_enabled: bool
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class EventResult:
    """What happens to one event under all mappings of a draft.

    Attributes:
        matches: The mappings that match, in order.
        unmatched: The others, in order.
        unusable: The number of mappings left out because they have problems.
    """

    matches: tuple[MatchResult, ...]
    unmatched: tuple[Unmatched, ...]
    unusable: int


def result_of(
    event: dict[str, Any], checked: Sequence[Checked], settings: Settings, now: float
) -> EventResult:
    """Run an event through every mapping of a draft.

    Args:
        event: A Segment event.
        checked: The compiled presets of the draft.
        settings: The settings of the deployment.
        now: The Unix time by which the age of the event is judged.
    """
    matches = []
    unmatched = []
    compiled = [one.compiled for one in checked if one.compiled is not None]
    for mapping_set in compiled:
        (mapping,) = mapping_set.mappings
        if mapping_set.match(event):
            matches.append(_match(event, mapping_set, mapping, settings, now))
        else:
            why = failures(mapping.subscribe, event)
            unmatched.append(Unmatched(mapping.name, mapping.enabled, why))
    return EventResult(tuple(matches), tuple(unmatched), len(checked) - len(compiled))


def _match(
    event: dict[str, Any],
    mapping_set: MappingSet,
    mapping: EventMapping,
    settings: Settings,
    now: float,
) -> MatchResult:
    rows, problems = prepare([event], mapping_set, settings, now)
    row = rows[0]
    fields = map_fields(mapping, event)
    if isinstance(row, Outcome):
        traces = trace_fields(mapping, event, fields, None, problems, settings)
        return MatchResult(
            mapping.name,
            row.event or mapping.event_name,
            row.status,
            row.reason,
            traces,
            None,
            None,
        )
    body = request_body([row], PIXEL_CODE, settings.test_event_code)
    traces = trace_fields(mapping, event, fields, json.loads(body), problems, settings)
    return MatchResult(mapping.name, row.name, "sent", "", traces, json.loads(body), _judge(body))


def _judge(body: bytes) -> dict[str, Any]:
    """Ask the local TikTok for its answer to a request."""
    headers = {"content-type": "application/json", "access-token": ACCESS_TOKEN}
    settings = rules.Settings(tokens={ACCESS_TOKEN}, pixels={PIXEL_CODE})
    verdict, _ = rules.judge(headers, body, settings)
    return {"code": verdict.code, "message": verdict.message}
