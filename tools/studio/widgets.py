"""Small building blocks of the page: labelled, keyboard-operable, in the page's own style."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from nicegui import html, ui

Handler = Callable[..., Any]

_FIELD: Final = "outlined dense hide-bottom-space no-error-icon"
_VALUE: Final = "(event) => emit(event.target.value)"


def button(
    label: str, on_click: Handler, *, icon: str | None = None, kind: str = "plain"
) -> ui.button:
    """Make a button with a text; `kind` is `primary`, `plain` or `danger`."""
    return (
        ui.button(label, on_click=on_click, icon=icon, color=None)
        .props("no-caps unelevated dense")
        .classes(f"button button-{kind}")
    )


def icon_button(icon: str, label: str, on_click: Handler | None = None) -> ui.button:
    """Make a button that shows an icon and is read as a label."""
    made = ui.button(icon=icon, on_click=on_click, color=None).props("flat dense round")
    made.props["aria-label"] = label
    made.classes("icon-button")
    with made:
        tip = ui.tooltip(label)
        tip.props("delay=500 aria-hidden=true")
    return made


def text_field(
    label: str,
    value: str,
    on_change: Handler,
    *,
    suggestions: Sequence[str] = (),
    hint: str = "",
) -> ui.input:
    """Make a field for one line of text, with suggestions while one types."""
    made = ui.input(
        label,
        value=value,
        on_change=lambda event: on_change(event.value or ""),
    )
    made.props(f"{_FIELD} spellcheck=false autocomplete=off").classes("field")
    made.without_auto_validation()
    if hint:
        made.props["hint"] = hint
    if suggestions:
        # NiceGUI gives every text field a list of this name and shows it on phones only.
        with html.datalist(id=f"{made.html_id}-datalist"):
            for suggestion in suggestions:
                html.option(value=suggestion)
    return made


def text_area(label: str, value: str, on_change: Handler, *, rows: int = 4) -> ui.textarea:
    """Make a field for code or JSON."""
    made = ui.textarea(label, value=value, on_change=lambda event: on_change(event.value or ""))
    made.props(f"{_FIELD} spellcheck=false autocomplete=off rows={rows}")
    return made.without_auto_validation().classes("field code-field")


class Choice:
    """A field to choose one of several values: the browser's own `select`.

    Args:
        label: The label of the field.
        options: The values with their labels, or values that are their own labels.
        value: The value chosen at first; it is added to the options when it is not one.
        on_change: Called with the value that is chosen.
    """

    def __init__(
        self,
        label: str,
        options: Mapping[str, str] | Sequence[str],
        value: str,
        on_change: Handler,
    ) -> None:
        self._box = html.label().classes("choice")
        with self._box:
            html.span(label).classes("choice-label")
            self._select = html.select()
            self._select.props["aria-label"] = label
        self._on_change = on_change
        self._select.on("change", self._changed, js_handler=_VALUE)
        self.set(options, value)

    def set(self, options: Mapping[str, str] | Sequence[str], value: str) -> None:
        """Set the options and the chosen value."""
        known = dict(options) if isinstance(options, Mapping) else {name: name for name in options}
        known.setdefault(value, value)
        self._select.clear()
        with self._select:
            for name, label in known.items():
                html.option(label, value=name)
        self.show(value)

    def show(self, value: str) -> None:
        """Show a value as the chosen one."""
        self._select.props["value"] = value
        self._select.update()

    def classes(self, names: str) -> None:
        """Add CSS classes."""
        self._box.classes(names)

    def _changed(self, event: Any) -> None:
        # The browser shows the property again whenever the page is drawn anew.
        self.show(event.args)
        self._on_change(event.args)


def switch(label: str, on_change: Handler, *, value: bool, hidden_label: bool = False) -> ui.switch:
    """Make a switch; the label can be for screen readers only."""
    made = ui.switch(
        "" if hidden_label else label,
        value=value,
        on_change=lambda event: on_change(event.value),
    )
    made.props("dense").classes("switch")
    made.props["aria-label"] = label
    return made


def show_error(field: Any, problem: str) -> None:
    """Show a problem at a field, or take it away."""
    field.error = problem or None
    field.props["aria-invalid"] = "true" if problem else "false"


def badge(label: str, tone: str = "neutral") -> ui.label:
    """Make a short label with a colour; tones are neutral, accent, good, warning and bad."""
    return ui.label(label).classes(f"badge badge-{tone}")


def notice(label: str, tone: str, *, icon: str | None = None) -> html.div:
    """Make a box with a message."""
    box = html.div().classes(f"notice notice-{tone}")
    with box:
        if icon:
            ui.icon(icon).props("aria-hidden=true")
        ui.label(label)
    return box


def expansion(label: str, *, opened: bool = False) -> ui.expansion:
    """Make a part that can be opened and closed."""
    return ui.expansion(label, value=opened).props("dense dense-toggle").classes("expansion")


def code_block(content: str, label: str) -> None:
    """Show code that can be scrolled with the keyboard."""
    made = html.pre(content).classes("code-block")
    made.props["tabindex"] = "0"
    made.props["role"] = "region"
    made.props["aria-label"] = label


def section(title: str) -> html.section:
    """Make a card with a heading."""
    made = html.section().classes("card section")
    made.props["aria-label"] = title
    with made, html.div().classes("section-head"):
        html.h3(title)
    return made


def path(text: str) -> None:
    """Show a path that breaks at its dots where it is too long."""
    with html.span().classes("path wrap"):
        for index, part in enumerate(text.split(".")):
            if index:
                html.wbr()
            html.span(f".{part}" if index else part)
