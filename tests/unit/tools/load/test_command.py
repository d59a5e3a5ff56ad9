from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tools.load import rig
from tools.load.chart import draw
from tools.load.segment import Answer


def test_the_application_has_to_be_built(
    pixel_errors: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(rig, "BUILD", tmp_path)
    lines = pixel_errors("load", "--output", str(tmp_path / "out"))
    assert lines[-1] == "the application is not built: run `make build`"
    assert not (tmp_path / "out").exists()


def test_the_chart_is_a_png(tmp_path: Path) -> None:
    answers = [
        Answer(0.5, 0.01, 200, {"m-1": ("forwarded", "tiktok_accepted")}),
        Answer(2.5, 2.01, 202, {"m-2": ("parked", "tiktok_timeout")}),
        Answer(2.6, 5.0, None, {}),
    ]
    path = tmp_path / "load.png"
    draw(path, answers, [0.5, 3.0], [(1.0, "outage"), (2.0, "recovered")])
    assert path.read_bytes().startswith(b"\x89PNG")
