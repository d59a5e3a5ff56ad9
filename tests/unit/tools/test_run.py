"""`pixel run` shows a table and a request, and nothing in between."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tools.sandbox import samples

Pixel = Callable[..., list[str]]


def test_the_samples_are_shown_without_log_lines(pixel: Pixel) -> None:
    lines = pixel("run")
    assert lines[0].split()[:3] == ["sample", "TikTok", "event"]
    rows = lines[2 : 2 + len(samples.names())]
    assert [row.split()[0] for row in rows] == samples.names()
    assert lines[3 + len(rows)].endswith("TikTok has 9 events.")


def test_the_samples_as_json(pixel: Pixel) -> None:
    printed = json.loads("\n".join(pixel("run", "--json")))
    assert [row["sample"] for row in printed["samples"]] == samples.names()
    assert len(printed["requests"]) == 9


def test_a_sample_that_ends_otherwise_is_an_error(
    pixel_errors: Pixel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(samples.MAPPED, "search")
    monkeypatch.setattr(samples, "OTHERS", ("partly-unusable", "search"))
    assert pixel_errors("run") == [
        "samples that did not end as documented: sample-search",
    ]
