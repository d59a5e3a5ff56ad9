"""`python check_mappings.py FILE…`: what the build of the layer runs."""

import json
from pathlib import Path
from typing import Any

import pytest

from layers.tiktok_pixel.check_mappings import main
from tiktok_pixel.tiktok.schema import shipped

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, **mapping: Any) -> str:
    preset = {"name": "Add to Cart", "subscribe": 'type = "track"', "mapping": mapping}
    Path(name).write_text(json.dumps([preset]))
    return name


def test_a_good_file(capsys: Captured) -> None:
    assert main([write("dev.json", event="AddToCart")]) == 0
    assert capsys.readouterr() == ("dev.json: 1 mapping\n", "")


def test_warnings_are_told_and_stop_nothing(capsys: Captured) -> None:
    assert main([str(shipped("default")), write("dev.json", event="A", emial="x")]) == 0
    warnings = capsys.readouterr().err.splitlines()
    assert warnings[-1] == (
        'dev.json: warning: "Add to Cart": emial: unknown field, it is not sent; '
        "did you mean email?"
    )


def test_all_files_are_checked_and_one_that_cannot_be_used_is_enough(capsys: Captured) -> None:
    bad = write("dev.json", event="AddToCart", contents={"@arrayPath": [5, {}]})
    assert main([bad, "prod.json", write("staging.json", event="AddToCart")]) == 1
    output = capsys.readouterr()
    assert output.err.splitlines() == [
        (
            'dev.json: "Add to Cart": contents/@arrayPath/0: '
            "must be a string or a directive; got a number"
        ),
        "prod.json: file not found; files beside it: dev.json, staging.json",
    ]
    assert output.out == "staging.json: 1 mapping\n"


def test_no_file_is_a_mistake_of_the_caller(capsys: Captured) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err


def test_what_no_terminal_can_show_is_escaped(capsys: Captured) -> None:
    assert main([write("dev.json", event="A", content_type="\ud83d")]) == 1
    assert 'got "\\ud83d"' in capsys.readouterr().err
