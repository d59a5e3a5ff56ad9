"""The fixtures of the browser tests, which are collected only where Playwright is installed."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.studio.browser import free_port, launched, open_page, running
from tiktok_pixel.tiktok import schema
from tools.sandbox.samples import sign

collect_ignore_glob = [] if importlib.util.find_spec("playwright") else ["test_*.py"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the mapping files."""
    return tmp_path_factory.mktemp("mappings")


@pytest.fixture
def file(folder: Path) -> Path:
    """The mapping file that the page opens, as shipped."""
    for old in folder.glob("*"):
        old.unlink()
    path = folder / "dev.json"
    shutil.copy(schema.shipped("default"), path)
    return path


@pytest.fixture(scope="session")
def server(folder: Path, endpoint_port: int) -> Iterator[str]:
    """The URL of a running Mappings page."""
    path = folder / "dev.json"
    shutil.copy(schema.shipped("default"), path)
    with running(folder, str(path), "--endpoint", f"http://127.0.0.1:{endpoint_port}") as url:
        yield url


@pytest.fixture(scope="session")
def endpoint_port() -> int:
    """The port at which the page looks for a sandbox."""
    return free_port()


@pytest.fixture
def endpoint(endpoint_port: int) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Signs an event and posts it to the endpoint of a running `pixel sandbox`."""
    ports = ("--port=0", "--aws-port=0", f"--endpoint-port={endpoint_port}")
    command = (sys.executable, "-m", "tools.pixel.app", "sandbox", *ports)

    def post(event: dict[str, Any]) -> None:
        body = json.dumps(event).encode()
        url = f"http://127.0.0.1:{endpoint_port}/segment"
        headers = {"X-Signature": sign(body), "Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10).close()

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("Endpoint"):
                break
        yield post
        process.terminate()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A running Chromium."""
    with launched() as chromium:
        yield chromium


@pytest.fixture
def opened(browser: Any, server: str, file: Path) -> Iterator[Callable[..., Any]]:  # noqa: ARG001
    """Opens the page; checks in the end that nothing was requested from elsewhere or failed."""
    contexts: list[Any] = []
    hosts: set[str] = set()
    errors: list[str] = []

    def note(sent: Any) -> None:
        hosts.add(urlsplit(sent.url).netloc)

    def open_(**options: Any) -> Any:
        # Without motion: what fades in is less readable until it is there.
        defaults = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}
        context = browser.new_context(**{**defaults, **options})
        contexts.append(context)
        context.set_default_timeout(8_000)
        context.on("request", note)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        context.on("page", lambda page: page.on("websocket", note))
        return open_page(context, server)

    yield open_
    for context in contexts:
        context.close()
    assert hosts <= {urlsplit(server).netloc, ""}  # no host: data URLs
    assert errors == []


@pytest.fixture
def page(opened: Callable[..., Any]) -> Any:
    """The page on a wide screen."""
    return opened()


@pytest.fixture
def presets(file: Path) -> Callable[[], list[dict[str, Any]]]:
    """Reads the presets of the mapping file."""

    def read() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(file.read_text())
        return found

    return read
