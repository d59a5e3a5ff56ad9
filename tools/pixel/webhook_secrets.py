"""The secrets that authenticate requests to an endpoint."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Final, Literal

import typer

from tools.pixel.console import CommandError

SecretSource = Literal["environment", "prompt", "ssm"]

SECRET_VARIABLE: Final = "WEBHOOK_SECRET"
TOKEN_VARIABLE: Final = "BEARER_TOKEN"


@dataclass(frozen=True, slots=True)
class Secrets:
    """What authenticates the requests: the webhook secret, and a bearer token if there is one."""

    webhook: str
    bearer: str | None


def find_secrets(source: SecretSource | None, folder: str) -> Secrets:
    """Find the webhook secret, and the bearer token if there is one.

    Raises:
        CommandError: The source has no webhook secret.
    """
    if source is None:
        source = "environment" if os.environ.get(SECRET_VARIABLE) else "prompt"
    if source == "ssm":
        return _read_ssm(folder)
    bearer = os.environ.get(TOKEN_VARIABLE) or None
    if source == "environment":
        secret = os.environ.get(SECRET_VARIABLE, "")
        if not secret:
            raise CommandError(f"the environment variable {SECRET_VARIABLE} is not set")
        return Secrets(secret, bearer)
    if not sys.stdin.isatty():
        raise CommandError(f"no terminal to ask for the webhook secret: set {SECRET_VARIABLE}")
    return Secrets(typer.prompt("Webhook secret", hide_input=True, err=True), bearer)


def _read_ssm(folder: str) -> Secrets:
    import boto3  # noqa: PLC0415  # slow to import, and only needed here
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    names = {f"{folder}/webhook-secret": "webhook", f"{folder}/bearer-token": "bearer"}
    try:
        found = boto3.client("ssm").get_parameters(Names=list(names), WithDecryption=True)
    except (BotoCoreError, ClientError) as error:
        raise CommandError(f"SSM: {error}") from error
    # During a rotation there are several, one per line; the first is the new one.
    values = {
        names[one["Name"]]: one["Value"].strip().splitlines()[0] for one in found["Parameters"]
    }
    if "webhook" not in values:
        raise CommandError(f"SSM: {folder}/webhook-secret does not exist")
    return Secrets(values["webhook"], values.get("bearer"))
