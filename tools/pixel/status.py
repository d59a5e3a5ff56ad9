"""`pixel status`: what a stage did in the last hour, and what waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from tools.pixel.alarms import read_alarms
from tools.pixel.aws_errors import aws_errors
from tools.pixel.console import CommandError, counted, print_json, print_line, print_table
from tools.pixel.metrics import oldest_parked_hours, parked_by_cause, total
from tools.pixel.options import JsonOption
from tools.pixel.stack import find_stack, no_stack
from tools.pixel.stage import (
    SAMCONFIG,
    ConfigFileOption,
    ProfileOption,
    RegionOption,
    Stage,
    StageArgument,
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
        if find_stack(chosen) is None:
            raise CommandError(" ".join(no_stack(chosen)))
        found = read(chosen)
    if as_json:
        print_json(found)
        return
    print_line(f"Stage {chosen.name}, stack {chosen.stack}, region {chosen.region}\n")
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
    print_line(_alarms_in_words(chosen, found["alarms"], found["ringing"]))
    if found["ringing"]:
        print_line()
        print_table(["alarm", "rings since (UTC)"], found["ringing"])
    print_line()
    if found["deployments"]:
        print_table(["deployment (UTC)", "result"], found["deployments"])
    else:
        print_line("No deployment has finished yet.")


def read(stage: Stage) -> dict[str, Any]:
    """Read what the command shows."""
    cloudwatch = stage.client("cloudwatch")
    alarms = read_alarms(cloudwatch, stage.stack)
    return {
        "outcomes": {
            outcome: total(cloudwatch, stage.service, name) for outcome, name in _OUTCOMES.items()
        },
        "parked": dict(parked_by_cause(cloudwatch, stage.service)),
        "oldest_parked_hours": oldest_parked_hours(cloudwatch, stage.service) or 0.0,
        "alarms": len(alarms),
        "ringing": [
            [alarm.name, _minute(alarm.since)] for alarm in alarms if alarm.state == "ALARM"
        ],
        "deployments": _deployments(stage),
    }


def _alarms_in_words(stage: Stage, alarms: int, ringing: Sequence[object]) -> str:
    if not alarms:
        return f"The stack has no alarms. `pixel deploy {stage.name}` creates them."
    if not ringing:
        return f"None of {counted(alarms, 'alarm')} rings."
    rings = "rings" if len(ringing) == 1 else "ring"
    return f"{len(ringing)} of {counted(alarms, 'alarm')} {rings}; docs/runbook.md says what to do."


def _deployments(stage: Stage) -> list[list[str]]:
    """Return the last deployments: when each ended, and how."""
    pages = stage.client("cloudformation").get_paginator("describe_stack_events")
    found: list[list[str]] = []
    for page in pages.paginate(StackName=stage.stack):
        for event in page["StackEvents"]:
            is_stack = event["ResourceType"] == "AWS::CloudFormation::Stack"
            if is_stack and event["ResourceStatus"].endswith(_FINAL):
                found.append([_minute(event["Timestamp"]), event["ResourceStatus"]])
            if len(found) == _DEPLOYMENTS:
                return found
    return found


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
