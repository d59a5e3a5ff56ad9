"""The local AWS keeps parameters and messages, and its proxy fails as AWS does."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from tools.sandbox import faults
from tools.sandbox.aws import CREDENTIALS, AwsSandbox, FaultyAws, broken, denied, throttled
from tools.studio.live import last_events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_ssm import SSMClient

    from tools.sandbox.faults import Fault

ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=1)


@pytest.fixture(scope="module")
def server() -> Iterator[AwsSandbox]:
    with AwsSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def aws(server: AwsSandbox) -> AwsSandbox:
    server.reset()
    return server


@pytest.fixture
def proxy(aws: AwsSandbox) -> Iterator[FaultyAws]:
    aws.put_parameters({"/a": ("SecureString", "secret")})
    with FaultyAws(aws.url) as made:
        yield made


@pytest.fixture
def ssm(proxy: FaultyAws) -> Iterator[SSMClient]:
    client = boto3.client("ssm", endpoint_url=proxy.url, config=ONCE, **CREDENTIALS)
    yield client
    client.close()


class TestAwsSandbox:
    def test_parameters(self, aws: AwsSandbox) -> None:
        aws.put_parameters({"/a": ("SecureString", "secret"), "/b": ("String", "plain")})
        aws.put_parameters({"/b": ("String", "changed")})
        names = ["/a", "/b", "/c"]
        answer = aws.ssm.get_parameters(Names=names, WithDecryption=True)
        assert {one["Name"]: one["Value"] for one in answer["Parameters"]} == {
            "/a": "secret",
            "/b": "changed",
        }
        assert answer["InvalidParameters"] == ["/c"]
        encrypted = aws.ssm.get_parameters(Names=["/a"], WithDecryption=False)
        assert encrypted["Parameters"][0]["Value"] != "secret"
        aws.delete_parameters("/a", "/c")
        assert aws.ssm.get_parameters(Names=["/a"])["Parameters"] == []

    def test_queues(self, aws: AwsSandbox) -> None:
        url = aws.create_queue("parked", VisibilityTimeout="5")
        assert url.startswith(aws.url)
        for number in range(12):
            aws.sqs.send_message(QueueUrl=url, MessageBody=str(number))
        assert sorted(aws.messages(url), key=int) == [str(number) for number in range(12)]
        assert aws.messages(url) == []
        aws.delete_queue(url)
        assert "QueueUrls" not in aws.sqs.list_queues()

    def test_reset(self, aws: AwsSandbox) -> None:
        aws.put_parameters({"/a": ("String", "x")})
        aws.create_queue("parked")
        aws.reset()
        assert aws.ssm.describe_parameters()["Parameters"] == []
        assert "QueueUrls" not in aws.sqs.list_queues()

    def test_the_environment_leads_here(
        self, aws: AwsSandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        aws.put_parameters({"/a": ("String", "x")})
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        client = boto3.Session().client("ssm")
        assert client.get_parameter(Name="/a")["Parameter"]["Value"] == "x"
        client.close()


class TestFaultyAws:
    def test_passes_on_and_counts(self, proxy: FaultyAws, ssm: SSMClient) -> None:
        assert ssm.get_parameter(Name="/a", WithDecryption=True)["Parameter"]["Value"] == "secret"
        ssm.get_parameters(Names=["/a"])
        ssm.get_parameters(Names=["/a"])
        assert proxy.calls == {"AmazonSSM.GetParameter": 1, "AmazonSSM.GetParameters": 2}

    def test_passes_errors_on(self, ssm: SSMClient) -> None:
        with pytest.raises(ClientError) as caught:
            ssm.get_parameter(Name="/none")
        assert caught.value.response["Error"]["Code"] == "ParameterNotFound"

    @pytest.mark.parametrize(
        ("fault", "status", "code"),
        [
            (throttled(), 400, "ThrottlingException"),
            (denied(), 400, "AccessDeniedException"),
            (broken(), 500, "InternalServerError"),
            (faults.http(503), 503, "503"),
        ],
    )
    def test_errors(
        self, proxy: FaultyAws, ssm: SSMClient, fault: Fault, status: int, code: str
    ) -> None:
        proxy.next(fault)
        with pytest.raises(ClientError) as caught:
            ssm.get_parameters(Names=["/a"])
        response = caught.value.response
        assert response["Error"]["Code"] == code
        assert response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert ssm.get_parameters(Names=["/a"])["Parameters"]

    @pytest.mark.parametrize("fault", [faults.reset(), faults.reset_unread()])
    def test_resets(self, proxy: FaultyAws, ssm: SSMClient, fault: Fault) -> None:
        proxy.next(fault)
        with pytest.raises(ConnectionClosedError):
            ssm.get_parameters(Names=["/a"])

    def test_latency(self, proxy: FaultyAws, ssm: SSMClient) -> None:
        proxy.latency = 0.1
        began = time.monotonic()
        ssm.get_parameters(Names=["/a"])
        assert time.monotonic() - began >= 0.1

    def test_a_hang_ends_in_the_clients_timeout(self, proxy: FaultyAws) -> None:
        proxy.next(faults.hang(30))
        impatient = boto3.client(
            "ssm",
            endpoint_url=proxy.url,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=0.1),
            **CREDENTIALS,
        )
        with pytest.raises(ReadTimeoutError):
            impatient.get_parameters(Names=["/a"])
        impatient.close()

    def test_one_operation_fails(self, proxy: FaultyAws, ssm: SSMClient) -> None:
        proxy.always(denied(), operation="GetParameters")
        ssm.get_parameter(Name="/a")
        with pytest.raises(ClientError):
            ssm.get_parameters(Names=["/a"])
        proxy.clear()
        assert ssm.get_parameters(Names=["/a"])["Parameters"]
        assert proxy.calls == {"AmazonSSM.GetParameters": 1}

    def test_queues_go_through_it_too(self, aws: AwsSandbox, proxy: FaultyAws) -> None:
        url = aws.create_queue("parked")
        sqs = boto3.client("sqs", endpoint_url=proxy.url, config=ONCE, **CREDENTIALS)
        proxy.next(broken(), operation="SendMessage")
        proxied = url.replace(aws.url, proxy.url)
        with pytest.raises(ClientError):
            sqs.send_message(QueueUrl=proxied, MessageBody="lost")
        sqs.send_message(QueueUrl=proxied, MessageBody="kept")
        sqs.close()
        assert aws.messages(url) == ["kept"]
        assert proxy.calls["AmazonSQS.SendMessage"] == 2


def test_the_command_serves_all_until_interrupted() -> None:
    ports = (f"{option}=0" for option in ("--port", "--aws-port", "--endpoint-port"))
    command = [sys.executable, "-m", "tools.pixel.app", "sandbox", *ports]
    with subprocess.Popen(
        [*command, "--parameter", "/a=secret"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        printed = "".join(process.stdout.readline() for _ in range(4))
        tiktok, aws, endpoint = re.findall(r"http://[\d.:]+", printed)
        assert last_events(endpoint) == ()
        with urllib.request.urlopen(f"{tiktok}/_sandbox/requests", timeout=5) as response:
            assert response.read() == b"[]"
        ssm = boto3.client("ssm", endpoint_url=aws, config=ONCE, **CREDENTIALS)
        found = ssm.get_parameter(Name="/a", WithDecryption=True)["Parameter"]
        ssm.close()
        process.terminate()
        assert process.wait(10) == 0
    assert (found["Type"], found["Value"]) == ("SecureString", "secret")


def test_the_command_reports_a_port_that_is_taken(
    aws: AwsSandbox, pixel_errors: Callable[..., list[str]]
) -> None:
    port = aws.url.rsplit(":", 1)[1]
    (error,) = pixel_errors("sandbox", "--port", "0", "--aws-port", port)
    assert error.startswith(f"cannot listen on 127.0.0.1:{port}: ")


@pytest.mark.parametrize(
    ("option", "value"), [("--port", "70000"), ("--aws-port", "x"), ("--parameter", "/a")]
)
def test_the_command_refuses_unusable_options(
    pixel_errors: Callable[..., list[str]], option: str, value: str
) -> None:
    errors = " ".join(pixel_errors("sandbox", option, value, status=2))
    assert f"Invalid value for '{option}': " in errors or f"Invalid value for {option}: " in errors
