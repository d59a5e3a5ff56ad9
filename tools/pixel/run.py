"""`pixel run`: every sample event through the real function to a local TikTok."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from tools.pixel.console import CommandError, counted, print_json, print_line, print_table, silence
from tools.pixel.options import JsonOption

_SHOWN: Final = "place-an-order"


@dataclass(frozen=True, slots=True)
class SampleRun:
    """How one sample event ended.

    Attributes:
        sample: The name of the file in `events/`.
        http_status: The status of the response to Segment.
        row: The event's row in the response.
        milliseconds: The time of the response.
    """

    sample: str
    http_status: int
    row: dict[str, Any]
    milliseconds: float


def command(*, as_json: JsonOption = False) -> None:
    """Send every sample event through the real function to a local TikTok."""
    # moto and boto3 take a second to import: only for the commands that use them.
    from tools.sandbox import samples  # noqa: PLC0415

    runs, requests = run_samples()
    if as_json:
        rows = [{"sample": run.sample, "http": run.http_status, **run.row} for run in runs]
        print_json({"samples": rows, "requests": list(requests.values())})
    else:
        _show(runs, requests)
    expected = {f"sample-{name}" for name in (*samples.MAPPED, "partly-unusable")}
    if set(requests) != expected:
        difference = ", ".join(sorted(set(requests) ^ expected))
        raise CommandError(f"samples that did not end as documented: {difference}")


def run_samples() -> tuple[list[SampleRun], dict[str, Any]]:
    """Post every signed sample; return the responses, and TikTok's requests by event id."""
    from tools.sandbox import samples  # noqa: PLC0415
    from tools.sandbox.application import (  # noqa: PLC0415
        environment,
        forward_application,
        put_parameters,
    )
    from tools.sandbox.aws import AwsSandbox  # noqa: PLC0415
    from tools.sandbox.tiktok import TikTokSandbox  # noqa: PLC0415

    runs = []
    with TikTokSandbox() as tiktok, AwsSandbox() as aws:
        put_parameters(aws)
        with silence(), forward_application(environment(tiktok.url, aws.url)) as application:
            for name in samples.names():
                started = time.perf_counter()
                response = application.post(samples.read(samples.SIGNED + name))
                took = (time.perf_counter() - started) * 1000
                runs.append(SampleRun(name, response.status, response.row, took))
        requests = {event_id: one.parsed for one in tiktok.requests for event_id in one.event_ids}
    return runs, requests


def _show(runs: list[SampleRun], requests: dict[str, Any]) -> None:
    print_table(
        ["sample", "TikTok event", "HTTP", "outcome", "reason"],
        [
            [
                run.sample,
                run.row["event"] or "-",
                str(run.http_status),
                run.row["status"],
                run.row["reason"],
            ]
            for run in runs
        ],
    )
    events = counted(len(requests), "event")
    middle = median(run.milliseconds for run in runs)
    print_line(f"\nMedian response time: {middle:.1f} ms. TikTok has {events}.")
    print_line(f"The request for events/{_SHOWN}.json:\n")
    print_json(requests.get(f"sample-{_SHOWN}"))
