"""Run the `pixel` command in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tiktok_pixel.observability import logger
from tools.pixel.app import main


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Print without colours and 80 columns wide, wherever the tests run."""
    for name in ("COLUMNS", "FORCE_COLOR", "GITHUB_ACTIONS", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _log_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo that a command sends the log to standard error."""
    handler: Any = logger.registered_handler
    monkeypatch.setattr(handler, "stream", handler.stream)


@pytest.fixture
def pixel(capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Run a command that succeeds and return the lines that it prints."""

    def run(*arguments: str) -> list[str]:
        with pytest.raises(SystemExit) as exited:
            main(arguments)
        captured = capsys.readouterr()
        assert exited.value.code == 0, captured.err
        return [line.rstrip() for line in captured.out.splitlines()]

    return run


@pytest.fixture
def pixel_errors(capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Run a command that fails and return the lines on standard error, without warnings."""

    def run(*arguments: str, status: int = 1) -> list[str]:
        with pytest.raises(SystemExit) as exited:
            main(arguments)
        lines = capsys.readouterr().err.splitlines()
        assert exited.value.code == status, lines
        return [line for line in lines if "warning: " not in line]

    return run
