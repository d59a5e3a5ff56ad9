"""What TikTok gets for the sample events, and what Segment is answered."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from tests.integration.conftest import StartCustom
from tests.integration.harness import STATUSES, Forward, World, preset
from tests.payloads import EXPECTED, OUTCOMES, PERSONAL, assert_payload, expected, hashed
from tiktok_pixel.mapping import load_mapping_set
from tiktok_pixel.tiktok import schema
from tools.sandbox import samples
from tools.sandbox.tiktok import TRACK_PATH

SENT = [name for name, (_, status, _) in OUTCOMES.items() if status == "forwarded"]
CART = samples.read("add-to-cart")


def file_names(mapping_set: str) -> set[str]:
    """The file name of the sample of each mapping."""
    mappings = load_mapping_set(schema.shipped(mapping_set), schema).mappings
    return {mapping.name.lower().replace(" ", "-") for mapping in mappings}


FULL = sorted(file_names("full"))


def test_every_mapping_has_a_sample_and_an_expected_payload() -> None:
    assert set(OUTCOMES) == set(samples.names())
    assert file_names("default") <= set(SENT)
    assert {file.stem for file in (samples.EVENTS / "full").glob("*.json")} == set(FULL)
    assert {file.stem for file in (EXPECTED / "full").glob("*.json")} == set(FULL)


def test_the_digests_in_the_expected_payloads_are_those_of_the_samples() -> None:
    texts = [file.read_text() for file in EXPECTED.rglob("*.json")]
    digests = {digest for text in texts for digest in re.findall(r"\b[0-9a-f]{64}\b", text)}

    assert digests == {hashed(identifier) for identifier in PERSONAL}


PROBLEMS = {
    "partly-unusable": [
        "email_not_an_address",
        "phone_not_valid",
        "price_not_a_number",
        "currency_not_supported",
    ],
    "rejected-no-identifier": ["identifier_missing", "ip_not_public"],
    "rejected-too-old": ["event_time_too_old"],
}
"""Sample -> the problems in the response."""


def response_to(name: str) -> dict[str, Any]:
    """The whole body of the response to one sample."""
    _, status, reason = OUTCOMES[name]
    event = expected(name)["data"][0]["event"] if name in SENT else None
    if status == "rejected":
        event = "AddToCart"
    row = {
        "message_id": f"sample-{name}",
        "status": status,
        "reason": reason,
        "event": event,
        "match_keys": list(expected(name)["data"][0]["user"]) if name in SENT else [],
        "problems": PROBLEMS.get(name, []),
    }
    return {"status": status, **dict.fromkeys(STATUSES, 0), status: 1, "results": [row]}


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_signed_sample(world: World, application: Forward, name: str) -> None:
    answer = application.post(samples.read(samples.SIGNED + name))

    assert answer.status == OUTCOMES[name][0]
    assert answer.body == response_to(name)
    assert len(world.tiktok.requests) == (name in SENT)
    for request in world.tiktok.requests:
        assert_payload(request, name)


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_sample_that_is_invoked_directly(world: World, application: Forward, name: str) -> None:
    assert application.invoke(samples.read(name)) == response_to(name)

    assert len(world.tiktok.requests) == (name in SENT)
    for request in world.tiktok.requests:
        assert_payload(request, name)


@pytest.mark.parametrize("name", FULL)
def test_a_sample_of_the_full_set(world: World, name: str) -> None:
    answer = world.start(MAPPING_SET="full").send(samples.read(f"full/{name}"))

    assert answer.end == ("forwarded", "tiktok_accepted")
    (request,) = world.tiktok.requests
    assert_payload(request, f"full/{name}")


def test_the_request_to_tiktok(world: World, application: Forward) -> None:
    application.send(CART)

    (request,) = world.tiktok.requests
    assert (request.request.method, request.request.path) == ("POST", TRACK_PATH)
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("mapping_set", "tiktok_event"), [("default", "PlaceAnOrder"), ("full", "Purchase")]
)
def test_the_mapping_set_decides_what_a_completed_order_is(
    world: World, mapping_set: str, tiktok_event: str
) -> None:
    answer = world.start(MAPPING_SET=mapping_set).send(samples.read("order-completed"))

    assert answer.row["event"] == tiktok_event


def test_the_full_set_sends_a_placed_and_a_completed_order_as_two_events(world: World) -> None:
    application = world.start(MAPPING_SET="full")
    for name in ("place-an-order", "purchase"):
        application.send(samples.read(f"full/{name}"))

    assert [one.event["event"] for one in world.tiktok.events] == ["PlaceAnOrder", "Purchase"]


def test_without_a_default_region_a_national_phone_number_needs_a_country_or_a_locale(
    world: World,
) -> None:
    application = world.start(DEFAULT_PHONE_REGION="")
    event = samples.read("add-to-cart")
    application.send(event)
    del event["context"]["traits"]["address"], event["context"]["locale"]
    application.send(event | {"messageId": "m-2"})

    first, second = (accepted.event["user"] for accepted in world.tiktok.accepted)
    assert first["phone"] == [hashed("+12065550100")]
    assert "phone" not in second


def test_a_web_event_without_a_page_url_is_left_to_tiktok_to_judge(
    world: World, application: Forward
) -> None:
    world.tiktok.settings.page_url_required = False
    event = samples.read("add-to-cart")
    del event["context"]["page"]

    assert application.send(event).end == ("forwarded", "tiktok_accepted")
    assert "page" not in world.tiktok.accepted[0].event


@pytest.mark.parametrize(
    ("times", "used"),
    [
        ({"timestamp": "{t0}", "originalTimestamp": "{t1}"}, 0),
        ({"timestamp": None, "originalTimestamp": "{t1}"}, 1),
        ({"originalTimestamp": "{t1}"}, 1),
    ],
)
def test_the_event_time_is_the_timestamp_else_the_original_timestamp(
    world: World, application: Forward, times: dict[str, Any], used: int
) -> None:
    moments = [int(time.time()) - 3600, int(time.time()) - 7200]
    t0, t1 = (time.strftime("%Y-%m-%dT%H:%M:%S.999Z", time.gmtime(one)) for one in moments)
    filled = {name: value and value.format(t0=t0, t1=t1) for name, value in times.items()}

    application.send(CART | filled)

    assert [accepted.event["event_time"] for accepted in world.tiktok.accepted] == [moments[used]]


def test_a_numeric_message_id_is_sent_as_text(world: World, application: Forward) -> None:
    answer = application.send(samples.read("search") | {"messageId": 4711})

    assert (answer.row["status"], answer.row["message_id"]) == ("forwarded", "4711")
    assert world.tiktok.event_ids == {"4711"}


@pytest.mark.parametrize(("new", "old"), [("Lead", "SubmitForm"), ("Purchase", "CompletePayment")])
def test_a_legacy_name_replaces_the_new_one(
    world: World, custom: StartCustom, new: str, old: str
) -> None:
    answer = custom(preset(new, legacy_name=True)).send(CART)

    assert answer.row["event"] == old
    assert [one.event["event"] for one in world.tiktok.events] == [old]
