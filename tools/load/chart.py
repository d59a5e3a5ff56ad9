"""Draw a load test: throughput, latency and outcomes over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Final

from tiktok_pixel.outcomes import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tools.load.segment import Answer

_BIN_SECONDS: Final = 1.0
_COLOURS: Final = {
    "forwarded": "#2a9d8f",
    "ignored": "#adb5bd",
    "rejected": "#6c757d",
    "parked": "#e9a23b",
    "retry": "#d1495b",
}
# Pairs of steps between which something is wrong.
_TROUBLES: Final = (
    ("outage", "recovered"),
    ("throttling", "not throttling"),
    ("token revoked", "token rotated"),
    ("wrong test event code", "test event code removed"),
)


def draw(
    path: Path,
    answers: Sequence[Answer],
    delivered: Sequence[float],
    steps: Sequence[tuple[float, str]],
) -> None:
    """Write the chart as PNG.

    Args:
        path: The file.
        answers: The endpoint's answers.
        delivered: When each event was first accepted by TikTok, in seconds from the start.
        steps: What changed, with its time.
    """
    # matplotlib takes half a second to import.
    import matplotlib as mpl  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    mpl.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    figure = Figure(figsize=(11, 9), layout="constrained")
    throughput, latency, outcomes = figure.subplots(3, 1, sharex=True)
    _draw_throughput(throughput, answers, delivered)
    _draw_latency(latency, answers)
    _draw_outcomes(outcomes, answers)
    times = {name: at for at, name in steps}
    for axes in (throughput, latency, outcomes):
        axes.grid(axis="y", alpha=0.3)
        for begin, end in _TROUBLES:
            if begin in times and end in times:
                axes.axvspan(times[begin], times[end], color="#d1495b", alpha=0.08, lw=0)
    for begin, end in _TROUBLES:
        if begin in times and end in times:
            throughput.annotate(
                begin,
                ((times[begin] + times[end]) / 2, 1.01),
                xycoords=("data", "axes fraction"),
                ha="center",
                color="#d1495b",
            )
    outcomes.set_xlabel("seconds from the start")
    figure.savefig(path, dpi=110)


def _draw_throughput(axes: Axes, answers: Sequence[Answer], delivered: Sequence[float]) -> None:
    answered: Counter[int] = Counter()
    for one in answers:
        answered[_bin(one.at)] += len(one.outcomes)
    accepted = Counter(map(_bin, delivered))
    last = max([*answered, *accepted], default=0)
    seconds = range(last + 1)
    axes.plot(seconds, [answered[at] for at in seconds], color="#264653", label="answered")
    axes.plot(
        seconds, [accepted[at] for at in seconds], color="#2a9d8f", label="accepted by TikTok"
    )
    axes.set_ylabel("events per second")
    axes.legend(loc="upper right", frameon=False)


def _draw_latency(axes: Axes, answers: Sequence[Answer]) -> None:
    by_second: dict[int, list[float]] = {}
    for one in answers:
        by_second.setdefault(_bin(one.at), []).append(one.seconds * 1000)
    seconds = sorted(by_second)
    cuts = [
        quantiles(by_second[at] * 2, n=100, method="inclusive")  # Twice: one value is too few.
        for at in seconds
    ]
    for percent, colour in ((50, "#2a9d8f"), (95, "#e9a23b"), (99, "#d1495b")):
        values = [cut[percent - 1] for cut in cuts]
        axes.plot(seconds, values, color=colour, label=f"p{percent}")
    axes.axhline(4000, color="#adb5bd", ls="--", lw=1, label="budget (4 s)")
    axes.set_yscale("log")
    axes.set_ylabel("latency, ms")
    axes.legend(loc="upper right", frameon=False, ncols=4)


def _draw_outcomes(axes: Axes, answers: Sequence[Answer]) -> None:
    counts: dict[str, Counter[int]] = {name: Counter() for name in _COLOURS}
    for one in answers:
        for status, _ in one.outcomes.values():
            counts[status][_bin(one.at)] += 1
        if not one.outcomes:  # Refused by API Gateway, or not answered.
            counts[Status.RETRY][_bin(one.at)] += 1
    seconds = range(max((_bin(one.at) for one in answers), default=0) + 1)
    axes.stackplot(
        seconds,
        [[counts[name][at] for at in seconds] for name in _COLOURS],
        labels=list(_COLOURS),
        colors=list(_COLOURS.values()),
        step="mid",
    )
    axes.set_ylabel("outcomes per second")
    axes.legend(loc="upper right", frameon=False, ncols=5)


def _bin(at: float) -> int:
    return max(0, int(at / _BIN_SECONDS))
