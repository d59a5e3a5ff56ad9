"""The checks of `pixel check`, each with a result and what to do."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

import urllib3

from build_hash import build_hash
from tiktok_pixel.deadline import Deadline
from tiktok_pixel.endpoint import BUILD_HEADER
from tiktok_pixel.mapping import MappingError, MappingSet, load_mapping_set
from tiktok_pixel.tiktok import schema
from tiktok_pixel.tiktok.client import NoResponseError, TikTokClient
from tiktok_pixel.tiktok.verdicts import VerdictKind, judge
from tools.ops.template import ROOT
from tools.pixel.configure import (
    ACCESS_TOKEN,
    PIXEL_CODE,
    WEBHOOK_SECRET,
    check_pixel_code,
    check_secret,
    check_token,
)
from tools.pixel.metrics import oldest_parked_hours, parked_by_cause
from tools.pixel.stage import Stage
from tools.sandbox import samples

BEARER_TOKEN: Final = "bearer-token"  # the name of a parameter
_CLOCK_SECONDS: Final = 30
_ENDPOINT_SECONDS: Final = 10.0
_TIKTOK_SECONDS: Final = 5.0
# Lambda keeps so many executions of the account unreserved.
_UNRESERVED: Final = 100


class Result(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report.

    Attributes:
        name: What was checked.
        result: How it ended.
        found: What was seen.
        todo: What to do about it; empty if nothing.
    """

    name: str
    result: Result
    found: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was asked for.

    Attributes:
        endpoint_url: The endpoint; `None` for the output of the stack.
        test_event_code: Send a test event to TikTok with this code.
        tiktok_url: Scheme and host of the TikTok API.
    """

    endpoint_url: str | None
    test_event_code: str | None
    tiktok_url: str


def passed(name: str, found: str) -> Check:
    """Return a check that passed."""
    return Check(name, Result.PASSED, found)


def failed(name: str, found: str, todo: str) -> Check:
    """Return a check that failed, with what to do."""
    return Check(name, Result.FAILED, found, todo)


def skipped(name: str, found: str, todo: str = "") -> Check:
    """Return a check that was not made, with the reason."""
    return Check(name, Result.SKIPPED, found, todo)


def run_checks(stage: Stage, options: Options) -> Iterator[Check]:
    """Check a stage, from the credentials to TikTok."""
    identity = guarded("credentials", lambda: check_identity(stage))
    yield from identity
    if identity[0].result is Result.FAILED:
        return
    secrets: dict[str, str] = {}
    outputs: dict[str, str] = {}
    yield from guarded("parameters", lambda: check_parameters(stage, secrets))
    yield from guarded("stack", lambda: [check_stack(stage, outputs)])
    mappings, check = load_mappings(stage)
    yield check
    url = options.endpoint_url or outputs.get("EndpointUrl")
    yield from check_endpoint(stage, url, secrets, mappings)
    yield check_tiktok(secrets, options)
    queue = outputs.get("ParkedEventsQueueUrl")
    yield from guarded("parked events", lambda: [check_parked(stage, queue)])
    yield from guarded("alarms", lambda: [check_alarms(stage)])
    yield from guarded("concurrency", lambda: [check_concurrency(stage)])


def guarded(name: str, check: Callable[[], Iterable[Check]]) -> list[Check]:
    """Run a check; an error of AWS is its result, so that the others still run."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        return list(check())
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        todo = "allow it to your role" if "Denied" in code else "see the message"
        return [failed(name, str(error), todo)]
    except BotoCoreError as error:
        return [failed(name, str(error), "check credentials, profile, region and network")]


def check_identity(stage: Stage) -> list[Check]:
    """Check the credentials and the clock."""
    response = stage.client("sts").get_caller_identity()
    account = f"account {response['Account']}, region {stage.region}, {response['Arn']}"
    date = response["ResponseMetadata"]["HTTPHeaders"].get("date")
    if date is None:
        return [passed("credentials", account), skipped("clock", "AWS sent no date")]
    seconds = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())
    if seconds > _CLOCK_SECONDS:
        clock = failed("clock", f"{seconds:.0f} s off", "set the clock of this machine")
    else:
        clock = passed("clock", f"differs by {seconds:.0f} s")
    return [passed("credentials", account), clock]


def check_parameters(stage: Stage, secrets: dict[str, str]) -> Iterator[Check]:
    """Check the SSM parameters, and put their values into `secrets`."""
    names = [PIXEL_CODE, ACCESS_TOKEN, WEBHOOK_SECRET]
    if stage.parameters["RequireBearerToken"] == "true":
        names.append(BEARER_TOKEN)
    response = stage.client("ssm").get_parameters(
        Names=[f"{stage.folder}/{name}" for name in names], WithDecryption=True
    )
    secrets |= {one["Name"].rpartition("/")[2]: one["Value"] for one in response["Parameters"]}
    checks: dict[str, Callable[[str], str | None]] = {
        PIXEL_CODE: check_pixel_code,
        ACCESS_TOKEN: check_token,
        WEBHOOK_SECRET: lambda value: check_secret(value, stage.name),
        BEARER_TOKEN: lambda value: check_secret(value, stage.name),
    }
    for name in names:
        if name not in secrets:
            todo = f"pixel configure {stage.name}"
            yield failed(f"parameter {name}", f"{stage.folder}/{name} does not exist", todo)
        elif problem := checks[name](secrets[name].strip()):
            yield failed(f"parameter {name}", problem, f"pixel configure {stage.name}")
        else:
            yield passed(f"parameter {name}", "exists and is well-formed")


def check_stack(stage: Stage, outputs: dict[str, str]) -> Check:
    """Check the stack's status, and put its outputs into `outputs`."""
    from botocore.exceptions import ClientError  # noqa: PLC0415

    try:
        stacks = stage.client("cloudformation").describe_stacks(StackName=stage.stack)["Stacks"]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        return failed("stack", f"{stage.stack} does not exist", f"pixel deploy {stage.name}")
    outputs |= {one["OutputKey"]: one["OutputValue"] for one in stacks[0].get("Outputs", [])}
    status = stacks[0]["StackStatus"]
    if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        return passed("stack", f"{stage.stack} is {status}")
    todo = "see its events in CloudFormation; docs/runbook.md, roll-back"
    return failed("stack", f"{stage.stack} is {status}", todo)


def load_mappings(stage: Stage) -> tuple[MappingSet | None, Check]:
    """Load the mapping set of the stage from the source."""
    chosen = stage.parameters["MappingSet"]
    path = schema.shipped(chosen)
    if chosen == "custom":
        path = ROOT / "layers" / "tiktok_pixel" / "mappings" / f"{stage.name}.json"
    try:
        mappings = load_mapping_set(path, schema)
    except MappingError as error:
        return None, failed("mappings", str(error), "fix the file: pixel mappings --set custom")
    return mappings, passed("mappings", f"set {chosen}, {len(mappings.mappings)} mappings")


def check_endpoint(
    stage: Stage, url: str | None, secrets: Mapping[str, str], mappings: MappingSet | None
) -> Iterator[Check]:
    """Check that the endpoint refuses unsigned requests and takes signed ones."""
    if not url:
        yield skipped("endpoint, unsigned", "no URL: the stack has no output EndpointUrl")
        return
    event = {
        "type": "identify",
        "messageId": f"pixel-check-{time.time_ns()}",
        "userId": "pixel-check",
        "timestamp": datetime.now(UTC).isoformat(),
    }
    body = json.dumps(event).encode()
    unsigned = _post(url, body, {})
    todo = "see the log of ForwardFunction"
    if isinstance(unsigned, str):
        yield failed("endpoint, unsigned", unsigned, "check the URL and the network")
        return
    if unsigned.status == 401:
        yield passed("endpoint, unsigned", "401, as it should")
    else:
        yield failed("endpoint, unsigned", f"{unsigned.status} instead of 401", todo)
    secret = _first_line(secrets.get(WEBHOOK_SECRET))
    if secret is None:
        yield skipped("endpoint, signed", "no webhook secret to sign with")
        return
    if mappings is None or mappings.match(event):
        yield skipped(
            "endpoint, signed", "a mapping may send an identify event: it would be a conversion"
        )
        return
    headers = {"X-Signature": samples.sign(body, secret)}
    if token := _first_line(secrets.get(BEARER_TOKEN)):
        headers["Authorization"] = f"Bearer {token}"
    signed = _post(url, body, headers)
    if isinstance(signed, str):
        yield failed("endpoint, signed", signed, "check the URL and the network")
        return
    outcome = _outcome(signed.data)
    if signed.status == 200 and outcome == "ignored":
        yield passed("endpoint, signed", "200 ignored, as it should")
    else:
        yield failed("endpoint, signed", f"{signed.status} {outcome}", todo)
    yield _check_build(stage, signed.headers.get(BUILD_HEADER))


def _check_build(stage: Stage, deployed: str | None) -> Check:
    expected = build_hash(ROOT / "layers" / "tiktok_pixel")
    if deployed is None:
        return failed("build", "the endpoint does not name its build", "sam build, and deploy")
    if deployed == expected:
        return passed("build", f"{deployed[:12]}, the one of this source")
    found = f"{deployed[:12]} is deployed, this source is {expected[:12]}"
    return failed("build", found, f"pixel deploy {stage.name}, or check out what is deployed")


def check_tiktok(secrets: Mapping[str, str], options: Options) -> Check:
    """Check that TikTok accepts the token, with a test event."""
    if options.test_event_code is None:
        todo = (
            "--test-event-code CODE sends a test event; the code is in Events Manager, Test Events"
        )
        return skipped("TikTok", "not asked", todo)
    code, token = secrets.get(PIXEL_CODE), secrets.get(ACCESS_TOKEN)
    if not code or not token:
        return skipped("TikTok", "no pixel code or access token")
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
        "test_event_code": options.test_event_code,
        "data": [event],
    }
    client = TikTokClient(options.tiktok_url)
    deadline = Deadline.after(_TIKTOK_SECONDS)
    try:
        response = client.track(json.dumps(request).encode(), token.strip(), deadline)
    except NoResponseError as error:
        return failed("TikTok", str(error), "try again; check the network")
    verdict = judge(response)
    if verdict.kind is VerdictKind.ACCEPTED:
        return passed("TikTok", "accepted a test event: see Events Manager, Test Events")
    return failed("TikTok", f"code {response.code}: {verdict.reason}", "docs/reference.md, Reasons")


def check_parked(stage: Stage, queue_url: str | None) -> Check:
    """Check how many messages wait in the queue, and for how long."""
    if not queue_url:
        return skipped("parked events", "the stack has no output ParkedEventsQueueUrl")
    names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesDelayed",
        "ApproximateNumberOfMessagesNotVisible",
    ]
    attributes = stage.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)[
        "Attributes"
    ]
    messages = sum(int(attributes[name]) for name in names)
    if not messages:
        return passed("parked events", "none")
    cloudwatch = stage.client("cloudwatch")
    causes = parked_by_cause(cloudwatch, stage.service)
    hours = oldest_parked_hours(cloudwatch, stage.service)
    found = f"{messages} messages"
    if causes:
        found += ": " + ", ".join(f"{count:,.0f} {cause}" for cause, count in causes.items())
    if hours is not None:
        found += f"; the oldest for {hours:.1f} h"
    if causes.get("operator"):
        return failed("parked events", found, "docs/runbook.md, operator-parked")
    return passed("parked events", found)


def check_alarms(stage: Stage) -> Check:
    """Check that no alarm rings."""
    pages = stage.client("cloudwatch").get_paginator("describe_alarms")
    found = [
        alarm
        for page in pages.paginate(AlarmNamePrefix=f"{stage.stack}-")
        for alarm in page["MetricAlarms"]
    ]
    if not found:
        return failed("alarms", f"the stack {stage.stack} has none", f"pixel deploy {stage.name}")
    ringing = [one["AlarmName"] for one in found if one["StateValue"] == "ALARM"]
    if ringing:
        return failed("alarms", ", ".join(ringing), "docs/runbook.md has a section for each")
    return passed("alarms", f"{len(found)} alarms, none rings")


def check_concurrency(stage: Stage) -> Check:
    """Check that the account allows the stage's concurrency."""
    from botocore.exceptions import ClientError  # noqa: PLC0415

    wanted = int(stage.parameters["MaximumConcurrency"])
    try:
        limits = stage.client("lambda").get_account_settings()["AccountLimit"]
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in {404, 501}:
            raise
        return skipped("concurrency", "the account's limit cannot be read here")
    total, free = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
    found = f"account limit {total}, unreserved {free}, MaximumConcurrency {wanted}"
    if wanted and total < wanted + _UNRESERVED:
        todo = "set MaximumConcurrency=0 in samconfig.toml, or ask AWS for a higher limit"
        return failed("concurrency", found, todo)
    return passed("concurrency", found)


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse | str:
    """POST a body; return the response, or why there is none."""
    given = {"Content-Type": "application/json", **headers}
    with urllib3.PoolManager(retries=False, timeout=_ENDPOINT_SECONDS) as pool:
        try:
            return pool.request("POST", url, body=body, headers=given, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            return f"no response: {error}"


def _outcome(body: bytes) -> str:
    try:
        parsed = json.loads(body)
    except ValueError:
        return "without JSON"
    return str(parsed.get("status")) if isinstance(parsed, dict) else "without an object"


def _first_line(text: str | None) -> str | None:
    return next((line.strip() for line in (text or "").splitlines() if line.strip()), None)
