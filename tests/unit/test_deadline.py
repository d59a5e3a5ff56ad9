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


def test_only_the_first_request_waited_for_the_start_of_its_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tiktok_pixel.deadline.process_age", lambda: 1.5)
    startup = StartupWait(counts=True)

    assert [startup.take(), startup.take()] == [1.5, 0.0]


@pytest.mark.parametrize(("counts", "age"), [(False, 1.5), (True, 10.0), (True, 3600.0)])
def test_an_environment_that_was_started_ahead_made_nobody_wait(
    monkeypatch: pytest.MonkeyPatch,
    age: float,
    counts: bool,  # a table's column
) -> None:
    monkeypatch.setattr("tiktok_pixel.deadline.process_age", lambda: age)

    assert StartupWait(counts=counts).take() == 0.0
