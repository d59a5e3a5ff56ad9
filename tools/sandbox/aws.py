"""A local AWS (Parameter Store and SQS, by moto), and a proxy that makes it fail.

with AwsSandbox() as aws, FaultyAws(aws.url) as proxy:
    aws.put_parameters({"/tiktok/access-token": ("SecureString", "secret")})
    proxy.next(throttled())
    boto3.client("ssm", endpoint_url=proxy.url, **CREDENTIALS).get_parameter(...)
"""

from __future__ import annotations

import http.client
import json
import logging
import threading
import urllib.request
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Self, TypedDict
from urllib.parse import urlsplit

import boto3
from moto.server import ThreadedMotoServer

from tools.sandbox import faults
from tools.sandbox.script import FaultScript
from tools.sandbox.wire import HttpServer, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_ssm.literals import ParameterTypeType

    from tools.sandbox.faults import Fault
    from tools.sandbox.wire import Connection

REGION: Final = "us-east-1"
_SECONDS: Final = 30.0
_NOT_FORWARDED: Final = frozenset(
    {"connection", "content-length", "content-type", "date", "server", "transfer-encoding"}
)


class Credentials(TypedDict):
    """Keyword arguments of boto3 for the sandbox."""

    aws_access_key_id: str
    aws_secret_access_key: str
    region_name: str


CREDENTIALS: Final[Credentials] = {
    "aws_access_key_id": "sandbox",
    "aws_secret_access_key": "sandbox",
    "region_name": REGION,
}


class AwsSandbox:
    """Parameter Store and SQS on a free port.

    moto keeps its state per process: two sandboxes at a time share their parameters.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host = host
        self._moto = ThreadedMotoServer(host, port, verbose=False)
        self._clients: tuple[SSMClient, SQSClient] | None = None

    @property
    def url(self) -> str:
        """The endpoint URL of every service, for clients on this machine."""
        host = "127.0.0.1" if self._host == "0.0.0.0" else self._host
        return f"http://{host}:{self._moto.get_host_and_port()[1]}"

    @property
    def ssm(self) -> SSMClient:
        """A client for the Parameter Store."""
        return self._connected()[0]

    @property
    def sqs(self) -> SQSClient:
        """A client for the queues."""
        return self._connected()[1]

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that point any boto3 program to the sandbox."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": CREDENTIALS["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": CREDENTIALS["aws_secret_access_key"],
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def put_parameters(self, parameters: Mapping[str, tuple[ParameterTypeType, str]]) -> None:
        """Create or overwrite parameters, given as name → (type, value)."""
        for name, (kind, value) in parameters.items():
            self.ssm.put_parameter(Name=name, Type=kind, Value=value, Overwrite=True)

    def delete_parameters(self, *names: str) -> None:
        """Delete parameters, ignoring those that do not exist."""
        self.ssm.delete_parameters(Names=list(names))

    def create_queue(self, name: str, **attributes: str) -> str:
        """Create a queue and return its URL."""
        chosen: Any = attributes
        url = self.sqs.create_queue(QueueName=name, Attributes=chosen)["QueueUrl"]
        return f"{self.url}{urlsplit(url).path}"

    def delete_queue(self, url: str) -> None:
        """Delete a queue."""
        self.sqs.delete_queue(QueueUrl=url)

    def messages(self, url: str) -> list[str]:
        """Receive and delete every visible message of a queue; return the bodies."""
        bodies: list[str] = []
        while True:
            batch = self.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0, WaitTimeSeconds=0
            ).get("Messages", [])
            if not batch:
                return bodies
            for message in batch:
                bodies.append(message["Body"])
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def reset(self) -> None:
        """Delete everything."""
        request = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")
        with urllib.request.urlopen(request, timeout=_SECONDS):
            pass

    def start(self) -> Self:
        """Start to listen."""
        # moto logs one line per request to stderr.
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        self._moto.start()
        return self

    def stop(self) -> None:
        """Delete everything and stop listening."""
        self.reset()
        for client in self._clients or ():
            client.close()
        self._moto.stop()

    def _connected(self) -> tuple[SSMClient, SQSClient]:
        if self._clients is None:
            self._clients = (
                boto3.client("ssm", endpoint_url=self.url, **CREDENTIALS),
                boto3.client("sqs", endpoint_url=self.url, **CREDENTIALS),
            )
        return self._clients

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def aws_error(name: str, status: int = 400, message: str = "scripted") -> Fault:
    """Return an error response of AWS."""
    body = f'{{"__type": "{name}", "message": "{message}"}}'
    return faults.http(status, body, content_type="application/x-amz-json-1.1")


def throttled() -> Fault:
    """Return AWS' response to too many requests."""
    return aws_error("ThrottlingException", message="Rate exceeded")


def denied() -> Fault:
    """Return AWS' response to a call that the role does not allow."""
    return aws_error("AccessDeniedException", message="User is not authorized")


def broken() -> Fault:
    """Return AWS' response to an internal error."""
    return aws_error("InternalServerError", status=500)


class FaultyAws:
    """A proxy in front of AWS (or moto) that counts calls and fails on demand.

    `latency`, in seconds, delays each call. `delays` has the DelaySeconds of every message that was
    sent; with `skips_delays` messages can be received at once all the same. Faults can be limited
    to one operation: `proxy.always(denied(), operation="GetParameters")`. Every fault of
    `tools.sandbox.faults` works here too; those that alter a response alter that of the upstream.
    """

    def __init__(self, upstream_url: str, *, host: str = "127.0.0.1", port: int = 0) -> None:
        upstream = urlsplit(upstream_url)
        self._upstream = (upstream.hostname or "", upstream.port)
        self.faults = FaultScript()
        self.latency = 0.0
        self.skips_delays = False
        self.delays: list[int] = []
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._server = HttpServer(self._serve, host, port)

    @property
    def url(self) -> str:
        """The endpoint URL for boto3."""
        return self._server.url

    @property
    def calls(self) -> Counter[str]:
        """The number of calls of each operation, such as "AmazonSSM.GetParameters"."""
        with self._lock:
            return Counter(self._calls)

    def next(self, *following: Fault, operation: str | None = None) -> None:
        """Apply each fault to one call, in this order."""
        self.faults.next(*following, when=_calls_to(operation))

    def always(self, fault: Fault, operation: str | None = None) -> None:
        """Apply the fault to every call until cleared."""
        self.faults.always(fault, when=_calls_to(operation))

    def clear(self) -> None:
        """Remove faults, latency and counts."""
        self.faults.clear()
        self.latency = 0.0
        with self._lock:
            self._calls.clear()
            self.delays.clear()

    def _serve(self, line: Connection) -> bool:
        if not line.peek():
            return False
        fault = self.faults.take_unread()
        if fault:
            return fault.play(line, Response(200, b""))
        request = line.read_request()
        if request is None:
            return False
        with self._lock:
            self._calls[request.headers.get("x-amz-target", "")] += 1
        line.wait(self.latency)
        fault = self.faults.take(request)
        response = Response(200, b"{}")
        if fault is None or fault.accept:
            response = self._pass_on(request)
        if fault:
            return fault.play(line, response)
        line.send(response.encode())
        return True

    def _without_delay(self, body: bytes) -> bytes:
        """Record the delay of a message, and remove it if delays are skipped."""
        message = json.loads(body)
        with self._lock:
            self.delays.append(message.get("DelaySeconds", 0))
        if not self.skips_delays:
            return body
        return json.dumps({**message, "DelaySeconds": 0}).encode()

    def _pass_on(self, request: Request) -> Response:
        upstream = http.client.HTTPConnection(*self._upstream, timeout=_SECONDS)
        try:
            headers = {name: value for name, value in request.headers.items() if name != "expect"}
            body = request.body
            if request.headers.get("x-amz-target") == "AmazonSQS.SendMessage":
                body = self._without_delay(body)
                headers["content-length"] = str(len(body))
            upstream.request(request.method, request.path, body, headers)
            response = upstream.getresponse()
            return Response(
                response.status,
                response.read(),
                response.headers.get("Content-Type", "application/json"),
                {
                    name: value
                    for name, value in response.headers.items()
                    if name.lower() not in _NOT_FORWARDED
                },
            )
        finally:
            upstream.close()

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()


def _calls_to(operation: str | None) -> Callable[[Request], bool] | None:
    if operation is None:
        return None
    return lambda request: request.headers.get("x-amz-target", "").endswith(f".{operation}")
