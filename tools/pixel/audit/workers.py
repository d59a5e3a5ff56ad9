"""Run events through the real code on all cores, without sending them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

from tiktok_pixel.mapping import MappingSet, load_mapping_set
from tiktok_pixel.outcomes import shown_message_id
from tiktok_pixel.preparing import prepare
from tiktok_pixel.segment.body import parse_events
from tiktok_pixel.segment.errors import InvalidBodyError
from tiktok_pixel.settings import Settings
from tiktok_pixel.tiktok import schema
from tools.pixel.audit.blocks import Block
from tools.pixel.audit.tally import Tally
from tools.pixel.console import log_to_stderr

Advance = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the workers apply to each event; each loads the mapping file for itself."""

    mapping_file: Path
    settings: Settings


def audit(blocks: Iterable[Block], plan: Plan, advance: Advance) -> Tally:
    """Tally the events of all blocks.

    Args:
        blocks: Whole lines of NDJSON.
        plan: The mappings and settings to apply.
        advance: Called for each block that is done, with the bytes read and the number of events.
    """
    blocks = iter(blocks)
    first = list(islice(blocks, 2))
    if len(first) < 2:
        # Starting the workers takes longer than one block.
        auditor = Auditor(load_mapping_set(plan.mapping_file, schema), plan.settings)
        return auditor.audit_lines(first[0].data) if first else Tally()
    total = Tally()
    workers = os.cpu_count() or 1
    # Not fork: the progress bar runs a thread.
    context = multiprocessing.get_context("spawn")
    waiting: deque[tuple[Block, Future[Tally]]] = deque()

    def collect() -> None:
        block, future = waiting.popleft()
        tally = future.result()
        total.merge(tally)
        advance(block.size, tally.events)

    with ProcessPoolExecutor(workers, context, _start, (plan,)) as pool:
        for block in chain(first, blocks):
            waiting.append((block, pool.submit(_audit_lines, block.data)))
            if len(waiting) > 2 * workers:
                collect()
        while waiting:
            collect()
    return total


class Auditor:
    """Applies a mapping set to events, one at a time."""

    def __init__(self, mappings: MappingSet, settings: Settings) -> None:
        self._mappings = mappings
        self._settings = settings

    def audit_lines(self, lines: bytes) -> Tally:
        """Tally the events of some lines."""
        tally = Tally()
        for line in lines.split(b"\n"):
            if not line or line.isspace():
                continue
            try:
                events = parse_events(line.decode())
            except (InvalidBodyError, UnicodeDecodeError):
                tally.bad_lines += 1
                continue
            for event in events:
                self._add(event, tally)
        return tally

    def _add(self, event: Any, tally: Tally) -> None:
        tally.events += 1
        rows, problems = prepare([event], self._mappings, self._settings, _received_at(event))
        for row in rows:
            tally.add_row(row, event)
        message_id = None
        if isinstance(event, dict):
            tally.mappings.update(mapping.name for mapping in self._mappings.match(event))
            message_id = shown_message_id(event.get("messageId"))
        for problem in dict.fromkeys(problems):
            tally.add_problem(problem, message_id)


def _received_at(event: Any) -> float:
    """Return the time at which Segment received the event, so that history is not too old."""
    if isinstance(event, dict):
        for name in ("receivedAt", "timestamp"):
            try:
                moment = datetime.fromisoformat(event[name])
            except (KeyError, TypeError, ValueError):
                continue
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            return moment.timestamp()
    return time.time()


def _start(plan: Plan) -> None:
    global _auditor  # noqa: PLW0603  # one for each process, loaded once
    # The parent process handles an interrupt and ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log_to_stderr()
    _auditor = Auditor(load_mapping_set(plan.mapping_file, schema), plan.settings)


def _audit_lines(lines: bytes) -> Tally:
    return _auditor.audit_lines(lines)


_auditor: Auditor
