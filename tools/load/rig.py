"""The built application with everything around it, on this machine."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tiktok_pixel.errors import TikTokPixelError
from tiktok_pixel.outcomes import Status
from tools.load import scenario
from tools.load.environments import Pool
from tools.load.gateway import Gateway
from tools.load.ledger import Ledger, parked_events
from tools.load.limits import (
    FORWARD_SECONDS,
    MEMORY_MEGABYTES,
    REDRIVE_ENVIRONMENTS,
    REDRIVE_SECONDS,
)
from tools.load.segment import Segment
from tools.load.traffic import Traffic
from tools.load.trigger import Trigger
from tools.sandbox import application
from tools.sandbox.aws import AwsSandbox, FaultyAws
from tools.sandbox.emulator import find_emulator
from tools.sandbox.runtime import LambdaRuntime
from tools.sandbox.tiktok import TikTokSandbox

BUILD: Final = Path(__file__).parents[2] / ".aws-sam" / "build"
_LAYER: Final = "TikTokPixelLayer"
# What Lambda sets, also for the template's LoggingConfig.
_LAMBDA_SETS: Final = {
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_LOG_FORMAT": "JSON",
    "AWS_LAMBDA_LOG_LEVEL": "INFO",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MEGABYTES),
}
_NEW_TOKEN: Final = "rotated-access-token"
# After the last event: for the rest of Segment's retries, and for the queue.
_LONGEST_AFTERWARDS: Final = 150.0
_POLL_SECONDS: Final = 0.25
# So many polls in a row find only poison when the queue is drained.
_CLEAN_POLLS: Final = 2 * REDRIVE_ENVIRONMENTS


class NotBuiltError(TikTokPixelError):
    """The application or the emulator is missing."""


@dataclass(frozen=True, slots=True)
class Rig:
    """A deployment of the built application, and the world around it.

    Attributes:
        tiktok: The local TikTok.
        aws: The local AWS.
        forward: The environments of the forward function.
        redrive: The environments of the redrive function.
        gateway: The endpoint.
        trigger: The trigger of the redrive function.
        variables: The environment variables of both functions.
    """

    tiktok: TikTokSandbox
    aws: AwsSandbox
    forward: Pool
    redrive: Pool
    gateway: Gateway
    trigger: Trigger
    variables: Mapping[str, str]

    def deploy(self, test_event_code: str) -> None:
        """Deploy both functions with this test event code."""
        variables = {**self.variables, "TEST_EVENT_CODE": test_event_code}
        self.forward.deploy(lambda: forward_environment(variables))
        self.redrive.deploy(lambda: redrive_environment(variables))

    def revoke_token(self) -> None:
        """Make TikTok accept a new token only."""
        self.tiktok.settings.tokens = {_NEW_TOKEN}

    def store_token(self) -> None:
        """Store the new token, as an operator does."""
        name = f"{application.FOLDER}/access-token"
        self.aws.put_parameters({name: ("SecureString", _NEW_TOKEN)})


@contextmanager
def start(environments: int) -> Iterator[Rig]:
    """Start everything on free ports of the loopback interface.

    Raises:
        NotBuiltError: `make build` has to be run first.
    """
    if not (BUILD / "ForwardFunction" / "app.py").is_file() or find_emulator() is None:
        raise NotBuiltError("the application is not built: run `make build`")
    with TikTokSandbox() as tiktok, AwsSandbox() as aws, FaultyAws(aws.url) as proxy:
        application.put_parameters(aws)
        queue_url = aws.create_queue(application.PARKED_QUEUE)
        # The functions delay messages as in production, and the messages are visible at once.
        proxy.skips_delays = True
        variables = application.environment(
            tiktok.url,
            aws.url,
            AWS_ENDPOINT_URL_SQS=proxy.url,
            PARKED_QUEUE_URL=queue_url,
            **_LAMBDA_SETS,
        )
        with (
            Pool(lambda: redrive_environment(variables), REDRIVE_ENVIRONMENTS) as redrive,
            Pool(lambda: forward_environment(variables), environments) as forward,
            Gateway(forward) as gateway,
        ):
            trigger = Trigger(aws.sqs, queue_url, redrive)
            yield Rig(tiktok, aws, forward, redrive, gateway, trigger, variables)


def forward_environment(variables: Mapping[str, str]) -> LambdaRuntime:
    """Return an environment of the built forward function."""
    return _environment("ForwardFunction", variables, FORWARD_SECONDS)


def redrive_environment(variables: Mapping[str, str]) -> LambdaRuntime:
    """Return an environment of the built redrive function."""
    return _environment("RedriveFunction", variables, REDRIVE_SECONDS)


def _environment(function: str, variables: Mapping[str, str], seconds: float) -> LambdaRuntime:
    return LambdaRuntime(
        python=sys.executable,
        handler="app.handler",
        paths=[BUILD / function, BUILD / _LAYER / "python"],
        env=variables,
        timeout=seconds,
    )


@dataclass(frozen=True, slots=True)
class Run:
    """What a run left behind.

    Attributes:
        sent_seconds: How long events were sent, with Segment's retries.
        seconds: How long everything took.
        steps: What went wrong, with the time in seconds from the start.
        parked: Cause and reason by messageId, of the events in the queue at the end.
        started: The start, as `time.monotonic()`.
        segment: The sender.
    """

    sent_seconds: float
    seconds: float
    steps: list[tuple[float, str]]
    parked: Mapping[str, str]
    started: float
    segment: Segment


def run(
    rig: Rig, traffic: Traffic, ledger: Ledger, seconds: float, show: Callable[[str], None]
) -> Run:
    """Send all events while things go wrong, then wait until the queue holds only poison."""
    weather = scenario.Weather()
    scenario.install(rig.tiktok, weather, traffic)
    steps = scenario.timeline(
        seconds,
        weather,
        revoke_token=rig.revoke_token,
        store_token=rig.store_token,
        deploy=rig.deploy,
    )
    segment = Segment(rig.gateway.url, ledger.record)
    stopping, out_of_time = threading.Event(), threading.Event()
    limit = threading.Timer(seconds + _LONGEST_AFTERWARDS, out_of_time.set)
    started = time.monotonic()
    limit.start()
    with ThreadPoolExecutor(REDRIVE_ENVIRONMENTS + 1) as pool:
        try:
            pollers = [
                pool.submit(rig.trigger.poll_until, stopping) for _ in range(REDRIVE_ENVIRONMENTS)
            ]
            player = pool.submit(scenario.play, steps, out_of_time, show)
            segment.run(traffic.posts, seconds, out_of_time)
            happened = player.result()
            sent_seconds = time.monotonic() - started
            weather.transient_share = 0.0
            show("draining the queue")
            _drain(rig, traffic, ledger, out_of_time)
        finally:
            stopping.set()
            out_of_time.set()
            limit.cancel()
        for poller in pollers:
            poller.result()
    ended = time.monotonic() - started
    parked = parked_events(rig.aws.messages(rig.trigger.queue_url))
    return Run(sent_seconds, ended, happened, parked, started, segment)


def _drain(rig: Rig, traffic: Traffic, ledger: Ledger, out_of_time: threading.Event) -> None:
    """Wait until every event is settled, and the queue was read whole after that."""
    settled_at: int | None = None
    while not out_of_time.wait(_POLL_SECONDS):
        polls = rig.trigger.polls
        settled = rig.tiktok.event_ids | traffic.poison | rig.trigger.rejected.keys()
        waiting = {Status.PARKED, Status.FORWARDED}
        if any(
            status in waiting and message_id not in settled
            for message_id, (status, _) in ledger.reported.items()
        ):
            continue
        if settled_at is None:
            settled_at = len(polls)
        last = polls[-_CLEAN_POLLS:]
        if len(polls) >= settled_at + _CLEAN_POLLS and all(ids <= traffic.poison for ids in last):
            return
