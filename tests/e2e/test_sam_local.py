"""The built application in containers, by `sam local invoke` and `sam local start-api`."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.payloads import OUTCOMES, REFUSALS, assert_nothing_personal, assert_payload
from tools.sandbox import samples
from tools.sandbox.emulator import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.conftest import SamCli, Sandbox

pytestmark = pytest.mark.docker

IMAGE: Final = "public.ecr.aws/lambda/python:3.13-x86_64"
# Docker resolves this name to its host (20.10 and later).
HOST: Final = "sandbox"
_PULL_SECONDS: Final = 600
_START_SECONDS: Final = 60
_CONTAINER_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class SamLocal:
    """`sam local` whose containers use the sandbox."""

    sam: SamCli
    options: tuple[str, ...]

    def invoke(self, event: str) -> Any:
        """Invoke the function with a file of `events/`; its response."""
        run = self.sam.run(
            *("local", "invoke", "ForwardFunction", "-e", f"events/{event}.json"), *self.options
        )
        assert run.returncode == 0, run.stderr
        assert_nothing_personal(run.stdout + run.stderr)
        return json.loads(run.stdout.splitlines()[-1])


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The HTTP API, served by `sam local start-api`."""

    url: str
    log: Path

    def post(self, content: bytes, signature: str | None) -> tuple[int, dict[str, Any]]:
        """Post as Segment does; status and body of the response."""
        headers = {"Content-Type": "application/json"}
        if signature is not None:
            headers["X-Signature"] = signature
        request = urllib.request.Request(self.url, content, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=_CONTAINER_SECONDS) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)


@pytest.fixture(scope="session")
def base_image() -> str:
    """The image of Lambda's Python, pulled if it is missing."""
    if not _docker("info", seconds=30):
        pytest.skip("no Docker engine answers `docker info`")
    if not (_docker("image", "inspect", IMAGE, seconds=30) or _docker("pull", IMAGE)):
        pytest.skip(f"{IMAGE} is not there and cannot be pulled")
    return IMAGE


@pytest.fixture(scope="session")
def sam_local(
    build: Path,
    base_image: str,
    sam: SamCli,
    _sandbox: Sandbox,
    tmp_path_factory: pytest.TempPathFactory,
) -> SamLocal:
    del build, base_image
    file = tmp_path_factory.mktemp("sam-local") / "env.json"
    file.write_text(json.dumps({"Parameters": _sandbox.variables(HOST)}))
    host = ("--add-host", f"{HOST}:host-gateway")
    return SamLocal(sam, ("--env-vars", str(file), *host, "--skip-pull-image"))


@pytest.fixture(scope="module")
def _endpoint(sam_local: SamLocal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    (port,) = free_ports(1)
    log = tmp_path_factory.mktemp("start-api") / "log"
    command = [str(sam_local.sam.program), "local", "start-api", "--port", str(port)]
    with log.open("w") as file:
        process = subprocess.Popen(
            [*command, *sam_local.options],
            cwd=samples.EVENTS.parent,
            env=sam_local.sam.environment(),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
        try:
            _await_port(port, process, log)
            yield Endpoint(f"http://127.0.0.1:{port}/segment", log)
        finally:
            process.terminate()  # It removes its containers.
            try:
                process.wait(_START_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def endpoint(_endpoint: Endpoint, sandbox: Sandbox) -> Endpoint:
    del sandbox
    return _endpoint


@pytest.mark.parametrize("name", OUTCOMES)
class TestInvoke:
    def test_with_the_event_itself(self, sam_local: SamLocal, sandbox: Sandbox, name: str) -> None:
        answer = sam_local.invoke(name)
        assert answer["status"] == OUTCOMES[name][1]
        _assert_arrived(sandbox, name, answer)

    def test_with_the_signed_request(
        self, sam_local: SamLocal, sandbox: Sandbox, name: str
    ) -> None:
        answer = sam_local.invoke(samples.SIGNED + name)
        body = json.loads(answer["body"])
        assert (answer["statusCode"], body["status"]) == OUTCOMES[name][:2]
        _assert_arrived(sandbox, name, body)


@pytest.mark.parametrize("name", REFUSALS)
def test_invoke_with_a_request_to_refuse(sam_local: SamLocal, sandbox: Sandbox, name: str) -> None:
    answer = sam_local.invoke(name)
    assert (answer["statusCode"], json.loads(answer["body"])["reason"]) == REFUSALS[name]
    assert not sandbox.tiktok.requests


class TestApi:
    def test_signed_samples(self, endpoint: Endpoint, sandbox: Sandbox) -> None:
        for name, (http_status, status, _) in OUTCOMES.items():
            sandbox.tiktok.forget()
            content = json.dumps(samples.read(name), indent=1).encode()
            answered, body = endpoint.post(content, samples.sign(content))
            assert (body["status"], answered) == (status, http_status), name
            _assert_arrived(sandbox, name, body)

    @pytest.mark.parametrize("signature", [None, "", "0" * 40, samples.sign(b"another body")])
    def test_a_request_without_the_right_signature_sends_nothing(
        self, endpoint: Endpoint, sandbox: Sandbox, signature: str | None
    ) -> None:
        content = json.dumps(samples.read("add-to-cart")).encode()
        answered, body = endpoint.post(content, signature)
        reason = "signature_wrong" if signature else "signature_missing"
        assert (answered, body["status"], body["reason"]) == (401, "rejected", reason)
        assert not sandbox.tiktok.requests

    def test_events_are_parked_after_an_operator_error(
        self, endpoint: Endpoint, sandbox: Sandbox
    ) -> None:
        sandbox.tiktok.settings.tokens = {"the operator's new token"}
        content = json.dumps(samples.read("place-an-order")).encode()
        answered, body = endpoint.post(content, samples.sign(content))
        assert (answered, body["status"]) == (202, "parked")
        (message,) = sandbox.aws.messages(sandbox.parked)
        assert "sample-place-an-order" in message

    def test_other_routes_do_not_exist(self, endpoint: Endpoint) -> None:
        for method, url in (("GET", endpoint.url), ("POST", f"{endpoint.url}/more")):
            request = urllib.request.Request(url, method=method)
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=_CONTAINER_SECONDS)
            with refused.value as answer:
                assert answer.code in {403, 404}

    def test_the_log_has_no_personal_data(self, endpoint: Endpoint) -> None:
        content = json.dumps(samples.read("place-an-order")).encode()
        endpoint.post(content, samples.sign(content))
        log = endpoint.log.read_text()
        assert "sample-place-an-order" in log
        assert_nothing_personal(log)


def _assert_arrived(sandbox: Sandbox, name: str, body: dict[str, Any]) -> None:
    assert [row["message_id"] for row in body["results"]] == [f"sample-{name}"]
    assert len(sandbox.tiktok.events) == body["forwarded"]
    if OUTCOMES[name][1] == "forwarded":
        assert_payload(sandbox.tiktok.requests[0], name)


def _docker(*arguments: str, seconds: float = _PULL_SECONDS) -> bool:
    try:
        run = subprocess.run(
            ["docker", *arguments], capture_output=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return run.returncode == 0


def _await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"`sam local start-api` did not start: {log.read_text()}")
