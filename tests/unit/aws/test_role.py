"""Credentials of the role come from the environment, or from the container endpoint in time."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from tiktok_pixel.aws.errors import RoleUnavailableError
from tiktok_pixel.aws.role import Role, RoleCredentials
from tools.sandbox.wire import HttpServer, Request, Response

if TYPE_CHECKING:
    from tools.sandbox.wire import Connection

START = 1_767_225_600.0
HOUR = 3600.0


class Container:
    """Lambda's credentials endpoint: new keys with every request, valid for six hours."""

    def __init__(self) -> None:
        self.now = START
        self.requests: list[Request] = []
        self.answer: Response | None = None
        self._server = HttpServer(self._serve, "127.0.0.1", 0)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self._server.url}/2021-04-23/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "secret-token",
        }

    def role(self, **more: str) -> Role:
        return Role(self.environment | more, lambda: self.now)

    def _serve(self, line: Connection) -> bool:
        request = line.read_request()
        if request is None:
            return False
        self.requests.append(request)
        number = len(self.requests)
        expires = datetime.fromtimestamp(self.now + 6 * HOUR, UTC)
        content = {
            "AccessKeyId": f"AKID{number}",
            "SecretAccessKey": "secret",
            "Token": "token",
            "Expiration": expires.isoformat().replace("+00:00", "Z"),
        }
        answer = self.answer or Response(200, json.dumps(content).encode(), "application/json")
        line.send(answer.encode())
        return True

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()


@pytest.fixture
def container() -> Iterator[Container]:
    with Container() as started:
        yield started


def test_lambdas_variables_are_the_credentials() -> None:
    environment = {
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
    }
    assert Role(environment).credentials() == RoleCredentials("AKID", "secret", "token")


def test_an_empty_session_token_is_none() -> None:
    """As long-lived keys have it, of a user or of `sam local`."""
    environment = {
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "",
    }
    assert Role(environment).credentials() == RoleCredentials("AKID", "secret", None)


def test_without_any_credentials_the_error_says_so() -> None:
    with pytest.raises(RoleUnavailableError, match="no AWS credentials in the environment"):
        Role({"AWS_ACCESS_KEY_ID": "AKID"}).credentials()


def test_the_container_endpoint_is_asked_once_with_its_token(container: Container) -> None:
    role = container.role()
    assert {role.credentials() for _ in range(3)} == {RoleCredentials("AKID1", "secret", "token")}
    (request,) = container.requests
    assert (request.method, request.path) == ("GET", "/2021-04-23/credentials")
    assert request.headers["authorization"] == "secret-token"


def test_the_token_is_read_from_its_file_each_time(container: Container, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first")
    role = container.role(AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(file))
    role.credentials()
    file.write_text("second")
    container.now += 6 * HOUR
    role.credentials()
    assert [one.headers["authorization"] for one in container.requests] == ["first", "second"]


def test_credentials_are_replaced_before_they_expire(container: Container) -> None:
    role = container.role()
    role.credentials()
    container.now += 6 * HOUR - 601
    assert role.credentials().access_key == "AKID1"
    container.now += 1
    assert role.credentials().access_key == "AKID2"


def test_valid_credentials_serve_while_the_endpoint_fails(container: Container) -> None:
    role = container.role()
    role.credentials()
    container.answer = Response(500, b"{}")
    container.now += 6 * HOUR - 600
    assert [role.credentials().access_key for _ in range(3)] == ["AKID1"] * 3
    assert len(container.requests) == 2, "a failing endpoint is not asked with every call"
    container.answer = None
    container.now += 5
    assert role.credentials().access_key == "AKID3"


@pytest.mark.parametrize(
    "answer",
    [
        Response(403, b"{}"),
        Response(200, b"<html>"),
        Response(200, b"[]"),
        Response(200, b'{"AccessKeyId": "AKID"}'),
    ],
    ids=["refused", "not JSON", "not an object", "incomplete"],
)
def test_expired_credentials_are_never_used(container: Container, answer: Response) -> None:
    role = container.role()
    role.credentials()
    container.answer = answer
    container.now += 6 * HOUR
    with pytest.raises(RoleUnavailableError, match="the container endpoint failed"):
        role.credentials()


def test_an_endpoint_that_is_not_there_is_reported() -> None:
    role = Role({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/credentials"})
    with pytest.raises(RoleUnavailableError, match="the container endpoint failed"):
        role.credentials()


def test_the_token_is_not_sent_over_plain_http_to_another_machine() -> None:
    role = Role({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://192.0.2.1/credentials"})
    with pytest.raises(RoleUnavailableError) as raised:
        role.credentials()
    assert str(raised.value.__cause__) == "plain HTTP to a host that is not local"


def test_many_threads_ask_once(container: Container) -> None:
    role = container.role()
    barrier = threading.Barrier(8)

    def ask(_: int) -> str:
        barrier.wait(5)
        return role.credentials().access_key

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"AKID1"}
    assert len(container.requests) == 1
