"""Metrics of an invented day, to show what the dashboards look like.

A shop with a peak in the evening. At 14:00 TikTok is out of reach for 40 minutes: events are parked
and delivered afterwards. At 18:00 the access token expires and is replaced 25 minutes later.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Final

HOURS: Final = 24
STEPS_PER_HOUR: Final = 12
STEPS: Final = HOURS * STEPS_PER_HOUR
Series = list[float]

_OUTAGE: Final = (14.0, 14.67)
_EXPIRED_TOKEN: Final = (18.0, 18.42)
_REQUESTS: Final = 180.0

# The shares are those of a shop: many views, few purchases.
_EVENTS: Final = {
    "ViewContent": 0.62,
    "Search": 0.14,
    "AddToCart": 0.13,
    "InitiateCheckout": 0.06,
    "PlaceAnOrder": 0.05,
}
_PROBLEMS: Final = {
    "phone invalid": 0.021,
    "ttclid placeholder": 0.012,
    "value ambiguous": 0.004,
    "currency unsupported": 0.002,
}


def sample(name: str, label: str, statistic: str) -> Series:
    """Return five-minute values of a metric.

    Args:
        name: The metric's name.
        label: The label of the series, which distinguishes the series of one metric.
        statistic: `Sum`, `Maximum`, `p50`, ….
    """
    make = _METRICS.get(name)
    if make is not None:
        return make(label, statistic)
    return [0.0] * STEPS


def expanded(name: str) -> list[str]:
    """Return the labels of the series that a search for a metric finds."""
    return {
        "EventsForwarded": list(_EVENTS),
        "ValidationFailure": list(_PROBLEMS),
        "TikTokError": ["50000", "40105", "40100"],
    }.get(name, [])


def match_keys() -> tuple[list[str], list[list[str]]]:
    """Return the table of match keys: columns and rows."""
    keys = ("email", "phone", "external_id", "ttclid", "ttp", "ip", "user_agent")
    columns = ["event", "sent", *keys, "first_name", "zip_code", "value"]
    shares = {
        "ViewContent": (31, 12, 100, 24, 71, 99, 99, 11, 10, 0),
        "Search": (28, 11, 100, 21, 70, 99, 99, 10, 9, 0),
        "AddToCart": (44, 19, 100, 25, 72, 99, 99, 17, 15, 98),
        "InitiateCheckout": (81, 46, 100, 24, 73, 99, 99, 78, 75, 99),
        "PlaceAnOrder": (99, 72, 100, 23, 74, 99, 99, 98, 98, 100),
    }
    total = sum(_traffic()) * 0.7
    rows = [
        [event, f"{total * _EVENTS[event]:,.0f}", *(f"{share} %" for share in shares[event])]
        for event in _EVENTS
    ]
    return columns, rows


def _within(step: int, span: tuple[float, float]) -> bool:
    return span[0] <= step / STEPS_PER_HOUR < span[1]


def _traffic() -> Series:
    noise = random.Random(7)  # noqa: S311  # sample data
    return [
        _REQUESTS
        * (1.1 + math.sin((step / STEPS - 0.42) * 2 * math.pi))
        * noise.uniform(0.92, 1.08)
        for step in range(STEPS)
    ]


def _share(part: float, seed: int) -> Series:
    noise = random.Random(seed)  # noqa: S311  # sample data
    return [value * part * noise.uniform(0.8, 1.2) for value in _traffic()]


def _sent() -> Series:
    return [
        0.0 if _within(step, _OUTAGE) or _within(step, _EXPIRED_TOKEN) else value
        for step, value in enumerate(_share(0.7, 1))
    ]


def _parked(span: tuple[float, float]) -> Series:
    return [v if _within(step, span) else 0.0 for step, v in enumerate(_share(0.7, 1))]


def _waiting(span: tuple[float, float]) -> Series:
    """Return events that wait: they gather during the span and are gone 15 minutes after it."""
    waiting, series = 0.0, []
    for step, value in enumerate(_parked(span)):
        waiting = waiting + value if value else waiting * (0.25 if step % 3 else 0.0)
        series.append(round(waiting))
    return [float(value) for value in series]


def _oldest() -> Series:
    series = [0.0] * STEPS
    for start, end in (_OUTAGE, _EXPIRED_TOKEN):
        for step in range(int(start * STEPS_PER_HOUR), int((end + 0.25) * STEPS_PER_HOUR)):
            series[step] = step / STEPS_PER_HOUR - start
    return series


def _redriven() -> Series:
    series = [0.0] * STEPS
    for span in (_OUTAGE, _EXPIRED_TOKEN):
        total, end = sum(_parked(span)), int(span[1] * STEPS_PER_HOUR)
        for step, part in enumerate((0.55, 0.3, 0.15)):
            series[end + 1 + step] = total * part
    return series


def _latency(base: float) -> Callable[[str, str], Series]:
    factors = {"p50": 1.0, "p90": 1.7, "p99": 3.1}

    def make(label: str, statistic: str) -> Series:
        noise = random.Random(label)  # noqa: S311  # sample data
        factor = factors.get(statistic, 1.0)
        return [
            base * factor * noise.uniform(0.9, 1.15) * (2.2 if _within(step, _OUTAGE) else 1.0)
            for step in range(STEPS)
        ]

    return make


def _forwarded(label: str, _: str) -> Series:
    return [value * _EVENTS.get(label, 1.0) for value in _sent()]


def _parked_events(label: str, _: str) -> Series:
    spans = {"transient": _OUTAGE, "operator": _EXPIRED_TOKEN}
    return _waiting(spans[label]) if label in spans else [0.0] * STEPS


def _errors(label: str, _: str) -> Series:
    spans = {"50000": _OUTAGE, "40105": _EXPIRED_TOKEN}
    if label in spans:
        return [value / 6 for value in _parked(spans[label])]
    return [float(step % 31 == 0) for step in range(STEPS)]


def _plain(series: Series) -> Callable[[str, str], Series]:
    return lambda _label, _statistic: series


def _concurrency(label: str, _: str) -> Series:
    top = _share(0.02, 4) if label == "forward" else _redriven()
    return [float(math.ceil(value)) if label == "forward" else float(value > 0) for value in top]


def _duration(label: str, statistic: str) -> Series:
    if statistic == "Sum":
        return [value * (420.0 if "forward" in label else 2.0) for value in _traffic()]
    return _latency(330.0)(label, statistic)


def _logs(label: str, _: str) -> Series:
    return [value * (2100.0 if "forward" in label else 90.0) for value in _traffic()]


_METRICS: Final[dict[str, Callable[[str, str], Series]]] = {
    "EventsReceived": _plain(_traffic()),
    "EventsForwarded": _forwarded,
    "EventsIgnored": _plain(_share(0.29, 2)),
    "EventsRejected": _plain(_share(0.01, 3)),
    "EventsParked": _plain(
        [a + b for a, b in zip(_parked(_OUTAGE), _parked(_EXPIRED_TOKEN), strict=True)]
    ),
    "PurchasesForwarded": _plain([value * _EVENTS["PlaceAnOrder"] for value in _sent()]),
    "ParkedEvents": _parked_events,
    "OldestParkedHours": _plain(_oldest()),
    "RedrivenForwarded": _plain(_redriven()),
    "RedrivenWaiting": _plain([value * 0.4 for value in _waiting(_OUTAGE)]),
    "ValidationFailure": lambda label, _: _share(_PROBLEMS.get(label, 0.0), len(label)),
    "TikTokError": _errors,
    "TikTokLatency": _latency(290.0),
    "Latency": _latency(350.0),
    "Duration": _duration,
    "Count": _plain(_traffic()),
    "Invocations": lambda label, _: _traffic() if label == "forward" else _redriven(),
    "4xx": _plain(_share(0.01, 3)),
    "ConcurrentExecutions": _concurrency,
    "ColdStarts": _plain([float(step % 23 == 0) for step in range(STEPS)]),
    "AuthenticationFailure": lambda label, _: [
        float(label == "no signature" and step % 47 == 0) for step in range(STEPS)
    ],
    "ApproximateNumberOfMessagesDelayed": _plain([v / 40 for v in _waiting(_OUTAGE)]),
    "NumberOfMessagesSent": _plain(_parked(_OUTAGE)),
    "IncomingBytes": _logs,
}
