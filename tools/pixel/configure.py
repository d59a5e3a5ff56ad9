"""`pixel configure`: store what the functions read, and set the template's parameters."""

from __future__ import annotations

import re
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from tiktok_pixel.aws.credentials import DEVELOPMENT_SECRET
from tools.ops.template import load_template
from tools.pixel.aws_errors import aws_errors
from tools.pixel.console import CommandError, print_line, print_warning
from tools.pixel.samconfig import difference, with_parameters, with_region
from tools.pixel.stage import (
    SAMCONFIG,
    ConfigFileOption,
    ProfileOption,
    RegionOption,
    Stage,
    StageArgument,
    load_stage,
)
from tools.pixel.template_parameters import parameter_problem

PIXEL_CODE: Final = "pixel-code"
ACCESS_TOKEN: Final = "access-token"  # the name of a parameter
WEBHOOK_SECRET: Final = "webhook-secret"  # the name of a parameter
BEARER_TOKEN: Final = "bearer-token"  # the name of a parameter
# The shortest access token (real ones have 40 characters) and the shortest secret.
_SHORTEST: Final = 16
_QUESTIONS: Final = {
    "DefaultPageUrl": "Address of your site, for events without a page",
    "DefaultPhoneRegion": "Country of national phone numbers, such as US",
    "MappingSet": "Mapping set: default, full or custom",
    "AlarmEmail": "Email address for alarms",
}
# Clears a value; Enter alone keeps the one in brackets.
_EMPTY_ANSWER: Final = "-"


@dataclass(frozen=True, slots=True)
class Existing:
    """A parameter that is stored already."""

    version: int
    value: str
    """The value of a String, the encrypted one of a SecureString."""


@dataclass(frozen=True, slots=True)
class Change:
    """A parameter to store."""

    name: str
    value: str
    is_secret: bool


def command(
    *,
    stage: StageArgument,
    region: RegionOption = None,
    profile: ProfileOption = None,
    kms_key: Annotated[
        str | None,
        typer.Option(help="The KMS key of the secrets. [default: that of AWS]", metavar="ARN"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Ask and show, but change nothing.")
    ] = False,
    config_file: ConfigFileOption = SAMCONFIG,
) -> None:
    """Store pixel code, access token and webhook secret, and set the stage's parameters.

    Secrets are asked for without being shown. What exists is kept unless you replace it. The
    webhook secret is generated and shown once, for Segment. Nothing is stored before the last
    question.
    """
    chosen = load_stage(stage, region, profile, path=config_file)
    print_line(f"Stage {chosen.name}, stack {chosen.stack}, region {chosen.region}")
    with aws_errors():
        ssm = chosen.client("ssm")
        existing = read_existing(ssm, chosen.folder)
        changes, secret = ask_secrets(chosen, existing)
        values = ask_parameters(chosen)
        for change in changes:
            if dry_run:
                print_line(f"would store {change.name}")
                continue
            store(ssm, change, kms_key)
            print_line(f"stored {change.name}")
    if secret is not None and not dry_run:
        show_secret(secret)
    write_parameters(chosen, values, region, config_file, dry_run=dry_run)


def read_existing(ssm: Any, folder: str) -> dict[str, Existing]:
    """Return the parameters that exist, by the last part of their name; secrets stay encrypted."""
    names = [f"{folder}/{name}" for name in (PIXEL_CODE, ACCESS_TOKEN, WEBHOOK_SECRET)]
    found = ssm.get_parameters(Names=names, WithDecryption=False)["Parameters"]
    return {one["Name"].rpartition("/")[2]: Existing(one["Version"], one["Value"]) for one in found}


def ask_secrets(stage: Stage, existing: Mapping[str, Existing]) -> tuple[list[Change], str | None]:
    """Ask for the SSM parameters; return what to store, and the webhook secret if it is new."""
    changes: list[Change] = []
    code = existing.get(PIXEL_CODE)
    if code is None or _replaces(PIXEL_CODE, f"version {code.version}, {code.value}"):
        value = _ask("Pixel code (Events Manager, your pixel, Settings)", check_pixel_code)
        changes.append(Change(f"{stage.folder}/{PIXEL_CODE}", value, is_secret=False))
    token = existing.get(ACCESS_TOKEN)
    if token is None or _replaces(ACCESS_TOKEN, f"version {token.version}"):
        value = _ask("Access token (the same page, Events API)", check_token, hidden=True)
        changes.append(Change(f"{stage.folder}/{ACCESS_TOKEN}", value, is_secret=True))
    known = existing.get(WEBHOOK_SECRET)
    if known is not None and not _replaces(WEBHOOK_SECRET, f"version {known.version}"):
        return changes, None
    if known is not None:
        print_line(
            "Until Segment has the new secret, requests with the old one are refused for good. "
            "To change it without a gap, see README, Connect Segment."
        )
    secret = secrets.token_hex(32)
    changes.append(Change(f"{stage.folder}/{WEBHOOK_SECRET}", secret, is_secret=True))
    return changes, secret


def _replaces(name: str, what: str) -> bool:
    return typer.confirm(f"{name} exists ({what}). Replace it?", default=False, err=True)


def _ask(
    text: str,
    check: Callable[[str], str | None],
    *,
    default: str | None = None,
    hidden: bool = False,
) -> str:
    """Ask until the answer passes the check; without a terminal, ask once.

    Raises:
        CommandError: There is no terminal, and the answer does not pass the check.
    """
    while True:
        given: str = typer.prompt(
            text, default=default, show_default=bool(default), hide_input=hidden, err=True
        )
        value = "" if given == _EMPTY_ANSWER else given.strip()
        problem = check(value)
        if problem is None:
            return value
        if not sys.stdin.isatty():
            raise CommandError(problem)
        print_warning(problem)


def check_pixel_code(value: str) -> str | None:
    """Return what is wrong with a pixel code."""
    if re.fullmatch(r"[A-Za-z0-9]{6,64}", value):
        return None
    return "A pixel code has letters and digits only, for example C0XXXXXXXXXXXXXXXXXX."


def check_token(value: str) -> str | None:
    """Return what is wrong with an access token."""
    if value.isascii() and value.isprintable() and " " not in value and len(value) >= _SHORTEST:
        return None
    return f"An access token has at least {_SHORTEST} ASCII characters and no white space."


def check_secret(value: str, stage: str) -> str | None:
    """Return what is wrong with a webhook secret, one per line."""
    lines = [line.strip() for line in value.splitlines() if line.strip()]
    if not lines:
        return "It is empty."
    if stage == "prod" and DEVELOPMENT_SECRET in lines:
        return "It is the secret of the samples, which prod refuses."
    if min(map(len, lines)) < _SHORTEST:
        return f"It is shorter than {_SHORTEST} characters."
    return None


def store(ssm: Any, change: Change, kms_key: str | None) -> None:
    """Write one parameter."""
    options: dict[str, Any] = {"KeyId": kms_key} if kms_key and change.is_secret else {}
    ssm.put_parameter(
        Name=change.name,
        Value=change.value,
        Type="SecureString" if change.is_secret else "String",
        Overwrite=True,
        **options,
    )


def show_secret(secret: str) -> None:
    """Show the new webhook secret, the only time."""
    print_line()
    print_line("Shared Secret for Segment; it is shown only now:")
    print_line(secret)
    print_line()


def ask_parameters(stage: Stage) -> dict[str, str]:
    """Ask for the template's parameters; each answer is checked at once."""
    declared = load_template()["Parameters"]
    values = {}
    for name, text in _QUESTIONS.items():
        current = stage.parameters[name]
        may_be_empty = parameter_problem(name, "", declared) is None
        hint = f" ({_EMPTY_ANSWER} for none)" if current else " (optional)"
        values[name] = _ask(
            text + hint if may_be_empty else text,
            partial(parameter_problem, name, declared=declared),
            default=current,
        )
    if values["AlarmEmail"] and values["AlarmEmail"] != stage.parameters["AlarmEmail"]:
        print_line("AWS asks the address to confirm after the deployment; alarms reach it then.")
    if not values["AlarmEmail"] and not stage.parameters["AlarmTopicArn"]:
        print_line("Without AlarmEmail or AlarmTopicArn, no alarm reaches anybody.")
    return values


def write_parameters(
    stage: Stage, values: Mapping[str, str], region: str | None, path: Path, *, dry_run: bool
) -> None:
    """Write the template's parameters that change, and the region, to `samconfig.toml`."""
    before = path.read_text(encoding="utf-8")
    changes = {name: value for name, value in values.items() if value != stage.parameters[name]}
    after = with_parameters(before, stage.name, changes) if changes else before
    if region is not None and load_stage(stage.name, path=path).region != region:
        after = with_region(after, stage.name, region)
    if after == before:
        print_line(f"{path.name} stays as it is.")
        return
    for line in difference(before, after, path.name):
        print_line(line)
    if dry_run:
        return
    if typer.confirm(f"Write {path.name}?", default=True, err=True):
        path.write_text(after, encoding="utf-8")
        print_line(f"{path.name} written. `pixel deploy {stage.name}` applies it.")
