"""The rehearsals of the runbook, run as written, reach the thresholds of their alarms."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import pytest

from tests.integration.harness import World
from tiktok_pixel.endpoint import UnsupportedInvocationError
from tools.ops import cloudwatch
from tools.ops.template import ROOT, load_template, resources

ALARMS: Final = {
    alarm.name: alarm for alarm in cloudwatch.alarms(load_template()) if alarm.severity != "none"
}
PROPERTIES: Final = resources(load_template(), "AWS::CloudWatch::Alarm")
# Metrics of AWS itself: their rehearsals need a stack.
LOCAL: Final = [
    name
    for name, alarm in ALARMS.items()
    if all(metric.namespace == cloudwatch.NAMESPACE for metric in alarm.metrics)
]
SECTIONS: Final = {
    section.partition("\n")[0]: section
    for section in re.split(r"^## ", (ROOT / "docs/runbook.md").read_text(), flags=re.MULTILINE)
}
# The commands of the AWS CLI that the runbook uses, without the AWS CLI.
AWS: Final = """#!{python}
import sys, boto3
service, operation, *words = sys.argv[1:]
client = boto3.client(service)
members = client.meta.service_model.operation_model(
    "".join(map(str.title, operation.split("-")))).input_shape.members
names = {{name.lower(): name for name in members}}
options = dict(zip(words[::2], words[1::2], strict=True))
getattr(client, operation.replace("-", "_"))(
    **{{names[name.replace("-", "")]: value for name, value in options.items()}})
"""
SECONDS: Final = 90.0
Metrics = dict[str, list[float]]


def blocks(text: str) -> list[str]:
    """Return the blocks of commands in a text."""
    return re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def rehearsal(alarm: str) -> str:
    """Return the commands that rehearse an alarm."""
    section = SECTIONS[ALARMS[alarm].runbook.partition("#")[2]]
    (block,) = blocks(section.partition("**Rehearse.**")[2])
    return block


_, SETUP = blocks(SECTIONS["Rehearse"])


@dataclass(slots=True)
class Sandbox:
    """A running `pixel sandbox --logs`.

    Attributes:
        output: What it writes.
        ports: Free ports, by those of the runbook.
        path: The folders of `pixel` and `aws`.
    """

    output: IO[str]
    ports: dict[str, str]
    path: str
    metrics: Metrics = field(default_factory=dict)

    def rehearse(self, alarm: str) -> None:
        """Run a rehearsal, and collect the metrics that it makes."""
        self._read()
        self.metrics.clear()
        script = f"{SETUP}\n{rehearsal(alarm)}"
        for port, free in self.ports.items():
            script = script.replace(f":{port}", f":{free}")
        # Requests that fail on purpose make `pixel send` fail: the shell goes on.
        subprocess.run(
            ["/bin/sh", "-c", script],
            cwd=ROOT,
            env={**os.environ, "PATH": self.path},
            timeout=SECONDS,
            check=False,
        )
        self._read()

    def _read(self) -> None:
        for line in self.output.readlines():
            if not line.startswith("{"):
                continue
            row = json.loads(line)
            for emitted in row.get("_aws", {}).get("CloudWatchMetrics", []):
                further = sorted(row[one] for one in emitted["Dimensions"][0] if one != "service")
                for metric in emitted["Metrics"]:
                    name = " ".join([metric["Name"], *further])
                    self.metrics.setdefault(name, []).extend(row[metric["Name"]])


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("sandbox")
    aws = folder / "aws"
    aws.write_text(AWS.format(python=sys.executable))
    aws.chmod(0o755)
    path = os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])
    log = folder / "log"
    ports = ("--port", "0", "--aws-port", "0", "--endpoint-port", "0")
    command = [sys.executable, "-m", "tools.pixel.app", "sandbox", "--logs", *ports]
    with log.open("w") as written, log.open() as output:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(command, cwd=ROOT, stdout=written, env=environment)
        try:
            yield Sandbox(output, _ports(process, log), path)
        finally:
            process.terminate()
            process.wait(SECONDS)


def _ports(process: subprocess.Popen[bytes], log: Path) -> dict[str, str]:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and process.poll() is None:
        found = dict(re.findall(r"^(\w+) +http://[^:]+:(\d+)", log.read_text(), re.MULTILINE))
        if "Endpoint" in found:
            return {"8055": found["TikTok"], "5055": found["AWS"], "8054": found["Endpoint"]}
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def value(properties: dict[str, Any], metrics: Metrics) -> float:
    """Return what CloudWatch compares with the threshold of an alarm."""
    if "Metrics" not in properties:
        values = metrics.get(key(properties), [0.0])
        return sum(values) if properties.get("Statistic") == "Sum" else max(values)
    (expression,) = [one["Expression"] for one in properties["Metrics"] if "Expression" in one]
    sums = {
        one["Id"]: sum(metrics.get(key(one["MetricStat"]["Metric"]), []))
        for one in properties["Metrics"]
        if "MetricStat" in one
    }
    functions = {
        "IF": lambda condition, then, otherwise: then if condition else otherwise,
        "FILL": lambda found, _: found,
    }
    return float(eval(expression.replace("AND", "and"), functions | sums))  # noqa: S307  # our own template


def key(metric: dict[str, Any]) -> str:
    """Return a metric's name and the values of its further dimensions."""
    further = sorted(one["Value"] for one in metric["Dimensions"] if one["Name"] != "service")
    return " ".join([metric["MetricName"], *further])


@pytest.mark.parametrize("name", LOCAL)
def test_rehearsal_reaches_the_threshold_of_the_alarm(sandbox: Sandbox, name: str) -> None:
    properties = PROPERTIES[f"{name}Alarm"]

    sandbox.rehearse(name)

    assert value(properties, sandbox.metrics) >= properties["Threshold"], sandbox.metrics


@pytest.mark.parametrize("name", sorted(ALARMS.keys() - set(LOCAL)))
def test_alarm_on_a_metric_of_aws_says_how_to_rehearse_it(name: str) -> None:
    assert "aws lambda " in rehearsal(name)


@pytest.mark.parametrize(
    ("alarm", "start"),
    [("ForwardErrors", World.start), ("RedriveErrors", World.start_redrive)],
)
@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_invocation_of_a_rehearsal_fails(world: World, alarm: str, start: Any) -> None:
    (payload,) = re.findall(r"--payload '(.+?)'", rehearsal(alarm))

    with pytest.raises((KeyError, UnsupportedInvocationError)):
        start(world).invoke(json.loads(payload))
