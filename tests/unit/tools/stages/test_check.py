"""`pixel check` against a local AWS, a local TikTok and the real function."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.tools.stages.world import ALARM, STACK, Pixel, World, create_stack, endpoint
from tools.pixel import doctor
from tools.pixel.app import main
from tools.sandbox.application import FOLDER
from tools.sandbox.faults import answer

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning")


def test_passes_for_a_deployed_stage(deployed: World, pixel: Pixel) -> None:
    checks = _check(deployed, pixel)

    results = {one["name"]: one["result"] for one in checks}
    assert results == {
        "credentials": "passed",
        "clock": "passed",
        "parameter pixel-code": "passed",
        "parameter access-token": "passed",
        "parameter webhook-secret": "passed",
        "stack": "passed",
        "template parameters": "passed",
        "mappings": "passed",
        "endpoint, unsigned": "passed",
        "endpoint, signed": "passed",
        "build": "passed",
        "TikTok": "skipped",
        "parked events": "passed",
        "alarms": "passed",
        "concurrency": results["concurrency"],
    }
    assert deployed.tiktok.events == []


def test_sends_a_test_event_only_if_asked(deployed: World, pixel: Pixel) -> None:
    checks = _check(deployed, pixel, "--test-event-code", "TEST12345")

    assert _by_name(checks)["TikTok"]["result"] == "passed"
    (event,) = deployed.tiktok.events
    assert event.test_event_code == "TEST12345"


def test_names_what_tiktok_refuses(deployed: World, pixel_errors: Pixel) -> None:
    deployed.tiktok.always(answer(40105))

    lines = pixel_errors(*_arguments(deployed), "--test-event-code", "TEST12345")

    assert lines[-1] == "15 checks: 13 passed, 1 failed, 1 skipped."


def test_names_missing_parameters(world: World, capsys: Any) -> None:
    checks = _failing(world, capsys)

    missing = checks["parameter access-token"]
    assert missing["result"] == "failed"
    assert missing["found"] == f"{FOLDER}/access-token does not exist."
    assert missing["todo"] == "`pixel configure dev` stores it."
    assert checks["stack"]["todo"] == "`pixel deploy dev` creates it."
    assert checks["endpoint"]["result"] == "skipped"


def test_names_another_build(deployed: World, capsys: Any) -> None:
    with endpoint(deployed, build="0" * 64):
        build = _failing(deployed, capsys)["build"]

    assert build["found"].startswith("The deployed build is 000000000000; this source is ")
    assert build["todo"].startswith("Run `pixel deploy dev`, or ")


def test_does_not_post_an_event_that_a_mapping_would_send(
    deployed: World, pixel: Pixel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "OWN_MAPPINGS", tmp_path)
    preset = {"name": "A", "subscribe": 'type = "identify"', "mapping": {"event": "Contact"}}
    (tmp_path / "dev.json").write_text(json.dumps([preset]))
    deployed.configure(MappingSet="custom")

    checks = _by_name(_check(deployed, pixel))

    assert checks["endpoint, signed"]["result"] == "skipped"


def test_warns_of_parameters_that_are_not_deployed(deployed: World, pixel: Pixel) -> None:
    deployed.configure(LogLevel="INFO", AlarmEmail="ops@shop.example")

    check = _by_name(_check(deployed, pixel))["template parameters"]

    assert check["result"] == "warning"
    assert check["found"] == (
        "The stack differs from samconfig.toml: "
        "LogLevel is DEBUG in the stack and INFO in samconfig.toml; "
        "AlarmEmail is empty in the stack and ops@shop.example in samconfig.toml."
    )
    assert check["todo"] == "`pixel deploy dev` applies samconfig.toml."


def test_warns_of_a_parameter_that_only_the_stack_has(world: World, capsys: Any) -> None:
    create_stack(world, MaximumConcurrency="7")

    check = _failing(world, capsys)["template parameters"]

    assert "MaximumConcurrency is 7 in the stack and not set in samconfig.toml" in check["found"]
    assert check["todo"].endswith("It keeps what samconfig.toml does not set.")


def test_warns_that_all_events_are_test_events(world: World, capsys: Any) -> None:
    create_stack(world, TestEventCode="TEST12345")

    check = _failing(world, capsys)["test events"]

    assert check["result"] == "warning"
    assert check["found"] == (
        "TestEventCode is TEST12345: all events of this stage are sent as test events."
    )
    assert "'TestEventCode=\"\"'" in check["todo"]


@pytest.mark.parametrize("columns", [80, 120])
def test_the_report_has_sentences_and_fits_the_terminal(
    deployed: World, capsys: Any, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    deployed.set_alarm("ALARM")
    deployed.configure(LogLevel="INFO", AlarmEmail="ops@shop.example")

    with pytest.raises(SystemExit):
        main(_arguments(deployed))

    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert max(map(len, lines)) <= columns
    report = re.split(r"\n(?=ok  |warn|FAIL|skip)", printed.out.rstrip())
    assert len(report) == 15
    assert [item for item in report if not item.endswith(".")] == []
    summary = "15 checks: 11 passed, 1 with a warning, 1 failed, 2 skipped."
    assert printed.err.splitlines()[-1] == summary


def test_shows_parked_events_by_cause_and_age(deployed: World, capsys: Any) -> None:
    outputs = deployed.client("cloudformation").describe_stacks(StackName=STACK)
    urls = {one["OutputKey"]: one["OutputValue"] for one in outputs["Stacks"][0]["Outputs"]}
    deployed.aws.sqs.send_message(QueueUrl=urls["ParkedEventsQueueUrl"], MessageBody="{}")
    deployed.put_metric("ParkedEvents", 7, cause="operator")
    deployed.put_metric("OldestParkedHours", 2.5)

    parked = _failing(deployed, capsys)["parked events"]

    assert parked["found"] == (
        "The queue has 1 message with parked events. Events by cause: 7 operator. "
        "The oldest has waited for 2.5 hours."
    )
    assert parked["todo"] == "docs/runbook.md, operator-parked, says what to do."


def test_names_ringing_alarms(deployed: World, capsys: Any) -> None:
    deployed.set_alarm("ALARM")

    assert _failing(deployed, capsys)["alarms"]["found"] == f"1 of 1 alarm rings: {ALARM}."


def test_stops_when_aws_cannot_be_reached(
    world: World, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    (check,) = _failing(world, capsys).values()

    assert check["name"] == "credentials"
    assert check["found"].startswith("AWS cannot be reached: ")
    assert check["todo"] == "Check the region and the network."


def _arguments(world: World) -> list[str]:
    url = ["--endpoint-url", world.endpoint] if world.endpoint else []
    return [
        *("check", "dev", "--config-file", str(world.config)),
        *("--tiktok-url", world.tiktok.url, *url),
    ]


def _check(world: World, pixel: Pixel, *options: str) -> list[dict[str, str]]:
    checks: list[dict[str, str]] = json.loads(
        "\n".join(pixel(*_arguments(world), "--json", *options))
    )
    return checks


def _failing(world: World, capsys: Any) -> dict[str, dict[str, str]]:
    """Run a check that fails and return its lines by name."""
    with pytest.raises(SystemExit) as exited:
        main([*_arguments(world), "--json"])
    assert exited.value.code == 1
    return _by_name(json.loads(capsys.readouterr().out))


def _by_name(checks: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {one["name"]: one for one in checks}
