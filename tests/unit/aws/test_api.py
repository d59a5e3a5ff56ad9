"""Requests are boto3's byte for byte, and errors mean what they mean to boto3."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

import boto3
import botocore.auth
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker
from hypothesis import given
from hypothesis import strategies as st

from tiktok_pixel.aws import api
from tiktok_pixel.aws.api import SqsClient, SsmClient
from tiktok_pixel.aws.errors import AwsError, RoleUnavailableError
from tiktok_pixel.aws.role import Role
from tiktok_pixel.connections import HttpResponse
from tools.sandbox import faults
from tools.sandbox.aws import AwsSandbox, FaultyAws, aws_error, broken, denied, throttled

if TYPE_CHECKING:
    from tools.sandbox.faults import Fault

KEYS: Final = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
# What boto3 adds for AWS's statistics; none of it is signed.
STATISTICS: Final = {"User-Agent", "amz-sdk-invocation-id", "amz-sdk-request", "Content-Length"}
# The time-outs and the retries of the functions' own client.
CONFIG: Final = Config(
    connect_timeout=0.5, read_timeout=1.0, retries={"mode": "standard", "total_max_attempts": 2}
)

Sent = tuple[str, str, bytes, dict[str, str]]


class Sending(Exception):  # noqa: N818  # no error: it ends a request of boto3's before it is sent
    def __init__(self, sent: Sent) -> None:
        self.sent = sent


@contextmanager
def fixed_clock(at: str = "2026-11-27T10:20:30") -> Iterator[None]:
    """Stop the clock that signatures are made with."""
    patch = pytest.MonkeyPatch()
    moment = datetime.fromisoformat(at)
    patch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: moment)
    yield
    patch.undo()


def sent_by_boto3(client: Any, operation: str, request: Mapping[str, Any]) -> Sent:
    def capture(request: Any, **_: Any) -> None:
        headers = {
            name: value.decode() if isinstance(value, bytes) else value
            for name, value in request.headers.items()
            if name not in STATISTICS
        }
        raise Sending((request.method, request.url, request.body, headers))

    client.meta.events.register("before-send", capture, unique_id="capture")
    with pytest.raises(Sending) as raised:
        getattr(client, operation)(**request)
    return raised.value.sent


@cache
def boto3_client(service: str, token: str | None = None, **config: Any) -> Any:
    """A client of boto3's for the keys above; `config` may hold what `boto3.client` takes."""
    flags = {name: config.pop(name) for name in list(config) if name.startswith("use_")}
    make: Any = boto3.client
    return make(
        service,
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=token,
        config=CONFIG.merge(Config(**flags)),
        **{"region_name": "us-east-1", **config},
    )


class Recorder:
    """Stands in for the connections of a client; notes what would be sent."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sent: Sent | None = None

    def request(
        self, method: str, path: str, *, headers: dict[str, str], body: bytes, **_: Any
    ) -> HttpResponse:
        scheme_and_host = "/".join(self.url.split("/")[:3])
        self.sent = (method, scheme_and_host + path, body, headers)
        return HttpResponse(200, {}, b"{}")


def sent_by(client: Any, operation: str, request: Mapping[str, Any]) -> Sent:
    recorder = Recorder(client._api._url)
    client._api._pool = recorder
    getattr(client, operation)(**request)
    assert recorder.sent is not None
    return recorder.sent


def ssm(token: str | None = None, **variables: str) -> SsmClient:
    environment = {"AWS_REGION": "us-east-1", **KEYS, **variables}
    if token:
        environment["AWS_SESSION_TOKEN"] = token
    return SsmClient(environment, Role(environment))


def sqs(token: str | None = None, **variables: str) -> SqsClient:
    environment = {"AWS_REGION": "us-east-1", **KEYS, **variables}
    if token:
        environment["AWS_SESSION_TOKEN"] = token
    return SqsClient(environment, Role(environment))


NAMES = st.lists(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=80), min_size=1, max_size=10
)


@given(names=NAMES, token=st.sampled_from([None, "IQoJb3Jp+/=="]))
def test_get_parameters_is_boto3s_request(names: list[str], token: str | None) -> None:
    request = {"Names": names, "WithDecryption": True}
    with fixed_clock():
        ours = sent_by(ssm(token), "get_parameters", request)
        assert ours == sent_by_boto3(boto3_client("ssm", token), "get_parameters", request)
    assert ours[3]["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261127/")


@given(
    body=st.text(st.characters(codec="utf-8"), min_size=1),
    delay=st.integers(0, 900),
    token=st.sampled_from([None, "IQoJb3Jp+/=="]),
)
def test_send_message_is_boto3s_request(body: str, delay: int, token: str | None) -> None:
    request = {
        "QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/parked",
        "MessageBody": body,
        "DelaySeconds": delay,
    }
    with fixed_clock():
        ours = sent_by(sqs(token), "send_message", request)
        assert ours == sent_by_boto3(boto3_client("sqs", token), "send_message", request)


@pytest.mark.parametrize(
    ("variables", "config"),
    [
        ({}, {}),
        ({"AWS_REGION": "eu-central-2"}, {"region_name": "eu-central-2"}),
        ({"AWS_REGION": "cn-northwest-1"}, {"region_name": "cn-northwest-1"}),
        ({"AWS_REGION": "us-gov-east-1"}, {"region_name": "us-gov-east-1"}),
        ({"AWS_REGION": "us-isob-east-1"}, {"region_name": "us-isob-east-1"}),
        ({"AWS_REGION": "eusc-de-east-1"}, {"region_name": "eusc-de-east-1"}),
        ({"AWS_USE_FIPS_ENDPOINT": "true"}, {"use_fips_endpoint": True}),
        (
            {"AWS_REGION": "us-gov-west-1", "AWS_USE_FIPS_ENDPOINT": "true"},
            {"region_name": "us-gov-west-1", "use_fips_endpoint": True},
        ),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, {"use_dualstack_endpoint": True}),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:5055"}, {"endpoint_url": "http://127.0.0.1:5055"}),
        ({"AWS_ENDPOINT_URL": "https://Host.example"}, {"endpoint_url": "https://Host.example"}),
        ({"AWS_ENDPOINT_URL": "https://[::1]:8443/"}, {"endpoint_url": "https://[::1]:8443/"}),
        ({"AWS_ENDPOINT_URL": "https://host/aws"}, {"endpoint_url": "https://host/aws"}),
    ],
    ids=lambda values: "-".join(values.values()) if "AWS" in str(values) else "",
)
def test_partitions_and_endpoints_are_signed_as_boto3_does(
    variables: dict[str, str], config: dict[str, Any]
) -> None:
    read = {"Names": ["/tiktok-pixel/prod/pixel-code"], "WithDecryption": True}
    send = {"QueueUrl": "https://queue.example/1/q", "MessageBody": "{}"}
    with fixed_clock():
        expected = sent_by_boto3(boto3_client("ssm", **config), "get_parameters", read)
        assert sent_by(ssm(**variables), "get_parameters", read) == expected
        expected = sent_by_boto3(boto3_client("sqs", **config), "send_message", send)
        assert sent_by(sqs(**variables), "send_message", send) == expected


def test_a_signature_carries_the_time() -> None:
    request = {"Names": ["/a"], "WithDecryption": True}
    with fixed_clock():
        first = sent_by(ssm(), "get_parameters", request)
    with fixed_clock("2026-11-27T10:20:31"):
        assert sent_by(ssm(), "get_parameters", request)[3] != first[3]


def test_the_codes_that_are_retried_are_botocores() -> None:
    throttling, transient = cast("Any", (ThrottledRetryableChecker, TransientRetryableChecker))
    assert set(throttling._THROTTLED_ERROR_CODES) == api.THROTTLING_CODES
    assert set(transient._TRANSIENT_ERROR_CODES) == api.TRANSIENT_CODES


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsSandbox]:
    with AwsSandbox() as server:
        yield server


@pytest.fixture
def proxy(aws: AwsSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyAws]:
    # Waiting between attempts is not what these tests are about.
    monkeypatch.setattr(api, "_THROTTLED_BACKOFF_SECONDS", 0.01)
    with FaultyAws(aws.url) as server:
        yield server


def test_parameters_are_read_and_decrypted(aws: AwsSandbox) -> None:
    aws.put_parameters(
        {"/api/code": ("String", "C0DE"), "/api/token": ("SecureString", "zażółć ✓")}
    )
    client = ssm(AWS_ENDPOINT_URL_SSM=aws.url)

    found = client.get_parameters(Names=["/api/code", "/api/token", "/none"], WithDecryption=True)

    assert {one["Name"]: one["Value"] for one in found["Parameters"]} == {
        "/api/code": "C0DE",
        "/api/token": "zażółć ✓",
    }
    assert found["InvalidParameters"] == ["/none"]


def test_a_message_arrives_as_it_was_sent(aws: AwsSandbox) -> None:
    queue = aws.create_queue("api")
    client = sqs(AWS_ENDPOINT_URL=aws.url)

    sent = client.send_message(QueueUrl=queue, MessageBody='{"name": "Zoë \u2028 😀"}')

    assert sent["MessageId"]
    assert aws.messages(queue) == ['{"name": "Zoë \u2028 😀"}']


def test_connections_are_kept(proxy: FaultyAws) -> None:
    client = ssm(AWS_ENDPOINT_URL=proxy.url)
    for _ in range(3):
        client.get_parameters(Names=["/none"], WithDecryption=True)
    assert proxy.calls["AmazonSSM.GetParameters"] == 3
    assert client._api._pool._pool.num_connections == 1


def query_error(code: str) -> Fault:
    """SQS's errors, which carry the code of its former protocol in a header."""
    return faults.http(
        400,
        '{"__type": "com.amazonaws.sqs#Other", "message": "scripted"}',
        content_type="application/x-amz-json-1.0",
        headers={"x-amzn-query-error": code},
    )


def read_with(client: Any) -> Any:
    return client.get_parameters(Names=["/none"], WithDecryption=True)


def code_of(call: Callable[[], Any]) -> str | None:
    """The code that an error carries, or "-" where there is no error."""
    try:
        call()
    except AwsError as error:
        return error.code
    except ClientError as error:
        return error.response["Error"]["Code"]
    except BotoCoreError:
        return None
    return "-"


@pytest.mark.parametrize(
    ("fault", "code", "attempts"),
    [
        (denied(), "AccessDeniedException", 1),
        (aws_error("ValidationException"), "ValidationException", 1),
        (aws_error("InvalidKeyId"), "InvalidKeyId", 1),
        (aws_error("com.amazonaws.ssm#ExpiredTokenException"), "ExpiredTokenException", 1),
        (aws_error("UnrecognizedClientException:http://x"), "UnrecognizedClientException", 1),
        (throttled(), "ThrottlingException", 2),
        (aws_error("RequestLimitExceeded", 503), "RequestLimitExceeded", 2),
        (aws_error("Unknown", 429), "Unknown", 2),
        (broken(), "InternalServerError", 2),
        (aws_error("RequestTimeout"), "RequestTimeout", 2),
        (faults.http(502), "502", 2),
        (faults.http(403), "403", 1),
        (faults.empty(500), "500", 2),
        (query_error("KMS.AccessDeniedException;Sender"), "KMS.AccessDeniedException", 1),
        (
            query_error("AWS.SimpleQueueService.NonExistentQueue;Sender"),
            "AWS.SimpleQueueService.NonExistentQueue",
            1,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_errors_are_boto3s(proxy: FaultyAws, fault: Fault, code: str, attempts: int) -> None:
    proxy.always(fault)
    clients = (ssm(AWS_ENDPOINT_URL=proxy.url), boto3_client("ssm", endpoint_url=proxy.url))
    for client in clients:
        before = proxy.calls["AmazonSSM.GetParameters"]
        found = code_of(lambda client=client: read_with(client))  # type: ignore[misc]
        sent = proxy.calls["AmazonSSM.GetParameters"] - before
        assert (found, sent) == (code, attempts), type(client).__module__


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (faults.reset(), "ConnectionError"),
        (faults.close(), "ConnectionError"),
        (faults.hang(3.0), "Timeout"),
        (faults.slow_body(0.5), "Timeout"),
        (faults.too_long_promised(), "ConnectionError"),
        (faults.truncated_json(), "MalformedResponse"),
        (faults.not_json(), "MalformedResponse"),
        (faults.json_but([]), "MalformedResponse"),
    ],
    ids=[
        "reset",
        "closed",
        "no response",
        "slow response",
        "short response",
        "half of the JSON",
        "not JSON",
        "not an object",
    ],
)
def test_a_response_that_cannot_be_read_is_an_error_in_time(
    proxy: FaultyAws, fault: Fault, code: str
) -> None:
    proxy.always(fault)
    started = time.perf_counter()
    with pytest.raises(AwsError) as raised:
        read_with(ssm(AWS_ENDPOINT_URL=proxy.url))
    assert raised.value.code == code
    # Two attempts of half a second to connect and a second to read.
    assert time.perf_counter() - started < 4.0


def test_a_service_that_is_not_there_is_an_error() -> None:
    with pytest.raises(AwsError, match="ConnectionError"):
        read_with(ssm(AWS_ENDPOINT_URL="http://127.0.0.1:9"))


@pytest.mark.parametrize(
    "fault", [throttled(), broken(), faults.reset(), faults.hang(1.5)], ids=lambda _: ""
)
def test_one_failure_is_retried(proxy: FaultyAws, fault: Fault) -> None:
    proxy.next(fault)
    assert read_with(ssm(AWS_ENDPOINT_URL=proxy.url))["InvalidParameters"] == ["/none"]


def test_without_credentials_nothing_is_sent(proxy: FaultyAws) -> None:
    client = ssm(AWS_ENDPOINT_URL=proxy.url, AWS_ACCESS_KEY_ID="")
    with pytest.raises(RoleUnavailableError):
        read_with(client)
    assert proxy.calls.total() == 0
