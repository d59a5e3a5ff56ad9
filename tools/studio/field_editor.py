"""The fields of a mapping: its own ones, and the default fields that Segment's preset adds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from nicegui import html, ui

from tiktok_pixel.tiktok import fields, schema
from tools.studio import widgets
from tools.studio.checking import Checked
from tools.studio.draft import with_field, without_field
from tools.studio.mapping_files import format_json

_WAYS: Final = {
    "path": "From the event",
    "fixed": "Fixed value",
    "json": "Segment JSON",
    "off": "Do not send",
}
_STARTS: Final = {"path": {"@path": "$.properties."}, "fixed": "", "json": {}, "off": None}
_EDITED_ELSEWHERE: Final = ("event", "test_event_code")

Change = Callable[..., None]


class FieldEditor:
    """Edits the fields of a preset; `on_change` takes the new preset.

    Args:
        preset: Returns the preset as it is now.
        defaults: The default fields.
        paths: Paths to suggest.
        on_change: Called with the new preset, and whether the editor is to be built anew.
    """

    def __init__(
        self,
        preset: Callable[[], dict[str, Any]],
        defaults: dict[str, Any],
        paths: tuple[str, ...],
        on_change: Change,
    ) -> None:
        self._preset = preset
        self._defaults = defaults
        self._paths = paths
        self._on_change = on_change
        self._inputs: dict[str, Any] = {}
        self._build()

    def show_problems(self, checked: Checked) -> None:
        """Show problems at the fields that cause them."""
        for field, element in self._inputs.items():
            widgets.show_error(element, "; ".join(checked.problems_of(field)))

    @property
    def places(self) -> frozenset[str]:
        """The fields that show their own problems."""
        return frozenset(self._inputs)

    def _build(self) -> None:
        preset = self._preset()
        fields = preset.get("mapping")
        own = {
            name: definition
            for name, definition in (fields.items() if isinstance(fields, dict) else ())
            if name not in _EDITED_ELSEWHERE
        }
        if not own:
            ui.label("No own fields.").classes("muted small")
        for name, definition in own.items():
            self._build_field(name, definition)
        self._build_adder(own)
        if preset.get("defaults") is True:
            self._build_defaults(own)

    def _build_field(self, name: str, definition: Any) -> None:
        way = way_of(definition)
        with html.div().classes("own-field"):
            with html.div().style("align-self:center"):
                html.h3(name).classes("wrap")
            widgets.Choice(
                f"How {name} is filled", _WAYS, way, lambda new: self._set(name, _STARTS[new])
            )
            widgets.icon_button("close", f"Remove {name}", lambda: self._remove(name))
            if way == "off":
                return
            with html.div().classes("whole"):
                self._inputs[name] = self._value_input(name, way, definition)

    def _value_input(self, name: str, way: str, definition: Any) -> Any:
        if way == "path":
            return widgets.text_field(
                f"Path for {name}",
                ", ".join(paths_of(definition) or ()),
                lambda text: self._set(name, definition_of(text), rebuild=False),
                suggestions=self._paths,
                hint="Several with commas: the first that is usable counts",
            )
        if way == "fixed":
            shown = definition if isinstance(definition, str) else json.dumps(definition)
            return widgets.text_field(
                f"Value of {name}",
                shown,
                lambda text: self._set(name, fixed_value(name, text), rebuild=False),
                suggestions=literals_of(name),
            )
        return self._json_input(name, definition)

    def _json_input(self, name: str, definition: Any) -> Any:
        def typed(text: str) -> None:
            try:
                value = json.loads(text)
            except (ValueError, RecursionError) as error:
                widgets.show_error(area, f"not JSON: {error}")
            else:
                widgets.show_error(area, "")
                self._set(name, value, rebuild=False)

        text = format_json(definition)
        area = widgets.text_area(
            f"{name} as JSON", text, typed, rows=min(max(text.count("\n") + 1, 3), 14)
        )
        return area

    def _build_adder(self, own: dict[str, Any]) -> None:
        names = [name for name in schema.FIELDS if name not in own]
        names = [name for name in names if name not in _EDITED_ELSEWHERE]
        with html.div().classes("row-line").style("flex-wrap:nowrap"):
            added = widgets.text_field("Add a field", "", lambda _: None, suggestions=names)
            added.classes("grow")
            added.on("keydown.enter", lambda: self._add(added.value or ""))
            widgets.button("Add field", lambda: self._add(added.value or ""))

    def _build_defaults(self, own: dict[str, Any]) -> None:
        kept = [name for name in self._defaults if name not in own]
        with widgets.expansion(f"{len(kept)} default fields"):
            ui.label(
                "These come from Segment's preset. Override one to fill it in another way."
            ).classes("muted small")
            with html.div().style("width:100%"):
                for name in kept:
                    with html.div().classes("default-field"):
                        ui.label(name).classes("grow wrap")
                        change = widgets.button(
                            "Override", lambda name=name: self._set(name, self._defaults[name])
                        )
                        change.props["aria-label"] = f"Override {name}"

    def _add(self, name: str) -> None:
        name = name.strip()
        if name:
            self._set(name, {"@path": f"$.properties.{name}"})

    def _set(self, name: str, definition: Any, *, rebuild: bool = True) -> None:
        self._on_change(with_field(self._preset(), name, definition), rebuild=rebuild)

    def _remove(self, name: str) -> None:
        self._on_change(without_field(self._preset(), name), rebuild=True)


def way_of(definition: Any) -> str:
    """Return how a field is filled, as the editor offers it."""
    if definition is None:
        return "off"
    if isinstance(definition, dict):
        return "json" if paths_of(definition) is None else "path"
    return "json" if isinstance(definition, list) else "fixed"


def paths_of(definition: dict[str, Any]) -> tuple[str, ...] | None:
    """Return the paths of a field that is filled from paths alone, in order; else None."""
    if list(definition) == ["@path"] and isinstance(definition["@path"], str):
        return (definition["@path"],)
    candidates = definition.get("@first") if len(definition) == 1 else None
    if isinstance(candidates, list) and all(
        isinstance(path, str) and "," not in path for path in candidates
    ):
        return tuple(candidates)
    return None


def definition_of(text: str) -> dict[str, Any]:
    """Return the definition of a field that is filled from a path, or from several."""
    paths = [path.strip() for path in text.split(",") if path.strip()]
    return {"@path": paths[0] if paths else ""} if len(paths) < 2 else {"@first": paths}


def fixed_value(field: str, text: str) -> Any:
    """Return the JSON value of what was typed as a field's fixed value.

    Numbers and booleans are written as such where the field has that type.
    """
    kind = schema.FIELDS.get(field)
    if kind in ("number", "integer", "boolean"):
        try:
            value = json.loads(text)
        except ValueError:
            return text
        return value if isinstance(value, int | float) else text
    return text


def literals_of(field: str) -> tuple[str, ...]:
    """Return the values that a field can have, when they are few."""
    kind = schema.FIELDS.get(field)
    if isinstance(kind, tuple):
        return kind
    if kind == "currency":
        return tuple(sorted(fields.CURRENCIES))
    return ("true", "false") if kind == "boolean" else ()
