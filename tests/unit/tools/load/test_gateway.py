from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.unit.tools.load.fakes import FakeEnvironment
from tools.load.environments import Pool
from tools.load.gateway import PATH, Gateway, TokenBucket
from tools.sandbox.runtime import InvokeResult

OK = {"statusCode": 202, "headers": {}, "body": '{"status":"parked"}'}


def post(url: str, body: str = "{}", path: str = PATH) -> tuple[int, Any]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    try:
        connection.request("POST", path, body.encode(), {"X-Signature": "s", "Connection": "close"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


@contextmanager
def serving(*environments: FakeEnvironment, longest_seconds: float = 30.0) -> Iterator[str]:
    every = iter(environments)
    with (
        Pool(lambda: next(every), len(environments)) as pool,
        Gateway(pool, longest_seconds=longest_seconds) as gateway,
    ):
        yield gateway.url


def test_a_request_is_passed_on_as_payload_2_0() -> None:
    environment = FakeEnvironment(lambda _: OK)
    with serving(environment) as url:
        assert post(url, '{"é":1}') == (202, {"status": "parked"})
    (event,) = environment.events
    assert (event["version"], event["body"], event["isBase64Encoded"]) == ("2.0", '{"é":1}', False)
    assert event["headers"]["x-signature"] == "s"
    assert abs(event["requestContext"]["timeEpoch"] / 1000 - time.time()) < 10


def test_an_environment_gets_one_request_at_a_time() -> None:
    environment = FakeEnvironment(lambda _: OK)
    environment.may_answer.clear()
    with serving(environment) as url:
        answers: list[int] = []
        first = threading.Thread(target=lambda: answers.append(post(url)[0]))
        first.start()
        assert environment.invoked.acquire(timeout=10)
        assert post(url) == (503, {"message": "Service Unavailable"})
        environment.may_answer.set()
        first.join()
        assert answers == [202]
        assert post(url)[0] == 202


def test_a_request_that_takes_too_long_keeps_its_environment_busy() -> None:
    environment = FakeEnvironment(lambda _: OK)
    environment.may_answer.clear()
    with serving(environment, longest_seconds=0.05) as url:
        assert post(url)[0] == 503
        assert post(url)[0] == 503
        assert len(environment.events) == 1
        environment.may_answer.set()


@pytest.mark.parametrize(
    "result", [InvokeResult(None, 0.0, {"errorType": "Sandbox.Timedout"}), {"no": "status"}, None]
)
def test_an_invocation_that_failed_is_an_internal_error(result: Any) -> None:
    with serving(FakeEnvironment(lambda _: result)) as url:
        assert post(url) == (500, {"message": "Internal Server Error"})


def test_there_is_one_route() -> None:
    with serving(FakeEnvironment(lambda _: OK)) as url:
        assert post(url, path="/other") == (404, {"message": "Not Found"})


def test_a_route_is_throttled_after_a_burst() -> None:
    bucket = TokenBucket(rate=10, burst=3)
    assert [bucket.take(1.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(1.25) for _ in range(3)] == [True, True, False]
    assert [bucket.take(60.0) for _ in range(4)] == [True, True, True, False]
