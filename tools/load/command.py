"""`pixel load`: a load test of the built application, with faults, on this machine."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tools.pixel.console import CommandError, counted, print_line, print_table

if TYPE_CHECKING:
    from tools.load.ledger import Ledger
    from tools.load.results import Results
    from tools.load.rig import Rig, Run

_SHORTEST_SECONDS: Final = 60.0
_EVENTS_PER_SECOND: Final = 100
_REFRESH_SECONDS: Final = 0.25


def command(
    *,
    events: Annotated[
        int, typer.Option(help="How many events Segment sends.", min=100, max=200_000)
    ] = 20_000,
    environments: Annotated[
        int,
        typer.Option(
            help="The most environments of the forward function (MaximumConcurrency).",
            min=1,
            max=50,
        ),
    ] = 20,
    seed: Annotated[int, typer.Option(help="Of the events and their order.")] = 1,
    output: Annotated[
        Path, typer.Option(help="The folder for results.json and load.png.", file_okay=False)
    ] = Path(".load"),
) -> None:
    """Run the built functions under load and faults, and account for every event.

    Segment, API Gateway, SQS and TikTok are simulated on this machine. TikTok fails at random, has
    an outage, throttles and refuses some events; the token is rotated, and a wrong test event code
    is deployed and removed. Exit status 0 means that no event was lost.
    """
    # moto and boto3 take a second to import: only for the commands that use them.
    from tools.load import rig as rigs  # noqa: PLC0415
    from tools.load.chart import draw  # noqa: PLC0415
    from tools.load.ledger import Ledger  # noqa: PLC0415
    from tools.load.results import evaluate  # noqa: PLC0415
    from tools.load.traffic import plan  # noqa: PLC0415

    traffic = plan(events, seed)
    ledger = Ledger()
    seconds = max(_SHORTEST_SECONDS, events / _EVENTS_PER_SECOND)
    try:
        with rigs.start(environments) as rig, _progress(ledger, events) as progress:
            run = rigs.run(rig, traffic, ledger, seconds, progress.show)
            results = evaluate(rig, traffic, ledger, run)
            delivered = _first_deliveries(rig, run)
    except rigs.NotBuiltError as error:
        raise CommandError(str(error)) from error
    output.mkdir(parents=True, exist_ok=True)
    file, chart = output / "results.json", output / "load.png"
    file.write_text(json.dumps(results.figures, indent=2) + "\n", encoding="utf-8")
    draw(chart, ledger.answers, delivered, run.steps)
    _show(results)
    print_line(f"\n{file}  {chart}")
    if results.unexpected:
        raise CommandError(
            f"{counted(results.lost, 'lost event')}, and "
            f"{counted(len(results.unexpected), 'event')} did not end as planned: see {file}"
        )


class _Display:
    """The progress bar: events that have an outcome."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("sending", total=total)

    def show(self, step: str) -> None:
        """Show what happens now."""
        self._progress.update(self._task, description=step)
        if self._progress.disable:  # No terminal: one line for each step.
            Console(stderr=True).print(step)

    def advance(self, completed: int) -> None:
        """Show how many events have an outcome."""
        self._progress.update(self._task, completed=completed)


@contextmanager
def _progress(ledger: Ledger, total: int) -> Iterator[_Display]:
    columns = (
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    stopping = threading.Event()
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as progress:
        display = _Display(progress, total)

        def refresh() -> None:
            while not stopping.wait(_REFRESH_SECONDS):
                display.advance(len(ledger))

        thread = threading.Thread(target=refresh)
        thread.start()
        try:
            yield display
            display.advance(len(ledger))
        finally:
            stopping.set()
            thread.join()


def _first_deliveries(rig: Rig, run: Run) -> list[float]:
    """Return when TikTok accepted each event for the first time, in seconds from the start."""
    first: dict[str, float] = {}
    accepted = rig.tiktok.event_ids
    for request in rig.tiktok.requests:
        if request.code == 0 or (request.fault is not None and request.fault.accept):
            for event_id in request.event_ids:
                if event_id in accepted:
                    first.setdefault(event_id, request.at - run.started)
    return list(first.values())


def _show(results: Results) -> None:
    from tools.load.ledger import End  # noqa: PLC0415

    figures = results.figures
    signs = ["", "= ", *["+ "] * (len(End) - 1)]
    names = ["received", *End]
    print_table(
        ["events", "count"],
        [
            [sign + name.replace("_", " "), f"{figures[name]:,}"]
            for sign, name in zip(signs, names, strict=True)
        ],
    )
    print_line()
    latency = ", ".join(f"{name} {value:,}" for name, value in figures["latency_ms"].items())
    statuses = ", ".join(
        f"{status}: {count:,}" for status, count in figures["responses_by_status"].items()
    )
    print_table(
        ["figure", "value"],
        [
            ["planted poison", f"{figures['planted_poison']:,}"],
            ["copies with another event id", f"{figures['duplicates_with_other_event_id']:,}"],
            ["copies with the same event id", f"{figures['duplicates_with_same_event_id']:,}"],
            ["responses", statuses],
            ["latency, ms", latency],
            ["events per second", f"{figures['events_per_second']:,}"],
            ["redrive invocations", f"{figures['redrive_invocations']:,}"],
            ["seconds", f"{figures['seconds']:,}"],
        ],
    )
