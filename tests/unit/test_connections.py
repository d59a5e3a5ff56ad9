"""Connections trust what the system trusts, and are kept only as long as they are worth it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import urllib3
from urllib3.exceptions import SSLError

from tiktok_pixel.connections import ConnectionPool, HttpResponse
from tiktok_pixel.tiktok.client import TRACK_PATH
from tools.sandbox.tiktok import TikTokSandbox

LAYER = Path(__file__).parents[2] / "layers" / "tiktok_pixel"
GET = """
import sys
import urllib3
from tiktok_pixel.connections import ConnectionPool
pool = ConnectionPool(sys.argv[1], 1)
timeout = urllib3.Timeout(connect=5, read=5)
print(pool.request("GET", "/", headers={}, timeout=timeout, longest=1000).status)
"""


def post(pool: ConnectionPool, longest: int = 1000) -> HttpResponse:
    return pool.request(
        "POST",
        TRACK_PATH,
        headers={},
        body=b"{}",
        timeout=urllib3.Timeout(connect=5, read=5),
        longest=longest,
    )


def test_a_certificate_that_the_system_does_not_trust_is_refused() -> None:
    with TikTokSandbox(tls=True) as server:
        with pytest.raises(SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            post(ConnectionPool(server.url, 1))
        assert server.requests == []


def test_the_systems_certificates_are_trusted() -> None:
    """OpenSSL takes the name of their file from this variable where it is set."""
    with TikTokSandbox(tls=True) as server:
        process = subprocess.run(
            [sys.executable, "-c", GET, server.url],
            env={
                **os.environ,
                "PYTHONPATH": str(LAYER),
                "SSL_CERT_FILE": str(server.certificate_file),
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert process.stdout.strip().isdigit(), process.stderr


def test_a_connection_is_kept_until_it_was_idle_too_long() -> None:
    with TikTokSandbox() as server:
        pool = ConnectionPool(server.url, 1)
        for idle in (0.0, 40.0, 50.0):
            pool._last_used -= idle
            post(pool)
        assert [one.connection for one in server.requests] == [1, 1, 2]


def test_the_pool_works_after_many_threads_dropped_its_connections() -> None:
    """As after time-outs of parallel requests."""
    with TikTokSandbox() as server:
        pool = ConnectionPool(server.url, 8)
        barrier = threading.Barrier(8)

        def forget(_: int) -> None:
            for _ in range(50):
                barrier.wait(5)
                pool.forget()

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(forget, range(8)))
        assert post(pool).status == 200


def test_no_more_than_the_limit_is_read() -> None:
    with TikTokSandbox() as server:
        assert len(post(ConnectionPool(server.url, 1), longest=10).body) == 10
