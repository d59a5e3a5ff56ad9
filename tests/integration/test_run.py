"""`make run` shows a table and a payload, and nothing between."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.sandbox import samples

ROOT = Path(__file__).parents[2]


def test_the_samples_are_shown_as_a_table_that_log_lines_do_not_disturb() -> None:
    path = os.environ | {"PYTHONPATH": str(ROOT / "layers" / "tiktok_pixel")}

    shown = subprocess.run(
        [sys.executable, "-m", "tools.sandbox.run"],
        cwd=ROOT,
        env=path,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()

    assert shown[0].split()[:3] == ["sample", "Segment", "event"]
    rows = shown[2 : 2 + len(samples.names())]
    assert [row.split()[0] for row in rows] == samples.names()
    assert "TikTok has 9 events." in shown[3 + len(rows)]
