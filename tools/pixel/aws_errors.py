"""Explain errors of AWS in sentences: what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tools.pixel.console import CommandError

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

_SIGN_IN: Final = "Sign in to AWS, or choose a profile with --profile."
_EXPIRED: Final = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_REFUSED: Final = {
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}


@contextmanager
def aws_errors() -> Iterator[None]:
    """Report errors of AWS and of missing credentials as errors of the command."""
    # Slow to import.
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    try:
        yield
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        raise CommandError(" ".join(filter(None, explain(error)))) from error


def explain(error: ClientError | BotoCoreError | ResponseParserError) -> tuple[str, str]:
    """Return what is wrong, and what to do, which is empty where only AWS's message helps."""
    from botocore import exceptions, parsers  # noqa: PLC0415  # slow to import

    if isinstance(error, exceptions.ClientError):
        return _explain_response(error)
    if isinstance(error, parsers.ResponseParserError):
        return (
            "The response is not one of AWS.",
            "Check AWS_ENDPOINT_URL, the proxy and the region.",
        )
    message = str(error).strip().rstrip(".")
    if isinstance(error, exceptions.NoCredentialsError):
        return "No AWS credentials were found.", _SIGN_IN
    if isinstance(error, exceptions.ProfileNotFound):
        return f"{message}.", "`aws configure list-profiles` lists the profiles."
    if isinstance(
        error,
        exceptions.PartialCredentialsError
        | exceptions.CredentialRetrievalError
        | exceptions.TokenRetrievalError
        | exceptions.SSOError
        | exceptions.LoginError,
    ):
        return f"The AWS credentials cannot be used: {message}.", _SIGN_IN
    if isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError):
        return f"AWS cannot be reached: {message}.", "Check the region and the network."
    return f"{message}.", ""


def _explain_response(error: ClientError) -> tuple[str, str]:
    given = error.response.get("Error", {})
    code, message = given.get("Code", "no code"), given.get("Message", "").strip().rstrip(".")
    if code in _EXPIRED:
        return "The AWS credentials have expired.", _SIGN_IN
    if code in _REFUSED:
        return f"AWS does not accept the credentials: {message}.", _SIGN_IN
    if "Denied" in code or "Unauthorized" in code:
        todo = "Allow it to your role: docs/deploy-policy.json lists the rights for deploying."
        return f"AWS refuses {error.operation_name}: {message}.", todo
    return f"The call {error.operation_name} of AWS failed: {code}: {message}.", ""
