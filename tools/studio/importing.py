"""Import mappings that were copied from Segment."""

from __future__ import annotations

from typing import Any

from nicegui import html, ui

from tools.studio import widgets
from tools.studio.checking import check
from tools.studio.draft import inserted
from tools.studio.mapping_list import Page, mapping_name
from tools.studio.pasted import PastedError, parse_mappings


class ImportDialog:
    """The dialog that imports mappings into the page's draft."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._presets: tuple[Any, ...] = ()
        with ui.dialog() as self._dialog, html.div().classes("dialog"):
            self._dialog.props["aria-labelledby"] = "import-title"
            html.h2("Import from Segment", id="import-title")
            ui.label(
                "Paste mappings copied from Segment: presets, or the subscriptions of a "
                "destination. They are added after the mappings that are there."
            ).classes("muted")
            self._text = widgets.text_area("Mappings as JSON", "", self._read, rows=12)
            self._found = html.div().classes("stack").props("role=status")
            with html.div().classes("dialog-actions"):
                widgets.button("Cancel", self._dialog.close)
                self._import = widgets.button("Import", self._add, kind="primary")
        self._import.disable()

    def open(self) -> None:
        """Open the dialog, empty."""
        self._text.value = ""
        self._read("")
        self._dialog.open()

    def _read(self, text: str) -> None:
        self._found.clear()
        self._presets = ()
        problem = ""
        if text.strip():
            try:
                self._presets = parse_mappings(text)
            except PastedError as error:
                problem = str(error)
        widgets.show_error(self._text, problem)
        self._import.set_enabled(bool(self._presets))
        with self._found:
            for index, (preset, checked) in enumerate(
                zip(self._presets, check(self._presets), strict=True)
            ):
                problems = "; ".join(checked.other_problems(frozenset()))
                name = mapping_name(preset, index)
                if problems:
                    widgets.notice(f"{name}: {problems}", "warning", icon="warning_amber")
                else:
                    widgets.notice(name, "good", icon="check")

    def _add(self) -> None:
        presets = self._page.session.presets
        self._dialog.close()
        self._page.edit(inserted(presets, len(presets), self._presets))
        count = len(self._presets)
        ui.notify(f"{count} mapping{'s' * (count > 1)} imported", type="positive")
