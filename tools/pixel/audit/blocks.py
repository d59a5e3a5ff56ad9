"""Files of Segment events (NDJSON) as blocks of whole lines."""

from __future__ import annotations

import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from tools.pixel.console import CommandError

STANDARD_INPUT: Final = Path("-")

_BLOCK: Final = 1 << 20
# Segment accepts events of 32 KB. A longer line is cut, so that it counts as one bad line.
_LONGEST_LINE: Final = 16 << 20
_GZIP: Final = b"\x1f\x8b"
_PARQUET: Final = b"PAR1"
_EVENT_FILES: Final = frozenset({".json", ".jsonl", ".ndjson", ".gz"})
_TABLE_FILES: Final = frozenset({".avro", ".csv", ".orc", ".parquet", ".tsv"})
_TABLE: Final = (
    "a warehouse table, not Segment events; use raw events, one JSON object per line, "
    "as Segment's S3 destination writes them"
)


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines, and the number of bytes read from the file for them."""

    data: bytes
    size: int


def find_files(sources: Sequence[Path]) -> list[Path]:
    """Return the files to read: the sources, with folders replaced by the event files in them.

    Raises:
        CommandError: A source does not exist, is a warehouse table, or has no event files.
    """
    files: list[Path] = []
    for source in sources:
        if source.is_dir():
            found = sorted(path for path in source.rglob("*") if path.is_file())
            chosen = [path for path in found if path.suffix in _EVENT_FILES | _TABLE_FILES]
            if not chosen:
                raise CommandError(f"{source}: no .json, .jsonl, .ndjson or .gz files")
            files += chosen
        elif source == STANDARD_INPUT or source.exists():
            files.append(source)
        else:
            raise CommandError(f"{source}: No such file or directory")
    for file in files:
        if _TABLE_FILES.intersection(file.suffixes):
            raise CommandError(f"{file}: {_TABLE}")
    return files


def read_blocks(files: Sequence[Path]) -> Iterator[Block]:
    """Read files one after the other, in blocks of about a megabyte.

    Raises:
        CommandError: A file cannot be read, or holds a warehouse table.
    """
    for file in files:
        try:
            with _open(file) as (raw, lines):
                before = 0
                for number, data in enumerate(_whole_lines(lines)):
                    if number == 0:
                        _refuse_table(data, file)
                    after = raw.tell() if raw.seekable() else 0
                    yield Block(data, after - before)
                    before = after
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror or error}") from error
        except (EOFError, zlib.error) as error:
            raise CommandError(f"{file}: damaged gzip data: {error}") from error


@contextmanager
def _open(file: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Open a file; yield the file itself and its uncompressed content."""
    with _raw(file) as raw:
        if raw.peek(len(_GZIP)).startswith(_GZIP):
            with gzip.GzipFile(fileobj=raw) as lines:
                yield raw, lines  # type: ignore[misc]  # a GzipFile reads bytes
        else:
            yield raw, raw


def _raw(file: Path) -> io.BufferedReader:
    if file == STANDARD_INPUT:
        # The descriptor stays open: it is the process's.
        return open(sys.stdin.fileno(), "rb", closefd=False)
    return file.open("rb")


def _whole_lines(stream: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read(_BLOCK):
        head, newline, tail = chunk.rpartition(b"\n")
        if newline:
            yield rest + head
            rest = tail
        elif len(rest) < _LONGEST_LINE:
            rest += tail
    if rest:
        yield rest


def _refuse_table(data: bytes, file: Path) -> None:
    """Refuse the rows of a warehouse: they have no `type`, and columns instead of objects."""
    if data.startswith(_PARQUET):
        raise CommandError(f"{file}: {_TABLE}")
    try:
        row: Any = json.loads(data.partition(b"\n")[0])
    except (ValueError, RecursionError):
        return
    if not isinstance(row, dict) or "type" in row:
        return
    if "received_at" in row or "uuid_ts" in row or any(key.startswith("context_") for key in row):
        raise CommandError(f"{file}: {_TABLE}")
