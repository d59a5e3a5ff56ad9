"""Checks that send requests: to the endpoint, and to TikTok."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

import urllib3

from build_hash import build_hash
from tiktok_pixel.deadline import Deadline
from tiktok_pixel.endpoint import BUILD_HEADER
from tiktok_pixel.mapping import MappingSet
from tiktok_pixel.tiktok.client import NoResponseError, TikTokClient
from tiktok_pixel.tiktok.verdicts import VerdictKind, judge
from tools.ops.template import ROOT
from tools.pixel.checks import Check, failed, passed, skipped
from tools.pixel.configure import ACCESS_TOKEN, BEARER_TOKEN, PIXEL_CODE, WEBHOOK_SECRET
from tools.pixel.stage import Stage
from tools.sandbox import samples

_ENDPOINT_SECONDS: Final = 10.0
_TIKTOK_SECONDS: Final = 5.0
_SEE_LOG: Final = "See the log of ForwardFunction."
_SEE_NETWORK: Final = "Check the URL and the network."
_UNSIGNED: Final = "endpoint, unsigned"
_SIGNED: Final = "endpoint, signed"
_TIKTOK: Final = "TikTok"


def check_endpoint(
    stage: Stage, url: str, secrets: Mapping[str, str], mappings: MappingSet | None
) -> Iterator[Check]:
    """Check that the endpoint refuses unsigned requests and takes signed ones."""
    event = {
        "type": "identify",
        "messageId": f"pixel-check-{time.time_ns()}",
        "userId": "pixel-check",
        "timestamp": datetime.now(UTC).isoformat(),
    }
    body = json.dumps(event).encode()
    unsigned = _post(url, body, {})
    if isinstance(unsigned, str):
        yield failed(_UNSIGNED, unsigned, _SEE_NETWORK)
        return
    if unsigned.status == 401:
        yield passed(_UNSIGNED, "The endpoint answers an unsigned request with 401, as it should.")
    else:
        found = f"The endpoint answers an unsigned request with {unsigned.status} instead of 401."
        yield failed(_UNSIGNED, found, _SEE_LOG)
    secret = _first_line(secrets.get(WEBHOOK_SECRET))
    if secret is None:
        yield skipped(_SIGNED, "There is no webhook secret to sign with.")
        return
    if mappings is None or mappings.match(event):
        found = "A mapping may send an identify event, so that a test would be a real conversion."
        yield skipped(_SIGNED, found)
        return
    headers = {"X-Signature": samples.sign(body, secret)}
    if token := _first_line(secrets.get(BEARER_TOKEN)):
        headers["Authorization"] = f"Bearer {token}"
    signed = _post(url, body, headers)
    if isinstance(signed, str):
        yield failed(_SIGNED, signed, _SEE_NETWORK)
        return
    outcome = _outcome(signed.data)
    answer = f"The endpoint answers a signed identify event with {signed.status} {outcome}"
    if signed.status == 200 and outcome == "ignored":
        yield passed(_SIGNED, f"{answer}, as it should.")
    else:
        yield failed(_SIGNED, f"{answer} instead of 200 ignored.", _SEE_LOG)
    yield _check_build(stage, signed.headers.get(BUILD_HEADER))


def _check_build(stage: Stage, deployed: str | None) -> Check:
    expected = build_hash(ROOT / "layers" / "tiktok_pixel")
    if deployed is None:
        todo = f"`pixel deploy {stage.name}` deploys a build with a name."
        return failed("build", "The endpoint does not name its build.", todo)
    if deployed == expected:
        return passed("build", f"The deployed build {deployed[:12]} is the one of this source.")
    found = f"The deployed build is {deployed[:12]}; this source is {expected[:12]}."
    todo = f"Run `pixel deploy {stage.name}`, or check out the source that is deployed."
    return failed("build", found, todo)


def check_tiktok(secrets: Mapping[str, str], test_event_code: str | None, tiktok_url: str) -> Check:
    """Check that TikTok accepts the token, with a test event."""
    if test_event_code is None:
        todo = "`--test-event-code CODE` sends one; the code is in Events Manager, Test Events."
        return skipped(_TIKTOK, "No test event was sent.", todo)
    code, token = secrets.get(PIXEL_CODE), secrets.get(ACCESS_TOKEN)
    if not code or not token:
        return skipped(_TIKTOK, "There is no pixel code or no access token to send with.")
    now = int(time.time())
    event = {
        "event": "ViewContent",
        "event_time": now,
        "event_id": f"pixel-check-{now}",
        "user": {"external_id": hashlib.sha256(b"pixel-check").hexdigest()},
        "page": {"url": "https://example.com/"},
    }
    request = {
        "event_source": "web",
        "event_source_id": code.strip(),
        "test_event_code": test_event_code,
        "data": [event],
    }
    client = TikTokClient(tiktok_url)
    deadline = Deadline.after(_TIKTOK_SECONDS)
    try:
        response = client.track(json.dumps(request).encode(), token.strip(), deadline)
    except NoResponseError as error:
        return failed(_TIKTOK, f"TikTok does not respond: {error}.", "Check the network.")
    verdict = judge(response)
    if verdict.kind is VerdictKind.ACCEPTED:
        found = "TikTok accepts a test event; Events Manager shows it under Test Events."
        return passed(_TIKTOK, found)
    found = f"TikTok refuses a test event with code {response.code}: {verdict.reason}."
    return failed(_TIKTOK, found, "docs/reference.md, Reasons, says what to do.")


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse | str:
    """POST a body; return the response, or why there is none."""
    given = {"Content-Type": "application/json", **headers}
    with urllib3.PoolManager(retries=False, timeout=_ENDPOINT_SECONDS) as pool:
        try:
            return pool.request("POST", url, body=body, headers=given, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            return f"The endpoint {url} does not respond: {error}."


def _outcome(body: bytes) -> str:
    try:
        parsed = json.loads(body)
    except ValueError:
        return "without JSON"
    return str(parsed.get("status")) if isinstance(parsed, dict) else "without an object"


def _first_line(text: str | None) -> str | None:
    return next((line.strip() for line in (text or "").splitlines() if line.strip()), None)
