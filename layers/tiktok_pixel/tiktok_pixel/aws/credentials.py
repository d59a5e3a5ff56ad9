"""Secrets from SSM, in the shapes that authentication and delivery need them in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tiktok_pixel.aws.parameters import ParameterCache, ParametersUnavailableError
from tiktok_pixel.tiktok.delivery import CredentialsUnavailableError, PixelCredentials
from tiktok_pixel.tiktok.verdicts import Verdict, VerdictKind

if TYPE_CHECKING:
    from tiktok_pixel.deadline import Deadline

DEVELOPMENT_SECRET: Final = "development-secret-for-samples-only"  # noqa: S105  # public on purpose
"""The webhook secret that the sample events are signed with; worthless in production."""

# Seconds that one request waits for SSM: TikTok needs the rest of its time.
_LONGEST_WAIT: Final = 2.0

_UNAVAILABLE: Final = Verdict(VerdictKind.TRANSIENT, "credentials_unavailable")
_MISSING: Final = Verdict(VerdictKind.OPERATOR, "credentials_missing")
_UNUSABLE: Final = Verdict(VerdictKind.OPERATOR, "credentials_unusable")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Pixel credentials and webhook secrets of one stage.

    Attributes:
        parameters: Cache of the parameters named by :func:`parameter_names`.
        folder: ``<prefix>/<stage>``.
        is_production: Refuses the development secret.
    """

    parameters: ParameterCache
    folder: str
    is_production: bool

    def webhook_secrets(self, deadline: Deadline) -> tuple[str, ...]:
        """The secrets that a signature may be made with; more than one while rotating.

        Empty where none is usable: then no signature can be checked.
        """
        return tuple(
            secret
            for secret in self._lines("webhook-secret", deadline)
            if not (self.is_production and secret == DEVELOPMENT_SECRET)
        )

    def bearer_tokens(self, deadline: Deadline) -> tuple[str, ...]:
        """The bearer tokens that count, likewise."""
        return self._lines("bearer-token", deadline)

    def pixel(self, name: str | None, deadline: Deadline) -> PixelCredentials:
        """The code and token of a pixel, ``None`` for the default one.

        Raises:
            CredentialsUnavailableError: SSM does not answer, or lacks them.
        """
        try:
            values = self._values(deadline)
        except ParametersUnavailableError as error:
            raise CredentialsUnavailableError(_UNAVAILABLE) from error
        folder = _pixel_folder(self.folder, name)
        code = values.get(f"{folder}/pixel-code", "").strip()
        token = values.get(f"{folder}/access-token", "").strip()
        if not (code and token):
            raise CredentialsUnavailableError(_MISSING)
        if not (token.isascii() and token.isprintable() and " " not in token):
            # It could not even stand in a header.
            raise CredentialsUnavailableError(_UNUSABLE)
        return PixelCredentials(code, token)

    def renew(self, name: str | None, refused: PixelCredentials, deadline: Deadline) -> bool:
        """Read the credentials again because TikTok refused them; whether to try again.

        SSM is asked at most once a second; between that, only a changed value is worth a try.
        """
        if self.parameters.force(_wait(deadline)):
            return True
        try:
            return self.pixel(name, deadline) != refused
        except CredentialsUnavailableError:
            return False

    def _values(self, deadline: Deadline) -> Mapping[str, str]:
        return self.parameters.values(_wait(deadline))

    def _lines(self, name: str, deadline: Deadline) -> tuple[str, ...]:
        """The lines of a parameter that are not blank; none where it cannot be had."""
        try:
            value = self._values(deadline).get(f"{self.folder}/{name}", "")
        except ParametersUnavailableError:
            return ()
        return tuple(line.strip() for line in value.splitlines() if line.strip())


def _wait(deadline: Deadline) -> float:
    return min(_LONGEST_WAIT, deadline.remaining())


def parameter_names(folder: str, pixels: Sequence[str], *, authenticates: bool) -> list[str]:
    """The SSM parameters that a function reads, which are those that its role may read.

    Args:
        folder: ``<prefix>/<stage>``.
        pixels: Names of the pixels that mappings name.
        authenticates: Whether the function checks signatures and tokens of requests.
    """
    secrets = ("webhook-secret", "bearer-token") if authenticates else ()
    names = [f"{folder}/{secret}" for secret in secrets]
    for pixel in (None, *pixels):
        of_pixel = _pixel_folder(folder, pixel)
        names += [f"{of_pixel}/pixel-code", f"{of_pixel}/access-token"]
    return names


def _pixel_folder(folder: str, name: str | None) -> str:
    return folder if name is None else f"{folder}/pixels/{name}"
