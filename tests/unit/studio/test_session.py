"""The state of a page: files, the draft, the events at hand."""

import json
from pathlib import Path

import pytest

from tiktok_pixel.tiktok import schema
from tools.studio.mapping_files import ConflictError, MappingFileError
from tools.studio.session import Session

PRESET = {"name": "A", "subscribe": 'event = "A"', "mapping": {"event": "Lead"}}
OTHER = {**PRESET, "name": "B"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dev.json").write_text(json.dumps([PRESET]))
    return tmp_path


def test_own_files_and_shipped_sets_can_be_opened(folder: Path) -> None:
    session = Session(folder, "default")
    assert session.is_shipped
    assert list(session.choices().values()) == ["dev.json", "default (shipped)", "full (shipped)"]
    session.open(str(folder / "dev.json"))
    assert session.presets == (PRESET,)
    assert not session.is_shipped


def test_a_file_elsewhere_is_a_choice_too(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "mine.json"
    elsewhere.write_text("[]")
    assert Session(folder, str(elsewhere)).choices()[str(elsewhere)] == "mine.json"


def test_a_shipped_set_is_saved_as_the_file_of_a_stage(folder: Path) -> None:
    session = Session(folder, "full")
    assert session.problems == 0
    assert [path.name for path in session.save_targets()] == [
        "dev.json",
        "staging.json",
        "prod.json",
    ]
    session.save(session.target(folder / "prod.json"))
    assert (folder / "prod.json").read_text() == schema.shipped("full").read_text()
    assert session.opened == str(folder / "prod.json")
    assert not session.is_changed


def test_changes_are_checked_saved_and_undone(folder: Path) -> None:
    session = Session(folder, str(folder / "dev.json"))
    session.change((PRESET, OTHER))
    assert len(session.checked) == 2
    changed = [session.is_changed]
    session.save(session.target(session.file.path))
    changed.append(session.is_changed)
    session.undo()
    changed.append(session.is_changed)
    session.redo()
    changed.append(session.is_changed)
    assert changed == [True, False, True, False]


def test_a_draft_with_problems_is_not_saved(folder: Path) -> None:
    session = Session(folder, str(folder / "dev.json"))
    session.change(({**PRESET, "subscribe": ""},))
    assert session.problems == 1
    with pytest.raises(MappingFileError, match="fix the problems"):
        session.save(session.target(session.file.path))
    assert json.loads((folder / "dev.json").read_text()) == [PRESET]


def test_a_conflict_keeps_draft_and_file(folder: Path) -> None:
    session = Session(folder, str(folder / "dev.json"))
    session.change((PRESET, OTHER))
    (folder / "dev.json").write_text("[]")
    with pytest.raises(ConflictError):
        session.save(session.target(session.file.path))
    assert session.presets == (PRESET, OTHER)
    assert (folder / "dev.json").read_text() == "[]"


def test_the_selection_ends_with_its_mapping(folder: Path) -> None:
    session = Session(folder, str(folder / "dev.json"))
    session.change((PRESET, OTHER))
    session.selected = 1
    session.undo()
    assert session.selected is None


def test_the_default_fields_of_a_file_count(folder: Path) -> None:
    own = {"description": {"@path": "$.properties.note"}}
    preset = {**PRESET, "defaults": True}
    (folder / "dev.json").write_text(json.dumps({"defaults": own, "presets": [preset]}))
    session = Session(folder, str(folder / "dev.json"))
    compiled = session.checked[0].compiled
    assert compiled is not None
    assert compiled.mappings[0].fields["description"] == own["description"]
    assert session.default_fields()["description"] == own["description"]
    session.change((preset, {**preset, "name": "B"}))
    session.save(session.target(session.file.path))
    assert json.loads((folder / "dev.json").read_text())["defaults"] == own


def test_a_missing_file_is_refused(folder: Path) -> None:
    with pytest.raises(MappingFileError, match="no such file"):
        Session(folder, str(folder / "nothing.json"))


def test_events_and_their_problems(folder: Path) -> None:
    session = Session(folder, "default")
    session.set_event_text('[{"type": "page"}, {"type": "track", "event": "A"}]')
    session.event_index = 1
    assert session.event == {"type": "track", "event": "A"}
    assert session.paths() == ("$.type", "$.event")


def test_text_that_is_no_event_has_a_problem(folder: Path) -> None:
    session = Session(folder, "default")
    session.set_event_text("{")
    assert session.event is None
    assert session.event_problem.startswith("not JSON")
    assert session.paths() == ()
