"""Alarms, dashboards and saved queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tools.ops import cloudwatch
from tools.ops.metrics import METRICS
from tools.ops.template import Node, load_template, resources

if TYPE_CHECKING:
    from collections.abc import Iterator

ALARMS: Final = cloudwatch.alarms(load_template())
# The redrive retries every 15 minutes; CloudWatch needs a datapoint more than once in that time.
REDRIVE_STEP: Final = 15 * 60


@pytest.fixture
def namespaces(template: Node) -> set[str]:
    return {metric.namespace for metric in cloudwatch.metric_names(template)}


class TestMetrics:
    def test_all_that_are_watched_are_described(self, template: Node) -> None:
        described: set[tuple[str, tuple[str, ...]]] = set()
        for metric in METRICS:
            described.add((metric.name, ("service",)))
            described.add((metric.name, tuple(sorted([*metric.dimensions, "service"]))))
        for used, where in cloudwatch.metric_names(template).items():
            if used.namespace == cloudwatch.NAMESPACE:
                assert (used.name, used.dimensions) in described, where

    def test_come_from_this_application_or_from_aws(self, namespaces: set[str]) -> None:
        assert namespaces == {
            cloudwatch.NAMESPACE,
            "AWS/ApiGateway",
            "AWS/Lambda",
            "AWS/Logs",
            "AWS/SQS",
        }


class TestAlarms:
    @pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.name)
    def test_says_what_to_do(self, alarm: cloudwatch.Alarm) -> None:
        assert alarm.severity in {"high", "medium", "low", "none"}
        assert len(alarm.text) > 60

    def test_have_readable_names(self, template: Node) -> None:
        found = resources(template, "AWS::CloudWatch::Alarm")
        for logical_id, alarm in found.items():
            name = alarm["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
            assert name.replace("-", "") == logical_id.removesuffix("Alarm").lower()

    def test_notify_topic_and_email(self, template: Node) -> None:
        for name, alarm in resources(template, "AWS::CloudWatch::Alarm").items():
            if name.startswith("NewVersion"):
                assert "AlarmActions" not in alarm
                continue
            assert alarm["AlarmActions"] == [
                {"Fn::If": ["HasAlarmTopicArn", {"Ref": "AlarmTopicArn"}, _NO_VALUE]},
                {"Fn::If": ["HasAlarmEmail", {"Ref": "AlarmTopic"}, _NO_VALUE]},
            ], name

    def test_are_quiet_without_traffic(self, template: Node) -> None:
        for name, alarm in resources(template, "AWS::CloudWatch::Alarm").items():
            quiet = "ignore" if name == "NoPurchasesAlarm" else "notBreaching"
            assert alarm["TreatMissingData"] == quiet, name

    def test_of_parked_events_outlast_the_steps_of_the_redrive(self, template: Node) -> None:
        for name, alarm in resources(template, "AWS::CloudWatch::Alarm").items():
            if "Parked" in name:
                seconds = alarm["EvaluationPeriods"] * _period(alarm)
                assert seconds > 2 * REDRIVE_STEP, name
                assert alarm["DatapointsToAlarm"] == 1, name

    def test_evaluate_at_most_the_time_that_cloudwatch_allows(self, template: Node) -> None:
        # One day, or seven days with periods of an hour and more.
        for name, alarm in resources(template, "AWS::CloudWatch::Alarm").items():
            periods = alarm["EvaluationPeriods"]
            if isinstance(periods, dict):
                periods = template["Parameters"][periods["Ref"]]["MaxValue"]
            longest = 7 * 86400 if _period(alarm) >= 3600 else 86400
            assert periods * _period(alarm) <= longest, name

    def test_watch_purchases_only_if_asked(self, template: Node) -> None:
        assert template["Parameters"]["PurchaseAlarmHours"]["Default"] == 0
        assert template["Resources"]["NoPurchasesAlarm"]["Condition"] == "HasPurchaseAlarm"


class TestDashboards:
    def test_are_a_business_and_a_technical_page(self, template: Node) -> None:
        names = [dashboard.name for dashboard in cloudwatch.dashboards(template)]
        assert names == ["Business", "Technical"]

    def test_widgets_neither_overlap_nor_leave_the_grid(self, template: Node) -> None:
        for dashboard in cloudwatch.dashboards(template):
            cells = [cell for widget in dashboard.widgets for cell in _cells(widget)]
            assert len(cells) == len(set(cells)), dashboard.name
            assert max(x for x, _ in cells) == 23

    def test_technical_page_shows_every_alarm(self, template: Node) -> None:
        (widget,) = [
            widget
            for dashboard in cloudwatch.dashboards(template)
            for widget in dashboard.widgets
            if widget["type"] == "alarm"
        ]
        shown = {arn.rpartition("AWS::StackName-")[2] for arn in widget["properties"]["alarms"]}
        named = {
            alarm["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
            for name, alarm in resources(template, "AWS::CloudWatch::Alarm").items()
            if not name.startswith("NewVersion")
        }
        assert shown == named

    def test_metric_rows_are_names_and_values_in_pairs(self, template: Node) -> None:
        for dashboard in cloudwatch.dashboards(template):
            for widget in dashboard.widgets:
                for row in widget["properties"].get("metrics", []):
                    texts = [one for one in row if isinstance(one, str)]
                    assert len(texts) % 2 == 0, widget["properties"]["title"]


class TestQueries:
    def test_answer_seven_questions(self, template: Node) -> None:
        assert {query.name for query in cloudwatch.queries(template)} == {
            "one-message",
            "top-reasons",
            "match-keys",
            "top-problems",
            "purchases-without-value",
            "slowest-tiktok-calls",
            "who-sends-wrong-signatures",
        }

    def test_read_existing_log_groups(self, template: Node) -> None:
        groups = set(resources(template, "AWS::Logs::LogGroup"))
        for query in cloudwatch.queries(template):
            assert set(query.groups) <= groups
            assert query.comment.endswith("."), query.name

    def test_one_message_covers_both_functions(self, template: Node) -> None:
        (query,) = [one for one in cloudwatch.queries(template) if one.name == "one-message"]
        assert set(query.groups) == {"ForwardLogs", "RedriveLogs"}

    @pytest.mark.parametrize(
        ("query", "fields"),
        [
            ("fields @timestamp, a | filter b = 'c d' | sort a desc", {"a", "b"}),
            ("stats 100 * sum(a) / sum(b) as c by d | sort c asc", {"a", "b", "d"}),
            ("filter a like /(b|c)_/ and d in ['E', 'F']", {"a", "d"}),
        ],
    )
    def test_fields_are_found(self, query: str, fields: set[str]) -> None:
        assert cloudwatch.query_fields(query) == fields


_NO_VALUE: Final = {"Ref": "AWS::NoValue"}


def _period(alarm: Node) -> int:
    stats: Any = [one for one in alarm.get("Metrics", []) if "MetricStat" in one]
    period: int = stats[0]["MetricStat"]["Period"] if stats else alarm["Period"]
    return period


def _cells(widget: Node) -> Iterator[tuple[int, int]]:
    for x in range(widget["x"], widget["x"] + widget["width"]):
        for y in range(widget["y"], widget["y"] + widget["height"]):
            yield x, y
