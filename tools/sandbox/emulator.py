"""Where AWS' runtime interface emulator is, and what it needs of the machine."""

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
    """The runtime interface emulator, or None where it is not installed.

    `AWS_LAMBDA_RIE` names it; else it is the one in the AWS SAM CLI, be that installed in the
    project's `.venv-sam` or beside this program; else `aws-lambda-rie` on the path.
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
    """The processes that this one started and that live, the newest last."""
    found: list[int] = []
    for file in Path("/proc").glob(f"{pid}/task/*/children"):
        with contextlib.suppress(OSError):  # A thread may end while we look.
            found += map(int, file.read_text("ascii").split())
    return sorted(found)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in held]
