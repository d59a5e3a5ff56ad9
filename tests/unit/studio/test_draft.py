"""Edits of a draft, and taking them back."""

from typing import Any

import pytest

from tools.studio import draft
from tools.studio.draft import Draft

A: dict[str, Any] = {"name": "A", "enabled": True, "mapping": {"event": "Lead"}}
B: dict[str, Any] = {"name": "B", "enabled": True, "mapping": {}}
C: dict[str, Any] = {"name": "C", "enabled": True, "mapping": {}}


def names(presets: draft.Presets) -> list[str]:
    return [preset["name"] for preset in presets]


def test_changes_are_taken_back_and_repeated() -> None:
    edited = Draft((A,))
    assert edited.change((A, B))
    assert edited.change((B,))
    edited.undo()
    assert names(edited.presets) == ["A", "B"]
    edited.undo()
    assert names(edited.presets) == ["A"]
    assert not edited.can_undo
    edited.redo()
    assert names(edited.presets) == ["A", "B"]


def test_a_new_change_ends_what_can_be_repeated() -> None:
    edited = Draft((A,))
    edited.change((B,))
    edited.undo()
    edited.change((C,))
    assert not edited.can_redo


def test_quick_changes_while_typing_are_one_step() -> None:
    now = 0.0
    edited = Draft((), clock=lambda: now)
    for presets in ((A,), (A, B), (A, B, C)):
        edited.change(presets, is_typing=True)
        now += 1.0
    edited.undo()
    assert names(edited.presets) == []
    edited.change((A,), is_typing=True)
    now += 2.0
    edited.change((B,), is_typing=True)
    edited.change((C,))
    edited.change((A,), is_typing=True)
    undone = []
    for _ in range(3):
        edited.undo()
        undone += names(edited.presets)
    assert undone == ["C", "B", "A"]


def test_no_change_is_no_step() -> None:
    edited = Draft((A,))
    assert not edited.change((dict(A),))
    assert not edited.can_undo


def test_one_and_true_are_different() -> None:
    assert Draft(({"enabled": 1},)).change(({"enabled": True},))


def test_undo_at_the_start_does_nothing() -> None:
    edited = Draft((A,))
    edited.undo()
    edited.redo()
    assert edited.presets == (A,)


def test_a_new_preset_gets_a_free_name() -> None:
    presets: draft.Presets = ()
    for _ in range(3):
        presets = (*presets, draft.new_preset(presets))
    assert names(presets) == ["New mapping", "New mapping 2", "New mapping 3"]


def test_a_duplicate_stands_behind_the_original_and_is_off() -> None:
    presets = draft.duplicated((A, B), 0)
    assert names(presets) == ["A", "A copy", "B"]
    assert presets[1]["enabled"] is False
    presets[1]["mapping"]["event"] = "Contact"
    assert A["mapping"]["event"] == "Lead"


def test_imported_presets_get_free_names() -> None:
    assert names(draft.inserted((A, B), 2, (A, C))) == ["A", "B", "A 2", "C"]


@pytest.mark.parametrize(
    ("index", "step", "expected"),
    [(0, 1, "BAC"), (2, -1, "ACB"), (0, -1, "ABC"), (2, 1, "ABC"), (0, 9, "BCA")],
)
def test_moving_stops_at_the_ends(index: int, step: int, expected: str) -> None:
    assert "".join(names(draft.moved((A, B, C), index, step))) == expected


def test_deleting_and_replacing() -> None:
    assert names(draft.deleted((A, B, C), 1)) == ["A", "C"]
    assert names(draft.replaced((A, B), 0, C)) == ["C", "B"]


def test_fields_and_keys_are_set_and_removed() -> None:
    assert draft.with_field(A, "value", 1)["mapping"] == {"event": "Lead", "value": 1}
    assert draft.without_field(A, "event")["mapping"] == {}
    assert draft.with_key(A, "pixel", "shop")["pixel"] == "shop"
    assert "enabled" not in draft.with_key(A, "enabled", None)
    assert A == {"name": "A", "enabled": True, "mapping": {"event": "Lead"}}
