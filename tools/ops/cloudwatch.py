"""Read alarms, dashboards and saved queries of the template."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tools.ops.template import Node, resources

NAMESPACE: Final = "TikTokPixel"
_VARIABLE: Final = re.compile(r"\$\{(?!!)([^}]+)\}")
_SEARCH: Final = re.compile(
    r"SEARCH\('\{(?P<namespace>\w+),(?P<dimensions>[\w,]+)\} MetricName=\"(?P<name>\w+)\""
)
_RUNBOOK: Final = re.compile(r"Severity (?P<severity>\w+)\. (?P<text>.*) Runbook: (?P<runbook>\S+)")


@dataclass(frozen=True, slots=True, order=True)
class MetricName:
    """A metric as alarms and dashboards address it."""

    namespace: str
    name: str
    dimensions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm of the template.

    Attributes:
        name: Logical id without the suffix `Alarm`.
        severity: `high`, `medium` or `low`; `none` for alarms that only roll deployments back.
        text: What it means and what to do.
        runbook: Path and anchor of its section.
        rule: When it rings, in words.
        metrics: What it watches.
    """

    name: str
    severity: str
    text: str
    runbook: str
    rule: str
    metrics: tuple[MetricName, ...]


def alarms(template: Node) -> list[Alarm]:
    """Return the alarms in the order of the template."""
    return [
        _alarm(name.removesuffix("Alarm"), properties)
        for name, properties in resources(template, "AWS::CloudWatch::Alarm").items()
    ]


def _alarm(name: str, properties: Node) -> Alarm:
    described = _RUNBOOK.fullmatch(properties["AlarmDescription"])
    if described is None:
        raise ValueError(f"{name}: a description is 'Severity …. text Runbook: path#anchor'")
    return Alarm(
        name=name,
        severity=described["severity"],
        text=described["text"],
        runbook=described["runbook"],
        rule=_rule(properties),
        metrics=tuple(_alarm_metrics(properties)),
    )


def _alarm_metrics(properties: Node) -> Iterator[MetricName]:
    stats = [
        one["MetricStat"]["Metric"] for one in properties.get("Metrics", []) if "MetricStat" in one
    ]
    for one in stats or [properties]:
        names = sorted(dimension["Name"] for dimension in one["Dimensions"])
        yield MetricName(one["Namespace"], one["MetricName"], tuple(names))


def _rule(properties: Node) -> str:
    if "Metrics" in properties:
        watched = properties["Metrics"][0]["Label"]
        period = properties["Metrics"][1]["MetricStat"]["Period"]
    else:
        statistic = properties.get("Statistic") or properties["ExtendedStatistic"]
        further = [
            f"{one['Name']}={one['Value']}"
            for one in properties["Dimensions"]
            if isinstance(one["Value"], str)
        ]
        watched = f"{statistic} of {properties['MetricName']}" + "".join(f" ({x})" for x in further)
        period = properties["Period"]
    points, periods = properties.get("DatapointsToAlarm", 1), properties["EvaluationPeriods"]
    if isinstance(periods, dict):
        points = periods = f"`{periods['Ref']}`"
    threshold = f"{properties['Threshold']:g}"
    return f"{watched} ≥ {threshold} in {points} of {periods} periods of {_time(period)}"


def _time(seconds: int) -> str:
    return f"{seconds // 3600} h" if seconds % 3600 == 0 else f"{seconds // 60} min"


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard; variables of the template stand in it as their names."""

    name: str
    widgets: tuple[Node, ...]


def dashboards(template: Node) -> list[Dashboard]:
    """Return the dashboards in the order of the template."""
    found = resources(template, "AWS::CloudWatch::Dashboard")
    return [
        Dashboard(name.removesuffix("Dashboard"), tuple(_body(properties)["widgets"]))
        for name, properties in found.items()
    ]


def _body(properties: Node) -> Node:
    substituted = properties["DashboardBody"]["Fn::Sub"]
    text = substituted if isinstance(substituted, str) else substituted[0]
    # The only variable that is more than a name adds an alarm to a list.
    text = text.replace("${PurchaseAlarm}", ', "no-purchases"')
    body: Node = json.loads(_VARIABLE.sub(r"\1", text).replace("${!", "${"))
    return body


def widget_metrics(widget: Node) -> list[tuple[MetricName, Node]]:
    """Return the metrics of a widget with their options; searches as the metric they search."""
    found: list[tuple[MetricName, Node]] = []
    for row in widget["properties"].get("metrics", []):
        options: Node = row[-1] if isinstance(row[-1], dict) else {}
        if "expression" in options:
            found += [
                (MetricName(one["namespace"], one["name"], _sorted(one["dimensions"])), options)
                for one in _SEARCH.finditer(options["expression"])
            ]
            continue
        texts = [one for one in row if isinstance(one, str)]
        found.append((MetricName(texts[0], texts[1], tuple(sorted(texts[2::2]))), options))
    return found


def _sorted(dimensions: str) -> tuple[str, ...]:
    return tuple(sorted(dimensions.split(",")))


@dataclass(frozen=True, slots=True)
class Query:
    """A saved query of CloudWatch Logs Insights.

    Attributes:
        name: Name below the stack's name.
        text: The query without its comment.
        comment: What it answers.
        groups: Logical ids of the log groups.
    """

    name: str
    text: str
    comment: str
    groups: tuple[str, ...]


def queries(template: Node) -> list[Query]:
    """Return the saved queries in the order of the template."""
    return [_query(one) for one in resources(template, "AWS::Logs::QueryDefinition").values()]


def _query(properties: Node) -> Query:
    comment, _, text = properties["QueryString"].partition("\n")
    return Query(
        name=properties["Name"]["Fn::Sub"].rpartition("/")[2],
        text=text,
        comment=comment.removeprefix("# "),
        groups=tuple(group["Ref"] for group in properties["LogGroupNames"]),
    )


_LITERAL: Final = re.compile(r"'[^']*'|\blike\s+/[^/]+/|\bas\s+\w+")
_WORD: Final = re.compile(r"@?[A-Za-z_]\w*")
_KEYWORDS: Final = {
    *("fields", "filter", "stats", "sort", "limit", "by", "and", "or", "not", "in", "like"),
    *("as", "asc", "desc", "sum", "count", "avg", "max", "min"),
}


def query_fields(query: str) -> set[str]:
    """Return the names of log fields that a query reads, without those that it defines."""
    defined = set(re.findall(r"\bas\s+(\w+)", query))
    words = set(_WORD.findall(_LITERAL.sub(" ", query)))
    return {word for word in words if word not in _KEYWORDS | defined and not word.startswith("@")}


def log_queries(template: Node) -> list[tuple[str, str]]:
    """Return title and query of each log widget of the dashboards."""
    return [
        (widget["properties"]["title"], _without_sources(widget["properties"]["query"]))
        for dashboard in dashboards(template)
        for widget in dashboard.widgets
        if widget["type"] == "log"
    ]


def _without_sources(query: str) -> str:
    return re.sub(r"SOURCE '[^']*' \| ", "", query)


def metric_names(template: Node) -> dict[MetricName, list[str]]:
    """Return every metric that alarms and dashboards name, with where it is used."""
    used: dict[MetricName, list[str]] = {}
    for alarm in alarms(template):
        for metric in alarm.metrics:
            used.setdefault(metric, []).append(f"{alarm.name}Alarm")
    for dashboard in dashboards(template):
        for widget in dashboard.widgets:
            for metric, _ in widget_metrics(widget):
                used.setdefault(metric, []).append(f"{dashboard.name}Dashboard")
    return used


def severity_order(alarm: Alarm) -> int:
    """Return the rank of an alarm's severity, the most severe first."""
    return ("high", "medium", "low", "none").index(alarm.severity)
