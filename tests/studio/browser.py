"""A Mappings page in a process of its own, and a Chromium to look at it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

_START_SECONDS: Final = 30.0
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS: Final = (
    "--no-sandbox",  # tests run as root in CI
    "--disable-background-networking",
    "--disable-component-update",
    "--font-render-hinting=none",
)


def chromium() -> str:
    """Return the installed Chromium; the environment variable CHROMIUM overrides the search."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if not found:
        raise RuntimeError("no Chromium is installed (apt-get install chromium), or set CHROMIUM")
    return found


@contextmanager
def launched() -> Iterator[Any]:
    """Launch Chromium."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # only where it is installed

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(_ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[str]:
    """Run `pixel studio` on the mapping files of a folder; gives the URL of the page."""
    port = free_port()
    command = (
        *(sys.executable, "-m", "tools.pixel.app", "studio", *arguments),
        *("--folder", str(folder), "--port", str(port), "--no-browser"),
    )
    with subprocess.Popen(command, cwd=folder) as process:
        try:
            url = f"http://127.0.0.1:{port}/"
            _wait(url, process)
            yield url
        finally:
            process.terminate()


def open_page(context: Any, url: str) -> Any:
    """Open the Mappings page in a browser context and wait until it is ready."""
    page = context.new_page()
    received: list[str] = []

    def listen(websocket: Any) -> None:
        # Playwright accepts no built-in method as a listener.
        websocket.on("framereceived", lambda frame: received.append(str(frame)))

    page.on("websocket", listen)
    page.goto(url)
    page.locator("h2", has_text="Result").wait_for(state="attached")
    # NiceGUI drops what is typed before its websocket is ready, and before it sends the first event
    # to the text area.
    page.wait_for_function("window.did_handshake")
    deadline = time.monotonic() + _START_SECONDS
    while not any("updateValue" in frame for frame in received):
        if time.monotonic() > deadline:
            raise TimeoutError("the page shows no event")
        page.wait_for_timeout(10)
    return page


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"pixel studio ended with status {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("pixel studio does not answer")
