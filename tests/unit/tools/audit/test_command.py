"""`pixel audit`: terminal, JSON and HTML."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.pixel.audit import blocks
from tools.pixel.audit.command import share
from tools.sandbox import samples

Pixel = Callable[..., list[str]]

KEYS = ["events", "bad_lines", "outcomes", "reasons", "tiktok_events", "problems", "unmapped"]


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A folder with a gzipped file of all samples, two identify calls more, and a bad line."""
    events = [samples.read(name) for name in (*samples.names(), "ignored-identify")]
    lines = [json.dumps(event) for event in events]
    (tmp_path / "1.gz").write_bytes(gzip.compress("\n".join([*lines, "{"]).encode()))
    return tmp_path


def test_the_terminal_report(pixel: Pixel, history: Path) -> None:
    lines = pixel("audit", str(history), "--parameter", "DefaultPhoneRegion=US")
    assert lines[0] == "13 events, 1 bad line"
    cells = [line.split() for line in lines]
    assert ["forwarded", "10", "77%"] in cells
    assert ["not_mapped", "2"] in cells
    assert ["Place", "an", "Order", "2"] in cells
    assert ["(identify)", "2"] in cells
    assert ["email_not_an_address", "1", "sample-partly-unusable"] in cells
    assert max(map(len, lines)) <= 80


def test_the_json_report(pixel: Pixel, history: Path) -> None:
    report = json.loads("\n".join(pixel("audit", str(history), "--json")))
    assert list(report) == KEYS
    assert (report["events"], report["bad_lines"]) == (13, 1)
    assert report["tiktok_events"]["PlaceAnOrder"]["events"] == 2
    assert list(report["tiktok_events"]["Search"]) == ["events", "match_keys", "with_value"]


def test_the_html_report_loads_nothing(pixel: Pixel, history: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    pixel("audit", str(history), "--html", str(file))
    text = file.read_text()
    assert "PlaceAnOrder" in text
    assert '<rect class="rejected"' in text
    assert not re.findall(r"(?:src|href)=|url\(|@import|<script|https?:", text)


def test_names_are_escaped_in_the_html_report(pixel: Pixel, tmp_path: Path) -> None:
    events, report = tmp_path / "a.json", tmp_path / "report.html"
    events.write_text('{"type": "track", "messageId": "m", "event": "<script>alert()"}')
    pixel("audit", str(events), "--html", str(report))
    assert "&lt;script&gt;alert()" in report.read_text()


def test_standard_input(history: Path) -> None:
    command = [sys.executable, "-m", "tools.pixel.app", "audit", "-", "--json"]
    done = subprocess.run(
        command, input=(history / "1.gz").read_bytes(), capture_output=True, check=True
    )
    assert json.loads(done.stdout)["events"] == 13
    assert b"\x1b" not in done.stderr


def test_all_cores_give_the_same_report(
    pixel: Pixel, history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = pixel("audit", str(history), "--json")
    monkeypatch.setattr(blocks, "_BLOCK", 2000)
    assert pixel("audit", str(history), "--json") == alone


@pytest.mark.parametrize(
    ("content", "error"),
    [("", "no events found"), ("[\n]", "no line holds an event")],
)
def test_files_without_events(
    pixel_errors: Pixel, tmp_path: Path, content: str, error: str
) -> None:
    file = tmp_path / "a.json"
    file.write_text(content)
    assert pixel_errors("audit", str(file))[-1].startswith(error)


def test_a_report_that_cannot_be_written(pixel_errors: Pixel, history: Path) -> None:
    (error,) = pixel_errors("audit", str(history), "--html", str(history / "none" / "report.html"))
    assert error.endswith("report.html: No such file or directory")


def test_no_files_are_a_wrong_usage(pixel_errors: Pixel) -> None:
    assert "Missing argument" in " ".join(pixel_errors("audit", status=2))


@pytest.mark.parametrize(
    ("count", "total", "text"),
    [
        (0, 0, "-"),
        (0, 9, "0%"),
        (1, 999, "<1%"),
        (5, 10, "50%"),
        (998, 999, ">99%"),
        (9, 9, "100%"),
    ],
)
def test_shares(count: int, total: int, text: str) -> None:
    assert share(count, total) == text
