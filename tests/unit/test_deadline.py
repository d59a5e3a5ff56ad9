"""The time budget of one request."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from tiktok_pixel.deadline import Deadline, StartupWait, process_age


@pytest.mark.parametrize(("passed", "left"), [(0.0, 4.0), (1.5, 2.5), (4.0, 0.0), (100.0, 0.0)])
def test_the_time_left_is_never_negative(passed: float, left: float) -> None:
    now = 1000.0
    deadline = Deadline.after(4.0, lambda: now)

    now += passed

    assert deadline.remaining() == left


def test_the_clock_is_monotonic() -> None:
    assert Deadline.after(1.0).clock is time.monotonic


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_the_process_age_counts_from_the_start_of_the_process() -> None:
    program = (
        "import time; time.sleep(0.3); import tiktok_pixel.deadline as d; print(d.process_age())"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    before = time.monotonic()

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, env=environment
    )

    # The kernel counts in hundredths of a second.
    assert 0.29 <= float(done.stdout) <= time.monotonic() - before + 0.02


def test_the_age_is_never_negative() -> None:
    assert process_age() >= 0


NOW = 1_767_225_600.0


def waited(epoch: object, age: float = 9.0) -> float:
    """The wait of the first request of an environment."""
    return StartupWait(lambda: NOW, lambda: age).take(epoch)


@pytest.mark.parametrize("unit", [1, 1000], ids=["sam local", "API Gateway"])
def test_the_first_request_waited_since_it_arrived(unit: int) -> None:
    assert waited((NOW - 2) * unit) == pytest.approx(2.0)


def test_later_requests_did_not_wait_for_the_environment() -> None:
    startup = StartupWait(lambda: NOW, lambda: 9.0)

    assert [startup.take(NOW - 2), startup.take(NOW - 2)] == [2.0, 0.0]


@pytest.mark.parametrize("age", [3.5, 6.0, 9.0])
def test_an_environment_that_was_started_ahead_made_nobody_wait(age: float) -> None:
    assert waited(NOW * 1000, age) == 0.0


@pytest.mark.parametrize(("epoch", "age", "seconds"), [(NOW - 60, 1.5, 1.5), (NOW + 60, 1.5, 0.0)])
def test_a_clock_that_is_wrong_is_bounded_by_the_age(
    epoch: float, age: float, seconds: float
) -> None:
    assert waited(epoch, age) == seconds


@pytest.mark.parametrize("epoch", [None, "1767225600", True, {}])
def test_without_the_time_of_arrival_nothing_counts(epoch: object) -> None:
    assert waited(epoch) == 0.0
