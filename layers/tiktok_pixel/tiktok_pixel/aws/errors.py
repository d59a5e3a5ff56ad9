"""Errors of calls to AWS."""

from __future__ import annotations

from tiktok_pixel.errors import TikTokPixelError


class EndpointError(TikTokPixelError):
    """The environment variables describe no endpoint."""


class RoleUnavailableError(TikTokPixelError):
    """There are no credentials to sign requests with."""


class AwsError(TikTokPixelError):
    """An AWS service refused a request or gave no usable response.

    Attributes:
        code: The service's error code, such as ``AccessDeniedException``; else ``Timeout``,
            ``ConnectionError``, ``MalformedResponse``, or the HTTP status.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def describe(error: Exception) -> dict[str, str | None]:
    """Return what a log row may say about an error.

    Its text is left out: that of an unreadable response may hold a secret.
    """
    code = error.code if isinstance(error, AwsError) else None
    return {"error": type(error).__name__, "code": code}
