"""The presets being edited, with undo and redo.

Presets are plain JSON and are never changed in place: every edit makes a new tuple of presets.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import Any, Final

Presets = tuple[Any, ...]

_FIRST_TRIGGER: Final = 'type = "track" and event = "Order Completed"'
_OWN_KEYS: Final = {"trigger": "subscribe", "settings": "mapping", "fields": "mapping"}
_KEPT_STEPS: Final = 200
_TYPING_SECONDS: Final = 1.5


class Draft:
    """A list of presets that changes step by step.

    Args:
        presets: The presets to start with.
        clock: Gives the time in seconds.
    """

    def __init__(self, presets: Presets = (), clock: Callable[[], float] = time.monotonic) -> None:
        self.presets: Presets = presets
        self._clock = clock
        self._typed_at = float("-inf")
        self._past: list[Presets] = []
        self._future: list[Presets] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to repeat."""
        return bool(self._future)

    def change(self, presets: Presets, *, is_typing: bool = False) -> bool:
        """Make these the presets; return whether that changed anything.

        Args:
            presets: The new presets.
            is_typing: Whether the change is one of many quick ones, which are one step together.
        """
        # 1 equals True and 1.0 in Python, but not in a mapping.
        if repr(presets) == repr(self.presets):
            return False
        continues = is_typing and self._clock() - self._typed_at < _TYPING_SECONDS
        self._typed_at = self._clock() if is_typing else float("-inf")
        if continues and self._past:
            self.presets = presets
            return True
        self._past = [*self._past, self.presets][-_KEPT_STEPS:]
        self._future = []
        self.presets = presets
        return True

    def undo(self) -> None:
        """Take the last step back, if there is one."""
        self._typed_at = float("-inf")
        if self._past:
            self._future.append(self.presets)
            self.presets = self._past.pop()

    def redo(self) -> None:
        """Repeat the step that was last taken back, if there is one."""
        if self._future:
            self._past.append(self.presets)
            self.presets = self._future.pop()


def in_own_format(preset: Any) -> Any:
    """Return a preset with the keys of the mapping files.

    The subscriptions of Segment's Public API have `trigger` and `settings`, the presets of its
    catalog `trigger` and `fields`.
    """
    if not isinstance(preset, dict):
        return preset
    renamed = {_OWN_KEYS.get(key, key): value for key, value in preset.items()}
    # A preset with both keys has a problem, which is shown as it is.
    return renamed if len(renamed) == len(preset) else preset


def new_preset(presets: Presets) -> dict[str, Any]:
    """Return a preset to start from, with a name that is not taken."""
    return {
        "name": free_name("New mapping", presets),
        "subscribe": _FIRST_TRIGGER,
        "enabled": True,
        "defaults": True,
        "mapping": {"event": "Purchase"},
    }


def inserted(presets: Presets, index: int, added: Presets) -> Presets:
    """Return the presets with more of them at an index; names that are taken get a number."""
    result = presets
    for offset, preset in enumerate(added):
        named = copy.deepcopy(preset)
        if isinstance(named, dict) and isinstance(named.get("name"), str):
            named["name"] = free_name(named["name"], result)
        result = (*result[: index + offset], named, *result[index + offset :])
    return result


def duplicated(presets: Presets, index: int) -> Presets:
    """Return the presets with a copy of one behind it.

    The copy is disabled: two enabled copies would send every event twice.
    """
    twin = copy.deepcopy(presets[index])
    if isinstance(twin, dict):
        twin["enabled"] = False
        if isinstance(twin.get("name"), str):
            twin["name"] = f"{twin['name']} copy"
    return inserted(presets, index + 1, (twin,))


def deleted(presets: Presets, index: int) -> Presets:
    """Return the presets without one."""
    return presets[:index] + presets[index + 1 :]


def moved(presets: Presets, index: int, step: int) -> Presets:
    """Return the presets with one moved by some places; it stops at the ends."""
    rest = deleted(presets, index)
    target = min(max(index + step, 0), len(rest))
    return (*rest[:target], presets[index], *rest[target:])


def replaced(presets: Presets, index: int, preset: Any) -> Presets:
    """Return the presets with another in the place of one."""
    return (*presets[:index], preset, *presets[index + 1 :])


def with_key(preset: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Return a preset with a key set; None removes the key."""
    if value is None:
        return {name: member for name, member in preset.items() if name != key}
    return {**preset, key: value}


def with_field(preset: dict[str, Any], field: str, definition: Any) -> dict[str, Any]:
    """Return a preset with a field of its mapping set; null switches a default field off."""
    fields = preset.get("mapping")
    return {
        **preset,
        "mapping": {**(fields if isinstance(fields, dict) else {}), field: definition},
    }


def without_field(preset: dict[str, Any], field: str) -> dict[str, Any]:
    """Return a preset whose mapping does not name a field."""
    fields = preset.get("mapping")
    rest = fields if isinstance(fields, dict) else {}
    return {**preset, "mapping": {name: value for name, value in rest.items() if name != field}}


def free_name(name: str, presets: Presets) -> str:
    """Return a name, with a number if a preset has it already."""
    taken = {preset.get("name") for preset in presets if isinstance(preset, dict)}
    if name not in taken:
        return name
    number = 2
    while f"{name} {number}" in taken:
        number += 1
    return f"{name} {number}"
