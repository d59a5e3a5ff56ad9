"""Save the draft: the diff first, then the file, then an offer to undo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nicegui import html, ui

from tools.studio import mapping_files, widgets
from tools.studio.mapping_files import ConflictError, MappingFile, MappingFileError
from tools.studio.session import Session

_CLASSES = {"+": "diff-add", "-": "diff-remove", "@": "diff-place"}


class SaveDialog:
    """The dialog that saves the draft of a session.

    Args:
        session: The session.
        on_saved: Called after the file was saved, or the save undone.
        on_reload: Called to open the file again, without the draft.
    """

    def __init__(
        self, session: Session, on_saved: Callable[[], None], on_reload: Callable[[], None]
    ) -> None:
        self._session = session
        self._on_saved = on_saved
        self._on_reload = on_reload
        self._target: MappingFile = session.file
        self._before: MappingFile | None = None
        with ui.dialog() as self._dialog:
            self._dialog.props["aria-labelledby"] = "save-title"
            self._body = html.div().classes("dialog")

    @property
    def can_undo(self) -> bool:
        """Whether there is a save that can be undone."""
        return self._before is not None

    def open(self) -> None:
        """Open the dialog."""
        self._choose(str(self._session.save_targets()[0]))
        self._dialog.open()

    def _choose(self, target: str) -> None:
        problem = ""
        try:
            self._target = self._session.target(Path(target))
        except MappingFileError as error:
            problem = str(error)
        self._build(problem)

    def _build(self, problem: str = "", *, is_conflict: bool = False) -> None:
        session = self._session
        self._body.clear()
        with self._body:
            html.h2("Save mappings", id="save-title")
            targets = session.save_targets()
            if len(targets) > 1:
                ui.label(
                    f"“{session.opened}” is shipped with this project. Save your version as the "
                    "mappings of a stage, and deploy that stage with MappingSet=custom."
                ).classes("muted")
                names = {str(path): path.name for path in targets}
                widgets.Choice("Save as", names, str(self._target.path), self._choose)
            diff = mapping_files.difference(self._target, session.presets)
            if session.problems:
                count = session.problems
                problem = f"{count} problem{'s' * (count > 1)} to fix first; see the mappings."
            if problem:
                widgets.notice(problem, "bad", icon="error_outline")
            if diff:
                ui.label(f"Changes in {self._target.path.name}").classes("muted small")
                _build_diff(diff)
            else:
                widgets.notice(f"{self._target.path.name} has these mappings already.", "neutral")
            with html.div().classes("dialog-actions"):
                widgets.button("Cancel", self._dialog.close)
                if is_conflict:
                    widgets.button("Discard my changes and reload", self._reload, kind="danger")
                else:
                    save = widgets.button("Save", self._save, kind="primary")
                    save.set_enabled(bool(diff) and not session.problems and not problem)

    def _save(self) -> None:
        before = self._target
        try:
            self._session.save(before)
        except ConflictError as error:
            self._build(f"{error}. Nothing was saved.", is_conflict=True)
            return
        except MappingFileError as error:
            self._build(str(error))
            return
        self._before = before
        self._dialog.close()
        self._on_saved()

    def undo(self) -> None:
        """Put the file back as it was before the last save."""
        if self._before is None:
            return
        saved = self._session.file
        try:
            self._session.file = mapping_files.restore(saved, self._before)
        except MappingFileError as error:
            ui.notify(str(error), type="negative")
        else:
            ui.notify(f"{saved.path.name} is as it was before", type="info")
        self._before = None
        self._on_saved()

    def _reload(self) -> None:
        self._dialog.close()
        self._on_reload()


def _build_diff(diff: str) -> None:
    with html.pre().classes("code-block diff") as block:
        block.props["tabindex"] = "0"
        block.props["role"] = "region"
        block.props["aria-label"] = "Changes"
        for line in diff.splitlines()[2:]:
            html.span(line or " ").classes(_CLASSES.get(line[:1], "diff-same"))
