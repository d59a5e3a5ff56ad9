"""Output of the commands: tables, JSON and errors.

Tables use the width of the terminal, 80 columns where there is none. Colours appear only on a
terminal.
"""

from __future__ import annotations

import json
import os
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Final

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tiktok_pixel.errors import TikTokPixelError
from tiktok_pixel.observability import logger

_GAP: Final = 2
_PADDING: Final = re.compile(r" +$", re.MULTILINE)
_NUMBER: Final = re.compile(r"-?[\d,]+(\.\d+)?( ?%)?")


class CommandError(TikTokPixelError):
    """The command fails; `pixel` prints the message and exits with status 1."""


def show_any_character() -> None:
    """Escape characters that the terminal's encoding does not have, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def log_to_stderr() -> None:
    """Send the layer's log lines to standard error: standard output is for results."""
    handler: Any = logger.registered_handler  # always a StreamHandler
    handler.stream = sys.stderr


@contextmanager
def silence() -> Iterator[None]:
    """Hide the layer's log lines and metrics, which Lambda sends to CloudWatch."""
    handler: Any = logger.registered_handler  # always a StreamHandler
    before = handler.stream
    with Path(os.devnull).open("w") as nowhere:
        handler.stream = nowhere
        try:
            with redirect_stdout(nowhere):
                yield
        finally:
            handler.stream = before


def printable(text: str) -> str:
    """Escape control characters: text of an event must not control the terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else repr(character)[1:-1] for character in text
    )


def print_line(text: str = "", *, style: str = "", wrap: bool = True) -> None:
    """Print text, wrapped at words to the width of the terminal unless people copy it."""
    _print(Console(), text, style=style, wrap=wrap)


def print_marked(mark: str, *paragraphs: str) -> None:
    """Print paragraphs behind a mark, wrapped at words and indented to the end of the mark."""
    width, indent = Console().width, " " * (len(mark) + 1)
    for number, paragraph in enumerate(paragraphs):
        lines = textwrap.wrap(
            printable(paragraph),
            width,
            initial_indent=indent if number else f"{mark} ",
            subsequent_indent=indent,
            # What people copy (URLs, commands, names) stays whole.
            break_long_words=False,
            break_on_hyphens=False,
        )
        sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def print_error(message: str) -> None:
    """Print a message to standard error, wrapped on a terminal only: programs read lines."""
    _print_to_stderr(message, style="red")


def print_warning(message: str) -> None:
    """Print a warning to standard error, wrapped on a terminal only."""
    _print_to_stderr(message, style="yellow")


def counted(count: float, noun: str) -> str:
    """Return a count with its noun, as in `1 event` or `1,234 events`."""
    return f"{count:,.0f} {noun if count == 1 else f'{noun}s'}"


def print_json(value: Any) -> None:
    """Print a value as indented JSON, unwrapped."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    _print(Console(), text, wrap=False)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; columns of numbers are aligned to the right."""
    cells = [[printable(cell) for cell in row] for row in (header, *rows)]
    console = Console()
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for column, width in enumerate(column_widths(cells, console.width)):
        body = [row[column] for row in cells[1:]]
        is_numeric = bool(body) and all(_NUMBER.fullmatch(cell) for cell in body if cell)
        table.add_column(
            Text(cells[0][column]),
            width=width,
            overflow="fold",
            justify="right" if is_numeric else "left",
        )
    for row in cells[1:]:
        table.add_row(*map(Text, row))
    with console.capture() as capture:
        console.print(table)
    # Rich pads every line to the width of the table.
    sys.stdout.write(_PADDING.sub("", capture.get()))


def column_widths(cells: Sequence[Sequence[str]], available: int) -> list[int]:
    """Fit columns into the available width, breaking words only when whole words cannot fit."""
    columns = list(zip(*cells, strict=True))
    widths = [max(1, *map(cell_len, column)) for column in columns]
    words = [max(map(cell_len, " ".join(column).split()), default=1) for column in columns]
    excess = sum(widths) + _GAP * (len(widths) - 1) - available
    for _ in range(excess):
        numbers = range(len(widths))
        # A column gives width while its longest word still fits, then the widest one does.
        wider = [number for number in numbers if widths[number] > words[number]]
        widest = max(wider or numbers, key=widths.__getitem__)
        widths[widest] = max(1, widths[widest] - 1)
    return widths


def _print_to_stderr(message: str, *, style: str) -> None:
    console = Console(stderr=True)
    _print(console, message, style=style, wrap=console.is_terminal)


def _print(console: Console, text: str, *, style: str = "", wrap: bool = True) -> None:
    lines = "\n".join(map(printable, text.split("\n")))
    console.print(Text(lines, style=style), soft_wrap=not wrap)
