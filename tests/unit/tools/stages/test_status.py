"""`pixel status` against a local AWS."""

from __future__ import annotations

import json

import pytest

from tests.unit.tools.stages.world import ALARM, Pixel, World, create_stack

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning")


def test_shows_outcomes_parked_events_alarms_and_deployments(deployed: World, pixel: Pixel) -> None:
    deployed.put_metric("EventsReceived", 120)
    deployed.put_metric("EventsForwarded", 100)
    deployed.put_metric("ParkedEvents", 3, cause="transient")
    deployed.put_metric("OldestParkedHours", 0.2)
    deployed.set_alarm("ALARM")

    found = json.loads(
        "\n".join(pixel("status", "dev", "--config-file", str(deployed.config), "--json"))
    )

    assert found["outcomes"]["received"] == 120
    assert found["outcomes"]["forwarded"] == 100
    assert found["outcomes"]["rejected"] == 0
    assert found["parked"] == {"transient": 3}
    assert found["oldest_parked_hours"] == 0.2
    assert found["alarms"] == 1
    assert [name for name, _ in found["ringing"]] == [ALARM]
    assert found["deployments"][0][1] == "CREATE_COMPLETE"


def test_prints_tables(deployed: World, pixel: Pixel) -> None:
    lines = pixel("status", "dev", "--config-file", str(deployed.config))

    assert lines[0] == "Stage dev, stack tiktok-pixel-dev, region us-east-1"
    assert "No parked events were seen in the last 20 minutes." in lines
    assert "None of 1 alarm rings." in lines


def test_a_stack_without_alarms_is_not_ok(world: World, pixel: Pixel) -> None:
    create_stack(world)

    lines = pixel("status", "dev", "--config-file", str(world.config))

    assert "The stack has no alarms. `pixel deploy dev` creates them." in lines


def test_reports_a_missing_stack(world: World, pixel_errors: Pixel) -> None:
    (line,) = pixel_errors("status", "dev", "--config-file", str(world.config))

    assert line == (
        "The stack tiktok-pixel-dev does not exist in region us-east-1. "
        "`pixel deploy dev` creates it."
    )


def test_a_response_that_is_not_from_aws_is_reported(
    world: World, pixel_errors: Pixel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", world.tiktok.url)

    (line,) = pixel_errors("status", "dev", "--config-file", str(world.config))

    assert line == (
        "The response is not one of AWS. Check AWS_ENDPOINT_URL, the proxy and the region."
    )
