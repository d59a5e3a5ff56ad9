"""Measure the forward function by memory size: the figures of `docs/scale-and-cost.md`.

Lambda gives a function CPU time in proportion to its memory, one vCPU at 1,769 MB. Here a control
group gives the function's process the same share of a core. Needs root and what `make bench` made.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

from tests.bench import lambda_runtime
from tests.bench.workload import make_events
from tools.pixel.console import print_table
from tools.sandbox import samples

SIZES = (512, 768, 1024, 1769)
ROUNDS = 11
WARM_REQUESTS = 50
_ONE_VCPU = 1769
# As in Lambda: a process that has used its share waits for the next period.
_PERIOD_MICROSECONDS = 20_000
_CONTROL_GROUPS = Path("/sys/fs/cgroup")
# TikTok's response time, in milliseconds; a function is billed while it waits.
_TIKTOK_MS = 150


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.memory", description=__doc__)
    parser.add_argument("--python", required=True, help="the interpreter that runs the functions")
    python = str(Path(parser.parse_args().python).absolute())
    times = _measure(python)
    rows = []
    for size in SIZES:
        init, first, batch = (min(times[size, kind]) for kind in ("init", "first", "batch"))
        warm = median(times[size, "warm"])
        gigabytes = size / 1024
        rows.append(
            [
                str(size),
                f"{init:.0f}",
                f"{first:.0f}",
                f"{warm:.1f}",
                f"{batch:.0f}",
                f"{gigabytes * first / 1000:.2f}",
                f"{gigabytes * (warm + _TIKTOK_MS) * 1000:,.0f}",
            ]
        )
    print_table(
        [
            *("MB", "init (ms)", "first response (ms)", "warm, p50 (ms)", "batch of 1000 (ms)"),
            *("cold start (GB-s)", "million warm events (GB-s)"),
        ],
        rows,
    )


def _measure(python: str) -> dict[tuple[int, str], list[float]]:
    """Measure in rounds, so that a slow moment of the machine affects every size."""
    event = samples.read(samples.SIGNED + "place-an-order")
    batch = samples.signed(make_events(1000, 0))
    timed = lambda_runtime.ROOT / "tests" / "bench" / "functions" / "timed"
    paths = (timed, lambda_runtime.BUILD / "ForwardFunction", lambda_runtime.LAYER)
    times: dict[tuple[int, str], list[float]] = defaultdict(list)
    with contextlib.ExitStack() as stack:
        bench = stack.enter_context(lambda_runtime._bench(python))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        limited = {
            size: replace(bench, python=str(stack.enter_context(_limited(python, size, folder))))
            for size in SIZES
        }
        for _ in range(ROUNDS):
            for size in SIZES:
                with limited[size].runtime("timed.handler", *paths, over_tls=True) as function:
                    times[size, "first"].append(function.invoke(event).seconds * 1000)
                    times[size, "init"].append(function.init_duration_ms)
                    for kind, request, count in (
                        ("warm", event, WARM_REQUESTS),
                        ("batch", batch, 2),
                    ):
                        responses = [function.invoke(request).payload for _ in range(count)]
                        assert all(response["status"] == 200 for response in responses)
                        times[size, kind] += [response["seconds"] * 1000 for response in responses]
    return times


@contextlib.contextmanager
def _limited(python: str, size: int, folder: Path) -> Iterator[Path]:
    """Yield an interpreter whose process gets the CPU time of a memory size."""
    quota = round(_PERIOD_MICROSECONDS * size / _ONE_VCPU)
    if (_CONTROL_GROUPS / "cgroup.controllers").exists():
        (_CONTROL_GROUPS / "cgroup.subtree_control").write_text("+cpu")
        group = _CONTROL_GROUPS / f"tiktok-pixel-{size}"
        group.mkdir(exist_ok=True)
        (group / "cpu.max").write_text(f"{quota} {_PERIOD_MICROSECONDS}")
    else:
        group = _CONTROL_GROUPS / "cpu" / f"tiktok-pixel-{size}"
        group.mkdir(exist_ok=True)
        (group / "cpu.cfs_period_us").write_text(str(_PERIOD_MICROSECONDS))
        (group / "cpu.cfs_quota_us").write_text(str(quota))
    wrapper = folder / f"python-{size}"
    wrapper.write_text(f'#!/bin/sh\necho $$ > {group}/cgroup.procs\nexec "{python}" "$@"\n')
    wrapper.chmod(0o755)
    yield wrapper
    with contextlib.suppress(OSError):  # The last process may not have ended yet.
        group.rmdir()


if __name__ == "__main__":
    main()
