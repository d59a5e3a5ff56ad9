"""The build of the layer, and `python check_mappings.py FILE…`, which it runs."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from layers.tiktok_pixel import check_mappings
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


def test_warnings_go_where_sam_shows_them_and_stop_nothing(capsys: Captured) -> None:
    assert main([str(shipped("default")), write("dev.json", event="A", emial="x")]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    assert output.out.splitlines()[-2:] == [
        (
            'dev.json: warning: "Add to Cart": emial: unknown field, it is not sent; '
            "did you mean email?"
        ),
        "dev.json: 1 mapping",
    ]


def test_all_files_are_checked_and_one_unusable_file_fails(capsys: Captured) -> None:
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


def test_no_file_is_a_usage_error(capsys: Captured) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err


def test_characters_that_the_terminal_cannot_show_are_escaped(capsys: Captured) -> None:
    assert main([write("dev.json", event="A", content_type="\ud83d")]) == 1
    assert 'got "\\ud83d"' in capsys.readouterr().err


# ------------------------------------------------------------------ the build

LAYER = Path(check_mappings.__file__).parent


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """A copy of the layer's sources."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(LAYER, tmp_path / "layer", ignore=ignored))


def build(layer: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Build with a Python that does nothing, unless there is another one."""
    artifacts = layer.parent / "artifacts"
    (artifacts / "python").mkdir(parents=True)
    variables = {"PYTHON": "true", "COMPILER": "true", "ARTIFACTS_DIR": str(artifacts)} | variables
    settings = [f"{name}={value}" for name, value in variables.items()]
    command = ["make", "--no-print-directory", "build-TikTokPixelLayer", *settings]
    return subprocess.run(command, cwd=layer, check=False, capture_output=True, text=True)


def test_the_build_fails_on_a_file_that_cannot_be_used(layer: Path) -> None:
    (layer / "mappings" / "prod.json").write_text("[5]")
    built = build(layer, PYTHON=sys.executable)
    assert built.returncode != 0
    assert 'mappings/prod.json: "#1": must be a preset (an object); got a number' in built.stderr
    assert "mappings/dev.json: 8 mappings" in built.stdout


def test_the_build_fails_without_a_python_that_can_check_the_files(layer: Path) -> None:
    built = build(layer, PYTHON="")
    assert built.returncode != 0
    assert "error: no Python 3.11 or later with pip found" in built.stderr


def test_the_build_fails_without_a_python_that_can_compile_the_layer(layer: Path) -> None:
    built = build(layer, COMPILER="")
    assert built.returncode != 0
    assert "error: no Python 3.13 found to compile the layer; install it, or set ALLOW_NO" in (
        built.stderr
    )


def test_a_layer_without_byte_code_can_be_allowed(layer: Path) -> None:
    built = build(layer, COMPILER="", ALLOW_NO_BYTE_CODE="1")
    assert (built.returncode, built.stderr) == (0, "")
    assert "warning: no Python 3.13 found: the layer has no byte code" in built.stdout
