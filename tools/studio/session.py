"""The state of one open page: the mapping file, the draft and the events at hand.

Pure Python: the parts of the page change it and ask it, tests do so without a browser.
"""

from __future__ import annotations

import json
from collections.abc import Mapping as MappingOf
from dataclasses import replace
from pathlib import Path
from typing import Any

from tiktok_pixel.settings import Settings
from tiktok_pixel.tiktok import schema
from tools.studio import mapping_files
from tools.studio.checking import Checked, check
from tools.studio.draft import Draft, Presets
from tools.studio.mapping_files import MappingFile, MappingFileError, read_mapping_file
from tools.studio.pasted import PastedError, parse_events, paths_in
from tools.studio.triggers import WITH_PATH

SHIPPED = ("default", "full")
_DEFAULTS = Settings(stage="dev", parameter_prefix="/tiktok-pixel")


class Session:
    """What one open page works on.

    Args:
        folder: The folder of the own mapping files.
        opened: The file to start with: a shipped set, or a path.
        settings: The settings of the deployment, by which events are judged.
    """

    def __init__(self, folder: Path, opened: str, settings: Settings = _DEFAULTS) -> None:
        self.folder = folder
        self.settings = settings
        self.file = mapping_files.new_mapping_file(folder / "dev.json")
        self.opened = opened
        self.draft = Draft()
        self.checked: tuple[Checked, ...] = ()
        self.selected: int | None = None
        self.event_text = ""
        self.events: tuple[dict[str, Any], ...] = ()
        self.event_index = 0
        self.event_problem = ""
        self.open(opened)

    # ---------------------------------------------------------------- files

    def choices(self) -> dict[str, str]:
        """Return the mapping files that can be opened, with their labels."""
        files = {str(path): path.name for path in sorted(self.folder.glob("*.json"))}
        files.setdefault(self.opened, Path(self.opened).name)
        shipped = {name: f"{name} (shipped)" for name in SHIPPED}
        return {**files, **shipped}

    def open(self, opened: str) -> None:
        """Open a shipped set by its name, or a file by its path.

        Raises:
            MappingFileError: The file cannot be read.
        """
        path = schema.shipped(opened) if opened in SHIPPED else Path(opened)
        file = read_mapping_file(path)
        self.opened = opened
        self.file = file
        self.draft = Draft(file.presets)
        self.selected = None
        self._compiled()

    @property
    def is_shipped(self) -> bool:
        """Whether the opened set is part of the layer; it is saved as an own file then."""
        return self.opened in SHIPPED

    @property
    def is_changed(self) -> bool:
        """Whether the draft differs from the file."""
        return repr(self.draft.presets) != repr(self.file.presets)

    def save_targets(self) -> tuple[Path, ...]:
        """Return the files that the draft can be saved to, the best one first."""
        stages = tuple(self.folder / f"{stage}.json" for stage in ("dev", "staging", "prod"))
        return stages if self.is_shipped else (self.file.path,)

    def target(self, path: Path) -> MappingFile:
        """Return a file to save to, as it is now or as it was opened.

        Raises:
            MappingFileError: The file cannot be read.
        """
        if path == self.file.path:
            return self.file
        exists = path.exists()
        target = read_mapping_file(path) if exists else mapping_files.new_mapping_file(path)
        # The default fields of the opened file belong to its presets.
        return replace(target, around=self.file.around)

    def default_fields(self) -> dict[str, Any]:
        """Return the fields that `"defaults": true` adds to a preset of the opened file."""
        return schema.default_fields() | self._own_defaults()

    def _own_defaults(self) -> dict[str, Any]:
        defaults = (self.file.around or {}).get("defaults")
        return defaults if isinstance(defaults, dict) else {}

    def save(self, target: MappingFile) -> None:
        """Save the draft.

        Raises:
            MappingFileError: The draft has problems, the file was changed by another program, or
                it cannot be written.
        """
        if self.problems:
            raise MappingFileError("fix the problems of the mappings first")
        self.file = mapping_files.save(target, self.draft.presets)
        self.opened = str(self.file.path)

    # ---------------------------------------------------------------- mappings

    @property
    def presets(self) -> Presets:
        """The presets of the draft."""
        return self.draft.presets

    @property
    def problems(self) -> int:
        """The number of problems in the draft."""
        return sum(len(checked.problems) for checked in self.checked)

    def change(self, presets: Presets, *, is_typing: bool = False) -> bool:
        """Change the draft; return whether anything is different."""
        changed = self.draft.change(presets, is_typing=is_typing)
        if changed:
            self._compiled()
        return changed

    def undo(self) -> None:
        """Take the last change back."""
        self.draft.undo()
        self._compiled()

    def redo(self) -> None:
        """Repeat the change that was last taken back."""
        self.draft.redo()
        self._compiled()

    def _compiled(self) -> None:
        self.checked = check(self.presets, self._own_defaults())
        if self.selected is not None and self.selected >= len(self.presets):
            self.selected = None

    # ---------------------------------------------------------------- events

    @property
    def event(self) -> dict[str, Any] | None:
        """The event at hand."""
        return self.events[self.event_index] if self.events else None

    def set_event_text(self, text: str) -> None:
        """Take pasted or edited text as the events at hand."""
        self.event_text = text
        self.event_index = 0
        try:
            self.events = parse_events(text)
            self.event_problem = ""
        except PastedError as error:
            self.events = ()
            self.event_problem = str(error)

    def set_event(self, event: MappingOf[str, Any]) -> None:
        """Take one event as the event at hand."""
        self.set_event_text(json.dumps(event, indent=2, ensure_ascii=False))

    def paths(self) -> tuple[str, ...]:
        """Return the paths in the event at hand, for suggestions."""
        return paths_in(self.event)

    def suggestions(self) -> dict[str, tuple[str, ...]]:
        """Return what to suggest for the fields of a trigger, from the events at hand."""
        names = {event.get("event") for event in self.events}
        suggested = {"event": tuple(sorted(name for name in names if isinstance(name, str)))}
        for head in WITH_PATH:
            prefix = f"$.{head}."
            inner = (path.removeprefix(prefix) for path in self.paths() if path.startswith(prefix))
            suggested[head] = tuple(inner)
        return suggested
