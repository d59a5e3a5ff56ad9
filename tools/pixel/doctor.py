"""The checks of `pixel check`, from the credentials to TikTok."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from tiktok_pixel.destination import OWN_MAPPINGS
from tiktok_pixel.mapping import MappingError, MappingSet, load_mapping_set
from tiktok_pixel.tiktok import schema
from tools.pixel.alarms import read_alarms
from tools.pixel.checks import (
    Check,
    Result,
    attempt,
    failed,
    guard,
    passed,
    skipped,
    warning,
)
from tools.pixel.configure import (
    ACCESS_TOKEN,
    BEARER_TOKEN,
    PIXEL_CODE,
    WEBHOOK_SECRET,
    check_pixel_code,
    check_secret,
    check_token,
)
from tools.pixel.console import counted
from tools.pixel.endpoint_checks import check_endpoint, check_tiktok
from tools.pixel.metrics import oldest_parked_hours, parked_by_cause
from tools.pixel.stack import Difference, Stack, compare_parameters, find_stack, no_stack
from tools.pixel.stage import Stage

_CLOCK_SECONDS: Final = 30
# Lambda keeps so many executions of the account unreserved.
_UNRESERVED: Final = 100


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


def run_checks(stage: Stage, options: Options) -> Iterator[Check]:
    """Check a stage, from the credentials to TikTok."""
    identity = guard("credentials", lambda: check_identity(stage))
    yield from identity
    if identity[0].result is Result.FAILED:
        return
    read, problems = attempt("parameters", lambda: read_secrets(stage))
    yield from problems if read is None else check_secrets(stage, read)
    secrets = read or {}
    stack, problems = attempt("stack", lambda: find_stack(stage))
    yield from problems or check_stack(stage, stack)
    mappings, check = load_mappings(stage)
    yield check
    outputs = stack.outputs if stack else {}
    if url := options.endpoint_url or outputs.get("EndpointUrl"):
        yield from check_endpoint(stage, url, secrets, mappings)
    else:
        yield skipped("endpoint", "Its URL is unknown: the stack has no output EndpointUrl.")
    yield check_tiktok(secrets, options.test_event_code, options.tiktok_url)
    queue = outputs.get("ParkedEventsQueueUrl")
    yield from guard("parked events", lambda: [check_parked(stage, queue)])
    yield from guard("alarms", lambda: [check_alarms(stage)])
    yield from guard("concurrency", lambda: [check_concurrency(stage)])


def check_identity(stage: Stage) -> list[Check]:
    """Check the credentials and the clock."""
    response = stage.client("sts").get_caller_identity()
    found = f"You are {response['Arn']} in region {stage.region}."
    date = response["ResponseMetadata"]["HTTPHeaders"].get("date")
    if date is None:
        clock = skipped("clock", "AWS sent no date to compare with.")
        return [passed("credentials", found), clock]
    seconds = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())
    differs = f"The clock of this machine differs from AWS's by {seconds:.0f} s."
    if seconds > _CLOCK_SECONDS:
        clock = failed("clock", differs, "Set it: AWS refuses signatures with a wrong time.")
    else:
        clock = passed("clock", differs)
    return [passed("credentials", found), clock]


def read_secrets(stage: Stage) -> dict[str, str]:
    """Return the SSM parameters of a stage that exist, by the last part of their name."""
    names = [f"{stage.folder}/{name}" for name in _secret_names(stage)]
    response = stage.client("ssm").get_parameters(Names=names, WithDecryption=True)
    return {one["Name"].rpartition("/")[2]: one["Value"] for one in response["Parameters"]}


def _secret_names(stage: Stage) -> list[str]:
    bearer = [BEARER_TOKEN] if stage.parameters["RequireBearerToken"] == "true" else []
    return [PIXEL_CODE, ACCESS_TOKEN, WEBHOOK_SECRET, *bearer]


def check_secrets(stage: Stage, secrets: Mapping[str, str]) -> Iterator[Check]:
    """Check that the SSM parameters exist and are well-formed."""
    checks: dict[str, Callable[[str], str | None]] = {
        PIXEL_CODE: check_pixel_code,
        ACCESS_TOKEN: check_token,
        WEBHOOK_SECRET: lambda value: check_secret(value, stage.name),
        BEARER_TOKEN: lambda value: check_secret(value, stage.name),
    }
    for name in _secret_names(stage):
        path, check_name = f"{stage.folder}/{name}", f"parameter {name}"
        todo = f"`pixel configure {stage.name}` stores it."
        if name == BEARER_TOKEN:
            todo = "README.md, Batches, says how to store it."
        if name not in secrets:
            yield failed(check_name, f"{path} does not exist.", todo)
        elif problem := checks[name](secrets[name].strip()):
            yield failed(check_name, f"{path} cannot be used. {problem}", todo)
        else:
            yield passed(check_name, f"{path} exists and is well-formed.")


def check_stack(stage: Stage, stack: Stack | None) -> Iterator[Check]:
    """Check the stack's status, and its parameters against `samconfig.toml`."""
    if stack is None:
        yield failed("stack", *no_stack(stage))
        return
    found = f"The stack {stack.name} is {stack.status}."
    if stack.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        yield passed("stack", found)
    else:
        todo = "See its events in CloudFormation; docs/runbook.md, roll-back, says how to go back."
        yield failed("stack", found, todo)
    yield _check_differences(stage, compare_parameters(stage, stack))
    if code := stack.parameters.get("TestEventCode"):
        yield warning(
            "test events",
            f"TestEventCode is {code}: all events of this stage are sent as test events.",
            "For real traffic, write 'TestEventCode=\"\"' into samconfig.toml and run "
            f"`pixel deploy {stage.name}`.",
        )


def _check_differences(stage: Stage, differences: list[Difference]) -> Check:
    name = "template parameters"
    if not differences:
        return passed(name, "The stack has the parameters of samconfig.toml.")
    listed = "; ".join(map(_difference_in_words, differences))
    todo = f"`pixel deploy {stage.name}` applies samconfig.toml."
    if any(one.configured is None for one in differences):
        todo += " It keeps what samconfig.toml does not set."
    return warning(name, f"The stack differs from samconfig.toml: {listed}.", todo)


def _difference_in_words(difference: Difference) -> str:
    def shown(value: str) -> str:
        return value or "empty"

    name, deployed, configured = difference.name, difference.deployed, difference.configured
    if deployed is None:
        return f"{name} is new and {shown(configured or '')} in samconfig.toml"
    if configured is None:
        return f"{name} is {shown(deployed)} in the stack and not set in samconfig.toml"
    return f"{name} is {shown(deployed)} in the stack and {shown(configured)} in samconfig.toml"


def load_mappings(stage: Stage) -> tuple[MappingSet | None, Check]:
    """Load the mapping set of the stage from the source."""
    chosen = stage.parameters["MappingSet"]
    path = schema.shipped(chosen)
    if chosen == "custom":
        path = OWN_MAPPINGS / f"{stage.name}.json"
    try:
        mappings = load_mapping_set(path, schema)
    except MappingError as error:
        todo = f"Fix the file; `pixel mappings --set custom --stage {stage.name}` checks it."
        return None, failed("mappings", f"The mapping file cannot be used. {error}", todo)
    count = counted(len(mappings.mappings), "mapping")
    return mappings, passed("mappings", f"The set {chosen} has {count}.")


def check_parked(stage: Stage, queue_url: str | None) -> Check:
    """Check how many messages wait in the queue, and for how long."""
    name = "parked events"
    if not queue_url:
        found = "Their queue is unknown: the stack has no output ParkedEventsQueueUrl."
        return skipped(name, found)
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
        return passed(name, "No events are parked.")
    cloudwatch = stage.client("cloudwatch")
    causes = parked_by_cause(cloudwatch, stage.service)
    hours = oldest_parked_hours(cloudwatch, stage.service)
    found = f"The queue has {counted(messages, 'message')} with parked events."
    if causes:
        listed = ", ".join(f"{count:,.0f} {cause}" for cause, count in causes.items())
        found += f" Events by cause: {listed}."
    if hours is not None:
        found += f" The oldest has waited for {hours:.1f} hours."
    if causes.get("operator"):
        return failed(name, found, "docs/runbook.md, operator-parked, says what to do.")
    return passed(name, found)


def check_alarms(stage: Stage) -> Check:
    """Check that no alarm rings."""
    alarms = read_alarms(stage.client("cloudwatch"), stage.stack)
    if not alarms:
        todo = f"`pixel deploy {stage.name}` creates them."
        return failed("alarms", f"The stack {stage.stack} has no alarms.", todo)
    ringing = [alarm.name for alarm in alarms if alarm.state == "ALARM"]
    count = counted(len(alarms), "alarm")
    if ringing:
        rings = "rings" if len(ringing) == 1 else "ring"
        found = f"{len(ringing)} of {count} {rings}: {', '.join(ringing)}."
        return failed("alarms", found, "docs/runbook.md has a section for each alarm.")
    return passed("alarms", f"None of {count} rings.")


def check_concurrency(stage: Stage) -> Check:
    """Check that the account allows the stage's concurrency."""
    from botocore.exceptions import ClientError  # noqa: PLC0415

    wanted = int(stage.parameters["MaximumConcurrency"])
    try:
        limits = stage.client("lambda").get_account_settings()["AccountLimit"]
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in {404, 501}:
            raise
        return skipped("concurrency", "The limit of the account cannot be read here.")
    total, free = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
    found = (
        f"The account allows {counted(total, 'concurrent execution')}, {free:,} of them "
        f"unreserved; MaximumConcurrency is {wanted}."
    )
    if wanted and total < wanted + _UNRESERVED:
        todo = "Set MaximumConcurrency=0 in samconfig.toml, or ask AWS for a higher limit."
        return failed("concurrency", found, todo)
    return passed("concurrency", found)
