"""Simulate an outage of TikTok: how often does a request find no free Lambda environment?

    python -m tools.outage

API Gateway passes 100 requests a second to 20 environments (the template's defaults). TikTok never
answers. Each environment has a real circuit breaker; time is simulated.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field
from typing import Final

import typer
from rich.console import Console
from rich.table import Table

from tiktok_pixel.tiktok.breaker import TRIAL_SECONDS, CircuitBreaker, Permission

# Seconds; a call without an answer, its time-out, and the pause before the next try at most.
_BUDGET: Final = 3.3
_READ_SECONDS: Final = 2.0
_TRIES: Final = 3
# Mapping, and storing a message in SQS.
_PARKING_SECONDS: Final = 0.06


@dataclass(slots=True)
class Clock:
    """The simulated time."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True)
class Environment:
    """One Lambda environment, which serves one request at a time."""

    clock: Clock
    free_at: float = 0.0
    breaker: CircuitBreaker = field(init=False)

    def __post_init__(self) -> None:
        self.breaker = CircuitBreaker(self.clock)

    def serve(self) -> None:
        """Serve one request at the clock's time."""
        started = self.clock.now
        for attempt in range(_TRIES):
            left = started + _BUDGET - self.clock.now
            permission = self.breaker.permission()
            if permission is Permission.PARK or left < 0.2:  # a call cut short
                break
            if permission is Permission.TRIAL:
                self.clock.now += TRIAL_SECONDS
                self.breaker.fail()
                break
            self.clock.now += min(_READ_SECONDS, left)
            self.breaker.fail()
            self.clock.now += random.uniform(0.05, 0.2 * 2**attempt)  # noqa: S311  # jitter
        self.clock.now += _PARKING_SECONDS
        self.free_at, self.clock.now = self.clock.now, started


def simulate(seconds: int, rate: float, environments: int) -> list[tuple[float, bool]]:
    """Return for each request its time, and whether it found a free environment."""
    clock = Clock()
    pool = [Environment(clock) for _ in range(environments)]
    busy: list[tuple[float, int]] = []
    free = list(range(environments))
    found: list[tuple[float, bool]] = []
    while True:
        clock.now += random.expovariate(rate)
        if clock.now > seconds:
            return found
        while busy and busy[0][0] <= clock.now:
            free.append(heapq.heappop(busy)[1])
        found.append((clock.now, bool(free)))
        if free:
            # Lambda reuses the environment that became free last.
            index = free.pop()
            pool[index].serve()
            heapq.heappush(busy, (pool[index].free_at, index))


def main(seconds: int = 3600, rate: float = 100.0, environments: int = 20, runs: int = 10) -> None:
    """Print the share of requests without a free environment, by time since the outage began."""
    periods = [(0, 5), (5, 10), (10, 20), (20, 60), (60, 600), (600, seconds)]
    counts = dict.fromkeys(periods, (0, 0))
    for _ in range(runs):
        for at, is_served in simulate(seconds, rate, environments):
            for period in periods:
                if period[0] <= at < period[1]:
                    total, refused = counts[period]
                    counts[period] = (total + 1, refused + (not is_served))
    table = Table("seconds", "requests", "without an environment", "share")
    for (start, end), (total, refused) in counts.items():
        if total:
            table.add_row(f"{start}-{end}", f"{total}", f"{refused}", f"{refused / total:.3%}")
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
