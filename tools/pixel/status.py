"""`pixel status`: what a stage did in the last hour, and what waits."""

from __future__ import annotations

from typing import Any, Final

from tools.pixel.console import print_json, print_line, print_table
from tools.pixel.metrics import oldest_parked_hours, parked_by_cause, total
from tools.pixel.options import JsonOption
from tools.pixel.stage import (
    SAMCONFIG,
    ConfigFileOption,
    ProfileOption,
    RegionOption,
    Stage,
    StageArgument,
    aws_errors,
    load_stage,
)

_OUTCOMES: Final = {
    "received": "EventsReceived",
    "forwarded": "EventsForwarded",
    "ignored": "EventsIgnored",
    "rejected": "EventsRejected",
    "parked": "EventsParked",
    "retry": "EventsRetried",
    "delivered after parking": "RedrivenForwarded",
    "given up after parking": "RedrivenRejected",
}
_DEPLOYMENTS: Final = 5
_FINAL: Final = ("COMPLETE", "FAILED")


def command(
    *,
    stage: StageArgument,
    region: RegionOption = None,
    profile: ProfileOption = None,
    config_file: ConfigFileOption = SAMCONFIG,
    as_json: JsonOption = False,
) -> None:
    """Show outcomes of the last hour, parked events, alarms and the last deployments."""
    chosen = load_stage(stage, region, profile, path=config_file)
    with aws_errors():
        found = read(chosen)
    if as_json:
        print_json(found)
        return
    print_line(f"Stage {chosen.name}, stack {chosen.stack}, region {chosen.region}")
    print_line()
    print_table(
        ["last hour", "events"], [[name, f"{n:,.0f}"] for name, n in found["outcomes"].items()]
    )
    print_line()
    causes = [[cause, f"{count:,.0f}"] for cause, count in found["parked"].items()]
    if causes:
        print_table(["parked, by cause", "events"], causes)
        print_line(f"The oldest has waited for {found['oldest_parked_hours']:.1f} hours.")
    else:
        print_line("No parked events were seen in the last 20 minutes.")
    print_line()
    print_table(["alarm", "state", "since"], found["alarms"])
    print_line()
    print_table(["deployment", "result"], found["deployments"])


def read(stage: Stage) -> dict[str, Any]:
    """Read what the command shows."""
    cloudwatch = stage.client("cloudwatch")
    return {
        "outcomes": {
            outcome: total(cloudwatch, stage.service, name) for outcome, name in _OUTCOMES.items()
        },
        "parked": dict(parked_by_cause(cloudwatch, stage.service)),
        "oldest_parked_hours": oldest_parked_hours(cloudwatch, stage.service) or 0.0,
        "alarms": _alarms(cloudwatch, stage.stack),
        "deployments": _deployments(stage),
    }


def _alarms(cloudwatch: Any, stack: str) -> list[list[str]]:
    """Return alarms that ring, else one line about all."""
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{stack}-")
    found = [alarm for page in pages for alarm in page["MetricAlarms"]]
    ringing = [
        [
            alarm["AlarmName"],
            alarm["StateValue"],
            f"{alarm['StateUpdatedTimestamp']:%Y-%m-%d %H:%M}",
        ]
        for alarm in found
        if alarm["StateValue"] == "ALARM"
    ]
    return ringing or [[f"all {len(found)}", "OK", ""]]


def _deployments(stage: Stage) -> list[list[str]]:
    """Return the last deployments: when each ended, and how."""
    pages = stage.client("cloudformation").get_paginator("describe_stack_events")
    found: list[list[str]] = []
    for page in pages.paginate(StackName=stage.stack):
        for event in page["StackEvents"]:
            is_stack = event["ResourceType"] == "AWS::CloudFormation::Stack"
            if is_stack and event["ResourceStatus"].endswith(_FINAL):
                found.append([f"{event['Timestamp']:%Y-%m-%d %H:%M}", event["ResourceStatus"]])
            if len(found) == _DEPLOYMENTS:
                return found
    return found
