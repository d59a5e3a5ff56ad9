"""No log line, metric or response has personal data, raw or hashed."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.harness import Forward, Output, World
from tiktok_pixel import endpoint
from tiktok_pixel.aws.credentials import DEVELOPMENT_SECRET
from tiktok_pixel.endpoint import RetryLaterError
from tiktok_pixel.mapping import MappingSet
from tools.sandbox import faults, samples
from tools.sandbox.tiktok import ACCESS_TOKEN, TikTokSandbox

# The parts of an event that describe a person.
PERSONAL_PATHS = (
    ("userId",),
    ("anonymousId",),
    ("traits",),
    ("properties", "email"),
    ("properties", "phone"),
    ("properties", "url"),
    ("context", "ip"),
    ("context", "userAgent"),
    ("context", "traits"),
    ("context", "externalIds"),
    ("context", "page", "url"),
    ("integrations", "TikTok Conversions"),
)


def leaves(value: Any) -> Iterator[str]:
    """Every string in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for below in value.values() if isinstance(value, dict) else value:
            yield from leaves(below)


def personal_values(event: dict[str, Any]) -> set[str]:
    """The raw personal values of a sample, trimmed."""
    found = set()
    for path in PERSONAL_PATHS:
        value: Any = event
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        # Two letters, such as a country code, are part of any text.
        found |= {text.strip() for text in leaves(value) if len(text.strip()) > 2}
    # Words of any log, and digits that a duration can have.
    return found - {"none", "users", "email", "12345"}


def everything_personal(tiktok: TikTokSandbox) -> set[str]:
    """The raw values of all samples, and what TikTok got of them."""
    raw = set().union(*(personal_values(samples.read(name)) for name in samples.names()))
    sent = {
        text
        for request in tiktok.requests
        for event in request.events
        for text in (*leaves(event.get("user")), *leaves(event.get("page")))
        if len(text) > 2
    }
    lowered = {value.lower() for value in raw}
    return raw | lowered | sent - {"en-US"}


def assert_absent(values: set[str], text: str) -> None:
    """Check that a text has none of the values, neither plain nor escaped."""
    assert text
    assert len(values) > 10
    for value in values:
        assert value not in text
        assert json.dumps(value)[1:-1] not in text
    # No digest of anything.
    assert not re.search(r"\b[0-9a-fA-F]{64}\b", text)
    assert ACCESS_TOKEN not in text
    assert DEVELOPMENT_SECRET not in text


def test_the_personal_values_are_those_of_the_samples() -> None:
    found = set().union(*(personal_values(samples.read(name)) for name in samples.names()))

    assert {
        "Jane.Doe@Example.com",
        "jane.doe@example.com",
        "jane@example.org",
        "(206) 555-0100",
        "+44 20 7946 0958",
        "Jane",
        "Doe",
        "Seattle",
        "98101-1234",
        "8.8.8.8",
        "user-4711",
        "sample-ttp-cookie",
        "https://www.example.com/games?ttclid=E.C.P.sample-click-id",
    } <= found


@pytest.mark.parametrize("how", ["one by one", "as a batch", "invoked directly"])
def test_no_personal_data_when_all_goes_well(
    world: World, application: Forward, output: Output, how: str
) -> None:
    events = [samples.read(name) for name in samples.names()]
    answers: list[Any]
    if how == "one by one":
        answers = [application.send(event).body for event in events]
    elif how == "as a batch":
        answers = [application.send(events).body]
    else:
        answers = [application.invoke(event) for event in events]

    assert len(world.tiktok.accepted) == len(samples.MAPPED) + 1
    assert_absent(everything_personal(world.tiktok), output.text + json.dumps(answers))


@pytest.mark.parametrize(
    "name", ["refused-wrong-signature", "refused-unsigned", "refused-not-json"]
)
def test_no_personal_data_when_a_request_is_refused(
    world: World, application: Forward, output: Output, name: str
) -> None:
    answer = application.post(samples.read(name))

    assert answer.status in (400, 401)
    assert_absent(everything_personal(world.tiktok), output.text + json.dumps(answer.body))


@pytest.mark.parametrize(
    "fault",
    [
        faults.answer(40002, "Invalid value for event_id"),
        faults.answer(40105),
        faults.answer(50000),
        faults.http(502),
        faults.not_json(),
        faults.reset(),
        faults.truncated_json(),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_no_personal_data_when_tiktok_refuses(
    world: World, application: Forward, output: Output, fault: faults.Fault
) -> None:
    world.tiktok.always(fault)

    answer = application.send(samples.read("place-an-order"))

    assert answer.row["status"] != "forwarded"
    assert_absent(everything_personal(world.tiktok), output.text + json.dumps(answer.body))


@pytest.mark.parametrize(
    "value",
    [
        "jane.doe@example.com",
        "86e0b9e56c17cc4d12387e1949b85053fbe73bc3ce5a1188713a9d300cc6133d",
        "+12065550100",
        "(206) 555-0100",
        "8.8.8.8",
        "2001:4860:4860::8888",
    ],
)
@pytest.mark.parametrize(
    "message", ["Invalid value for user.email: {}.", "'{}' is not valid", "user={{'x': '{}'}}"]
)
def test_no_personal_data_when_tiktok_quotes_what_it_refuses(
    world: World,
    application: Forward,
    output: Output,
    message: str,
    value: str,
) -> None:
    world.tiktok.always(faults.answer(40002, message.format(value)))

    answer = application.send(samples.read("add-to-cart"))

    values = everything_personal(world.tiktok) | {value}
    assert_absent(values, output.text + json.dumps(answer.body))


def crash(events: Any, *_: Any, **__: Any) -> Any:
    """Fail with a message that quotes the events."""
    raise ValueError(f"no good: {events}")


def test_no_personal_data_when_a_mapping_crashes(
    world: World,
    application: Forward,
    output: Output,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(MappingSet, "match", lambda _, event: crash(event))

    answer = application.send([samples.read("place-an-order"), samples.read("search")])

    assert (answer.status, answer.body["retry"]) == (503, 2)
    assert {row["reason"] for row in answer.rows} == {"internal_error"}
    assert output.metrics["InternalError"] == 2
    assert_absent(everything_personal(world.tiktok), output.text + json.dumps(answer.body))


def test_no_personal_data_when_the_function_crashes(
    world: World,
    application: Forward,
    output: Output,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The response makes Segment send the events again."""
    monkeypatch.setattr(endpoint, "forward", crash)

    answer = application.send(samples.read("place-an-order"))

    assert (answer.status, answer.body["status"]) == (500, "retry")
    assert answer.body["reason"] == "internal_error"
    assert output.metrics["InternalError"] == 1
    assert_absent(everything_personal(world.tiktok), output.text + json.dumps(answer.body))


def test_no_personal_data_when_the_function_crashes_invoked_directly(
    world: World,
    application: Forward,
    output: Output,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lambda's runtime logs the exception that leaves the handler, with its message."""
    monkeypatch.setattr(endpoint, "forward", crash)

    with pytest.raises(RetryLaterError) as raised:
        application.invoke(samples.read("place-an-order"))

    logged = "".join(traceback.format_exception(raised.value))
    assert_absent(everything_personal(world.tiktok), output.text + logged)


def test_no_personal_data_when_an_invocation_has_to_be_repeated(
    world: World, output: Output
) -> None:
    world.tiktok.always(faults.answer(50000))

    with pytest.raises(RetryLaterError) as raised:
        world.start(PARKED_QUEUE_URL="").invoke(samples.read("place-an-order"))

    logged = "".join(traceback.format_exception(raised.value))
    assert_absent(everything_personal(world.tiktok), output.text + logged)


def test_no_personal_data_when_aws_is_not_there(world: World, output: Output) -> None:
    world.aws.reset()

    answer = world.start().send(samples.read("place-an-order"))

    assert answer.status == 503
    assert_absent(everything_personal(world.tiktok), output.text + json.dumps(answer.body))


@pytest.mark.parametrize("quoted", ["seattle", "Mozilla/5.0", "98101", "sample-ttp-cookie"])
def test_a_value_of_the_event_is_not_logged_when_tiktok_quotes_it(
    world: World, application: Forward, output: Output, quoted: str
) -> None:
    """Not even if it looks like any other word."""
    event = samples.read("add-to-cart")
    event["context"]["userAgent"] = "Mozilla/5.0"
    event["properties"]["order_id"] = "98101"
    world.tiktok.always(faults.answer(40002, f"Invalid value for user: {quoted} is not allowed."))

    assert application.send(event).row["reason"] == "tiktok_parameter_invalid"

    assert quoted not in output.text
    assert "Invalid value for user" in output.text
