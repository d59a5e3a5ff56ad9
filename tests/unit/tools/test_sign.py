"""`pixel events` writes the signed samples."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.sandbox import samples


def test_a_changed_sample_is_signed_anew(
    pixel: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = tmp_path / "events"
    shutil.copytree(samples.EVENTS, events)
    monkeypatch.setattr(samples, "EVENTS", events)
    changed = samples.read("search") | {"messageId": "another"}
    (events / "search.json").write_text(json.dumps(changed))
    assert pixel("events") == ["15 files written to events/"]
    request = samples.read("signed-search")
    assert json.loads(request["body"])["messageId"] == "another"
    assert request["headers"]["x-signature"] == samples.sign(request["body"].encode())
