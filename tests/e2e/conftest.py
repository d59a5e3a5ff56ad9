"""The built application, the SAM CLI, and the sandbox that the built application uses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tools.sandbox import application
from tools.sandbox.aws import REGION, AwsSandbox
from tools.sandbox.emulator import find_emulator
from tools.sandbox.runtime import LambdaRuntime
from tools.sandbox.tiktok import TikTokSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT: Final = Path(__file__).parents[2]
_LAYER: Final = "TikTokPixelLayer"
_TIMEOUT_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Sandbox:
    """TikTok and AWS for programs in other processes and in containers."""

    tiktok: TikTokSandbox
    aws: AwsSandbox
    parked: str

    def variables(self, host: str = "127.0.0.1") -> dict[str, str]:
        """The variables that `sam local --env-vars` overrides, with the sandbox at `host`."""
        aws = self.aws.url.replace("127.0.0.1", host)
        return {
            "AWS_ENDPOINT_URL_SSM": aws,
            "AWS_ENDPOINT_URL_SQS": aws,
            "TIKTOK_API_URL": f"http://{host}:{self.tiktok.port}",
        }


@dataclass(frozen=True, slots=True)
class BuiltApplication:
    """The output of `sam build`."""

    folder: Path
    python: str

    def runtime(
        self,
        function: str,
        variables: Mapping[str, str],
        *,
        handler: str = "app.handler",
        extra: tuple[Path, ...] = (),
        timeout: float = 6.0,
    ) -> LambdaRuntime:
        """One environment of a function with its layer, started as Lambda does."""
        code = self.folder / function
        if not (code / "app.py").is_file():
            pytest.skip(f"{function} is not built: run `make build`")
        return LambdaRuntime(
            python=self.python,
            handler=handler,
            paths=[code, *extra, self.folder / _LAYER / "python"],
            env=variables,
            timeout=timeout,
        )


@dataclass(frozen=True, slots=True)
class SamCli:
    """The AWS SAM CLI, run in the project's folder."""

    program: Path

    @property
    def python(self) -> Path:
        """The interpreter of the CLI, which has the template translator installed."""
        return self.program.parent / "python"

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of the tests, with credentials that are worthless."""
        return {
            **os.environ,
            "SAM_CLI_TELEMETRY": "0",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_EC2_METADATA_DISABLED": "true",
            **more,
        }

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; the caller checks its status."""
        return subprocess.run(
            [str(self.program), *arguments],
            cwd=ROOT,
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[Sandbox]:
    # On every address, because containers are in another network.
    with TikTokSandbox(host="0.0.0.0") as tiktok, AwsSandbox(host="0.0.0.0") as aws:
        yield Sandbox(tiktok, aws, aws.create_queue(application.PARKED_QUEUE))


@pytest.fixture
def sandbox(_sandbox: Sandbox) -> Sandbox:
    """A TikTok that has received nothing, and an AWS with the operator's parameters."""
    _sandbox.tiktok.reset()
    # Created again: moto keeps its state per process, so that other tests may have reset it.
    _sandbox.aws.reset()
    application.put_parameters(_sandbox.aws)
    _sandbox.aws.create_queue(application.PARKED_QUEUE)
    return _sandbox


@pytest.fixture(scope="session")
def build() -> Path:
    """The folder of the last `sam build`."""
    folder = ROOT / ".aws-sam" / "build"
    layer = folder / _LAYER / "python"
    for path in (folder / "template.yaml", folder / "ForwardFunction" / "app.py", layer):
        if not path.exists():
            pytest.skip(f"no {path.relative_to(ROOT)}: run `make build`")
    return folder


@pytest.fixture(scope="session")
def built(build: Path) -> BuiltApplication:
    """The built functions, to be run under the runtime interface emulator."""
    if find_emulator() is None:
        pytest.skip("no runtime interface emulator: run `make build`, which installs the SAM CLI")
    return BuiltApplication(build, _interpreter())


@pytest.fixture(scope="session")
def sam() -> SamCli:
    """The SAM CLI of the project, else the one on the path."""
    own = ROOT / ".venv-sam" / "bin" / "sam"
    program = str(own) if own.is_file() else shutil.which("sam")
    if program is None:
        pytest.skip("no SAM CLI: run `make build`, which installs it")
    return SamCli(Path(program))


def _interpreter() -> str:
    """Lambda's version of Python if it has Lambda's libraries, else the Python of the tests."""
    # Version managers install shims that exist but fail, so each candidate has to run.
    program = "import sys, awslambdaric, boto3; print(sys.executable)"
    for candidate in ("python3.13", sys.executable):
        try:
            found = subprocess.run(
                [candidate, "-c", program], capture_output=True, text=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        return found.stdout.strip()
    pytest.skip("no Python with awslambdaric and boto3: run `make test` once")
