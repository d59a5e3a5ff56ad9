"""The list of mappings: which events become which TikTok event, at a glance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from nicegui import html, ui

from tiktok_pixel.mapping import SubscriptionError
from tools.pixel.describe import describe_subscription
from tools.studio import widgets
from tools.studio.checking import Checked
from tools.studio.draft import (
    Presets,
    deleted,
    duplicated,
    inserted,
    moved,
    new_preset,
    replaced,
    with_key,
)
from tools.studio.session import Session


class Page(Protocol):
    """What the parts of the page need from it."""

    session: Session

    def edit(self, presets: Presets, *, rebuild: bool = True) -> None:
        """Change the draft and show the change; `rebuild` makes the Mappings part anew."""

    def select(self, index: int | None) -> None:
        """Open a mapping in the editor, or the list."""

    def show_event(self) -> None:
        """Show the result of the event at hand."""

    def open_import(self) -> None:
        """Open the dialog that imports mappings from Segment."""


def build_list(page: Page) -> None:
    """Build the list."""
    session = page.session
    with html.div().classes("part-head"):
        html.h2("Mappings")
        widgets.button("Import", page.open_import, icon="content_paste")
        widgets.button("Add", lambda: _add(page), icon="add", kind="primary")
    if not session.presets:
        widgets.notice("There is no mapping yet. Add one, or import from Segment.", "neutral")
    with html.div().classes("stack").props("role=list"):
        for index, (preset, checked) in enumerate(
            zip(session.presets, session.checked, strict=True)
        ):
            _card(page, index, preset, checked)


def mapping_name(preset: Any, index: int) -> str:
    """Return the name of a preset, or its place when it has none."""
    name = preset.get("name") if isinstance(preset, dict) else None
    return name if isinstance(name, str) and name else f"Mapping {index + 1}"


def trigger_in_words(preset: Any) -> str:
    """Return the trigger of a preset in words."""
    subscribe = preset.get("subscribe") if isinstance(preset, dict) else None
    if not isinstance(subscribe, str):
        return "no trigger"
    try:
        words = describe_subscription(subscribe)
    except SubscriptionError:
        return subscribe
    return words[:1].upper() + words[1:]


def _add(page: Page) -> None:
    presets = page.session.presets
    added = inserted(presets, len(presets), (new_preset(presets),))
    page.session.selected = len(presets)
    page.edit(added)


def _card(page: Page, index: int, preset: Any, checked: Checked) -> None:
    is_on = isinstance(preset, dict) and preset.get("enabled", True) is True
    event = page.session.event
    matches = (
        checked.compiled is not None and event is not None and bool(checked.compiled.match(event))
    )
    name = mapping_name(preset, index)
    card = html.div().classes("card mapping").props("role=listitem")
    card.classes(
        add=" ".join(
            name for name, on in (("mapping-matches", matches), ("mapping-off", not is_on)) if on
        )
    )
    with card:
        _switch(page, index, preset, name, is_on=is_on)
        with html.div().classes("mapping-body stack").style("gap:3px"):
            ui.button(name, on_click=lambda: page.select(index), color=None).props(
                "flat dense no-caps"
            ).classes("mapping-name").props["aria-label"] = f"Edit {name}"
            ui.label(trigger_in_words(preset)).classes("muted small wrap")
            _badges(preset, checked, matches=matches, is_on=is_on)
        _menu(page, index, name)


def _switch(page: Page, index: int, preset: Any, name: str, *, is_on: bool) -> None:
    def turn(value: bool) -> None:  # noqa: FBT001 - the signature of a switch
        current = page.session.presets[index]
        page.edit(replaced(page.session.presets, index, with_key(current, "enabled", value)))

    made = widgets.switch(f"{name} is on", turn, value=is_on, hidden_label=True)
    if not isinstance(preset, dict):
        made.disable()


def _badges(preset: Any, checked: Checked, *, matches: bool, is_on: bool) -> None:
    with html.div().classes("row-line").style("gap:6px; margin-top:3px"):
        widgets.badge(f"→ {_event_name(preset, checked)}", "accent")
        if matches:
            widgets.badge("matches this event", "good")
        if not is_on:
            widgets.badge("off")
        if checked.problems:
            count = len(checked.problems)
            widgets.badge(f"{count} problem{'s' * (count > 1)}", "bad")
        if checked.warnings:
            count = len(checked.warnings)
            widgets.badge(f"{count} warning{'s' * (count > 1)}", "warning")
        own = own_fields(preset)
        if own:
            ui.label(f"own fields: {', '.join(own)}").classes("muted small wrap")


def own_fields(preset: Any) -> list[str]:
    """Return the names of the fields that a preset sets itself, but `event`."""
    fields = preset.get("mapping") if isinstance(preset, dict) else None
    return [name for name in fields if name != "event"] if isinstance(fields, dict) else []


def _event_name(preset: Any, checked: Checked) -> str:
    if checked.compiled is not None and checked.compiled.mappings[0].event_name:
        return checked.compiled.mappings[0].event_name
    fields = preset.get("mapping") if isinstance(preset, dict) else None
    event = fields.get("event") if isinstance(fields, dict) else None
    if isinstance(event, str) and event:
        return event
    return "name from the event" if event else "no TikTok event"


def _menu(page: Page, index: int, name: str) -> None:
    presets = page.session.presets
    items: tuple[tuple[str, Callable[[], Presets], bool], ...] = (
        ("Duplicate", lambda: duplicated(presets, index), True),
        ("Move up", lambda: moved(presets, index, -1), index > 0),
        ("Move down", lambda: moved(presets, index, 1), index < len(presets) - 1),
        ("Delete", lambda: deleted(presets, index), True),
    )
    with widgets.icon_button("more_vert", f"Actions for {name}") as opener:
        opener.props["aria-haspopup"] = "menu"
        with ui.menu().props("role=menu auto-close"):
            for label, change, is_possible in items:
                item = ui.menu_item(label, lambda change=change: page.edit(change()))
                item.props("role=menuitem")
                if label == "Delete":
                    item.classes("menu-danger")
                if not is_possible:
                    item.props("disable")
