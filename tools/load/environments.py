"""Execution environments of a function, each with one invocation at a time, as in Lambda."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Protocol, Self

from tools.sandbox.runtime import InvokeResult

_POLL_SECONDS: Final = 0.05


class Environment(Protocol):
    """What a pool uses of :class:`tools.sandbox.runtime.LambdaRuntime`."""

    logs: list[str]

    def invoke(self, event: Any) -> InvokeResult:
        """Invoke the function and wait for the result."""

    def start(self) -> Self:
        """Start the environment."""

    def stop(self) -> None:
        """End the environment."""


class Pool:
    """The environments of one function; a context manager.

    Args:
        create: Creates an environment of the deployed version.
        count: The most invocations at a time (Lambda's reserved concurrency).
    """

    def __init__(self, create: Callable[[], Environment], count: int) -> None:
        self._create = create
        self._count = count
        self._lock = threading.Lock()
        self._current: set[Environment] = set()
        self._free: list[Environment] = []
        self._in_use = 0

    def take(self) -> Environment | None:
        """Return the free environment that was used last, or None if there is none."""
        with self._lock:
            if not self._free:
                return None
            self._in_use += 1
            return self._free.pop()

    def give_back(self, environment: Environment) -> None:
        """Return an environment after its invocation."""
        environment.logs.clear()
        with self._lock:
            self._in_use -= 1
            if environment in self._current:
                self._free.append(environment)
                return
        environment.stop()

    def deploy(self, create: Callable[[], Environment]) -> None:
        """Replace all environments by those of a new version; invocations in progress end."""
        self._create = create
        fresh = self._start()
        with self._lock:
            outdated = list(self._free)
            self._current = set(fresh)
            self._free = list(fresh)
        for environment in outdated:
            environment.stop()

    def start(self) -> Self:
        """Start the environments; the function itself starts with the first invocation."""
        fresh = self._start()
        self._current.update(fresh)
        self._free.extend(fresh)
        return self

    def stop(self) -> None:
        """Stop the environments after their invocations."""
        with self._lock:
            outdated = list(self._free)
            self._current = set()
            self._free = []
        for environment in outdated:
            environment.stop()
        pause = threading.Event()
        while self._in_use:
            pause.wait(_POLL_SECONDS)

    def _start(self) -> list[Environment]:
        started: list[Environment] = []
        try:
            for _ in range(self._count):
                started.append(self._create().start())  # noqa: PERF401  # those started are stopped
        except BaseException:
            for environment in started:
                with suppress(OSError):
                    environment.stop()
            raise
        return started

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
