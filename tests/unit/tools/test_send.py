"""`pixel send` against the real function behind a local HTTP server."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from tiktok_pixel.aws.credentials import DEVELOPMENT_SECRET
from tools.pixel.console import CommandError
from tools.pixel.send import load_events, post_all, request_bodies
from tools.pixel.stage import SAMCONFIG, Stage, load_stage
from tools.pixel.webhook_secrets import Secrets, find_secrets
from tools.sandbox import samples
from tools.sandbox.application import (
    FOLDER,
    ForwardApplication,
    environment,
    forward_application,
    put_parameters,
)
from tools.sandbox.aws import AwsSandbox
from tools.sandbox.tiktok import TikTokSandbox
from tools.sandbox.wire import Connection, HttpServer, Request, Response

Pixel = Callable[..., list[str]]


@dataclass(slots=True)
class Endpoint:
    """API Gateway in front of the forward function."""

    application: ForwardApplication
    tiktok: TikTokSandbox
    requests: list[Request] = field(default_factory=list)
    url: str = ""

    def serve(self, line: Connection) -> bool:
        request = line.read_request()
        if request is None:
            return False
        self.requests.append(request)
        event = samples.http_event(request.body.decode(), request.headers.get("x-signature"))
        # The function prints its metrics.
        with redirect_stdout(io.StringIO()):
            response = self.application.post(event)
        line.send(Response.of_json(response.body, response.status).encode())
        return True


@pytest.fixture(scope="module")
def running() -> Iterator[Endpoint]:
    with TikTokSandbox() as tiktok, AwsSandbox() as aws:
        put_parameters(aws)
        with forward_application(environment(tiktok.url, aws.url)) as application:
            endpoint = Endpoint(application, tiktok)
            # The first request reads the secrets; a test may take the credentials away.
            with redirect_stdout(io.StringIO()):
                application.post(samples.read(f"{samples.SIGNED}search"))
            with HttpServer(endpoint.serve) as server:
                endpoint.url = f"{server.url}/segment"
                yield endpoint


@pytest.fixture
def endpoint(running: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    running.tiktok.reset()
    running.requests.clear()
    monkeypatch.setenv("WEBHOOK_SECRET", DEVELOPMENT_SECRET)
    monkeypatch.delenv("BEARER_TOKEN", raising=False)
    return running


def sample(name: str) -> str:
    return str(samples.EVENTS / f"{name}.json")


def test_an_event_reaches_tiktok(pixel: Pixel, endpoint: Endpoint) -> None:
    lines = pixel("send", sample("search"), "--url", endpoint.url)
    assert lines[2].split() == ["200", "sample-search", "Search", "forwarded", "tiktok_accepted"]
    assert endpoint.tiktok.event_ids == {"sample-search"}
    (request,) = endpoint.requests
    assert request.headers["user-agent"] == "Segment (Actions)"
    assert json.loads(request.body) == samples.read("search")


def test_a_signed_sample_is_signed_anew(pixel: Pixel, endpoint: Endpoint) -> None:
    pixel("send", sample("refused-wrong-signature"), "--url", endpoint.url)
    assert endpoint.tiktok.event_ids == {"sample-add-to-cart"}


def test_events_are_repeated_with_ids_of_their_own(pixel: Pixel, endpoint: Endpoint) -> None:
    pixel("send", sample("search"), "--url", endpoint.url, "--count", "3", "--rate", "50")
    assert endpoint.tiktok.event_ids == {"sample-search", "sample-search-2", "sample-search-3"}
    assert len(endpoint.requests) == 3


def test_batches(pixel: Pixel, endpoint: Endpoint) -> None:
    pixel("send", sample("search"), "--url", endpoint.url, "--count", "5", "--batch", "3")
    assert [len(json.loads(request.body)) for request in endpoint.requests] == [3, 2]
    assert len(endpoint.tiktok.events) == 5


def test_many_events_are_shown_as_counts(pixel: Pixel, endpoint: Endpoint) -> None:
    options = ("--count", "30", "--batch", "30")
    lines = pixel("send", sample("search"), "--url", endpoint.url, *options)
    assert lines[2].split() == ["200", "forwarded", "tiktok_accepted", "30"]


def test_json(pixel: Pixel, endpoint: Endpoint) -> None:
    lines = pixel("send", sample("search"), "--url", endpoint.url, "--json")
    (response,) = json.loads("\n".join(lines))
    assert (response["http"], response["body"]["forwarded"]) == (200, 1)


def test_a_refused_request_is_shown_and_is_an_error(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, pixel_errors: Pixel
) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", "another secret")
    errors = pixel_errors("send", sample("search"), "--url", endpoint.url)
    assert errors[-1] == "1 of 1 request failed"
    assert endpoint.tiktok.requests == []


def test_requests_keep_to_the_rate(endpoint: Endpoint) -> None:
    bodies = list(request_bodies([samples.read("search")] * 3, None))
    secrets = Secrets(DEVELOPMENT_SECRET, "token")
    started = time.monotonic()
    assert len(list(post_all(endpoint.url, bodies, secrets, rate=10))) == 3
    assert time.monotonic() - started >= 0.2
    assert endpoint.requests[0].headers["authorization"] == "Bearer token"


def test_an_endpoint_that_does_not_respond(
    pixel_errors: Pixel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", "s")
    with HttpServer(lambda _: False) as server:
        url = server.url
    (error,) = pixel_errors("send", sample("search"), "--url", url)
    assert error.startswith(f"{url}: no response: ")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--url", "http://shop.example/segment"),
        ("--url", "shop.example"),
        ("--rate", "51"),
        ("--rate", "0"),
        ("--count", "10001"),
        ("--batch", "1001"),
    ],
)
def test_options_out_of_bounds(pixel_errors: Pixel, option: str, value: str) -> None:
    arguments = {"--url": "https://localhost/", option: value}
    flat = [part for pair in arguments.items() for part in pair]
    assert "Invalid value" in " ".join(pixel_errors("send", sample("search"), *flat, status=2))


# ------------------------------------------------------------------ events


def test_lines_are_read_as_far_as_needed(tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson"
    file.write_text('{"messageId": "a"}\n\n{"messageId": "b"}\n{"messageId": "c"}\n{')
    assert load_events(file, 2) == [{"messageId": "a"}, {"messageId": "b"}]
    with pytest.raises(CommandError, match=re.escape(f"{file}: line 4: not JSON: ")):
        load_events(file, None)


def test_text_is_written_as_javascript_writes_it() -> None:
    ((body, signed),) = request_bodies([{"a": "Zoë \ud83d", "b": 1}], None)
    assert body == signed == '{"a":"Zoë \\ud83d","b":1}'.encode()


def test_of_a_batch_the_first_event_is_signed() -> None:
    first, second = request_bodies([{"a": 1}, {"a": 2}, {"a": 3}], 2)
    assert first == (b'[{"a":1},{"a":2}]', b'{"a":1}')
    assert second == (b'[{"a":3}]', b'{"a":3}')


# ------------------------------------------------------------------ secrets


def no_stage() -> Stage:
    raise AssertionError("only SSM needs the stage")


def stage(*, region: str | None = None, profile: str | None = None) -> Stage:
    return load_stage("dev", region, profile, path=SAMCONFIG)


def test_the_secret_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", "s")
    monkeypatch.setenv("BEARER_TOKEN", "t")
    assert find_secrets(None, no_stage) == Secrets("s", "t")
    monkeypatch.delenv("WEBHOOK_SECRET")
    with pytest.raises(CommandError, match="WEBHOOK_SECRET is not set"):
        find_secrets("environment", no_stage)


def test_without_a_terminal_nothing_is_prompted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEBHOOK_SECRET", raising=False)
    with pytest.raises(CommandError, match="no terminal to ask for the webhook secret"):
        find_secrets(None, no_stage)


def test_the_secrets_from_ssm(monkeypatch: pytest.MonkeyPatch) -> None:
    with AwsSandbox() as aws:
        aws.reset()
        for name, value in aws.environment.items():
            monkeypatch.setenv(name, value)
        missing = f"The SSM parameter {FOLDER}/webhook-secret does not exist in us-east-1: "
        with pytest.raises(CommandError, match=missing):
            find_secrets("ssm", stage)
        put_parameters(aws)
        assert find_secrets("ssm", stage) == Secrets(DEVELOPMENT_SECRET, None)
        aws.put_parameters(
            {
                f"{FOLDER}/webhook-secret": ("SecureString", "new\nold"),
                f"{FOLDER}/bearer-token": ("SecureString", "token"),
            }
        )
        assert find_secrets("ssm", stage) == Secrets("new", "token")


def test_the_secret_of_a_region_and_a_profile(
    endpoint: Endpoint,
    pixel: Pixel,
    pixel_errors: Pixel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The profile has the only credentials, and the region the only secret."""
    credentials = tmp_path / "credentials"
    credentials.write_text("[shop]\naws_access_key_id=sandbox\naws_secret_access_key=sandbox\n")
    with AwsSandbox() as aws:
        aws.reset()
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        _without_credentials(monkeypatch, credentials)
        session: Any = boto3.Session("sandbox", "sandbox", region_name="eu-west-1")
        session.client("ssm", endpoint_url=aws.url).put_parameter(
            Name=f"{FOLDER}/webhook-secret", Value=DEVELOPMENT_SECRET, Type="SecureString"
        )
        sent = ["send", sample("search"), "--url", endpoint.url, "--secret-from", "ssm"]

        pixel(*sent, "--region", "eu-west-1", "--profile", "shop")
        assert endpoint.tiktok.event_ids == {"sample-search"}

        (error,) = pixel_errors(*sent, "--profile", "shop")
        assert error == (
            f"The SSM parameter {FOLDER}/webhook-secret does not exist in us-east-1: "
            "`pixel configure dev` creates it."
        )
        (error,) = pixel_errors(*sent, "--region", "eu-west-1")
        assert error.startswith("No AWS credentials were found. ")
        (error,) = pixel_errors(*sent, "--profile", "none")
        assert error.startswith("The config profile (none) could not be found. ")


def _without_credentials(monkeypatch: pytest.MonkeyPatch, credentials: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(credentials.parent / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
