"""Authentication: the signature, the bearer token, and secrets that are missing or rotated."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.integration.harness import FORWARDED, READS, Forward, Output, World
from tiktok_pixel.aws.credentials import DEVELOPMENT_SECRET
from tools.sandbox import samples
from tools.sandbox.application import FOLDER, PREFIX, put_parameters
from tools.sandbox.aws import denied

PAGE: Final = '"context":{"page":{"url":"https://shop.example/"}}'
# Written as no JSON library writes it, because the signature covers the bytes.
FIRST: Final = f'{{"type": "page","messageId":"m-0", "userId":"ü\\u00fc","x":1e-7,{PAGE}}}'
SECOND: Final = f'{{"type":"page","messageId":"m-1","userId":"user-2",{PAGE}}}'
PARAMETERS_TTL: Final = 300


def request_of(body: str, signed: str, secret: str = DEVELOPMENT_SECRET, **headers: str) -> Any:
    """A request whose signature covers the text `signed`."""
    request = samples.http_event(body, samples.sign(signed.encode(), secret))
    request["headers"] |= headers
    return request


SIGNED: Final[dict[str, tuple[str, str]]] = {
    "an array, signed whole": (f"[{FIRST},{SECOND}]", f"[{FIRST},{SECOND}]"),
    "an array, its first event signed": (f"[{FIRST},{SECOND}]", FIRST),
    "an array with white space": (f" [\n {FIRST} ,\n{SECOND} ]\n", FIRST),
    "wrapped in json": (f'[{{"json":{FIRST}}},{{"json":{SECOND}}}]', FIRST),
    "wrapped in json, the wrapper signed": (
        f'[{{"json":{FIRST}}},{{"json":{SECOND}}}]',
        f'{{"json":{FIRST}}}',
    ),
    "a batch object": (f'{{"batch":[{FIRST},{SECOND}]}}', f'{{"batch":[{FIRST},{SECOND}]}}'),
}


@pytest.mark.parametrize(("body", "signed"), SIGNED.values(), ids=SIGNED)
def test_every_form_of_a_batch_is_authenticated_and_read(
    world: World, application: Forward, body: str, signed: str
) -> None:
    answer = application.post(request_of(body, signed))

    assert (answer.status, answer.ends) == (200, {FORWARDED: 2})
    (request,) = world.tiktok.requests
    assert request.event_ids == ["m-0", "m-1"]


def without(name: str, request: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in request.items() if key != name}


NOT_SIGNED: Final[dict[str, dict[str, Any]]] = {
    "no signature": samples.http_event(FIRST, None),
    "another secret": request_of(FIRST, FIRST, "another secret"),
    "another body": request_of(f"{FIRST} ", FIRST),
    "the second event signed": request_of(f"[{FIRST},{SECOND}]", SECOND),
    "not JSON": samples.http_event("{", "0" * 40),
    "a null body": samples.http_event("", None) | {"body": None},
    "no body": without("body", samples.http_event("", None)),
    "no headers": without("headers", request_of(FIRST, FIRST)),
}


@pytest.mark.parametrize("request_", NOT_SIGNED.values(), ids=NOT_SIGNED)
def test_a_request_without_the_right_signature_is_refused_and_counted(
    world: World, application: Forward, output: Output, request_: dict[str, Any]
) -> None:
    """Segment drops events that are answered with 401, so that an alarm watches the metric."""
    answer = application.post(request_)

    assert (answer.status, answer.rows) == (401, [])
    signature = (request_.get("headers") or {}).get("x-signature")
    failure = "wrong" if signature else "missing"
    reason = f"signature_{failure}"
    assert (answer.body["status"], answer.body["reason"]) == ("rejected", reason)
    assert world.tiktok.requests == []
    assert output.metrics == {"AuthenticationFailure": 1, f"AuthenticationFailure[{failure}]": 1}
    assert reason in [line.get("reason") for line in output.logs]


OLD: Final = "the-old-secret"
NEW: Final = "the-new-secret"
ROTATION: Final[list[tuple[str, dict[str, int]]]] = [
    (OLD, {OLD: 200, NEW: 401}),
    (f"{OLD}\n{NEW}", {OLD: 200, NEW: 200}),
    (f"{NEW}\r\n{OLD}\r\n", {OLD: 200, NEW: 200}),
    (NEW, {OLD: 401, NEW: 200}),
]


def test_a_new_webhook_secret_is_accepted_before_the_old_value_expires(world: World) -> None:
    application = world.start()
    world.put(webhook_secret=OLD)
    world.clock.advance(PARAMETERS_TTL)
    assert application.post(request_of(FIRST, FIRST, OLD)).status == 200
    world.put(webhook_secret=f"{OLD}\n{NEW}")
    world.clock.advance(10)

    assert application.post(request_of(FIRST, FIRST, NEW)).status == 200


def test_a_wrong_signature_is_a_retry_while_the_secret_cannot_be_read_again(world: World) -> None:
    application = world.start()
    assert application.post(request_of(FIRST, FIRST, "wrong")).status == 401
    world.proxy.always(denied(), operation="GetParameters")
    world.clock.advance(10)

    answers = [application.post(request_of(FIRST, FIRST, "wrong")) for _ in range(3)]

    assert {(one.status, one.body["reason"]) for one in answers} == {
        (503, "webhook_secret_unavailable")
    }


def test_a_secret_that_was_missing_is_used_within_ten_seconds(world: World) -> None:
    world.aws.delete_parameters(f"{FOLDER}/webhook-secret")
    application = world.start()
    for _ in range(3):
        assert application.post(request_of(FIRST, FIRST)).status == 503
    assert world.proxy.calls[READS] == 1
    world.put(webhook_secret=DEVELOPMENT_SECRET)

    world.clock.advance(10)

    assert application.post(request_of(FIRST, FIRST)).status == 200


def test_a_wrong_signature_is_a_retry_while_the_secret_is_deleted(world: World) -> None:
    """During a rotation, the events that Segment signs with the new secret are not lost."""
    application = world.start()
    assert application.post(request_of(FIRST, FIRST)).status == 200
    world.aws.delete_parameters(f"{FOLDER}/webhook-secret")
    world.clock.advance(10)

    answer = application.post(request_of(FIRST, FIRST, NEW))

    assert (answer.status, answer.body["reason"]) == (503, "webhook_secret_unavailable")


def test_an_attack_reads_ssm_once_in_ten_seconds(world: World) -> None:
    application = world.start()
    application.post(request_of(FIRST, FIRST, "wrong"))
    reads = world.proxy.calls[READS]
    world.clock.advance(10)

    for _ in range(20):
        assert application.post(request_of(FIRST, FIRST, "wrong")).status == 401

    assert world.proxy.calls[READS] == reads + 1


def test_the_webhook_secret_is_rotated_without_a_gap(world: World) -> None:
    world.put(webhook_secret=OLD)
    application = world.start()

    for value, expected in ROTATION:
        world.put(webhook_secret=value)
        world.clock.advance(PARAMETERS_TTL)
        statuses = {
            secret: application.post(request_of(FIRST, FIRST, secret)).status
            for secret in (OLD, NEW)
        }
        assert statuses == expected


@pytest.mark.parametrize("value", [None, "\n", DEVELOPMENT_SECRET])
def test_without_a_usable_secret_in_production_segment_sends_the_events_again(
    world: World, output: Output, value: str | None
) -> None:
    if value is not None:
        name = f"{PREFIX}/prod/webhook-secret"
        world.aws.put_parameters({name: ("SecureString", value)})

    answer = world.start(STAGE="prod").post(request_of(FIRST, FIRST))

    assert (answer.status, answer.body["status"]) == (503, "retry")
    assert answer.body["reason"] == "webhook_secret_unavailable"
    assert world.tiktok.requests == []
    assert output.metrics == {"AuthenticationUnavailable": 1}


def test_production_accepts_its_own_secret_only(world: World) -> None:
    put_parameters(world.aws, f"{PREFIX}/prod")
    name = f"{PREFIX}/prod/webhook-secret"
    world.aws.put_parameters({name: ("SecureString", f"{NEW}\n{DEVELOPMENT_SECRET}")})
    application = world.start(STAGE="prod")

    assert application.post(request_of(FIRST, FIRST)).status == 401
    assert application.post(request_of(FIRST, FIRST, NEW)).status == 200


BEARER: Final = "a-bearer-token"


@pytest.mark.parametrize(("token", "status"), [(BEARER, 200), ("another", 401)])
def test_a_bearer_token_protects_the_events_that_the_signature_does_not_cover(
    world: World, token: str, status: int
) -> None:
    world.put(bearer_token=BEARER)
    application = world.start(REQUIRE_BEARER_TOKEN="true")
    forged = f"[{FIRST},{SECOND}]"

    answer = application.post(request_of(forged, FIRST, authorization=f"Bearer {token}"))

    assert answer.status == status
    assert answer.body.get("reason") == (None if status == 200 else "bearer_token_wrong")
    assert bool(world.tiktok.requests) is (status == 200)


def test_the_bearer_token_does_not_replace_the_signature(world: World) -> None:
    world.put(bearer_token=BEARER)
    application = world.start(REQUIRE_BEARER_TOKEN="true")

    answer = application.post(samples.http_event(FIRST, None, authorization=f"Bearer {BEARER}"))

    assert (answer.status, answer.body["reason"]) == (401, "signature_missing")


@pytest.mark.parametrize("value", [None, " \n "], ids=["deleted", "blank"])
def test_a_required_bearer_token_that_is_missing_in_ssm_makes_segment_send_again(
    world: World, value: str | None
) -> None:
    world.put(bearer_token=BEARER)
    application = world.start(REQUIRE_BEARER_TOKEN="true")
    request = request_of(FIRST, FIRST, authorization=f"Bearer {BEARER}")
    assert application.post(request).status == 200
    if value is None:
        world.aws.delete_parameters(f"{FOLDER}/bearer-token")
    else:
        world.put(bearer_token=value)
    world.clock.advance(PARAMETERS_TTL)

    answers = [
        application.post(one)
        for one in (request, request_of(FIRST, FIRST, authorization="Bearer "))
    ]

    assert [one.status for one in answers] == [503, 503]
    assert {one.body["reason"] for one in answers} == {"bearer_token_unavailable"}


def test_the_bearer_token_is_ignored_unless_it_is_required(
    world: World, application: Forward
) -> None:
    world.put(bearer_token=BEARER)

    assert application.post(request_of(FIRST, FIRST)).status == 200
