"""The time that one request has."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from tiktok_pixel.deadline import Deadline, process_age


@pytest.mark.parametrize(("passed", "left"), [(0.0, 4.0), (1.5, 2.5), (4.0, 0.0), (100.0, 0.0)])
def test_what_remains_runs_down_to_nothing_and_never_below(passed: float, left: float) -> None:
    now = 1000.0
    deadline = Deadline.after(4.0, lambda: now)

    now += passed

    assert deadline.remaining() == left


def test_the_clock_is_monotonic() -> None:
    assert Deadline.after(1.0).clock is time.monotonic


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_a_process_knows_how_long_it_has_been_running() -> None:
    """Segment has been waiting since before a cold start's process was there."""
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
