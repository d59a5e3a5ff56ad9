"""The report of `pixel audit` as one HTML file that loads nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tools.pixel.audit.tally import MATCH_KEYS, EventTally, Tally


def render(tally: Tally, mapping_file: Path, mapping_set: str) -> str:
    """Render a tally as HTML."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    total = tally.outcomes.total()
    unmapped = tally.shown_unmapped()
    return environment.get_template("report.html").render(
        events=tally.events,
        bad_lines=tally.bad_lines,
        mapping_file=mapping_file,
        mapping_set=mapping_set,
        outcomes=_bars(dict(tally.outcomes.most_common()), total),
        reasons=_bars(dict(tally.reasons.most_common()), total),
        mappings=_bars(dict(tally.mappings.most_common()), tally.events),
        tiktok_events=[_event(name, events) for name, events in tally.sorted_events()],
        problems=tally.sorted_problems(),
        unmapped=_bars(unmapped, max(unmapped.values(), default=0)),
    )


def _event(name: str, tally: EventTally) -> dict[str, Any]:
    bars = _bars({key: tally.match_keys[key] for key in MATCH_KEYS}, tally.events)
    value = _bars({"value and currency": tally.with_value}, tally.events)
    return {"name": name, "events": tally.events, "bars": [*value, *bars]}


def _bars(counts: dict[str, int], total: int) -> list[dict[str, Any]]:
    return [
        {"name": name, "count": count, "percent": 100 * count / total if total else 0}
        for name, count in counts.items()
    ]
