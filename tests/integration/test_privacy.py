"""No log line, metric or answer holds anything personal, raw or hashed, whatever happens."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tiktok_pixel import endpoint
from tiktok_pixel.aws.credentials import DEVELOPMENT_SECRET
from tiktok_pixel.endpoint import RetryLaterError
from tiktok_pixel.mapping import MappingSet
from tools.sandbox import faults, samples
from tools.sandbox.tiktok import ACCESS_TOKEN, TikTokSandbox

if TYPE_CHECKING:
    from tests.integration.conftest import Output, StartApplication
    from tools.sandbox.application import ForwardApplication
    from tools.sandbox.aws import AwsSandbox

# The parts of an event that tell of a person.
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
    """Every text in a JSON value."""
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
        # Two letters, such as a country's, stand in any text.
        found |= {text.strip() for text in leaves(value) if len(text.strip()) > 2}
    return found - {"none", "users", "email"}


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
    """None of the values is in the text, neither as it is nor as JSON writes it."""
    assert text
    assert len(values) > 10
    for value in values:
        assert value not in text
        assert json.dumps(value)[1:-1] not in text
    # Whatever it may be of, no digest belongs there.
    assert not re.search(r"\b[0-9a-fA-F]{64}\b", text)
    assert ACCESS_TOKEN not in text
    assert DEVELOPMENT_SECRET not in text


def test_the_values_looked_for_are_those_of_the_samples() -> None:
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


@pytest.mark.parametrize("way", ["one by one", "as a batch", "invoked directly"])
def test_when_all_goes_well(
    application: ForwardApplication, tiktok: TikTokSandbox, output: Output, way: str
) -> None:
    events = [samples.read(name) for name in samples.names()]
    answers: list[Any]
    if way == "one by one":
        answers = [application.send(event).body for event in events]
    elif way == "as a batch":
        answers = [application.send(events).body]
    else:
        answers = [application.invoke(event) for event in events]

    assert len(tiktok.accepted) == len(samples.MAPPED) + 1
    assert_absent(everything_personal(tiktok), output.read() + json.dumps(answers))


@pytest.mark.parametrize(
    "name", ["refused-wrong-signature", "refused-unsigned", "refused-not-json"]
)
def test_when_a_request_is_refused(
    application: ForwardApplication, tiktok: TikTokSandbox, output: Output, name: str
) -> None:
    http = application.post(samples.read(name))

    assert http.status in (400, 401)
    assert_absent(everything_personal(tiktok), output.read() + json.dumps(http.body))


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
def test_when_tiktok_refuses(
    application: ForwardApplication, tiktok: TikTokSandbox, output: Output, fault: faults.Fault
) -> None:
    tiktok.always(fault)

    http = application.send(samples.read("place-an-order"))

    assert http.row["status"] != "forwarded"
    assert_absent(everything_personal(tiktok), output.read() + json.dumps(http.body))


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
def test_when_tiktok_quotes_what_it_refuses(
    application: ForwardApplication,
    tiktok: TikTokSandbox,
    output: Output,
    message: str,
    value: str,
) -> None:
    tiktok.always(faults.answer(40002, message.format(value)))

    http = application.send(samples.read("add-to-cart"))

    values = everything_personal(tiktok) | {value}
    assert_absent(values, output.read() + json.dumps(http.body))


def crash(events: Any, *_: Any, **__: Any) -> Any:
    """Fail, and quote what it was about."""
    raise ValueError(f"no good: {events}")


def test_when_a_mapping_crashes(
    application: ForwardApplication,
    tiktok: TikTokSandbox,
    output: Output,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(MappingSet, "match", lambda _, event: crash(event))

    http = application.send([samples.read("place-an-order"), samples.read("search")])

    assert (http.status, http.body["retry"]) == (503, 2)
    assert {row["reason"] for row in http.body["results"]} == {"internal_error"}
    assert output.metrics["InternalError"] == 2
    assert_absent(everything_personal(tiktok), output.read() + json.dumps(http.body))


def test_when_the_function_crashes(
    application: ForwardApplication,
    tiktok: TikTokSandbox,
    output: Output,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The answer is one that Segment sends again."""
    monkeypatch.setattr(endpoint, "forward", crash)

    http = application.send(samples.read("place-an-order"))

    assert (http.status, http.body["status"]) == (500, "retry")
    assert http.body["reason"] == "internal_error"
    assert output.metrics == {"InternalError": 1}
    assert_absent(everything_personal(tiktok), output.read() + json.dumps(http.body))


def test_when_the_function_crashes_invoked_directly(
    application: ForwardApplication,
    tiktok: TikTokSandbox,
    output: Output,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lambda's runtime logs the exception that leaves the handler, words and all."""
    monkeypatch.setattr(endpoint, "forward", crash)

    with pytest.raises(RetryLaterError) as raised:
        application.invoke(samples.read("place-an-order"))

    logged = "".join(traceback.format_exception(raised.value))
    assert_absent(everything_personal(tiktok), output.read() + logged)


def test_when_an_invocation_has_to_be_repeated(
    application: ForwardApplication, tiktok: TikTokSandbox, output: Output
) -> None:
    tiktok.always(faults.answer(50000))

    with pytest.raises(RetryLaterError) as raised:
        application.invoke(samples.read("place-an-order"))

    logged = "".join(traceback.format_exception(raised.value))
    assert_absent(everything_personal(tiktok), output.read() + logged)


def test_when_aws_is_not_there(
    start: StartApplication, aws: AwsSandbox, tiktok: TikTokSandbox, output: Output
) -> None:
    aws.reset()

    http = start().send(samples.read("place-an-order"))

    assert http.status == 503
    assert_absent(everything_personal(tiktok), output.read() + json.dumps(http.body))


@pytest.mark.parametrize("quoted", ["seattle", "Mozilla/5.0", "98101", "sample-ttp-cookie"])
def test_a_value_of_the_event_that_tiktok_quotes_is_not_logged(
    application: ForwardApplication, tiktok: TikTokSandbox, output: Output, quoted: str
) -> None:
    """Also one that looks like any other word."""
    event = samples.read("add-to-cart")
    event["context"]["userAgent"] = "Mozilla/5.0"
    event["properties"]["order_id"] = "98101"
    tiktok.always(faults.answer(40002, f"Invalid value for user: {quoted} is not allowed."))

    assert application.send(event).row["reason"] == "tiktok_parameter_invalid"

    assert quoted not in output.read()
    assert "Invalid value for user" in output.text
