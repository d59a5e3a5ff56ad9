"""Render the dashboards of the template as PNG, from sample metrics, for the documentation.

`python -m tools.ops.render_dashboards` writes `docs/images/dashboard-*.png`.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from tools.ops import sample_metrics
from tools.ops.cloudwatch import Dashboard, dashboards, widget_metrics
from tools.ops.template import ROOT, Node, load_template

if TYPE_CHECKING:
    from matplotlib.axes import Axes

IMAGES: Final = ROOT / "docs" / "images"
_COLUMNS: Final = 24
_WIDTH_INCHES: Final = 15.0
_ROW_INCHES: Final = 0.46
_GREY: Final = "#5f6b7a"
_COLOURS: Final = ("#0972d3", "#e07941", "#3b9a5f", "#8b5fbf", "#c33d69", "#6b7a8f", "#b8a300")


def main() -> None:
    """Write one picture for each dashboard."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    for dashboard in dashboards(load_template()):
        render(dashboard, IMAGES / f"dashboard-{dashboard.name.lower()}.png")


def render(dashboard: Dashboard, path: Path) -> None:
    """Draw a dashboard into a PNG file."""
    rows = max(widget["y"] + widget["height"] for widget in dashboard.widgets)
    with mpl.rc_context(
        {"font.size": 8, "axes.edgecolor": "#d5dbdb", "font.family": "DejaVu Sans"}
    ):
        figure = Figure(figsize=(_WIDTH_INCHES, rows * _ROW_INCHES), facecolor="#f2f3f3")
        for widget in dashboard.widgets:
            _draw(_axes(figure, widget, rows), widget)
        FigureCanvasAgg(figure)
        # Without the version of matplotlib in the file, equal pictures are equal files.
        figure.savefig(path, dpi=100, metadata={"Software": None})


def _axes(figure: Figure, widget: Node, rows: int) -> Axes:
    left, top = widget["x"] / _COLUMNS, 1 - widget["y"] / rows
    width, height = widget["width"] / _COLUMNS, widget["height"] / rows
    margin_x, margin_top, margin_bottom = 0.028, 0.75 / rows, 1.35 / rows
    gap = 0.1 / rows
    frame = (left + 0.003, top - height + gap, width - 0.006, height - 2 * gap)
    background = figure.add_axes(frame)
    background.set_xticks([])
    background.set_yticks([])
    title = background.set_title(widget["properties"]["title"], loc="left", x=0.012, y=1.0, pad=-13)
    title.set_fontsize(9)
    title.set_fontweight("bold")
    if widget["type"] != "metric" or widget["properties"]["view"] == "singleValue":
        margin_x, margin_bottom = 0.01, 0.2 / rows
    inner = (
        left + margin_x,
        top - height + margin_bottom,
        width - margin_x - (0.022 if _has_right_axis(widget) else 0.012),
        height - margin_top - margin_bottom,
    )
    return figure.add_axes(inner)


def _has_right_axis(widget: Node) -> bool:
    return any(options.get("yAxis") == "right" for _, options in widget_metrics(widget))


def _draw(axes: Axes, widget: Node) -> None:
    if widget["type"] == "alarm":
        _draw_alarms(axes, widget["properties"]["alarms"])
    elif widget["type"] == "log":
        _draw_table(axes, *sample_metrics.match_keys())
    elif widget["properties"]["view"] == "singleValue":
        _draw_numbers(axes, widget)
    else:
        _draw_series(axes, widget)


def _series(widget: Node) -> list[tuple[str, list[float], Node]]:
    """Return label, values and options of each series of a widget."""
    statistic = widget["properties"]["stat"]
    found: list[tuple[str, list[float], Node]] = []
    for metric, options in widget_metrics(widget):
        labels = (
            sample_metrics.expanded(metric.name)
            if "expression" in options
            else [options.get("label", metric.name)]
        )
        for label in labels:
            values = sample_metrics.sample(metric.name, label, options.get("stat", statistic))
            found.append((label, _by_period(values, widget["properties"], statistic), options))
    return found


def _by_period(values: list[float], properties: Node, statistic: str) -> list[float]:
    steps = max(1, min(properties["period"], 3600) // 300)
    groups = [values[start : start + steps] for start in range(0, len(values), steps)]
    return [sum(group) if statistic == "Sum" else max(group) for group in groups]


def _draw_series(axes: Axes, widget: Node) -> None:
    series = _series(widget)
    right = axes.twinx() if _has_right_axis(widget) else axes
    hours = [24 * index / len(series[0][1]) for index in range(len(series[0][1]))]
    colours = [o.get("color", _COLOURS[i % len(_COLOURS)]) for i, (_, _, o) in enumerate(series)]
    if widget["properties"].get("stacked"):
        stacked = [one for _, one, _ in series]
        names = [name for name, _, _ in series]
        axes.stackplot(hours, *stacked, labels=names, colors=colours, alpha=0.85)
    else:
        for (label, values, options), colour in zip(series, colours, strict=True):
            chosen = right if options.get("yAxis") == "right" else axes
            chosen.plot(hours, values, label=label, color=colour, linewidth=1.3)
    for line in widget["properties"].get("annotations", {}).get("horizontal", []):
        axes.axhline(line["value"], color="#d13212", linewidth=0.9, linestyle="--")
        axes.annotate(line["label"], (0, line["value"]), color="#d13212", fontsize=7, va="bottom")
    _style(axes)
    if right is not axes:
        _style(right)
    handles, labels = axes.get_legend_handles_labels()
    if right is not axes:
        more, names = right.get_legend_handles_labels()
        handles, labels = handles + more, labels + names
    axes.legend(
        handles,
        labels,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.07),
        ncols=5 if 2 * widget["width"] >= _COLUMNS else 3,
        frameon=False,
        fontsize=7,
    )


def _style(axes: Axes) -> None:
    axes.set_xlim(0, 24)
    axes.set_ylim(bottom=0)
    axes.set_xticks(range(0, 25, 4), [f"{hour:02d}:00" for hour in range(0, 25, 4)])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
    axes.tick_params(colors=_GREY, length=0, labelsize=7)
    axes.grid(visible=True, color="#eaeded", linewidth=0.7)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _short(value: float) -> str:
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"


def _draw_numbers(axes: Axes, widget: Node) -> None:
    _blank(axes)
    series = _series(widget)
    for index, (label, values, _) in enumerate(series):
        x = (index + 0.5) / len(series)
        axes.text(x, 0.62, f"{sum(values):,.0f}", ha="center", va="center", fontsize=17)
        axes.text(x, 0.15, label, ha="center", va="center", color=_GREY, fontsize=8)


def _draw_alarms(axes: Axes, alarms: list[str]) -> None:
    _blank(axes)
    columns = 7
    names = [alarm.rpartition("AWS::StackName-")[2] for alarm in alarms]
    for index, name in enumerate(names):
        x, y = index % columns / columns, 1 - (index // columns + 1) / 3
        axes.text(
            x + 0.5 / columns,
            y + 0.17,
            name,
            ha="center",
            va="center",
            fontsize=7.5,
            color="white",
            bbox={"boxstyle": "round,pad=0.45", "facecolor": "#1d8102", "edgecolor": "none"},
        )


def _draw_table(axes: Axes, columns: list[str], rows: list[list[str]]) -> None:
    _blank(axes)
    cells: list[list[str]] = [[textwrap.shorten(cell, 40) for cell in row] for row in rows]
    table: Any = axes.table(
        cellText=cells, colLabels=columns, loc="upper center", cellLoc="left", edges="horizontal"
    )
    table.auto_set_font_size(False)  # the signature is positional
    table.set_fontsize(8)
    table.scale(1, 1.5)
    for cell in table.get_celld().values():
        cell.set_edgecolor("#eaeded")


def _blank(axes: Axes) -> None:
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)


if __name__ == "__main__":
    main()
