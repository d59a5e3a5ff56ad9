"""Reading NDJSON: plain, gzipped, from folders, and files that are refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tools.pixel.audit import blocks
from tools.pixel.audit.blocks import find_files, read_blocks
from tools.pixel.console import CommandError

LINE = b'{"type":"page","messageId":"m"}'


def read(file: Path) -> list[bytes]:
    return [block.data for block in read_blocks([file])]


def test_plain_and_gzipped_files(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.ndjson", tmp_path / "b"
    plain.write_bytes(LINE + b"\n" + LINE)
    packed.write_bytes(gzip.compress(LINE + b"\n"))
    assert b"\n".join(read(plain)).split(b"\n") == [LINE, LINE]
    assert read(packed) == [LINE]


def test_blocks_are_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_BLOCK", 50)
    file = tmp_path / "a.ndjson"
    file.write_bytes((LINE + b"\n") * 10)
    read_in = read(file)
    assert len(read_in) > 1
    assert b"\n".join(read_in).split(b"\n") == [LINE] * 10


def test_the_sizes_of_the_blocks_sum_to_the_size_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.gz"
    file.write_bytes(gzip.compress((LINE + b"\n") * 100_000))
    assert sum(block.size for block in read_blocks([file])) == file.stat().st_size


def test_a_line_without_an_end_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_BLOCK", 10)
    monkeypatch.setattr(blocks, "_LONGEST_LINE", 100)
    file = tmp_path / "a.json"
    file.write_bytes(b"x" * 10_000 + b"\n" + LINE)
    cut, rest = b"\n".join(read(file)).split(b"\n")
    assert len(cut) < 200
    assert rest == LINE


def test_folders_are_searched_for_event_files(tmp_path: Path) -> None:
    for name in ("source/1.gz", "source/2.json", "a.ndjson", "notes.txt"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"")
    found = [str(file.relative_to(tmp_path)) for file in find_files([tmp_path])]
    assert found == ["a.ndjson", "source/1.gz", "source/2.json"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", "a warehouse table"),
        ("a.csv.gz", b"", "a warehouse table"),
        ("a", b"PAR1", "a warehouse table"),
        ("a.json", b'{"id":"m","received_at":"2025-01-01"}\n', "a warehouse table"),
        ("a.json", b'{"id":"m","context_page_url":"https://x"}\n', "a warehouse table"),
        ("a.gz", gzip.compress(LINE * 1000)[:-20], "damaged gzip data"),
        ("a.gz", b"\x1f\x8b" + b"x" * 50, "Unknown compression method"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(CommandError) as error:
        list(read_blocks(find_files([file])))
    assert str(error.value).startswith(f"{file}: {reason}")


def test_sources_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file or directory"):
        find_files([tmp_path / "none.ndjson"])
    with pytest.raises(CommandError, match=r"no \.json, \.jsonl, \.ndjson or \.gz files"):
        find_files([tmp_path])
