"""Account for every messageId of a load test."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tiktok_pixel.outcomes import Status

if TYPE_CHECKING:
    from tools.load.segment import Answer
    from tools.sandbox.tiktok import Accepted


class End(StrEnum):
    """Where an event ended; every event is in exactly one place."""

    FORWARDED = "forwarded"
    IGNORED = "ignored"
    REJECTED = "rejected"
    DELIVERED_AFTER_PARKING = "delivered_after_parking"
    STILL_PARKED = "still_parked"
    LOST = "lost"


class Ledger:
    """What the endpoint has reported about each event so far; can be used by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reported: dict[str, tuple[str, str]] = {}
        self._answers: list[Answer] = []

    def record(self, answer: Answer) -> None:
        """Record an answer; the last word on an event that is not "retry" counts."""
        with self._lock:
            self._answers.append(answer)
            for message_id, (status, reason) in answer.outcomes.items():
                if status != Status.RETRY:
                    self._reported[message_id] = (status, reason)

    @property
    def answers(self) -> list[Answer]:
        """All answers, in order."""
        with self._lock:
            return list(self._answers)

    @property
    def reported(self) -> dict[str, tuple[str, str]]:
        """The last status and reason of each event that has one."""
        with self._lock:
            return dict(self._reported)

    def __len__(self) -> int:
        return len(self._reported)


def account(
    message_ids: Iterable[str],
    reported: Mapping[str, str],
    *,
    accepted: Collection[str],
    parked: Collection[str],
    ended: Collection[str],
) -> dict[str, End]:
    """Return where each event ended.

    Args:
        message_ids: All events that Segment received.
        reported: The last status that the endpoint reported, where there is one.
        accepted: What TikTok has accepted.
        parked: What is in the queue.
        ended: What the redrive function has rejected.
    """
    return {
        message_id: _end(
            reported.get(message_id),
            is_accepted=message_id in accepted,
            is_parked=message_id in parked,
            has_ended=message_id in ended,
        )
        for message_id in message_ids
    }


def _end(status: str | None, *, is_accepted: bool, is_parked: bool, has_ended: bool) -> End:
    if is_parked:
        return End.STILL_PARKED
    if is_accepted:
        # Without a report, its responses were lost; what counts is that TikTok has it.
        return End.DELIVERED_AFTER_PARKING if status == Status.PARKED else End.FORWARDED
    if has_ended or status == Status.REJECTED:
        return End.REJECTED
    return End.IGNORED if status == Status.IGNORED else End.LOST


def copies(
    accepted: Iterable[Accepted], owners: Mapping[str, str]
) -> tuple[Counter[str], dict[str, set[tuple[Any, ...]]]]:
    """Return how often TikTok got each event, and the keys by which it deduplicates it.

    An event is recognised by its person, not by its event id: a copy with another id counts twice
    at TikTok.
    """
    times: Counter[str] = Counter()
    keys: dict[str, set[tuple[Any, ...]]] = {}
    for one in accepted:
        person = _external_id(one.event)
        message_id = owners.get(person, person)
        times[message_id] += 1
        keys.setdefault(message_id, set()).add(one.key)
    return times, keys


def _external_id(event: Mapping[str, Any]) -> str:
    found = event["user"]["external_id"]
    return str(found[0] if isinstance(found, list) else found)


def parked_events(bodies: Iterable[str]) -> dict[str, str]:
    """Return cause and reason by messageId, of the events in messages of the queue."""
    return {
        row["message_id"]: f"{message['cause']}: {message['reason']}"
        for message in map(json.loads, bodies)
        for row in message["events"]
    }


def redriven_rejections(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield messageId and reason of each event that the redrive function rejected, by its log."""
    for line in lines:
        if '"rejected"' not in line:
            continue
        row = json.loads(line)
        for one in (row, *row.get("rows", ())):
            if one.get("status") == Status.REJECTED:
                yield one["message_id"], one["reason"]
