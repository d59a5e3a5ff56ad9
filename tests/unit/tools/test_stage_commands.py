"""`pixel configure`, `check` and `status` against a local AWS, TikTok and the real function."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import boto3
import pytest

from build_hash import build_hash
from tests.moto_stack import for_moto
from tiktok_pixel.aws.credentials import DEVELOPMENT_SECRET
from tools.ops.template import ROOT, load_samconfig, load_template, transform
from tools.pixel.samconfig import read_overrides, with_parameters
from tools.sandbox import samples
from tools.sandbox.application import FOLDER, environment, forward_application, put_parameters
from tools.sandbox.aws import AwsSandbox
from tools.sandbox.faults import answer
from tools.sandbox.tiktok import ACCESS_TOKEN, PIXEL_CODE, TikTokSandbox
from tools.sandbox.wire import Connection, HttpServer, Response

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning")

STACK: Final = "tiktok-pixel-dev"
SERVICE: Final = "tiktok-pixel-dev"
ALARM: Final = f"{STACK}-operator-parked"
Pixel = Callable[..., list[str]]


@dataclass(slots=True)
class World:
    """A deployed stage: AWS, TikTok and the endpoint."""

    aws: AwsSandbox
    tiktok: TikTokSandbox
    config: Path
    endpoint: str = ""

    def client(self, service: Any) -> Any:
        session: Any = boto3.Session("sandbox", "sandbox", region_name="us-east-1")
        return session.client(service, endpoint_url=self.aws.url)

    def put_metric(self, name: str, value: float, **dimensions: str) -> None:
        named = {"service": SERVICE, **dimensions}
        self.client("cloudwatch").put_metric_data(
            Namespace="TikTokPixel",
            MetricData=[
                {
                    "MetricName": name,
                    "Value": value,
                    "Timestamp": datetime.now(UTC),
                    "Dimensions": [{"Name": k, "Value": v} for k, v in named.items()],
                }
            ],
        )

    def set_alarm(self, state: str) -> None:
        cloudwatch = self.client("cloudwatch")
        cloudwatch.put_metric_alarm(
            AlarmName=ALARM,
            Namespace="TikTokPixel",
            MetricName="EventsParked",
            Statistic="Sum",
            Period=300,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )
        cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue=state, StateReason="test")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    config = tmp_path / "samconfig.toml"
    shutil.copy(ROOT / "samconfig.toml", config)
    with TikTokSandbox() as tiktok, AwsSandbox() as aws:
        aws.reset()
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("MOTO_ALLOW_NONEXISTENT_REGION", "true")
        yield World(aws, tiktok, config)


@pytest.fixture
def deployed(world: World) -> Iterator[World]:
    """The stage dev with parameters, stack, alarm and an endpoint."""
    put_parameters(world.aws)
    _create_stack(world)
    world.set_alarm("OK")
    with forward_application(environment(world.tiktok.url, world.aws.url)) as application:
        module = application.module
        build = build_hash(ROOT / "layers" / "tiktok_pixel")
        module._destination = dataclasses.replace(module._destination, build=build)

        def serve(line: Connection) -> bool:
            request = line.read_request()
            if request is None:
                return False
            event = samples.http_event(request.body.decode(), request.headers.get("x-signature"))
            with redirect_stdout(io.StringIO()):
                response = application.module.handler(event, _Context())
            body = json.loads(response["body"])
            sent = Response.of_json(body, response["statusCode"])
            headers = {**sent.headers, **response["headers"]}
            line.send(dataclasses.replace(sent, headers=headers).encode())
            return True

        with HttpServer(serve) as server:
            world.endpoint = f"{server.url}/segment"
            yield world


class _Context:
    function_name = "forward"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 6000


def _create_stack(world: World) -> None:
    archive = world.client("s3")
    archive.create_bucket(Bucket="artifacts")
    archive.put_object(Bucket="artifacts", Key="code.zip", Body=_EMPTY_ZIP)
    world.client("cloudformation").create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(for_moto(transform(load_template(), {}))),
        Capabilities=["CAPABILITY_IAM"],
    )


_EMPTY_ZIP: Final = b"PK\x05\x06" + 18 * b"\0"


class TestConfigure:
    def test_stores_what_the_functions_read(self, world: World) -> None:
        run = _configure(world, f"{PIXEL_CODE}\n{ACCESS_TOKEN}-0123456789\n" + "\n" * 4)

        stored = _parameters(world)
        assert stored["pixel-code"] == ("String", PIXEL_CODE)
        assert stored["access-token"] == ("SecureString", f"{ACCESS_TOKEN}-0123456789")
        kind, secret = stored["webhook-secret"]
        assert (kind, len(secret)) == ("SecureString", 64)
        assert run.stdout.count(secret) == 1
        assert ACCESS_TOKEN not in run.stdout

    def test_keeps_what_exists(self, world: World) -> None:
        put_parameters(world.aws)
        before = _parameters(world)

        run = _configure(world, "n\nn\nn\n" + "\n" * 4)

        assert _parameters(world) == before
        assert "pixel-code exists (version 1" in run.stderr
        assert DEVELOPMENT_SECRET not in run.stdout + run.stderr

    def test_replaces_what_it_is_told_to_replace(self, world: World) -> None:
        put_parameters(world.aws)

        _configure(world, "n\ny\na-new-token-0123456789\nn\n" + "\n" * 4)

        assert _parameters(world)["access-token"] == ("SecureString", "a-new-token-0123456789")
        assert _parameters(world)["webhook-secret"][1] == DEVELOPMENT_SECRET

    def test_writes_template_parameters_after_showing_them(self, world: World) -> None:
        put_parameters(world.aws)

        run = _configure(world, "n\nn\nn\nhttps://shop.example/\nDE\nfull\ny\n")

        assert '+  "DefaultPhoneRegion=DE",' in run.stdout
        deploy = load_samconfig(world.config)["dev"]["deploy"]["parameters"]
        assert {
            "DefaultPageUrl=https://shop.example/",
            "DefaultPhoneRegion=DE",
            "MappingSet=full",
        } <= set(deploy["parameter_overrides"])
        assert world.config.read_text().startswith("# One environment per stage")

    def test_dry_run_changes_nothing(self, world: World) -> None:
        before = world.config.read_text()

        run = _configure(world, f"{PIXEL_CODE}\n{ACCESS_TOKEN}-0123456789\n\nDE\n\n", "--dry-run")

        assert _parameters(world) == {}
        assert world.config.read_text() == before
        assert f"would store {FOLDER}/webhook-secret" in run.stdout

    @pytest.mark.parametrize(
        ("typed", "message"),
        [
            ("C0 DE\n", "a pixel code has letters and digits only"),
            (f"{PIXEL_CODE}\nshort\n", "an access token has at least 16 characters"),
        ],
    )
    def test_refuses_what_cannot_be_right(self, world: World, typed: str, message: str) -> None:
        run = _configure(world, typed, status=1)

        assert message in run.stderr
        assert _parameters(world) == {}

    def test_refuses_an_unknown_mapping_set(self, world: World) -> None:
        put_parameters(world.aws)

        run = _configure(world, "n\nn\nn\n\n\nbest\n", status=1)

        assert "MappingSet: must be one of: default, full, custom" in run.stderr


class TestCheck:
    def test_passes_for_a_deployed_stage(self, deployed: World, pixel: Pixel) -> None:
        checks = _check(deployed, pixel)

        results = {one["name"]: one["result"] for one in checks}
        assert results == {
            "credentials": "passed",
            "clock": "passed",
            "parameter pixel-code": "passed",
            "parameter access-token": "passed",
            "parameter webhook-secret": "passed",
            "stack": "passed",
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

    def test_sends_a_test_event_only_if_asked(self, deployed: World, pixel: Pixel) -> None:
        checks = _check(deployed, pixel, "--test-event-code", "TEST12345")

        assert _by_name(checks)["TikTok"]["result"] == "passed"
        (event,) = deployed.tiktok.events
        assert event.test_event_code == "TEST12345"

    def test_names_what_tiktok_refuses(self, deployed: World, pixel_errors: Pixel) -> None:
        deployed.tiktok.always(answer(40105))

        lines = pixel_errors(*_arguments(deployed), "--test-event-code", "TEST12345")

        assert lines[-1] == "1 of 14 checks failed"

    def test_names_missing_parameters(self, world: World, capsys: Any) -> None:
        checks = _failing(world, capsys)

        missing = checks["parameter access-token"]
        assert missing["result"] == "failed"
        assert missing["found"] == f"{FOLDER}/access-token does not exist"
        assert missing["todo"] == "pixel configure dev"
        assert checks["stack"]["todo"] == "pixel deploy dev"
        assert checks["endpoint, unsigned"]["result"] == "skipped"

    def test_names_another_build(self, deployed: World, capsys: Any) -> None:
        with forward_application(environment(deployed.tiktok.url, deployed.aws.url)) as other:
            other.module._destination = dataclasses.replace(
                other.module._destination, build="0" * 64
            )

            def serve(line: Connection) -> bool:
                request = line.read_request()
                if request is None:
                    return False
                signature = request.headers.get("x-signature")
                event = samples.http_event(request.body.decode(), signature)
                with redirect_stdout(io.StringIO()):
                    response = other.module.handler(event, _Context())
                sent = Response.of_json(json.loads(response["body"]), response["statusCode"])
                headers = {**sent.headers, **response["headers"]}
                line.send(dataclasses.replace(sent, headers=headers).encode())
                return True

            with HttpServer(serve) as server:
                deployed.endpoint = server.url
                checks = _failing(deployed, capsys)

        assert checks["build"]["found"].startswith("000000000000 is deployed")

    def test_does_not_post_an_event_that_a_mapping_would_send(
        self, deployed: World, pixel: Pixel, tmp_path: Path
    ) -> None:
        del tmp_path
        deployed.config.write_text(
            with_parameters(deployed.config.read_text(), "dev", {"MappingSet": "full"})
        )
        checks = _by_name(_check(deployed, pixel))

        # The full set maps no identify event, so the check is made.
        assert checks["endpoint, signed"]["result"] == "passed"

    def test_shows_parked_events_by_cause_and_age(self, deployed: World, capsys: Any) -> None:
        outputs = deployed.client("cloudformation").describe_stacks(StackName=STACK)
        urls = {one["OutputKey"]: one["OutputValue"] for one in outputs["Stacks"][0]["Outputs"]}
        deployed.aws.sqs.send_message(QueueUrl=urls["ParkedEventsQueueUrl"], MessageBody="{}")
        deployed.put_metric("ParkedEvents", 7, cause="operator")
        deployed.put_metric("OldestParkedHours", 2.5)

        parked = _failing(deployed, capsys)["parked events"]

        assert parked["found"] == "1 messages: 7 operator; the oldest for 2.5 h"
        assert parked["todo"] == "docs/runbook.md, operator-parked"

    def test_names_ringing_alarms(self, deployed: World, capsys: Any) -> None:
        deployed.set_alarm("ALARM")

        assert _failing(deployed, capsys)["alarms"]["found"] == ALARM

    def test_stops_without_credentials(
        self, world: World, capsys: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

        (check,) = _failing(world, capsys).values()

        assert check["name"] == "credentials"
        assert check["todo"] == "check credentials, profile, region and network"


class TestStatus:
    def test_shows_outcomes_parked_events_alarms_and_deployments(
        self, deployed: World, pixel: Pixel
    ) -> None:
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
        assert [alarm[:2] for alarm in found["alarms"]] == [[ALARM, "ALARM"]]
        assert found["deployments"][0][1] == "CREATE_COMPLETE"

    def test_prints_tables(self, deployed: World, pixel: Pixel) -> None:
        lines = pixel("status", "dev", "--config-file", str(deployed.config))

        assert lines[0] == "Stage dev, stack tiktok-pixel-dev, region us-east-1"
        assert "No parked events were seen in the last 20 minutes." in lines

    def test_reports_a_missing_stack(self, world: World, pixel_errors: Pixel) -> None:
        (line,) = pixel_errors("status", "dev", "--config-file", str(world.config))

        assert line.startswith("AWS: ")
        assert STACK in line


def _configure(
    world: World, typed: str, *options: str, status: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process without a terminal, which reads answers from its input."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "tools.pixel.app", "configure", "dev"),
            *("--config-file", str(world.config), *options),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'tiktok_pixel'}"},
        input=typed,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == status, run.stderr
    return run


def _parameters(world: World) -> dict[str, tuple[str, str]]:
    names = [f"{FOLDER}/{name}" for name in ("pixel-code", "access-token", "webhook-secret")]
    found = world.aws.ssm.get_parameters(Names=names, WithDecryption=True)["Parameters"]
    return {one["Name"].rpartition("/")[2]: (one["Type"], one["Value"]) for one in found}


def _arguments(world: World) -> list[str]:
    endpoint = ["--endpoint-url", world.endpoint] if world.endpoint else []
    return [
        *("check", "dev", "--config-file", str(world.config)),
        *("--tiktok-url", world.tiktok.url, *endpoint),
    ]


def _check(world: World, pixel: Pixel, *options: str) -> list[dict[str, str]]:
    checks: list[dict[str, str]] = json.loads(
        "\n".join(pixel(*_arguments(world), "--json", *options))
    )
    return checks


def _failing(world: World, capsys: Any) -> dict[str, dict[str, str]]:
    """Run a check that fails and return its lines by name."""
    from tools.pixel.app import main  # noqa: PLC0415

    with pytest.raises(SystemExit) as exited:
        main([*_arguments(world), "--json"])
    assert exited.value.code == 1
    return _by_name(json.loads(capsys.readouterr().out))


def _by_name(checks: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {one["name"]: one for one in checks}


def test_a_cleared_parameter_is_written_as_empty() -> None:
    """A missing line would keep the value of the stack."""
    text = (ROOT / "samconfig.toml").read_text()

    cleared = with_parameters(
        with_parameters(text, "dev", {"TestEventCode": "TEST1"}), "dev", {"TestEventCode": ""}
    )

    overrides = tomllib.loads(cleared)["dev"]["deploy"]["parameters"]["parameter_overrides"]
    assert 'TestEventCode=""' in overrides
    assert read_overrides(overrides)["TestEventCode"] == ""
