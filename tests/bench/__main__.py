"""Measure every figure against a floor of the same run (`make bench`).

Prints tables and writes `.bench/results.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from pathlib import Path

from tests.bench import lambda_runtime
from tests.bench.lambda_runtime import LAYER, ROOT, RuntimeResult
from tests.bench.mapping import MappingResult
from tools.pixel.console import print_table

TARGETS = {
    "mapping_ratio": 2.3,
    "batch_1000_ratio": 2.5,
    "warm_ratio_p50": 1.25,
    "cold_ratio_bare": 0.72,
    "cold_ratio_uncompiled": 0.7,
    "first_answer_ratio": 0.8,
    "peak_rss_mb": 64.0,
    "layer_zip_mb": 6.0,
}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--python", required=True, help="the interpreter to run the functions in")
    options = parser.parse_args()
    python = str(Path(options.python).absolute())
    mapped = _measure_mapping(python)
    run = lambda_runtime.measure(python)
    figures = _figures(mapped, run)
    print(f"Python {mapped.python}\n")
    _print(mapped, run, figures)
    written = ROOT / ".bench" / "results.json"
    written.parent.mkdir(exist_ok=True)
    written.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"\nwritten to {written.relative_to(Path.cwd())}")


def _measure_mapping(python: str) -> MappingResult:
    paths = os.pathsep.join(map(str, (ROOT, LAYER)))
    printed = subprocess.run(
        [python, "-m", "tests.bench.mapping"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        check=True,
    )
    return MappingResult.read(printed.stdout)


def _figures(mapped: MappingResult, run: RuntimeResult) -> dict[str, float]:
    batch = mapped.batches[1000]
    (warm_p50, warm_p99), (bare_p50, bare_p99) = run.warm
    cold, bare, uncompiled = run.cold
    first, bare_first = run.first_response
    figures = {
        "mapping_us": mapped.singles.ours,
        "mapping_floor_us": mapped.singles.floor,
        "mapping_ratio": mapped.singles.ratio,
        "batch_1000_us_per_event": batch.ours,
        "batch_1000_ratio": batch.ratio,
        "warm_ratio_p50": warm_p50 / bare_p50,
        "warm_ratio_p99": warm_p99 / bare_p99,
        "cold_ratio_bare": cold / bare,
        "cold_ratio_uncompiled": cold / uncompiled,
        "first_answer_ratio": first / bare_first,
        "peak_rss_mb": run.peak_rss_mb,
        "layer_zip_mb": run.sizes["layer"][0],
        "function_zip_mb": run.sizes["function"][0],
    }
    return {name: round(figure, 3) for name, figure in figures.items()}


def _target(name: str, figure: float) -> str:
    if name not in TARGETS:
        return ""
    return f"<= {TARGETS[name]:g}" + (" MISSED" if figure > TARGETS[name] else "")


def _print(mapped: MappingResult, run: RuntimeResult, figures: dict[str, float]) -> None:
    ours, floor = 1e6 / mapped.singles.ours, 1e6 / mapped.singles.floor
    print(f"mapping, one thread: {ours:,.0f} events/s; floor {floor:,.0f} events/s\n")
    total = sum(mapped.stages.values())
    print_table(
        ["stage", "us/event", "share"],
        [[name, f"{taken:.1f}", f"{taken / total:.0%}"] for name, taken in mapped.stages.items()],
    )
    print()
    print_table(
        ["events in a request", "us/event", "floor", "ratio"],
        [
            [str(size), f"{of_size.ours:.1f}", f"{of_size.floor:.1f}", f"{of_size.ratio:.2f}"]
            for size, of_size in mapped.batches.items()
        ],
    )
    print()
    (warm_p50, warm_p99), (bare_p50, bare_p99) = run.warm
    cold, bare, uncompiled = run.cold
    first, bare_first = run.first_response
    print_table(
        ["under the runtime", "ours", "floor"],
        [
            ["warm, p50 (ms)", f"{warm_p50:.2f}", f"{bare_p50:.2f}"],
            ["warm, p99 (ms)", f"{warm_p99:.2f}", f"{bare_p99:.2f}"],
            ["cold, init (ms)", f"{cold:.0f}", f"{bare:.0f}"],
            ["cold, without byte code (ms)", f"{uncompiled:.0f}", ""],
            ["cold, first response (ms)", f"{first:.0f}", f"{bare_first:.0f}"],
            *(
                [f"{name}, zipped / unzipped (MB)", f"{zipped:.2f} / {unzipped:.2f}", ""]
                for name, (zipped, unzipped) in run.sizes.items()
            ),
        ],
    )
    print()
    print_table(
        ["figure", "measured", "target"],
        [[name, f"{figure:g}", _target(name, figure)] for name, figure in figures.items()],
    )


if __name__ == "__main__":
    main()
