"""A Lambda function under the real runtime client, without Docker.

AWS' runtime interface emulator (part of the AWS SAM CLI) starts `awslambdaric` as Lambda does and
passes invocations on. It shows what a call of the handler cannot: the cold start, the log lines as
CloudWatch gets them, the memory of the process.

    with LambdaRuntime(
        python=sys.executable,
        handler="app.handler",
        paths=[build / "ForwardFunction", build / "Layer" / "python"],
        env={"LOG_LEVEL": "INFO"},
    ) as fn:
        result = fn.invoke({"body": "…"})

Linux only, as Lambda is.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Self

from tiktok_pixel.errors import TikTokPixelError
from tools.sandbox.emulator import children, find_emulator, free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_INVOKE_PATH: Final = "/2015-03-31/functions/function/invocations"
_INIT_REPORT: Final = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")
_START_SECONDS: Final = 10.0
_STOP_SECONDS: Final = 3.0
_LOG_SECONDS: Final = 2.0
_ENDED_SECONDS: Final = 0.1
_ATTEMPTS: Final = 3


class RuntimeHarnessError(TikTokPixelError):
    """The emulator is missing, did not start, or ended."""


@dataclass(frozen=True, slots=True)
class InvokeResult:
    """The result of an invocation.

    Attributes:
        payload: What the handler returned; None when it raised an exception.
        seconds: The time from sending the event to having read the response.
        error: Lambda's report (`errorType`, `errorMessage`, `stackTrace`) of an exception, a
            time-out, or a process that ended.
    """

    payload: Any
    seconds: float
    error: dict[str, Any] | None = None


class LambdaRuntime:
    """One execution environment; a context manager.

    The process starts with the first invocation, as on a cold start. Its environment is what Lambda
    sets and `env`, without the caller's own environment.

    Attributes:
        logs: The function's stdout and stderr, with the platform's START, END and REPORT lines.
        emulator_logs: The emulator's own log.
    """

    def __init__(
        self,
        *,
        python: str | Path,
        handler: str,
        paths: Sequence[str | Path],
        env: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        emulator: Path | None = None,
    ) -> None:
        found = emulator or find_emulator()
        if found is None:
            raise RuntimeHarnessError("no runtime interface emulator: install aws-sam-cli")
        self._emulator = found
        self._python = str(python)
        self._handler = handler
        self._paths = [str(Path(path).resolve()) for path in paths]
        self._env = dict(env or {})
        self._timeout = timeout
        self._process: subprocess.Popen[str] | None = None
        self._connection: http.client.HTTPConnection | None = None
        self._home = tempfile.TemporaryDirectory()
        self._readers: list[threading.Thread] = []
        self._logged = threading.Condition()
        self.logs: list[str] = []
        self.emulator_logs: list[str] = []

    def invoke(self, event: Any) -> InvokeResult:
        """Invoke the function and wait for its response and its log lines."""
        connection = self._running()
        content = json.dumps(event).encode()
        reports = self._reports()
        began = time.perf_counter()
        try:
            connection.request("POST", _INVOKE_PATH, content, {"Content-Type": "application/json"})
            body = connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise RuntimeHarnessError(f"the invocation ended early: {self._tail()}") from error
        seconds = time.perf_counter() - began
        payload, failure = _read(body)
        # A process that ended writes no REPORT, and its last lines can come late.
        ended = failure is not None and failure["errorType"].startswith("Runtime.")
        self._wait_for(lambda: self._reports() > reports, _ENDED_SECONDS if ended else _LOG_SECONDS)
        return InvokeResult(payload, seconds, failure)

    @property
    def init_durations_ms(self) -> list[float]:
        """The duration of each start of the process, from its exec until it is ready."""
        self._wait_for(lambda: any(map(_INIT_REPORT.search, self.emulator_logs)))
        with self._logged:
            found = [_INIT_REPORT.search(line) for line in self.emulator_logs]
        return [float(one[1]) for one in found if one]

    @property
    def init_duration_ms(self) -> float:
        """The duration of the first start, as the runtime reports it."""
        durations = self.init_durations_ms
        if not durations:
            raise RuntimeHarnessError(f"no start reported: {self._tail()}")
        return durations[0]

    @property
    def pid(self) -> int:
        """The id of the process that runs the function."""
        found = children(self._process.pid) if self._process else []
        if not found:
            raise RuntimeHarnessError("no process runs the function")
        return found[-1]

    @property
    def peak_rss_kb(self) -> int:
        """The peak memory of the function's process so far."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii", "replace")
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0])

    def start(self) -> Self:
        """Start the emulator; the function itself starts with the first invocation."""
        for _ in range(_ATTEMPTS):  # Another process can take a free port first.
            port = self._spawn()
            if self._await_port(port):
                self._connection = http.client.HTTPConnection(
                    "127.0.0.1", port, timeout=self._timeout + _STOP_SECONDS
                )
                return self
            self._end()
        self.stop()
        raise RuntimeHarnessError(f"the emulator did not start: {self._tail()}")

    def stop(self) -> None:
        """Stop the emulator and the function, and remove their files."""
        if self._connection:
            self._connection.close()
            self._connection = None
        self._end()
        self._home.cleanup()

    def _running(self) -> http.client.HTTPConnection:
        if self._connection is None:
            raise RuntimeHarnessError("the runtime is not started")
        return self._connection

    def _spawn(self) -> int:
        port, runtime_port = free_ports(2)
        command = [
            *(str(self._emulator), "--log-level", "info"),
            *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
            *("--runtime-api-address", f"127.0.0.1:{runtime_port}"),
            *(self._python, "-m", "awslambdaric", self._handler),
        ]
        self._process = subprocess.Popen(
            command,
            cwd=self._paths[0],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        streams = ((self._process.stdout, self.logs), (self._process.stderr, self.emulator_logs))
        self._readers = [
            threading.Thread(target=self._read_lines, args=stream, daemon=True)
            for stream in streams
        ]
        for reader in self._readers:
            reader.start()
        return port

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": self._home.name,
            "TMPDIR": self._home.name,
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONDONTWRITEBYTECODE": "1",  # As in Lambda, whose code is read-only.
            "PYTHONPATH": os.pathsep.join(self._paths),
            "LAMBDA_TASK_ROOT": self._paths[0],
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_LAMBDA_FUNCTION_NAME": "function",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(max(1, round(self._timeout))),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            **self._env,
        }

    def _await_port(self, port: int) -> bool:
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                return False
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(0.005)
            else:
                return True
        return False

    def _read_lines(self, stream: IO[str], lines: list[str]) -> None:
        for line in stream:
            with self._logged:
                lines.append(line.rstrip("\n"))
                self._logged.notify_all()
        stream.close()

    def _wait_for(self, reached: Callable[[], bool], seconds: float = _LOG_SECONDS) -> None:
        with self._logged:
            self._logged.wait_for(reached, seconds)

    def _reports(self) -> int:
        return sum(line.startswith("REPORT RequestId:") for line in self.logs)

    def _tail(self) -> str:
        with self._logged:
            return "\n".join([*self.emulator_logs[-5:], *self.logs[-15:]])

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        started = children(process.pid)
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pid in started:  # Each runs in a process group of its own.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        for reader in self._readers:
            reader.join(_STOP_SECONDS)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _read(body: bytes) -> tuple[Any, dict[str, Any] | None]:
    """Return the payload or the error; the emulator sends both with HTTP status 200.

    An object with `errorType` and `errorMessage` counts as an error.
    """
    try:
        payload = json.loads(body)
    except ValueError:
        # The emulator reports a time-out as plain text; Lambda uses this type.
        message = body.decode("utf-8", "replace")
        return None, {"errorType": "Sandbox.Timedout", "errorMessage": message}
    if isinstance(payload, dict) and {"errorType", "errorMessage"} <= payload.keys():
        return None, payload
    return payload, None
