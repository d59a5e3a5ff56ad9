"""Find AWS' runtime interface emulator, its processes and free ports."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import shutil
import socket
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]


def find_emulator(root: Path = _ROOT) -> Path | None:
    """Return the path of the runtime interface emulator, or None when it is not installed.

    The candidates are `AWS_LAMBDA_RIE` from the environment, the emulator inside the AWS SAM CLI
    (in the project's `.venv-sam` or in this environment), and `aws-lambda-rie` on the path.
    """
    if named := os.environ.get("AWS_LAMBDA_RIE"):
        return Path(named)
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    inside = f"samcli/local/rapid/aws-lambda-rie-{machine}"
    candidates = sorted(root.glob(f".venv-sam/lib/python*/site-packages/{inside}"))
    spec = importlib.util.find_spec("samcli")
    if spec and spec.origin:
        candidates.append(Path(spec.origin).parents[1] / inside)
    if found := shutil.which("aws-lambda-rie"):
        candidates.append(Path(found))
    return next((one for one in candidates if os.access(one, os.X_OK)), None)


def children(pid: int) -> list[int]:
    """Return the running child processes of a process, the newest last."""
    found: list[int] = []
    for file in Path("/proc").glob(f"{pid}/task/*/children"):
        with contextlib.suppress(OSError):  # A thread can end meanwhile.
            found += map(int, file.read_text("ascii").split())
    return sorted(found)


def free_ports(count: int) -> list[int]:
    """Return ports that are free now."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in held]
