"""The runtime harness runs a function as Lambda does, and reports what Lambda reports."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tools.sandbox.emulator import find_emulator
from tools.sandbox.runtime import LambdaRuntime, RuntimeHarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.runtime,
    pytest.mark.skipif(find_emulator() is None, reason="the emulator is not installed"),
]

APP = """
import os, sys, time
import shared
time.sleep(float(os.environ.get("SLOW_START", "0")))
held = None

def handler(event, context):
    global held
    print("printed", event.get("n"))
    print("to stderr", file=sys.stderr)
    if event.get("raise"):
        raise ValueError("no good")
    if event.get("exit"):
        os._exit(3)
    time.sleep(event.get("sleep", 0))
    held = b"x" * event.get("hold", 0)
    return {"n": event.get("n"), "env": dict(os.environ), "shared": shared.NAME}
"""


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    function, layer = tmp_path / "function", tmp_path / "layer" / "python"
    function.mkdir()
    layer.mkdir(parents=True)
    (function / "app.py").write_text(APP)
    (layer / "shared.py").write_text("NAME = 'from the layer'\n")
    return [function, layer]


@pytest.fixture
def fn(paths: list[Path]) -> Iterator[LambdaRuntime]:
    env = {"GREETING": "hello", "SLOW_START": "0.05"}
    with LambdaRuntime(
        python=sys.executable, handler="app.handler", paths=paths, env=env, timeout=1
    ) as runtime:
        yield runtime


def test_invocations_share_one_process(fn: LambdaRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONLY_OF_THE_TEST", "1")
    cold, warm = fn.invoke({"n": 1}), fn.invoke({"n": 2})
    assert (cold.error, warm.error) == (None, None)
    assert [cold.payload["n"], warm.payload["n"]] == [1, 2]
    assert cold.payload["shared"] == "from the layer"
    assert cold.payload["env"]["GREETING"] == "hello"
    assert cold.payload["env"]["AWS_LAMBDA_FUNCTION_NAME"] == "function"
    assert "ONLY_OF_THE_TEST" not in cold.payload["env"]
    assert 0 < warm.seconds < cold.seconds
    assert len(fn.init_durations_ms) == 1
    assert 50 <= fn.init_duration_ms <= cold.seconds * 1000


def test_logs_are_complete_when_invoke_returns(fn: LambdaRuntime) -> None:
    fn.invoke({"n": 7})
    assert fn.logs[0].startswith("START RequestId")
    assert set(fn.logs[1:3]) == {"printed 7", "to stderr"}
    assert fn.logs[-1].startswith("REPORT RequestId")


def test_peak_memory_grows_and_stays(fn: LambdaRuntime) -> None:
    fn.invoke({})
    before = fn.peak_rss_kb
    fn.invoke({"hold": 30_000_000})
    fn.invoke({})
    assert fn.peak_rss_kb > before + 25_000


def test_an_exception_is_reported(fn: LambdaRuntime) -> None:
    result = fn.invoke({"raise": True})
    assert result.payload is None
    assert result.error
    assert (result.error["errorType"], result.error["errorMessage"]) == ("ValueError", "no good")
    assert any("no good" in line for line in fn.logs)
    assert fn.invoke({"n": 1}).payload["n"] == 1


def test_a_process_that_exits_is_started_again(fn: LambdaRuntime) -> None:
    fn.invoke({})
    result = fn.invoke({"exit": True})
    assert result.error
    assert result.error["errorType"] == "Runtime.ExitError"
    assert fn.invoke({"n": 1}).payload["n"] == 1
    assert len(fn.init_durations_ms) == 2


def test_a_time_out_is_reported(fn: LambdaRuntime) -> None:
    result = fn.invoke({"sleep": 30})
    assert result.error
    assert result.error["errorMessage"].startswith("Task timed out")
    assert 1 <= result.seconds < 30


def test_stop_ends_the_process(paths: list[Path]) -> None:
    runtime = LambdaRuntime(python=sys.executable, handler="app.handler", paths=paths).start()
    runtime.invoke({})
    pid = runtime.pid
    runtime.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    runtime.stop()
    with pytest.raises(RuntimeHarnessError, match="not started"):
        runtime.invoke({})


def test_an_import_error_is_reported(tmp_path: Path) -> None:
    with LambdaRuntime(python=sys.executable, handler="app.handler", paths=[tmp_path]) as runtime:
        result = runtime.invoke({})
    assert result.error
    assert "No module named 'app'" in result.error["errorMessage"]
    assert not list(tmp_path.rglob("*.pyc"))


def test_an_emulator_that_does_not_start_is_reported(tmp_path: Path) -> None:
    with pytest.raises(RuntimeHarnessError, match="did not start"):
        LambdaRuntime(
            python=sys.executable,
            handler="app.handler",
            paths=[tmp_path],
            emulator=Path("/bin/false"),
        ).start()
