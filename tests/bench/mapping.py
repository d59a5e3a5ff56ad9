"""Measure Segment events to TikTok requests, in one thread, against a floor.

Run as a program, it prints its result as JSON: it runs in the interpreter of the functions, with
the built layer.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from tests.bench.workload import EVENTS, make_bodies
from tiktok_pixel.mapping import load_mapping_set
from tiktok_pixel.preparing import prepare
from tiktok_pixel.segment.body import parse_events
from tiktok_pixel.settings import Settings
from tiktok_pixel.tiktok import schema
from tiktok_pixel.tiktok.batches import request_body
from tiktok_pixel.tiktok.events import EventContext, build_event
from tiktok_pixel.tiktok.identifiers import build_user
from tiktok_pixel.tiktok.outgoing import OutgoingEvent

ROUNDS = 9
BATCHES = (1, 10, 100, 1000)

_MAPPINGS = load_mapping_set(schema.shipped("default"), schema)
_SETTINGS = Settings(stage="dev", parameter_prefix="/bench", default_phone_region="US")
_MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class Paired:
    """Medians of rounds, each with the layer's code (`ours`) and the floor in turn.

    The floor is `json.loads`, three SHA-256 and `json.dumps`. The ratio is the median of the
    rounds' ratios: a slow moment of the machine affects both sides.
    """

    ours: float
    floor: float
    ratio: float

    @classmethod
    def of(cls, rounds: list[tuple[float, float]]) -> Paired:
        """Create it from (ours, floor) of every round."""
        return cls(
            median(ours for ours, _ in rounds),
            median(floor for _, floor in rounds),
            median(ours / floor for ours, floor in rounds),
        )


@dataclass(frozen=True, slots=True)
class MappingResult:
    """Microseconds per event, and ratios.

    Attributes:
        singles: Whole processing of single events.
        batches: Whole processing in batches, by size.
        stages: The parts of the processing, by name, without the code between them.
        python: The version of the interpreter.
    """

    singles: Paired
    batches: dict[int, Paired]
    stages: dict[str, float]
    python: str

    @classmethod
    def read(cls, text: bytes) -> MappingResult:
        """Read what a run of this module printed."""
        printed = json.loads(text)
        batches = {int(size): Paired(**paired) for size, paired in printed["batches"].items()}
        singles = Paired(**printed["singles"])
        return cls(singles, batches, printed["stages"], printed["python"])


def floor_of(body: bytes) -> bytes:
    """Do the minimum that any sender does with an event or a batch."""
    parsed = json.loads(body)
    for event in parsed if isinstance(parsed, list) else [parsed]:
        for identifier in ("messageId", "anonymousId", "type"):
            hashlib.sha256(event[identifier].encode()).hexdigest()
    return json.dumps(parsed).encode()


def request_of(body: bytes) -> bytes | None:
    """Build the request for an event or a batch, as the function does."""
    rows, _ = prepare(parse_events(body.decode()), _MAPPINGS, _SETTINGS, time.time())
    ready = [row for row in rows if isinstance(row, OutgoingEvent)]
    if not ready:
        return None
    return request_body(ready, "CBENCH", None)


def measure() -> MappingResult:
    """Measure everything; every round has new people."""
    first = iter(range(0, 10**9, EVENTS))
    request_of(make_bodies(1, next(first))[0])
    singles = []
    batches: dict[int, list[tuple[float, float]]] = {size: [] for size in BATCHES}
    for _ in range(ROUNDS):
        bodies = make_bodies(EVENTS, next(first))
        singles.append((_each(request_of, bodies), _each(floor_of, bodies)))
        for size in BATCHES:
            events = make_bodies(EVENTS, next(first))
            joined = [
                b"[" + b",".join(events[start : start + size]) + b"]"
                for start in range(0, EVENTS, size)
            ]
            batches[size].append((_each(request_of, joined) / size, _each(floor_of, joined) / size))
    return MappingResult(
        singles=Paired.of(singles),
        batches={size: Paired.of(rounds) for size, rounds in batches.items()},
        stages=_stages(make_bodies(EVENTS, next(first))),
        python=platform.python_version(),
    )


def _stages(bodies: list[bytes]) -> dict[str, float]:
    """Measure the time of each part, per event of the whole mix."""
    stages: dict[str, float] = defaultdict(float)

    def run(name: str, stage: Callable[..., Any], *arguments: Any) -> Any:
        started = time.perf_counter()
        output = stage(*arguments)
        stages[name] += time.perf_counter() - started
        return output

    for body in bodies:
        event = run("parse", parse_events, body.decode())[0]
        found = run("match", _MAPPINGS.match, event)
        if found:
            fields = run("map", found[0].evaluate, event)
            run("identifiers", build_user, fields, "US")
            outgoing = run("validate", _outgoing, fields)
            run("serialise", _serialised, outgoing)
    # Building an event includes its identifiers.
    stages["validate"] -= stages["identifiers"]
    return {name: taken * _MICROSECONDS / len(bodies) for name, taken in stages.items()}


def _outgoing(fields: dict[str, Any]) -> OutgoingEvent:
    event, _ = build_event(fields, None, EventContext("m", time.time(), default_region="US"))
    return event


def _serialised(event: OutgoingEvent) -> bytes:
    return request_body([event], "CBENCH", None)


def _each(work: Callable[[bytes], object], inputs: list[bytes]) -> float:
    started = time.perf_counter()
    for one in inputs:
        work(one)
    return (time.perf_counter() - started) * _MICROSECONDS / len(inputs)


if __name__ == "__main__":
    print(json.dumps(asdict(measure())))
