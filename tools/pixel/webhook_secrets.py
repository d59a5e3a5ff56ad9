"""The secrets that authenticate requests to an endpoint."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import typer

from tools.pixel.aws_errors import aws_errors
from tools.pixel.console import CommandError
from tools.pixel.stage import Stage

SecretSource = Literal["environment", "prompt", "ssm"]

SECRET_VARIABLE: Final = "WEBHOOK_SECRET"
TOKEN_VARIABLE: Final = "BEARER_TOKEN"


@dataclass(frozen=True, slots=True)
class Secrets:
    """What authenticates the requests: the webhook secret, and a bearer token if there is one."""

    webhook: str
    bearer: str | None


def find_secrets(source: SecretSource | None, stage: Callable[[], Stage]) -> Secrets:
    """Find the webhook secret, and the bearer token if there is one.

    Args:
        source: Where to look; `None` for the environment if it has the secret, else a prompt.
        stage: Returns the stage whose parameters SSM has.

    Raises:
        CommandError: The source has no webhook secret.
    """
    if source is None:
        source = "environment" if os.environ.get(SECRET_VARIABLE) else "prompt"
    if source == "ssm":
        return _read_ssm(stage())
    bearer = os.environ.get(TOKEN_VARIABLE) or None
    if source == "environment":
        secret = os.environ.get(SECRET_VARIABLE, "")
        if not secret:
            raise CommandError(f"the environment variable {SECRET_VARIABLE} is not set")
        return Secrets(secret, bearer)
    if not sys.stdin.isatty():
        raise CommandError(f"no terminal to ask for the webhook secret: set {SECRET_VARIABLE}")
    return Secrets(typer.prompt("Webhook secret", hide_input=True, err=True), bearer)


def _read_ssm(stage: Stage) -> Secrets:
    folder = stage.folder
    names = {f"{folder}/webhook-secret": "webhook", f"{folder}/bearer-token": "bearer"}
    with aws_errors():
        found = stage.client("ssm").get_parameters(Names=list(names), WithDecryption=True)
    # During a rotation there are several, one per line; the first is the new one.
    values = {
        names[one["Name"]]: one["Value"].strip().splitlines()[0] for one in found["Parameters"]
    }
    if "webhook" not in values:
        raise CommandError(
            f"The SSM parameter {folder}/webhook-secret does not exist in {stage.region}: "
            f"`pixel configure {stage.name}` creates it."
        )
    return Secrets(values["webhook"], values.get("bearer"))
