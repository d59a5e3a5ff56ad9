"""Read pixel credentials and webhook secrets from SSM parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tiktok_pixel.aws.parameters import ParameterCache, ParametersUnavailableError
from tiktok_pixel.tiktok.delivery import CredentialsUnavailableError, PixelCredentials
from tiktok_pixel.tiktok.verdicts import CREDENTIALS_UNAVAILABLE, Verdict, VerdictKind

if TYPE_CHECKING:
    from tiktok_pixel.deadline import Deadline

DEVELOPMENT_SECRET: Final = "development-secret-for-samples-only"  # noqa: S105  # public on purpose
"""The webhook secret that signs the sample events; refused in production."""

# Seconds that one request waits for SSM: the delivery needs the rest of its time.
_LONGEST_WAIT: Final = 2.0

# A secret this young is not read again because of a wrong signature.
_FRESH_SECONDS: Final = 10.0

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
        """Return the usable webhook secrets: several during a rotation, none if there is none."""
        return tuple(
            secret
            for secret in self._lines("webhook-secret", deadline)
            if not (self.is_production and secret == DEVELOPMENT_SECRET)
        )

    def bearer_tokens(self, deadline: Deadline) -> tuple[str, ...]:
        """Return the usable bearer tokens: several during a rotation, none if there is none."""
        return self._lines("bearer-token", deadline)

    def refresh(self, deadline: Deadline) -> bool:
        """Read the parameters again unless they were read in the last ten seconds.

        Returns:
            Whether the parameters are that fresh now.
        """
        return self.parameters.refresh(_FRESH_SECONDS, _wait(deadline))

    def pixel(self, name: str | None, deadline: Deadline) -> PixelCredentials:
        """Return the code and token of a pixel, ``None`` for the default one.

        Raises:
            CredentialsUnavailableError: SSM does not respond, or a parameter is missing.
        """
        # A parked event may belong to a pixel that no mapping lists any more.
        self.parameters.include(_pixel_parameters(self.folder, name))
        try:
            values = self._values(deadline)
        except ParametersUnavailableError as error:
            raise CredentialsUnavailableError(CREDENTIALS_UNAVAILABLE) from error
        folder = _pixel_folder(self.folder, name)
        code = values.get(f"{folder}/pixel-code", "").strip()
        token = values.get(f"{folder}/access-token", "").strip()
        if not (code and token):
            raise CredentialsUnavailableError(_MISSING)
        if not (token.isascii() and token.isprintable() and " " not in token):
            # Not valid in an HTTP header.
            raise CredentialsUnavailableError(_UNUSABLE)
        return PixelCredentials(code, token)

    def renew(self, name: str | None, refused: PixelCredentials, deadline: Deadline) -> bool:
        """Read the credentials again because TikTok refused them; return whether to retry.

        SSM is read at most once a second; in between, only a changed value is worth a retry.
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
        """Return the lines of a parameter that are not blank; none if it cannot be read."""
        name = f"{self.folder}/{name}"
        try:
            value = self._values(deadline).get(name, "")
            if not value.strip() and self.refresh(deadline):
                # The operator may have stored it since the last read.
                value = self._values(deadline).get(name, "")
        except ParametersUnavailableError:
            return ()
        return tuple(line.strip() for line in value.splitlines() if line.strip())


def _wait(deadline: Deadline) -> float:
    return min(_LONGEST_WAIT, deadline.remaining())


def parameter_names(folder: str, pixels: Sequence[str], *, authenticates: bool) -> list[str]:
    """Return the names of the SSM parameters that a function reads and its role allows.

    Args:
        folder: ``<prefix>/<stage>``.
        pixels: Names of the pixels in the mappings.
        authenticates: Whether the function checks signatures and tokens of requests.
    """
    secrets = ("webhook-secret", "bearer-token") if authenticates else ()
    names = [f"{folder}/{secret}" for secret in secrets]
    for pixel in (None, *pixels):
        names += _pixel_parameters(folder, pixel)
    return names


def _pixel_parameters(folder: str, name: str | None) -> list[str]:
    of_pixel = _pixel_folder(folder, name)
    return [f"{of_pixel}/pixel-code", f"{of_pixel}/access-token"]


def _pixel_folder(folder: str, name: str | None) -> str:
    return folder if name is None else f"{folder}/pixels/{name}"
