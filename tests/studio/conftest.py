"""The fixtures of the browser tests, which are collected only where Playwright is installed."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.studio.browser import launched, open_page, running
from tiktok_pixel.tiktok import schema

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
def server(folder: Path) -> Iterator[str]:
    """The URL of a running Mappings page."""
    path = folder / "dev.json"
    shutil.copy(schema.shipped("default"), path)
    with running(folder, str(path)) as url:
        yield url


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
