"""The Mappings page: the three parts, the bar above them, and what connects them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from nicegui import html, ui

from tools.studio import widgets
from tools.studio.draft import Presets
from tools.studio.event_part import EventPart
from tools.studio.importing import ImportDialog
from tools.studio.mapping_editor import MappingEditor
from tools.studio.mapping_files import MappingFileError
from tools.studio.mapping_list import build_list
from tools.studio.result_part import build_result
from tools.studio.saving import SaveDialog
from tools.studio.session import Session

_STYLES: Final = Path(__file__).with_name("studio.css")
_DELAY: Final = 0.15  # seconds
_PARTS: Final = {"mappings": "Mappings", "event": "Event", "result": "Result"}
_MODES: Final = (
    (None, "brightness_auto", "Colours: as the system"),
    (False, "light_mode", "Colours: light"),
    (True, "dark_mode", "Colours: dark"),
)


class MappingsPage:
    """One open page."""

    def __init__(self, session: Session, endpoint: str) -> None:
        self.session = session
        self._editor: MappingEditor | None = None
        self._must_rebuild = True
        ui.add_css(_STYLES)
        ui.colors(primary="#0b6b67", positive="#0a6738", negative="#b1221a", info="#24505f")
        self._dark = ui.dark_mode(None)
        self._import = ImportDialog(self)
        self._save = SaveDialog(session, self._show_file, self._reload)
        with ui.header(elevated=False, fixed=False).classes("top"):
            self._build_bar()
        with ui.tabs(value="mappings", on_change=self._show_part).classes("tabs") as tabs:
            tabs.props("dense no-caps indicator-color=transparent")
            for name, label in _PARTS.items():
                ui.tab(name, label)
        self._parts: dict[str, Any] = {}
        with html.div().classes("parts"):
            for name, label in _PARTS.items():
                part = html.section().classes(f"part part-{name}")
                part.props["aria-label"] = label
                self._parts[name] = part
        self._parts["mappings"].classes(add="part-active")
        self._timer = ui.timer(_DELAY, self._show, active=False, immediate=False)
        with self._parts["event"]:
            EventPart(self, endpoint)
        self._show()

    # ---------------------------------------------------------------- what the parts call

    def edit(self, presets: Presets, *, rebuild: bool = True) -> None:
        """Change the draft and show the change."""
        changed = self.session.change(presets, is_typing=not rebuild)
        if rebuild:
            self._show_all()
        elif changed:
            self._show_later()

    def select(self, index: int | None) -> None:
        """Open a mapping in the editor, or the list."""
        self.session.selected = index
        self._build_mappings()

    def show_event(self) -> None:
        """Show the result of the event at hand."""
        self._must_rebuild = True
        self._show_later()

    def open_import(self) -> None:
        """Open the dialog that imports mappings from Segment."""
        self._import.open()

    # ---------------------------------------------------------------- parts

    def _show_later(self) -> None:
        """Show the changes of a moment together: typing must not wait for the result."""
        if not self._timer.active:
            self._timer.activate()

    def _show(self) -> None:
        self._timer.deactivate()
        if self._must_rebuild or self._editor is None:
            self._build_mappings()
        else:
            self._editor.refresh()
        self._must_rebuild = False
        self._build_result()
        self._refresh_bar()

    def _show_all(self) -> None:
        self._must_rebuild = True
        self._show()

    def _build_mappings(self) -> None:
        part = self._parts["mappings"]
        part.clear()
        self._editor = None
        with part:
            if self.session.selected is None:
                build_list(self)
            else:
                self._editor = MappingEditor(self)

    def _build_result(self) -> None:
        part = self._parts["result"]
        part.clear()
        with part:
            build_result(self)

    def _show_part(self, event: Any) -> None:
        for name, part in self._parts.items():
            if name == event.value:
                part.classes(add="part-active")
            else:
                part.classes(remove="part-active")

    # ---------------------------------------------------------------- the bar

    def _build_bar(self) -> None:
        with html.h1().classes("brand"):
            with html.span().classes("brand-mark").props("aria-hidden=true"):
                ui.icon("swap_horiz")
            html.span("TikTok Pixel mappings").classes("brand-text")
        self._files = widgets.Choice(
            "Mapping file", self.session.choices(), self.session.opened, self._choose_file
        )
        self._state = ui.label("").classes("state").props("role=status")
        html.div().classes("top-space")
        self._undo = widgets.icon_button("undo", "Undo", self._take_back)
        self._redo = widgets.icon_button("redo", "Redo", self._repeat)
        self._mode = widgets.icon_button("brightness_auto", "Colours: as the system")
        self._mode.on_click(self._next_mode)
        self._undo_save = widgets.button("Undo save", self._save.undo)
        widgets.button("Save", self._save.open, icon="save", kind="primary")

    def _refresh_bar(self) -> None:
        session = self.session
        self._undo.set_enabled(session.draft.can_undo)
        self._redo.set_enabled(session.draft.can_redo)
        self._undo_save.set_visibility(self._save.can_undo)
        problems = session.problems
        if problems:
            text, tone = f"{problems} problem{'s' * (problems > 1)}", "state-bad"
        elif session.is_changed:
            text, tone = "Not saved", "state-changed"
        else:
            text, tone = "Saved" if self._save.can_undo else "No changes", ""
        self._state.text = text
        self._state.classes(replace=f"state {tone}")

    def _take_back(self) -> None:
        self.session.undo()
        self._show_all()

    def _repeat(self) -> None:
        self.session.redo()
        self._show_all()

    def _next_mode(self) -> None:
        values = [value for value, _, _ in _MODES]
        value, icon, label = _MODES[(values.index(self._dark.value) + 1) % len(_MODES)]
        self._dark.value = value
        self._mode.props["icon"] = icon
        self._mode.props["aria-label"] = label
        self._mode.update()

    # ---------------------------------------------------------------- files

    def _choose_file(self, chosen: str) -> None:
        if self.session.is_changed:
            ui.notify("Save or undo your changes first", type="warning")
            self._files.show(self.session.opened)
            return
        self._open(chosen)

    def _reload(self) -> None:
        self._open(self.session.opened)

    def _open(self, opened: str) -> None:
        try:
            self.session.open(opened)
        except MappingFileError as error:
            ui.notify(str(error), type="negative")
            self._files.show(self.session.opened)
            return
        self._show_all()

    def _show_file(self) -> None:
        self._files.set(self.session.choices(), self.session.opened)
        self._show_all()
