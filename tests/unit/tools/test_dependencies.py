"""The lock files: every dependency with a version and hashes, none out of date."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tools.ops.template import ROOT

INPUTS: Final = [
    *sorted((ROOT / "requirements").glob("*.in")),
    ROOT / "layers" / "tiktok_pixel" / "requirements.in",
]


@pytest.mark.parametrize("source", INPUTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_lock_has_what_is_asked_for(source: Path) -> None:
    locked = _locked(source.with_suffix(".txt"))
    for name, version in _asked(source):
        assert name in locked, f"{name}: run `make lock`"
        assert version in {None, locked[name]}, f"{name}: run `make lock`"


@pytest.mark.parametrize("source", INPUTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_locked_dependency_has_hashes(source: Path) -> None:
    # pip checks the hashes of all dependencies or of none.
    text = source.with_suffix(".txt").read_text()
    entries = re.findall(r"^\S+==(?:.*\\\n)+.*", text, re.MULTILINE)
    assert len(entries) == len(re.findall(r"^\S+==", text, re.MULTILINE))
    assert all("--hash=sha256:" in entry for entry in entries)


def _asked(source: Path) -> list[tuple[str, str | None]]:
    lines = source.read_text().splitlines()
    found = (re.match(r"(\w[\w.-]*)(?:\[[\w,-]+\])?(?:==(\S+))?", line) for line in lines)
    return [(one[1].lower().replace("_", "-"), one[2]) for one in found if one]


def _locked(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)(?:\[.*\])?==(\S+)", path.read_text(), re.MULTILINE))
