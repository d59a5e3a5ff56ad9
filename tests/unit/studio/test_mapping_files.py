"""Mapping files are read, compared and saved without losing anything."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_pixel.destination import OWN_MAPPINGS
from tiktok_pixel.tiktok import schema
from tools.studio.mapping_files import (
    ConflictError,
    MappingFileError,
    difference,
    format_json,
    mapping_text,
    new_mapping_file,
    read_mapping_file,
    restore,
    save,
)

PRESET = {"name": "A", "subscribe": 'type = "page"', "mapping": {"event": "PageView"}}
FILES = [schema.shipped("default"), schema.shipped("full"), *OWN_MAPPINGS.glob("*.json")]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "dev.json"
    file.write_text(json.dumps([PRESET]))
    return file


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_formatting_is_that_of_the_files_in_the_repository(file: Path) -> None:
    read = read_mapping_file(file)
    assert mapping_text(read, read.presets) == file.read_text()
    assert difference(read, read.presets) == ""


@given(JSON)
def test_formatting_keeps_every_value(value: Any) -> None:
    assert repr(json.loads(format_json(value))) == repr(value)


def test_saving_writes_the_presets(path: Path) -> None:
    file = read_mapping_file(path)
    saved = save(file, (*file.presets, {**PRESET, "name": "B"}))
    assert [preset["name"] for preset in json.loads(path.read_text())] == ["A", "B"]
    assert read_mapping_file(path) == saved
    assert [file.name for file in path.parent.iterdir()] == ["dev.json"]


def test_saving_keeps_the_object_around_the_presets(path: Path) -> None:
    path.write_text(json.dumps({"comment": "ours", "presets": []}))
    save(read_mapping_file(path), (PRESET,))
    assert json.loads(path.read_text()) == {"comment": "ours", "presets": [PRESET]}


def test_a_byte_order_mark_is_skipped(path: Path) -> None:
    path.write_text(json.dumps([PRESET]), encoding="utf-8-sig")
    file = save(read_mapping_file(path), (PRESET,))
    assert path.read_bytes().startswith(b"[")
    assert file.presets == (PRESET,)


def test_what_the_public_api_returns_is_saved_as_presets(path: Path) -> None:
    subscription = {"name": "A", "trigger": 'type = "page"', "settings": {"event": "PageView"}}
    path.write_text(json.dumps({"data": {"subscriptions": [subscription]}}))
    save(read_mapping_file(path), read_mapping_file(path).presets)
    assert json.loads(path.read_text()) == [PRESET]


def test_saving_keeps_permissions_and_links(path: Path, tmp_path: Path) -> None:
    path.chmod(0o640)
    link = tmp_path / "link.json"
    link.symlink_to(path)
    save(read_mapping_file(link), ())
    assert link.is_symlink()
    assert path.read_text() == "[]\n"
    assert path.stat().st_mode & 0o777 == 0o640


def test_half_of_a_surrogate_pair_survives(path: Path) -> None:
    path.write_text('[{"name": "\\ud800"}]')
    save(read_mapping_file(path), ({"name": "\ud800"}, {"name": "é"}))
    assert [preset["name"] for preset in read_mapping_file(path).presets] == ["\ud800", "é"]


def test_a_change_made_meanwhile_is_not_overwritten(path: Path) -> None:
    file = read_mapping_file(path)
    path.write_text("[]")
    with pytest.raises(ConflictError, match=r"dev\.json was changed by another program"):
        save(file, (PRESET, PRESET))
    assert path.read_text() == "[]"


def test_a_file_deleted_meanwhile_is_not_written(path: Path) -> None:
    file = read_mapping_file(path)
    path.unlink()
    with pytest.raises(ConflictError):
        save(file, ())
    assert not path.exists()


def test_a_new_file_is_not_written_over_one_that_appeared(path: Path) -> None:
    with pytest.raises(ConflictError):
        save(new_mapping_file(path), ())


def test_a_save_can_be_undone(path: Path) -> None:
    before = read_mapping_file(path)
    original = path.read_text()
    saved = save(before, ())
    assert restore(saved, before) == before
    assert path.read_text() == original


def test_undoing_the_first_save_removes_the_file(tmp_path: Path) -> None:
    new = new_mapping_file(tmp_path / "prod.json")
    restore(save(new, (PRESET,)), new)
    assert list(tmp_path.iterdir()) == []


def test_undo_does_not_overwrite_a_later_change(path: Path) -> None:
    before = read_mapping_file(path)
    saved = save(before, ())
    path.write_text("[1]")
    with pytest.raises(ConflictError):
        restore(saved, before)
    assert path.read_text() == "[1]"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "not JSON"),
        (b'"text"', "must be an array of presets"),
        (b'{"presets": 1}', "must be an array of presets"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_an_unusable_file_is_refused(path: Path, content: bytes, problem: str) -> None:
    path.write_bytes(content)
    with pytest.raises(MappingFileError, match=problem):
        read_mapping_file(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MappingFileError, match="no such file"):
        read_mapping_file(tmp_path / "nothing.json")


def test_the_difference_is_a_unified_diff(path: Path) -> None:
    file = save(read_mapping_file(path), (PRESET,))
    lines = difference(file, ({**PRESET, "name": "B"},)).splitlines()
    assert '-    "name": "A",' in lines
    assert '+    "name": "B",' in lines
