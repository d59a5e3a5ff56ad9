"""Get the credentials of the function's role, from the environment or the container endpoint.

Lambda sets them as environment variables. With SnapStart it serves them on a local endpoint
instead, because they would expire inside a snapshot.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from tiktok_pixel.aws.errors import RoleUnavailableError
from tiktok_pixel.connections import ConnectionPool

# As botocore: from ten minutes before they expire, credentials are replaced.
_REFRESH_SECONDS: Final = 600.0
# When the endpoint fails, the current credentials serve for a while, or every call would wait.
_RETRY_SECONDS: Final = 5.0
_TIMEOUT: Final = urllib3.Timeout(connect=0.5, read=1.0)
_LONGEST_RESPONSE: Final = 65_536
# Plain HTTP is allowed to these hosts only, which are AWS's agents on the same machine.
_LOCAL_HOSTS: Final = frozenset(
    {"127.0.0.1", "[::1]", "localhost", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"}
)


@dataclass(frozen=True, slots=True)
class RoleCredentials:
    """What requests are signed with; botocore's signer reads these attributes."""

    access_key: str
    secret_key: str
    token: str | None


class Role:
    """The role that the function runs with.

    Args:
        environment: Environment variables, read for every request as Lambda set them.
        clock: Wall clock in seconds.
    """

    def __init__(
        self, environment: Mapping[str, str], clock: Callable[[], float] = time.time
    ) -> None:
        self._environment = environment
        self._clock = clock
        self._lock = threading.Lock()
        self._pool: ConnectionPool | None = None
        self._current: RoleCredentials | None = None
        self._expires = 0.0
        self._next_refresh = 0.0

    def credentials(self) -> RoleCredentials:
        """Return credentials that are valid now.

        Raises:
            RoleUnavailableError: None are configured, or the container endpoint fails.
        """
        environment = self._environment
        access_key = environment.get("AWS_ACCESS_KEY_ID")
        secret_key = environment.get("AWS_SECRET_ACCESS_KEY")
        if access_key and secret_key:
            token = environment.get("AWS_SESSION_TOKEN") or None
            return RoleCredentials(access_key, secret_key, token)
        uri = environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        if not uri:
            raise RoleUnavailableError("no AWS credentials in the environment")
        with self._lock:
            return self._from_container(uri)

    def _from_container(self, uri: str) -> RoleCredentials:
        now = self._clock()
        if self._current is None or now >= self._next_refresh:
            try:
                self._current, self._expires = self._fetch(uri)
            except (HTTPError, OSError, ValueError, KeyError, TypeError) as error:
                if self._current is None or now >= self._expires:
                    raise RoleUnavailableError("the container endpoint failed") from error
                self._next_refresh = now + _RETRY_SECONDS
            else:
                self._next_refresh = self._expires - _REFRESH_SECONDS
        return self._current

    def _fetch(self, uri: str) -> tuple[RoleCredentials, float]:
        """Ask the container endpoint; return credentials and the time when they expire."""
        url = parse_url(uri)
        if url.scheme != "https" and url.host not in _LOCAL_HOSTS:
            raise ValueError("plain HTTP to a host that is not local")
        if self._pool is None:
            self._pool = ConnectionPool(uri, 1)
        response = self._pool.request(
            "GET",
            url.request_uri,
            headers={"Accept": "application/json", **self._authorization()},
            timeout=_TIMEOUT,
            longest=_LONGEST_RESPONSE,
        )
        if response.status != 200:  # noqa: PLR2004  # HTTP's own
            raise ValueError(f"HTTP {response.status}")
        content = json.loads(response.body)
        credentials = RoleCredentials(
            content["AccessKeyId"], content["SecretAccessKey"], content["Token"]
        )
        return credentials, datetime.fromisoformat(content["Expiration"]).timestamp()

    def _authorization(self) -> dict[str, str]:
        file = self._environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        if file:
            # Read each time: the file is replaced when the token is.
            return {"Authorization": Path(file).read_text("utf-8")}
        token = self._environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        return {"Authorization": token} if token else {}
