"""What goes wrong during a load test, and when."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from tools.load.traffic import Traffic
from tools.sandbox import faults
from tools.sandbox.tiktok import TikTokSandbox
from tools.sandbox.wire import Request

TRANSIENT_SHARE: Final = 0.02
OUTAGE_SECONDS: Final = 10.0
WRONG_TEST_CODE: Final = "TESTWRONG"
_THROTTLED_SHARE: Final = 0.5
_OUTAGE_HANG_SECONDS: Final = 4.0
_POLL_SECONDS: Final = 0.1


@dataclass(slots=True)
class Weather:
    """What TikTok does to requests at the moment.

    Attributes:
        is_out: It does not work at all.
        is_throttling: It refuses half of the requests as too many.
        transient_share: The share of requests that fail without a reason.
    """

    is_out: bool = False
    is_throttling: bool = False
    transient_share: float = TRANSIENT_SHARE
    _random: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311

    def happens(self, share: float) -> bool:
        """Return True for this share of the calls."""
        return self._random.random() < share


def install(tiktok: TikTokSandbox, weather: Weather, traffic: Traffic) -> None:
    """Let the local TikTok behave as the weather says, and fail on the poison."""
    tiktok.settings.poisoned = set(traffic.content_poison)
    poison = [f'"event_id":"{message_id}"'.encode() for message_id in traffic.server_error_poison]
    code = f'"test_event_code":"{WRONG_TEST_CODE}"'.encode()

    _always_one_of(
        tiktok,
        weather,
        [
            faults.hang(_OUTAGE_HANG_SECONDS),
            faults.hang(_OUTAGE_HANG_SECONDS, accept=True),
            faults.reset(),
            faults.http(502),
        ],
        share=lambda: float(weather.is_out),
    )
    tiktok.always(
        faults.answer(40002, "Invalid value for test_event_code: not a valid code."),
        when=lambda request: code in request.body,
    )
    tiktok.always(
        faults.answer(40100, "Too many requests. Please retry in some seconds."),
        when=lambda _: weather.is_throttling and weather.happens(_THROTTLED_SHARE),
    )
    _always_one_of(
        tiktok,
        weather,
        [
            faults.answer(50000, "System error"),
            faults.http(503),
            faults.reset(),
            faults.close(accept=True),
            faults.truncated_json(accept=True),
        ],
        share=lambda: weather.transient_share,
    )
    tiktok.always(
        faults.answer(50000, "System error", status=500),
        when=lambda request: any(one in request.body for one in poison),
    )


def _always_one_of(
    tiktok: TikTokSandbox,
    weather: Weather,
    kinds: Sequence[faults.Fault],
    share: Callable[[], float],
) -> None:
    """Apply faults, each equally often, to a share of the requests."""

    def applies(number: int, _: Request) -> bool:
        # The kinds are tried in order, so this is a share of what those before have left.
        each = share() / len(kinds)
        return weather.happens(each / (1 - number * each))

    for number, kind in enumerate(kinds):
        tiktok.always(kind, when=partial(applies, number))


@dataclass(frozen=True, slots=True)
class Step:
    """Something that changes.

    Attributes:
        at: Seconds from the start.
        name: What the progress shows from then on.
        change: Makes it so.
    """

    at: float
    name: str
    change: Callable[[], None]


def timeline(
    seconds: float,
    weather: Weather,
    *,
    revoke_token: Callable[[], None],
    store_token: Callable[[], None],
    deploy: Callable[[str], None],
) -> list[Step]:
    """Return what happens while events are sent for this many seconds.

    Args:
        seconds: How long events are sent.
        weather: What TikTok does.
        revoke_token: Makes TikTok accept only a new token.
        store_token: Puts the new token into SSM.
        deploy: Deploys with this test event code.
    """

    def set_out(value: bool) -> Callable[[], None]:  # noqa: FBT001  # a switch
        return lambda: setattr(weather, "is_out", value)

    def set_throttling(value: bool) -> Callable[[], None]:  # noqa: FBT001  # a switch
        return lambda: setattr(weather, "is_throttling", value)

    outage = 0.15 * seconds
    return [
        Step(outage, "outage", set_out(True)),
        Step(outage + OUTAGE_SECONDS, "recovered", set_out(False)),
        Step(0.42 * seconds, "throttling", set_throttling(True)),
        Step(0.52 * seconds, "not throttling", set_throttling(False)),
        Step(0.57 * seconds, "token revoked", revoke_token),
        Step(0.67 * seconds, "token rotated", store_token),
        Step(0.72 * seconds, "wrong test event code", lambda: deploy(WRONG_TEST_CODE)),
        Step(0.87 * seconds, "test event code removed", lambda: deploy("")),
    ]


def play(
    steps: Sequence[Step], stopping: threading.Event, show: Callable[[str], None]
) -> list[tuple[float, str]]:
    """Make each change at its time; return when each happened, in seconds from the start."""
    started = time.monotonic()
    happened: list[tuple[float, str]] = []
    for step in steps:
        while (left := started + step.at - time.monotonic()) > 0:
            if stopping.wait(min(left, _POLL_SECONDS)):
                return happened
        happened.append((time.monotonic() - started, step.name))
        show(step.name)
        step.change()
    return happened
