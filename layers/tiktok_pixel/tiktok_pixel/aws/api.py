"""Call SSM and SQS without boto3: requests signed by botocore's own signer, sent by urllib3.

Importing boto3 and creating its clients takes as long as the rest of a cold start. Here are only
the operations that the functions use, with boto3's arguments and results.

The X-Ray trace header is left out on purpose. Lambda's recursive loop detection follows it from
message to message, and stops a function after about 16 passes unless its template allows the loop.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as UrllibTimeoutError
from urllib3.util import parse_url

from tiktok_pixel.aws.endpoints import resolve_endpoint
from tiktok_pixel.aws.errors import AwsError
from tiktok_pixel.connections import ConnectionPool, HttpResponse

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

    from tiktok_pixel.aws.role import Role

# Two attempts at most, so that a slow AWS service leaves time for the response to Segment.
_ATTEMPTS: Final = 2
_TIMEOUT: Final = urllib3.Timeout(connect=0.5, read=1.0)
# The longest wait between attempts; as in botocore's standard mode, a random part of it is used.
_BACKOFF_SECONDS: Final = 0.05
_THROTTLED_BACKOFF_SECONDS: Final = 1.0
_CONNECTIONS: Final = 8
# Ten parameters of 8 KB are the largest response.
_LONGEST_RESPONSE: Final = 1_000_000

_OK: Final = 200
_TOO_MANY_REQUESTS: Final = 429
_TRANSIENT_STATUSES: Final = frozenset({500, 502, 503, 504})
TRANSIENT_CODES: Final = frozenset(
    {"PriorRequestNotComplete", "RequestTimeout", "RequestTimeoutException"}
)
"""Error codes that are worth another attempt, as in botocore."""

THROTTLING_CODES: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""Error codes of too many requests, as in botocore."""


@dataclass(frozen=True, slots=True)
class _Service:
    name: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)


_SSM: Final = _Service("ssm", "AmazonSSM", {"Content-Type": "application/x-amz-json-1.1"})
_SQS: Final = _Service(
    "sqs",
    "AmazonSQS",
    {"Content-Type": "application/x-amz-json-1.0", "x-amzn-query-mode": "true"},
)


class SsmClient:
    """The part of boto3's SSM client that the functions use.

    Args:
        environment: Environment variables: see :func:`resolve_endpoint`.
        role: Whose credentials sign the requests.
    """

    def __init__(self, environment: Mapping[str, str], role: Role) -> None:
        self._api = _Api(_SSM, environment, role)

    def get_parameters(self, *, Names: Sequence[str], WithDecryption: bool) -> dict[str, Any]:  # noqa: N803  # AWS's names
        """Read up to ten parameters.

        Raises:
            AwsError: SSM refused, or did not respond.
            RoleUnavailableError: There are no credentials.
        """
        return self._api.call("GetParameters", {"Names": Names, "WithDecryption": WithDecryption})


class SqsClient:
    """The part of boto3's SQS client that the functions use, with the same arguments."""

    def __init__(self, environment: Mapping[str, str], role: Role) -> None:
        self._api = _Api(_SQS, environment, role)

    def send_message(self, **request: Any) -> dict[str, Any]:
        """Send a message: ``QueueUrl``, ``MessageBody``, and optionally ``DelaySeconds``.

        Raises:
            AwsError: SQS refused, or did not respond.
            RoleUnavailableError: There are no credentials.
        """
        return self._api.call("SendMessage", request)


class _Api:
    """Signed calls of one service."""

    def __init__(self, service: _Service, environment: Mapping[str, str], role: Role) -> None:
        endpoint = resolve_endpoint(service.name, environment)
        self._service = service
        self._url = endpoint.url if parse_url(endpoint.url).path else f"{endpoint.url}/"
        self._path = parse_url(self._url).request_uri
        self._region = endpoint.region
        self._role = role
        self._pool = ConnectionPool(endpoint.url, _CONNECTIONS)

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Call an operation, with one more attempt where that can help."""
        body = json.dumps(request).encode()
        for attempt in range(1, _ATTEMPTS + 1):
            result, code, wait = self._attempt(operation, body)
            if result is not None:
                return result
            if wait is None or attempt == _ATTEMPTS:
                break
            time.sleep(random.random() * wait)  # noqa: S311  # spreads attempts, no secret
        raise AwsError(code)

    def _attempt(
        self, operation: str, body: bytes
    ) -> tuple[dict[str, Any] | None, str, float | None]:
        """Send one request; return the result, the error code, and how long to wait at most."""
        # Signed for each attempt: a signature carries the time.
        headers = self._sign(operation, body)
        try:
            response = self._pool.request(
                "POST",
                self._path,
                headers=headers,
                body=body,
                timeout=_TIMEOUT,
                longest=_LONGEST_RESPONSE,
            )
        except (HTTPError, OSError) as error:
            # What made this connection fail may have done so to the idle ones.
            self._pool.forget()
            return None, _failure_code(error), _BACKOFF_SECONDS
        content = _parse(response.body)
        if response.status == _OK:
            if content is None:
                return None, "MalformedResponse", None
            return content, "", None
        code = _error_code(response, content or {})
        return None, code, _backoff(response.status, code)

    def _sign(self, operation: str, body: bytes) -> dict[str, str]:
        request = AWSRequest(
            method="POST",
            url=self._url,
            headers={
                "X-Amz-Target": f"{self._service.target}.{operation}",
                **self._service.headers,
            },
            data=body,
        )
        # botocore's own class has the same attributes, but its module is slow to import.
        credentials = cast("ReadOnlyCredentials", self._role.credentials())
        SigV4Auth(credentials, self._service.name, self._region).add_auth(request)
        return dict(request.headers.items())


def _failure_code(error: Exception) -> str:
    # urllib3 counts connections that were refused as time-outs.
    if isinstance(error, UrllibTimeoutError | TimeoutError) and not isinstance(
        error, NewConnectionError
    ):
        return "Timeout"
    return "ConnectionError"


def _parse(body: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(body)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _error_code(response: HttpResponse, content: Mapping[str, Any]) -> str:
    """Read the error code as botocore does."""
    # SQS reports the codes of its former protocol here, such as "…NonExistentQueue;Sender".
    query_error = response.headers.get("x-amzn-query-error")
    if query_error:
        return query_error.partition(";")[0]
    # "namespace#Code" or "Code:text".
    kind = str(content.get("__type") or response.status)
    return kind.partition(":")[0].rpartition("#")[2]


def _backoff(status: int, code: str) -> float | None:
    """Return the longest wait before another attempt, or ``None`` where none can help."""
    if code in THROTTLING_CODES or status == _TOO_MANY_REQUESTS:
        return _THROTTLED_BACKOFF_SECONDS
    if code in TRANSIENT_CODES or status in _TRANSIENT_STATUSES:
        return _BACKOFF_SECONDS
    return None
