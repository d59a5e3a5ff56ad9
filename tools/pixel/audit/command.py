"""`pixel audit`: what TikTok would get from real Segment events."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from tools.pixel.audit import html
from tools.pixel.audit.blocks import STANDARD_INPUT, find_files, read_blocks
from tools.pixel.audit.tally import MATCH_KEYS, EventTally, Tally
from tools.pixel.audit.workers import Advance, Plan, audit
from tools.pixel.console import CommandError, counted, print_json, print_line, print_table
from tools.pixel.mappings import load_mappings
from tools.pixel.options import (
    JsonOption,
    ParametersOption,
    SetOption,
    StageOption,
    settings_for,
)

_SHOWN_IN_TERMINAL = 20


def command(  # one parameter for each option
    *,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            help="NDJSON files of Segment events, also gzipped; folders of them; - for stdin.",
            show_default=False,
        ),
    ],
    mapping_set: SetOption = "default",
    stage: StageOption = "dev",
    parameters: ParametersOption = None,
    as_json: JsonOption = False,
    html_file: Annotated[
        Path | None,
        typer.Option("--html", help="Write a report with plots.", metavar="FILE", dir_okay=False),
    ] = None,
) -> None:
    """Report what TikTok would get from real Segment events.

    The events run through the code of the Lambda function; nothing is sent. Each is judged as of
    its receivedAt, else its timestamp. The report has no personal data.
    """
    settings = settings_for(mapping_set, stage, parameters)
    file, mappings = load_mappings(settings)
    found = find_files(files)
    with _progress(found) as advance:
        tally = audit(read_blocks(found), Plan(file.absolute(), settings), advance)
    if not tally.events:
        lines = "no line holds an event; expected one JSON object per line"
        raise CommandError(lines if tally.bad_lines else "no events found")
    if html_file is not None:
        _write(html_file, html.render(tally, file, mapping_set))
    if as_json:
        print_json(tally.as_json())
    else:
        _show(tally, [mapping.name for mapping in mappings.mappings])


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error


@contextmanager
def _progress(files: list[Path]) -> Iterator[Advance]:
    """Show a progress bar on a terminal."""
    is_known = STANDARD_INPUT not in files
    total = sum(file.stat().st_size for file in files) if is_known else None
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task("0 events", total=total)
        events = 0

        def advance(size: int, done: int) -> None:
            nonlocal events
            events += done
            progress.update(task, advance=size, description=counted(events, "event"))

        yield advance


def _show(tally: Tally, mapping_names: list[str]) -> None:
    print_line(f"{counted(tally.events, 'event')}, {counted(tally.bad_lines, 'bad line')}\n")
    reasons = tally.reasons.most_common()
    print_table(
        ["outcome", "count", "share"],
        [
            [status, f"{count:,}", share(count, tally.outcomes.total())]
            for status, count in tally.outcomes.most_common()
        ],
    )
    _show_table(["reason", "count"], [[reason, f"{count:,}"] for reason, count in reasons])
    _show_table(
        ["mapping", "events"],
        [[name, f"{tally.mappings[name]:,}"] for name in mapping_names],
    )
    _show_table(
        ["TikTok event", "events", "with value", "match keys"],
        [
            [
                name,
                f"{events.events:,}",
                share(events.with_value, events.events),
                _match_keys(events),
            ]
            for name, events in tally.sorted_events()
        ],
    )
    _show_table(
        ["problem", "events", "examples (messageId)"],
        [
            [code, f"{problem.events:,}", " ".join(problem.examples)]
            for code, problem in tally.sorted_problems()[:_SHOWN_IN_TERMINAL]
        ],
    )
    _show_table(
        ["unmapped event", "events"],
        [
            [name, f"{count:,}"]
            for name, count in list(tally.shown_unmapped().items())[:_SHOWN_IN_TERMINAL]
        ],
    )


def _match_keys(events: EventTally) -> str:
    """List the share of events with each match key, and the keys that no event has."""
    shares = [
        f"{key} {share(events.match_keys[key], events.events)}"
        for key in MATCH_KEYS
        if events.match_keys[key]
    ]
    if never := [key for key in MATCH_KEYS if not events.match_keys[key]]:
        shares.append(f"never {', '.join(never)}")
    return ", ".join(shares)


def _show_table(header: list[str], rows: list[list[str]]) -> None:
    if rows:
        print_line()
        print_table(header, rows)


def share(count: int, total: int) -> str:
    """Format a share so that neither a few nor nearly all look like none or all."""
    if not total:
        return "-"
    percent = 100 * count / total
    if 0 < percent < 1:
        return "<1%"
    return ">99%" if 99 < percent < 100 else f"{percent:.0f}%"
