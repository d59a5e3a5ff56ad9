"""`pixel send`: sign events and post them to an endpoint as Segment does."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import typer
import urllib3
from rich.console import Console
from rich.progress import track

from tools.pixel.console import CommandError, counted, print_json, print_line, print_table
from tools.pixel.event_files import read_events
from tools.pixel.options import JsonOption, StageName
from tools.pixel.stage import (
    SAMCONFIG,
    ConfigFileOption,
    ProfileOption,
    RegionOption,
    load_stage,
)
from tools.pixel.webhook_secrets import SECRET_VARIABLE, Secrets, SecretSource, find_secrets
from tools.sandbox import samples

_MOST_EVENTS: Final = 10_000
_LARGEST_BATCH: Final = 1000
_HIGHEST_RATE: Final = 50.0
_TIMEOUT: Final = 10.0
_SHOWN_ROWS: Final = 20
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Response:
    """A response of the endpoint."""

    http_status: int
    milliseconds: float
    body: Any


def command(  # noqa: PLR0913  # one parameter for each option
    *,
    file: Annotated[
        Path,
        typer.Argument(
            help="An event, a batch, a signed sample, or NDJSON; - for NDJSON from stdin.",
            metavar="FILE",
            show_default=False,
        ),
    ],
    url: Annotated[
        str, typer.Option(help="The endpoint: the stack's output EndpointUrl.", metavar="URL")
    ],
    batch: Annotated[
        int | None,
        typer.Option(
            help="Post batches of this size instead of single events.", min=1, max=_LARGEST_BATCH
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            help="Number of events: fewer than the file has, or more, repeated with new ids.",
            min=1,
            max=_MOST_EVENTS,
        ),
    ] = None,
    rate: Annotated[
        float, typer.Option(help="Requests per second.", min=0.1, max=_HIGHEST_RATE)
    ] = 5.0,
    secret_from: Annotated[
        SecretSource | None,
        typer.Option(
            help=f"Where the webhook secret is. [default: ${SECRET_VARIABLE} if set, else prompt]",
            show_default=False,
        ),
    ] = None,
    stage: Annotated[
        StageName, typer.Option(help="The stage whose parameters are read from SSM.")
    ] = "dev",
    region: RegionOption = None,
    profile: ProfileOption = None,
    config_file: ConfigFileOption = SAMCONFIG,
    as_json: JsonOption = False,
) -> None:
    """Sign events and post them to an endpoint as Segment does.

    The secret comes from the environment, a prompt, or SSM, never from an argument. In a batch,
    the first event is signed, as Segment does. --stage, --region and --profile matter for SSM only.
    """
    check_url(url)
    events = load_events(file, count)
    secrets = find_secrets(
        secret_from, lambda: load_stage(stage, region, profile, path=config_file)
    )
    bodies = list(request_bodies(events, batch))
    responses = list(
        track(
            post_all(url, bodies, secrets, rate),
            description="requests",
            total=len(bodies),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
    )
    if as_json:
        print_json(
            [
                {"http": one.http_status, "milliseconds": one.milliseconds, "body": one.body}
                for one in responses
            ]
        )
    else:
        show(responses)
    if failed := sum(not 200 <= one.http_status < 300 for one in responses):
        raise CommandError(f"{failed} of {counted(len(responses), 'request')} failed")


def check_url(url: str) -> None:
    """Refuse a URL that would send events unencrypted over a network.

    Raises:
        typer.BadParameter: The URL is neither https nor on this machine.
    """
    parts = urlsplit(url)
    is_local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or is_local):
        raise typer.BadParameter("--url must start with https:// (http:// only on this machine)")


def load_events(file: Path, count: int | None) -> list[Any]:
    """Read as many events as wanted; repeat them with new messageIds when the file has fewer.

    Raises:
        CommandError: The file cannot be read or holds no events.
    """
    wanted = count or _MOST_EVENTS
    found = read_events(file, wanted)
    if not found:
        raise CommandError(f"{file}: no events found")
    events = found
    for repetition in range(2, (count or 0) // len(found) + 2):
        events = events + [_renamed(event, repetition) for event in found]
    return events[: count or len(found)]


def _renamed(event: Any, repetition: int) -> Any:
    """Give a repeated event an id of its own: TikTok counts an id only once."""
    if isinstance(event, dict) and isinstance(event.get("messageId"), str):
        return event | {"messageId": f"{event['messageId']}-{repetition}"}
    return event


def request_bodies(events: Sequence[Any], batch: int | None) -> Iterator[tuple[bytes, bytes]]:
    """Yield request bodies, each with the part that Segment signs."""
    texts = list(map(_to_json, events))
    if batch is None:
        for text in texts:
            yield text, text
        return
    for start in range(0, len(texts), batch):
        chosen = texts[start : start + batch]
        yield b"[" + b",".join(chosen) + b"]", chosen[0]


def _to_json(event: Any) -> bytes:
    text = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
    # JavaScript escapes lone surrogates in the same way.
    return text.encode("utf-8", "backslashreplace")


def post_all(
    url: str, bodies: Sequence[tuple[bytes, bytes]], secrets: Secrets, rate: float
) -> Iterator[Response]:
    """Post the bodies one after the other, at most at the rate.

    Raises:
        CommandError: The endpoint gives no response.
    """
    started = time.monotonic()
    with urllib3.PoolManager(retries=False, timeout=_TIMEOUT) as pool:
        for number, (body, signed) in enumerate(bodies):
            time.sleep(max(0.0, started + number / rate - time.monotonic()))
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "Segment (Actions)",
                "X-Signature": samples.sign(signed, secrets.webhook),
            }
            if secrets.bearer:
                headers["Authorization"] = f"Bearer {secrets.bearer}"
            before = time.perf_counter()
            try:
                response = pool.request("POST", url, body=body, headers=headers, redirect=False)
            except urllib3.exceptions.HTTPError as error:
                raise CommandError(f"{url}: no response: {error}") from error
            took = (time.perf_counter() - before) * 1000
            yield Response(response.status, round(took, 1), _parsed(response.data))


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def show(responses: Sequence[Response]) -> None:
    """Print the responses: every event, or counts when there are many."""
    rows = [(one.http_status, row) for one in responses for row in _rows(one)]
    if len(rows) <= _SHOWN_ROWS:
        print_table(
            ["HTTP", "messageId", "TikTok event", "outcome", "reason"],
            [
                [
                    str(status),
                    str(row.get("message_id") or "-"),
                    str(row.get("event") or "-"),
                    str(row.get("status") or "-"),
                    str(row.get("reason") or "-"),
                ]
                for status, row in rows
            ],
        )
    else:
        counts = Counter(
            (str(status), str(row.get("status")), str(row.get("reason"))) for status, row in rows
        )
        print_table(
            ["HTTP", "outcome", "reason", "count"],
            [[*key, f"{count:,}"] for key, count in counts.most_common()],
        )
    times = sorted(one.milliseconds for one in responses)
    print_line(
        f"\n{counted(len(responses), 'request')}, response times: "
        f"median {times[len(times) // 2]:.0f} ms, longest {times[-1]:.0f} ms"
    )


def _rows(response: Response) -> list[dict[str, Any]]:
    """Return the events of a response; one row for a response without events."""
    body = response.body
    if not isinstance(body, dict):
        return [{"reason": str(body)[:200] or "empty response"}]
    results = body.get("results")
    if isinstance(results, list) and results:
        return [row for row in results if isinstance(row, dict)]
    return [{"status": body.get("status"), "reason": body.get("reason") or body.get("message")}]
