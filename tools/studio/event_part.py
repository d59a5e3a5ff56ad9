"""The Event part: a sample, a pasted event, or one that the local sandbox received."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from nicegui import html, run, ui

from tools.sandbox.endpoint import ReceivedEvent
from tools.sandbox.samples import EVENTS, SIGNED
from tools.studio import widgets
from tools.studio.live import LiveError, last_events
from tools.studio.mapping_list import Page

_SOURCES: Final = {"sample": "Sample", "paste": "Paste", "live": "Live"}
_POLL_SECONDS: Final = 1.0
FIRST_SAMPLE: Final = "order-completed"


class EventPart:
    """Chooses the event at hand; changes the page's session and shows the result.

    Args:
        page: The page.
        endpoint: The URL of the sandbox's endpoint.
    """

    def __init__(self, page: Page, endpoint: str) -> None:
        self._page = page
        self._endpoint = endpoint
        self._shown: tuple[ReceivedEvent, ...] | None = None
        self._live_problem = ""
        self._source = "sample"
        with html.div().classes("part-head"):
            html.h2("Event")
            toggle = ui.toggle(_SOURCES, value="sample", on_change=self._choose_source)
            toggle.props("no-caps unelevated dense").classes("segments")
            toggle.props["aria-label"] = "Where the event comes from"
        with html.div().classes("stack"):
            self._chooser = html.div().classes("stack")
            self._several = html.div().classes("stack")
            self._text = widgets.text_area("Segment event as JSON", "", self._typed, rows=18)
            self._text.classes("event-text")
            with widgets.expansion("Settings"):
                widgets.text_field(
                    "Default phone region",
                    page.session.settings.default_phone_region or "",
                    self._set_region,
                    hint="DefaultPhoneRegion: two letters, such as US",
                )
        self._timer = ui.timer(_POLL_SECONDS, self._poll, active=False)
        self._build_chooser()
        self._load_sample(FIRST_SAMPLE)

    def _choose_source(self, event: Any) -> None:
        self._source = event.value
        self._shown = None
        self._live_problem = ""
        self._timer.active = self._source == "live"
        self._build_chooser()

    def _build_chooser(self) -> None:
        self._chooser.clear()
        with self._chooser:
            if self._source == "sample":
                widgets.Choice("Sample event", sample_names(), FIRST_SAMPLE, self._load_sample)
            elif self._source == "paste":
                ui.label(
                    "Paste an event below, several as an array or a batch, or one per line."
                ).classes("muted small")
                widgets.button("Clear", lambda: self._show_text(""), icon="backspace")
            else:
                self._live = html.div().classes("stack").props("role=status")

    def _load_sample(self, name: str) -> None:
        self._show_text((EVENTS / f"{name}.json").read_text(encoding="utf-8").strip())

    def _show_text(self, text: str) -> None:
        self._text.value = text
        self._take(text)

    def _typed(self, text: str) -> None:
        if text != self._page.session.event_text:
            self._take(text)

    def _take(self, text: str) -> None:
        self._page.session.set_event_text(text)
        widgets.show_error(self._text, self._page.session.event_problem)
        self._build_several()
        self._page.show_event()

    def _build_several(self) -> None:
        self._several.clear()
        events = self._page.session.events
        if len(events) < 2:
            return
        labels = {str(index): _label(index, event) for index, event in enumerate(events[:1000])}
        with self._several:
            widgets.Choice(f"{len(events):,} events; shown is", labels, "0", self._choose_event)

    def _choose_event(self, index: str) -> None:
        self._page.session.event_index = int(index)
        self._page.show_event()

    def _set_region(self, region: str) -> None:
        session = self._page.session
        code = region.strip().upper() or None
        session.settings = replace(session.settings, default_phone_region=code)
        self._page.show_event()

    async def _poll(self) -> None:
        try:
            events = await run.io_bound(last_events, self._endpoint)
        except LiveError as error:
            self._show_live_problem(str(error))
            return
        # `io_bound` gives None while the server stops.
        if events is not None and events != self._shown and self._source == "live":
            self._shown = events
            self._live_problem = ""
            self._build_live(events)

    def _show_live_problem(self, problem: str) -> None:
        if self._source == "live" and problem != self._live_problem:
            self._live_problem = problem
            self._shown = None
            self._live.clear()
            with self._live:
                widgets.notice(problem, "neutral", icon="info_outline")

    def _build_live(self, events: tuple[ReceivedEvent, ...]) -> None:
        self._live.clear()
        with self._live:
            ui.label(f"Endpoint: {self._endpoint}/segment").classes("mono wrap")
            if not events:
                ui.label("Waiting for signed events…").classes("muted small")
            with html.div():
                for event in events:
                    self._build_live_event(event)

    def _build_live_event(self, event: ReceivedEvent) -> None:
        def show() -> None:
            self._show_text(json.dumps(event.event, indent=2, ensure_ascii=False))

        with html.div().classes("live-event"):
            ui.label(event.time).classes("muted small")
            if event.event is None:
                ui.label(event.name).classes("grow wrap")
            else:
                made = ui.button(event.name, on_click=show, color=None)
                made.props("flat dense no-caps").classes("mapping-name grow")
                made.props["aria-label"] = f"Show {event.name} of {event.time}"
            widgets.badge(event.status, _TONES.get(event.status, "neutral"))


_TONES: Final = {
    "forwarded": "good",
    "ignored": "neutral",
    "parked": "warning",
    "rejected": "bad",
    "refused": "bad",
    "retry": "bad",
}


def sample_names() -> list[str]:
    """Return the names of the sample events, as paths below their folder."""
    files = (*sorted(EVENTS.glob("*.json")), *sorted(EVENTS.glob("full/*.json")))
    left_out = (SIGNED, "refused-", "env")
    return [_sample_name(file) for file in files if not file.name.startswith(left_out)]


def _sample_name(file: Path) -> str:
    return file.relative_to(EVENTS).with_suffix("").as_posix()


def _label(index: int, event: dict[str, Any]) -> str:
    name = event.get("event") or event.get("name") or event.get("type") or "no type"
    return f"{index + 1}: {name}"
