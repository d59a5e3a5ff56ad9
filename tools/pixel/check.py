"""`pixel check`: examine a deployed stage, from the credentials to TikTok."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from tiktok_pixel.settings import TIKTOK_API_URL
from tools.pixel.checks import Check, Result
from tools.pixel.console import CommandError, counted, print_json, print_line, print_marked
from tools.pixel.doctor import Options, run_checks
from tools.pixel.options import JsonOption
from tools.pixel.stage import (
    SAMCONFIG,
    ConfigFileOption,
    ProfileOption,
    RegionOption,
    Stage,
    StageArgument,
    load_stage,
)

_MARKS = {
    Result.PASSED: "ok  ",
    Result.WARNING: "warn",
    Result.FAILED: "FAIL",
    Result.SKIPPED: "skip",
}


def command(  # noqa: PLR0913  # one parameter for each option
    *,
    stage: StageArgument,
    region: RegionOption = None,
    profile: ProfileOption = None,
    test_event_code: Annotated[
        str | None,
        typer.Option(help="Send TikTok a test event with this code.", metavar="CODE"),
    ] = None,
    endpoint_url: Annotated[
        str | None,
        typer.Option(help="The endpoint. [default: the stack's output]", metavar="URL"),
    ] = None,
    tiktok_url: Annotated[
        str, typer.Option(help="Scheme and host of the TikTok API.", metavar="URL")
    ] = TIKTOK_API_URL,
    config_file: ConfigFileOption = SAMCONFIG,
    as_json: JsonOption = False,
) -> None:
    """Check a deployed stage; nothing is sent as a real conversion.

    Each check passes, warns, fails or is skipped, with what to do. Exit status 1 if one fails.
    """
    chosen = load_stage(stage, region, profile, path=config_file)
    checks = run(chosen, Options(endpoint_url, test_event_code, tiktok_url), as_json=as_json)
    if not as_json:
        print_line()
    if any_failed(checks):
        raise CommandError(summary(checks))
    if not as_json:
        print_line(summary(checks))


def run(stage: Stage, options: Options, *, as_json: bool = False) -> list[Check]:
    """Run the checks and print each as soon as it is known."""
    checks: list[Check] = []
    for check in run_checks(stage, options):
        checks.append(check)
        if not as_json:
            todo = [check.todo] if check.todo else []
            print_marked(_MARKS[check.result], f"{check.name}: {check.found}", *todo)
    if as_json:
        print_json([asdict(check) for check in checks])
    return checks


def summary(checks: Sequence[Check]) -> str:
    """Return how many checks ended in which way."""
    counts = Counter(check.result for check in checks)
    ways = {
        Result.PASSED: "passed",
        Result.WARNING: "with a warning",
        Result.FAILED: "failed",
        Result.SKIPPED: "skipped",
    }
    ended = [f"{counts[result]} {way}" for result, way in ways.items() if counts[result]]
    return f"{counted(len(checks), 'check')}: {', '.join(ended)}."


def any_failed(checks: Sequence[Check]) -> bool:
    """Return whether a check failed."""
    return any(check.result is Result.FAILED for check in checks)
