"""The editor of one mapping."""

from __future__ import annotations

import json
from typing import Any, Final

from nicegui import html

from tiktok_pixel.tiktok.event_names import (
    LEGACY_EVENTS,
    MAX_EVENT_NAME,
    PAGE_VIEWS,
    RETIRED_EVENTS,
    STANDARD_EVENTS,
)
from tools.studio import widgets
from tools.studio.checking import Checked
from tools.studio.draft import with_field, with_key, without_field
from tools.studio.field_editor import FieldEditor
from tools.studio.mapping_files import format_json
from tools.studio.mapping_list import Page, mapping_name
from tools.studio.trigger_editor import TriggerEditor

_CUSTOM: Final = "custom"
_FROM_EVENT: Final = "from-event"


class MappingEditor:
    """Edits the selected preset of the page's session."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._index = page.session.selected or 0
        preset = self._preset()
        with html.div().classes("part-head"):
            back = widgets.icon_button("arrow_back", "Back to all mappings")
            back.on_click(lambda: page.select(None))
            html.h2(mapping_name(preset, self._index)).classes("wrap")
        with html.div().classes("stack"):
            self._messages = html.div().classes("stack").props("role=status")
            self._build_name(preset)
            self._build_trigger(preset)
            self._build_event(preset)
            with widgets.section("Fields"):
                self._fields = FieldEditor(
                    self._preset,
                    page.session.default_fields(),
                    page.session.paths(),
                    self._edit,
                )
            self._build_more(preset)
            self._build_json(preset)
        self.refresh()

    def refresh(self) -> None:
        """Show the problems and warnings of the preset as it is now."""
        checked: Checked = self._page.session.checked[self._index]
        widgets.show_error(self._name, "; ".join(checked.problems_of("name")))
        self._trigger.show_problem("; ".join(checked.problems_of("subscribe")))
        widgets.show_error(self._pixel, "; ".join(checked.problems_of("pixel")))
        if self._event_input is not None:
            widgets.show_error(self._event_input, "; ".join(checked.problems_of("event")))
        self._fields.show_problems(checked)
        shown = self._fields.places | {"name", "subscribe", "pixel"}
        if self._event_input is not None:
            shown |= {"event"}
        self._messages.clear()
        with self._messages:
            for problem in checked.other_problems(shown):
                widgets.notice(problem, "bad", icon="error_outline")
            for warning in checked.warnings:
                widgets.notice(warning, "warning", icon="warning_amber")
        if not self._is_json_current():
            self._json.value = format_json(self._preset())
            widgets.show_error(self._json, "")

    def _preset(self) -> dict[str, Any]:
        preset = self._page.session.presets[self._index]
        return preset if isinstance(preset, dict) else {}

    def _edit(self, preset: Any, *, rebuild: bool = False) -> None:
        presets = list(self._page.session.presets)
        presets[self._index] = preset
        self._page.edit(tuple(presets), rebuild=rebuild)

    def _set(self, key: str, value: Any) -> None:
        self._edit(with_key(self._preset(), key, value))

    def _build_name(self, preset: dict[str, Any]) -> None:
        with html.div().classes("card section"):
            name = preset.get("name")
            self._name = widgets.text_field(
                "Name", name if isinstance(name, str) else "", lambda text: self._set("name", text)
            )
            widgets.switch(
                "On: events that match are sent to TikTok",
                lambda value: self._set("enabled", value),
                value=preset.get("enabled", True) is True,
            )

    def _build_trigger(self, preset: dict[str, Any]) -> None:
        subscribe = preset.get("subscribe")
        with widgets.section("Trigger"):
            self._trigger = TriggerEditor(
                subscribe if isinstance(subscribe, str) else "",
                self._page.session.suggestions(),
                lambda fql: self._set("subscribe", fql),
            )

    def _build_event(self, preset: dict[str, Any]) -> None:
        fields = preset.get("mapping")
        event = fields.get("event") if isinstance(fields, dict) else None
        options = event_options()
        chosen = event if isinstance(event, str) and event in options else _CUSTOM
        if isinstance(event, dict):
            chosen = _FROM_EVENT
        self._event_input: Any = None
        with widgets.section("TikTok event"):
            widgets.Choice("TikTok event", options, chosen, self._choose_event)
            if chosen == _CUSTOM:
                self._event_input = widgets.text_field(
                    "Custom event name",
                    event if isinstance(event, str) else "",
                    lambda name: self._edit(with_field(self._preset(), "event", name)),
                    hint=f"Letters, digits, _ and -; up to {MAX_EVENT_NAME} characters",
                )
            elif chosen == _FROM_EVENT:
                self._event_input = self._event_json(event)

    def _event_json(self, event: Any) -> Any:
        def typed(text: str) -> None:
            try:
                value = json.loads(text)
            except (ValueError, RecursionError) as error:
                widgets.show_error(area, f"not JSON: {error}")
            else:
                self._edit(with_field(self._preset(), "event", value))

        area = widgets.text_area("Name from the event, as Segment JSON", format_json(event), typed)
        return area

    def _choose_event(self, chosen: str) -> None:
        start: Any = {_CUSTOM: "", _FROM_EVENT: {"@path": "$.event"}}.get(chosen, chosen)
        self._edit(with_field(self._preset(), "event", start), rebuild=True)

    def _build_more(self, preset: dict[str, Any]) -> None:
        fields = preset.get("mapping")
        code = fields.get("test_event_code") if isinstance(fields, dict) else None
        pixel = preset.get("pixel")
        with widgets.expansion("Pixel, test code and defaults", opened=bool(pixel or code)):
            self._pixel = widgets.text_field(
                "Pixel name",
                pixel if isinstance(pixel, str) else "",
                lambda name: self._set("pixel", name or None),
                hint="Only for a second pixel: the name in its SSM parameters",
            )
            if not isinstance(code, dict):
                widgets.text_field(
                    "Test event code",
                    code if isinstance(code, str) else "",
                    self._set_code,
                    hint="Events appear under Test Events in TikTok Events Manager only",
                )
            widgets.switch(
                "Fill the default fields of Segment's preset",
                lambda value: self._edit(with_key(self._preset(), "defaults", value), rebuild=True),
                value=preset.get("defaults") is True,
            )
            widgets.switch(
                "Compute totals that an event lacks from its contents",
                lambda value: self._set("derive", None if value else False),
                value=preset.get("derive", True) is True,
            )

    def _set_code(self, code: str) -> None:
        preset = self._preset()
        changed = with_field(preset, "test_event_code", code)
        self._edit(changed if code else without_field(preset, "test_event_code"))

    def _build_json(self, preset: dict[str, Any]) -> None:
        def typed(text: str) -> None:
            try:
                value = json.loads(text)
            except (ValueError, RecursionError) as error:
                widgets.show_error(self._json, f"not JSON: {error}")
                return
            widgets.show_error(self._json, "")
            if not self._is_json_current():
                self._edit(value)

        with widgets.expansion("This mapping as JSON"):
            self._json = widgets.text_area("Mapping as JSON", format_json(preset), typed, rows=14)
            widgets.button("Show in the form", lambda: self._page.select(self._index))

    def _is_json_current(self) -> bool:
        """Return whether the JSON shown is that of the preset, in whatever formatting."""
        try:
            shown = json.loads(self._json.value or "")
        except (ValueError, RecursionError):
            return False
        return repr(shown) == repr(self._page.session.presets[self._index])


def event_options() -> dict[str, str]:
    """Return the TikTok events to choose from, with their labels."""
    options = {name: name for name in (*STANDARD_EVENTS, PAGE_VIEWS[0])}
    options |= {old: f"{old} (old name of {new})" for old, new in LEGACY_EVENTS.items()}
    options |= {name: f"{name} (retired; accepted until 2027)" for name in RETIRED_EVENTS}
    return options | {_CUSTOM: "Custom event…", _FROM_EVENT: "Name from the event…"}
