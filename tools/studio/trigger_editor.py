"""The trigger of a mapping, as a form and as FQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from nicegui import html, ui

from tiktok_pixel.mapping import SubscriptionError
from tools.studio import widgets
from tools.studio.triggers import (
    EVENT_TYPES,
    FIELDS,
    TESTS,
    WITH_PATH,
    WITHOUT_VALUE,
    ConditionForm,
    TriggerError,
    TriggerForm,
    item_at,
    offered_tests,
    read_form,
    with_item,
    write_fql,
)

Place = tuple[int, ...]

_JOINS: Final = {"and": "All conditions", "or": "Any condition"}
_PATH_LABELS: Final = {"properties": "Property", "traits": "Trait", "context": "Path in context"}


class TriggerEditor:
    """Edits FQL; calls `on_change` with the new FQL.

    Args:
        fql: The FQL to start with.
        suggestions: Texts to suggest: names of events for `event`, and paths below `properties`,
            `traits` and `context`.
        on_change: Called with the FQL of the form, or with what was typed as FQL.
    """

    def __init__(
        self,
        fql: str,
        suggestions: Mapping[str, tuple[str, ...]],
        on_change: Callable[[str], None],
    ) -> None:
        self._on_change = on_change
        self._form = _readable(fql)
        self._fql = fql
        self._suggestions = suggestions
        self._conditions = html.div().classes("stack")
        self._problem = html.div().props("role=status")
        self._text = widgets.text_area("Trigger as FQL", fql, self._typed, rows=2)
        self._build()

    def show_problem(self, problem: str) -> None:
        """Show what is wrong with the FQL, at the FQL."""
        widgets.show_error(self._text, problem)

    def _build(self) -> None:
        self._conditions.clear()
        with self._conditions:
            if self._form is None:
                text = "This trigger can be edited as FQL only."
                widgets.notice(text, "neutral", icon="info_outline")
            else:
                self._build_group(self._form, ())

    def _change(
        self, place: Place, item: ConditionForm | TriggerForm | None, *, rebuild: bool
    ) -> None:
        if self._form is None:
            return
        self._form = with_item(self._form, place, item)
        self._problem.clear()
        try:
            self._fql = write_fql(self._form)
        except TriggerError as error:
            with self._problem:
                text = f"Not applied yet: {error}."
                widgets.notice(text, "warning", icon="error_outline")
        else:
            self._text.value = self._fql
            self._on_change(self._fql)
        if rebuild:
            self._build()

    def _typed(self, fql: str) -> None:
        if fql == self._fql:
            return  # set by the form
        self._fql = fql
        self._form = _readable(fql)
        self._problem.clear()
        self._build()
        self._on_change(fql)

    def _build_group(self, form: TriggerForm, place: Place) -> None:
        if len(form.items) > 1 or place:
            widgets.Choice("The event must meet", _JOINS, form.operator, self._join(place))
        for index, item in enumerate(form.items):
            if index:
                ui.label(form.operator).classes("joined")
            if isinstance(item, ConditionForm):
                can_remove = len(form.items) > 1 or bool(place)
                self._build_condition(item, (*place, index), can_remove=can_remove)
            else:
                with html.div().classes("group") as group:
                    group.props["role"] = "group"
                    group.props["aria-label"] = "Group of conditions"
                    self._build_group(item, (*place, index))
        with html.div().classes("row-line"):
            widgets.button("Add condition", self._add(place, ConditionForm()), icon="add")
            if not place:
                inner = TriggerForm("or", (ConditionForm(), ConditionForm()))
                widgets.button("Add group", self._add(place, inner), icon="playlist_add")

    def _join(self, place: Place) -> Callable[[str], None]:
        def join(operator: str) -> None:
            group = self._group_at(place)
            self._change(place, replace(group, operator=operator), rebuild=True)

        return join

    def _add(self, place: Place, item: ConditionForm | TriggerForm) -> Callable[[], None]:
        def add() -> None:
            group = self._group_at(place)
            self._change(place, replace(group, items=(*group.items, item)), rebuild=True)

        return add

    def _group_at(self, place: Place) -> TriggerForm:
        group = item_at(self._form or TriggerForm(), place)
        return group if isinstance(group, TriggerForm) else TriggerForm("and", (group,))

    def _build_condition(self, form: ConditionForm, place: Place, *, can_remove: bool) -> None:
        def change(*, rebuild: bool, **values: str) -> None:
            current = item_at(self._form or TriggerForm(), place)
            if isinstance(current, ConditionForm):
                self._change(place, replace(current, **values), rebuild=rebuild)

        def change_field(field: str) -> None:
            test = form.test if form.test in offered_tests(field) else "="
            if field == "type":
                change(rebuild=True, field=field, test=test, value=EVENT_TYPES[0])
            else:
                change(rebuild=True, field=field, test=test)

        with html.div().classes("condition"):
            widgets.Choice("Look at", FIELDS, form.field, change_field)
            tests = {test: TESTS[test] for test in offered_tests(form.field)}
            widgets.Choice("Test", tests, form.test, lambda test: change(rebuild=True, test=test))
            if form.field in WITH_PATH:
                path = widgets.text_field(
                    _PATH_LABELS[form.field],
                    form.path,
                    lambda path: change(rebuild=False, path=path),
                    suggestions=self._suggestions.get(form.field, ()),
                )
                path.classes("whole" if form.test in WITHOUT_VALUE else "")
            if form.test not in WITHOUT_VALUE:
                self._build_value(form, lambda value: change(rebuild=False, value=value))
            if can_remove:
                with html.div().classes("remove"):
                    widgets.icon_button(
                        "close",
                        "Remove condition",
                        lambda: self._change(place, None, rebuild=True),
                    )

    def _build_value(self, form: ConditionForm, on_change: Callable[[str], None]) -> None:
        span = "" if form.field in WITH_PATH else "whole"
        if form.field == "type":
            widgets.Choice("Type", EVENT_TYPES, form.value, on_change).classes(span)
            return
        names = self._suggestions.get("event", ()) if form.field == "event" else ()
        widgets.text_field("Value", form.value, on_change, suggestions=names).classes(span)


def _readable(fql: str) -> TriggerForm | None:
    try:
        return read_form(fql)
    except SubscriptionError:
        return None
