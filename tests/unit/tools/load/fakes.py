"""An environment in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Self

from tools.sandbox.runtime import InvokeResult


class FakeEnvironment:
    """Answers invocations with a function; can be held in one."""

    def __init__(self, respond: Callable[[Any], Any] = lambda _: {}) -> None:
        self.logs: list[str] = []
        self.events: list[Any] = []
        self.is_running = False
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.invoked = threading.Semaphore(0)
        self._respond = respond

    def invoke(self, event: Any) -> InvokeResult:
        self.events.append(event)
        self.invoked.release()
        self.may_answer.wait(10)
        answer = self._respond(event)
        return answer if isinstance(answer, InvokeResult) else InvokeResult(answer, 0.0)

    def start(self) -> Self:
        self.is_running = True
        return self

    def stop(self) -> None:
        self.is_running = False
