"""Counts of what happens to events, and their sum over many blocks.

A tally has no personal data: names and ids are scrubbed. Its size is bounded: at most 10,000
distinct names are counted; the others are counted together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from tiktok_pixel.outcomes import Outcome, Status, Summary
from tiktok_pixel.tiktok.outgoing import OutgoingEvent
from tiktok_pixel.values.validation import Problem
from tools.pixel.audit.scrubbing import scrubbed

OTHERS: Final = "(others)"
_MOST_NAMES: Final = 10_000
_SHOWN_NAMES: Final = 200
_EXAMPLES: Final = 3
# TikTok's `user` fields by which it matches events to people, the strongest first.
MATCH_KEYS: Final = (
    "email",
    "phone",
    "external_id",
    "ttclid",
    "ttp",
    "ip",
    "user_agent",
    "first_name",
    "last_name",
    "city",
    "state",
    "zip_code",
    "country",
)


@dataclass(slots=True)
class EventTally:
    """Counts for one TikTok event.

    Attributes:
        events: The number of events.
        match_keys: The number of events with each of TikTok's `user` fields.
        with_value: The number of events with a value and a currency.
    """

    events: int = 0
    match_keys: Counter[str] = field(default_factory=Counter)
    with_value: int = 0

    def add(self, summary: Summary) -> None:
        """Count one event that would be sent."""
        self.events += 1
        self.match_keys.update(summary.match_keys)
        self.with_value += summary.has_value

    def merge(self, other: EventTally) -> None:
        """Add the counts of another tally."""
        self.events += other.events
        self.match_keys.update(other.match_keys)
        self.with_value += other.with_value


@dataclass(slots=True)
class ProblemTally:
    """The number of events with a problem, and the messageIds of the first."""

    events: int = 0
    examples: list[str] = field(default_factory=list)

    def merge(self, other: ProblemTally) -> None:
        """Add the counts of another tally."""
        self.events += other.events
        self.examples = (self.examples + other.examples)[:_EXAMPLES]


@dataclass(slots=True)
class Tally:
    """Counts for all events.

    Attributes:
        events: The number of Segment events.
        bad_lines: The number of lines that hold no event.
        outcomes: The number of outcomes by status; an event has one for each mapping that matches.
            `forwarded` counts what would be sent.
        reasons: The number of outcomes that are not `forwarded`, by reason.
        mappings: The number of events that each mapping matches.
        tiktok_events: The counts of what would be sent, by TikTok event.
        problems: The values that are left out or reject an event, by code.
        unmapped: The number of events that no mapping matches, by event name or (type).
    """

    events: int = 0
    bad_lines: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    mappings: Counter[str] = field(default_factory=Counter)
    tiktok_events: dict[str, EventTally] = field(default_factory=dict)
    problems: dict[str, ProblemTally] = field(default_factory=dict)
    unmapped: Counter[str] = field(default_factory=Counter)

    def add_row(self, row: Outcome | OutgoingEvent, event: object) -> None:
        """Count an outcome of an event, or what would be sent."""
        if isinstance(row, OutgoingEvent):
            self.outcomes[Status.FORWARDED] += 1
            name = _bounded(self.tiktok_events, _scrubbed(row.name))
            self.tiktok_events.setdefault(name, EventTally()).add(row.summary)
            return
        self.outcomes[row.status] += 1
        self.reasons[row.reason] += 1
        if row.reason == "not_mapped" and isinstance(event, dict):
            name = _bounded(self.unmapped, unmapped_name(event))
            self.unmapped[name] += 1

    def add_problem(self, problem: Problem, message_id: str | None) -> None:
        """Count a problem of an event."""
        tally = self.problems.setdefault(problem.code, ProblemTally())
        tally.events += 1
        if message_id and len(tally.examples) < _EXAMPLES:
            # An id is shown whole, so that it can be found, unless it is an email address.
            tally.examples.append(scrubbed(message_id) if "@" in message_id else message_id)

    def merge(self, other: Tally) -> None:
        """Add the counts of another tally."""
        self.events += other.events
        self.bad_lines += other.bad_lines
        self.outcomes.update(other.outcomes)
        self.reasons.update(other.reasons)
        self.mappings.update(other.mappings)
        for name, events in other.tiktok_events.items():
            counted = _bounded(self.tiktok_events, name)
            self.tiktok_events.setdefault(counted, EventTally()).merge(events)
        for code, problem in other.problems.items():
            self.problems.setdefault(code, ProblemTally()).merge(problem)
        for name, count in other.unmapped.items():
            self.unmapped[_bounded(self.unmapped, name)] += count

    def as_json(self) -> dict[str, Any]:
        """Return the counts as a JSON object, the highest first."""
        return {
            "events": self.events,
            "bad_lines": self.bad_lines,
            "outcomes": dict(self.outcomes.most_common()),
            "reasons": dict(self.reasons.most_common()),
            "tiktok_events": {
                name: {
                    "events": tally.events,
                    "match_keys": {key: tally.match_keys[key] for key in MATCH_KEYS},
                    "with_value": tally.with_value,
                }
                for name, tally in self.sorted_events()
            },
            "problems": {
                code: {"events": tally.events, "examples": tally.examples}
                for code, tally in self.sorted_problems()
            },
            "unmapped": self.shown_unmapped(),
        }

    def sorted_events(self) -> list[tuple[str, EventTally]]:
        """Return the TikTok events, the most frequent first; rare ones together."""
        named = [item for item in self.tiktok_events.items() if item[0] != OTHERS]
        named.sort(key=_events_of, reverse=True)
        rest = EventTally()
        for _, tally in named[_SHOWN_NAMES:]:
            rest.merge(tally)
        if OTHERS in self.tiktok_events:
            rest.merge(self.tiktok_events[OTHERS])
        shown = named[:_SHOWN_NAMES]
        return [*shown, (OTHERS, rest)] if rest.events else shown

    def sorted_problems(self) -> list[tuple[str, ProblemTally]]:
        """Return the problems, the most frequent first."""
        return sorted(self.problems.items(), key=_events_of, reverse=True)

    def shown_unmapped(self) -> dict[str, int]:
        """Return the most frequent unmapped names; the rest together."""
        common = [pair for pair in self.unmapped.most_common() if pair[0] != OTHERS]
        shown = dict(common[:_SHOWN_NAMES])
        if rest := self.unmapped.total() - sum(shown.values()):
            shown[OTHERS] = rest
        return shown


# Few names occur in many events.
_scrubbed = lru_cache(maxsize=_MOST_NAMES)(scrubbed)


def unmapped_name(event: Mapping[str, Any]) -> str:
    """Return the name under which an unmapped event is counted, without personal data."""
    name = event.get("event")
    if event.get("type") == "track" and isinstance(name, str) and name:
        return _scrubbed(name)
    return f"({_scrubbed(str(event.get('type')))})"


def _events_of(item: tuple[str, EventTally | ProblemTally]) -> int:
    return item[1].events


def _bounded(names: Mapping[str, Any], name: str) -> str:
    return name if name in names or len(names) < _MOST_NAMES else OTHERS
