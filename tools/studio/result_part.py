"""The Result part: what TikTok would get, field by field, and why other mappings do not match."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime
from typing import Any, Final

from nicegui import html, ui

from tools.pixel.inspection import Origin
from tools.pixel.reasons import reason_in_words
from tools.studio import widgets
from tools.studio.coverage import Coverage, coverage_of
from tools.studio.mapping_list import Page
from tools.studio.results import EventResult, MatchResult, Unmatched, result_of
from tools.studio.tracing import NOTHING_FOUND, Trace

_LONGEST: Final = 160  # characters
_MOST_PATHS: Final = 4
_DIGEST: Final = re.compile(r"[0-9A-Fa-f]{64}")
_SHOWN_OF_DIGEST: Final = 12
_MOST_ITEMS: Final = 10


def build_result(page: Page) -> None:
    """Build the part for the event at hand."""
    session = page.session
    with html.div().classes("part-head"):
        html.h2("Result")
    event = session.event
    if event is None:
        text = session.event_problem or "Choose an event."
        widgets.notice(f"No event to show: {text}", "neutral", icon="info_outline")
        return
    settings = session.settings
    result = result_of(event, session.checked, settings, _judged_at(event))
    with html.div().classes("stack"):
        if len(session.events) > 1:
            _build_coverage(coverage_of(session.events, session.checked, settings))
        _build_summary(result, len(session.checked))
        for match in result.matches:
            _build_match(match)
        _build_unmatched(result.unmatched)


def _judged_at(event: dict[str, Any]) -> float:
    """Return the time by which an event is judged: when Segment received it, else now."""
    received = event.get("receivedAt")
    if isinstance(received, str):
        try:
            return datetime.fromisoformat(received).timestamp()
        except (ValueError, OverflowError):
            pass
    return time.time()


def _build_summary(result: EventResult, total: int) -> None:
    sent = sum(match.is_accepted for match in result.matches)
    if result.unusable:
        count = result.unusable
        widgets.notice(
            f"{count} mapping{'s' * (count > 1)} with problems left out.",
            "warning",
            icon="warning_amber",
        )
    if not result.matches:
        widgets.notice(
            f"None of {total} mappings matches: this event is ignored.", "neutral", icon="block"
        )
    elif sent == len(result.matches):
        times = "once" if sent == 1 else f"{sent} times"
        widgets.notice(
            f"{sent} of {total} mappings match{'es' * (sent == 1)}: "
            f"this event is sent to TikTok {times}.",
            "good",
            icon="check_circle_outline",
        )
    else:
        widgets.notice(
            f"{len(result.matches)} of {total} mappings match; {sent} sent to TikTok.",
            "warning",
            icon="warning_amber",
        )


def _build_match(match: MatchResult) -> None:
    with html.div().classes("card result-match"):
        with html.div().classes("row-line"):
            html.h3(match.name).classes("wrap grow").style("font-size:14.5px")
            if match.event_name:
                widgets.badge(f"→ {match.event_name}", "accent")
            _build_outcome(match)
        if match.reason:
            tone = "bad" if match.status == "rejected" else "neutral"
            widgets.notice(f"{reason_in_words(match.reason)} ({match.reason})", tone)
        elif not match.is_accepted and match.response:
            widgets.notice(
                f"TikTok would refuse it: {match.response['message']} The event would be parked.",
                "warning",
            )
        _build_traces(match)
        if match.request is not None:
            with widgets.expansion("Request to TikTok"):
                widgets.code_block(_json(match.request), "Request to TikTok")
        if match.response is not None:
            with widgets.expansion("Response of the local TikTok"):
                widgets.code_block(_json(match.response), "Response of the local TikTok")


def _build_outcome(match: MatchResult) -> None:
    if match.is_accepted:
        widgets.badge("forwarded", "good")
    elif match.status == "sent":
        widgets.badge("parked", "warning")
    else:
        widgets.badge(match.status, "bad" if match.status == "rejected" else "neutral")


def _build_traces(match: MatchResult) -> None:
    shown = [trace for trace in match.traces if trace.note != NOTHING_FOUND]
    missing = [trace for trace in match.traces if trace.note == NOTHING_FOUND]
    with html.table().classes("traces"):
        with html.thead(), html.tr():
            for title in ("From the event", "To TikTok"):
                html.th(title).props["scope"] = "col"
        with html.tbody():
            for trace in shown:
                _build_trace(trace)
    if missing:
        with widgets.expansion(f"{len(missing)} fields with nothing in the event"), html.div():
            for trace in missing:
                with html.div().classes("default-field"):
                    ui.label(trace.field).classes("small").style("width:130px; flex:none")
                    with html.div().classes("grow"):
                        for path in trace.paths[:_MOST_PATHS]:
                            widgets.path(path)


def _build_trace(trace: Trace) -> None:
    is_sent = trace.sent is not None
    with html.tr().classes("" if is_sent else "unsent"):
        with html.td():
            ui.label(trace.field).classes("trace-field")
            if trace.origin is Origin.CONSTANT:
                ui.label("fixed value").classes("muted small")
            for path in trace.paths[:_MOST_PATHS]:
                widgets.path(path)
            if len(trace.paths) > _MOST_PATHS:
                ui.label(f"and {len(trace.paths) - _MOST_PATHS} more paths").classes("muted small")
            _build_value(trace.raw)
        with html.td():
            _build_sent(trace, is_sent=is_sent)


def _build_sent(trace: Trace, *, is_sent: bool) -> None:
    if is_sent:
        widgets.path(trace.place)
        if trace.is_hashed and trace.normalised:
            ui.label(trace.normalised)
            with html.div().classes("row-line").style("gap:6px"):
                ui.label("SHA-256").classes("step-name")
                ui.label(_short_hash(trace.sent)).classes("mono")
        elif json.dumps(trace.sent) == json.dumps(trace.raw):
            ui.label("unchanged").classes("muted small")
        else:
            _build_value(trace.sent)
    if trace.note:
        ui.label(trace.note[:1].upper() + trace.note[1:]).classes("left-out small")


def _build_value(value: Any) -> None:
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        with html.ul().classes("items"):
            for item in value[:_MOST_ITEMS]:
                words = (f"{key} {_shown(member)}" for key, member in item.items())
                html.li(", ".join(words)).classes("small wrap")
            if len(value) > _MOST_ITEMS:
                html.li(f"and {len(value) - _MOST_ITEMS} more").classes("small muted")
    else:
        ui.label(_shown(value))


def _build_unmatched(unmatched: tuple[Unmatched, ...]) -> None:
    if not unmatched:
        return
    count = len(unmatched)
    with (
        widgets.expansion(
            f"{count} mapping{'s' * (count > 1)} do{'es' * (count == 1)} not match", opened=False
        ),
        html.div().style("width:100%"),
    ):
        for mapping in unmatched:
            with html.div().classes("failure"):
                with html.div().classes("row-line"):
                    ui.label(mapping.name).style("font-weight:500").classes("wrap")
                    if not mapping.is_enabled:
                        widgets.badge("off")
                if not mapping.failures:
                    ui.label("It would match if it were on.").classes("muted small")
                for failure in mapping.failures:
                    actual = "nothing" if failure.actual is None else _shown(failure.actual)
                    ui.label(f"✗ {failure.condition} — the event has {actual}").classes(
                        "small wrap"
                    )


def _build_coverage(coverage: Coverage) -> None:
    with html.div().classes("card result-match"):
        html.h3(f"All {coverage.events:,} events")
        with html.div().classes("row-line"):
            for status, count in coverage.outcomes:
                widgets.badge(f"{count:,} {status}", "good" if status == "forwarded" else "neutral")
        if not coverage.sent:
            return
        ui.label(f"Of {coverage.sent:,} TikTok events, with").classes("muted small")
        for name, count in coverage.shares:
            share = count / coverage.sent
            with html.div().classes("bar"):
                ui.label(name)
                with html.div().classes("bar-track").props("aria-hidden=true"):
                    html.div().classes("bar-fill").style(f"width:{share:.1%}")
                ui.label(f"{share:.0%}").classes("bar-share")


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, str) and _DIGEST.fullmatch(value):
        return f"{value[:_SHOWN_OF_DIGEST]}…"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _short_hash(sent: Any) -> str:
    hashes = sent if isinstance(sent, list) else [sent]
    return ", ".join(f"{text[:_SHOWN_OF_DIGEST]}…" for text in map(str, hashes))


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
