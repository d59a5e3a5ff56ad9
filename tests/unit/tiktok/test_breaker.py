"""While TikTok does not answer, an environment parks at once and tries now and then."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tiktok_pixel.tiktok.breaker import CircuitBreaker, Permission

CALL, TRIAL, PARK = Permission.CALL, Permission.TRIAL, Permission.PARK


@dataclass
class Clock:
    """A wall clock that the test sets."""

    now: float = 1_767_225_600.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Environment:
    """A breaker with a clock, and random numbers that are always the upper bound."""

    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.breaker = CircuitBreaker(self.clock, lambda _, high: high)

    def fail(self, times: int) -> None:
        for _ in range(times):
            self.breaker.fail()

    def after(self, seconds: float) -> Permission:
        self.clock.now += seconds
        return self.breaker.permission()


def test_calls_are_made_until_three_failures_in_a_row() -> None:
    environment = Environment()
    found = []
    for _ in range(4):
        found.append(environment.breaker.permission())
        environment.fail(1)

    assert found == [CALL, CALL, CALL, PARK]


def test_an_answer_ends_the_row() -> None:
    environment = Environment()
    environment.fail(2)
    environment.breaker.succeed()
    environment.fail(2)

    assert environment.breaker.permission() is CALL


def test_after_the_time_one_trial_is_allowed() -> None:
    environment = Environment()
    environment.fail(3)

    assert environment.after(14.9) is PARK
    assert [environment.after(0.1), environment.after(0.5)] == [TRIAL, PARK]


def test_a_successful_trial_closes_the_circuit() -> None:
    environment = Environment()
    environment.fail(3)
    assert environment.after(15) is TRIAL
    environment.breaker.succeed()

    assert environment.breaker.permission() is CALL
    environment.fail(2)
    assert environment.breaker.permission() is CALL


def test_a_failed_trial_doubles_the_time_up_to_a_minute() -> None:
    environment = Environment()
    environment.fail(3)
    waited = []
    for _ in range(5):
        start = environment.clock.now
        while environment.breaker.permission() is PARK:
            environment.clock.now += 1
        waited.append(environment.clock.now - start)
        environment.fail(1)

    assert waited == [15, 30, 60, 60, 60]


def test_the_first_time_is_random_between_5_and_15_seconds() -> None:
    clock = Clock()
    bounds: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        bounds.append((low, high))
        return low

    breaker = CircuitBreaker(clock, uniform)
    for _ in range(3):
        breaker.fail()

    clock.now += 4.9
    assert breaker.permission() is PARK
    clock.now += 0.1
    assert breaker.permission() is TRIAL
    assert bounds == [(5.0, 15.0)]


def test_failures_of_calls_in_flight_do_not_prolong_the_time() -> None:
    environment = Environment()
    environment.fail(5)

    assert environment.after(15) is TRIAL


def test_a_success_of_a_call_in_flight_closes_the_circuit() -> None:
    environment = Environment()
    environment.fail(3)
    environment.breaker.succeed()

    assert environment.breaker.permission() is CALL


def test_a_trial_without_a_result_is_repeated() -> None:
    """The environment may have been frozen meanwhile."""
    environment = Environment()
    environment.fail(3)
    environment.after(15)

    assert environment.after(10) is TRIAL


@pytest.mark.parametrize("back", [1.0, 86_400.0])
def test_a_clock_that_is_set_back_does_not_keep_the_circuit_open(back: float) -> None:
    environment = Environment()
    environment.fail(3)

    assert environment.after(-back) is TRIAL
