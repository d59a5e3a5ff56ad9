"""Mapping files of the operator: what they can change, and how unusable ones are reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import StartCustom
from tests.integration.harness import FORWARDED, World, preset, visit
from tiktok_pixel import destination
from tiktok_pixel.mapping import MappingError
from tiktok_pixel.tiktok import schema
from tools.sandbox import samples
from tools.sandbox.application import FOLDER, PREFIX, put_parameters
from tools.sandbox.tiktok import ACCESS_TOKEN, PIXEL_CODE

CART = samples.read("add-to-cart")
OUTLET_PIXEL = "COUTLETPIXEL00000001"
OUTLET_TOKEN = "outlet-access-token"


def only_payload(world: World) -> dict[str, Any]:
    """The body of the only request to TikTok."""
    (request,) = world.tiktok.requests
    assert request.parsed is not None
    return request.parsed


def test_the_file_that_is_shipped_does_what_the_default_set_does() -> None:
    """Its other presets are switched off: they are examples."""
    presets = json.loads((Path(destination.OWN_MAPPINGS) / "dev.json").read_text())

    assert [one for one in presets if one["enabled"]] == json.loads(
        schema.shipped("default").read_text()
    )


def test_each_stage_has_its_own_file(world: World, custom: StartCustom) -> None:
    put_parameters(world.aws, f"{PREFIX}/staging")
    in_dev = custom(preset("InDev"), stage="dev")
    in_staging = custom(preset("InStaging"), stage="staging")

    assert in_dev.send(CART).row["event"] == "InDev"
    assert in_staging.send(CART).row["event"] == "InStaging"


def test_a_custom_event_with_a_custom_property(world: World, custom: StartCustom) -> None:
    fields = {"value": {"@path": "$.properties.cart_total"}, "email": None}
    application = custom(preset("BigCart", fields=fields))

    application.send(CART | {"properties": {"cart_total": "120.5", "currency": "EUR"}})

    (sent,) = only_payload(world)["data"]
    assert sent["event"] == "BigCart"
    assert sent["properties"] == {"currency": "EUR", "value": 120.5}
    assert "email" not in sent["user"]
    assert "phone" in sent["user"]


def test_a_mapping_that_is_switched_off_matches_nothing(custom: StartCustom) -> None:
    answer = custom(preset("AddToCart", enabled=False)).send(CART)

    assert answer.end == ("ignored", "not_mapped")


def test_an_event_has_a_row_for_every_mapping_that_matches(
    world: World, custom: StartCustom
) -> None:
    application = custom(
        preset("AddToCart", name="1"),
        preset("GameInCart", name="2", subscribe='properties.category = "Games"'),
        preset("BookInCart", name="3", subscribe='properties.category = "Books"'),
        preset("Broken", name="4", fields={"timestamp": {"@path": "$.event"}}),
    )

    answer = application.send(CART)

    assert [(row["event"], row["status"], row["reason"]) for row in answer.rows] == [
        ("AddToCart", "forwarded", "tiktok_accepted"),
        ("GameInCart", "forwarded", "tiktok_accepted"),
        ("Broken", "rejected", "event_time_unparsable"),
    ]
    assert answer.status == 200
    assert [one.event["event"] for one in world.tiktok.events] == ["AddToCart", "GameInCart"]


def track(name: str, event: str, **more: Any) -> dict[str, Any]:
    """A preset for track calls of one name."""
    return preset(event, name=name, subscribe=f'type = "track" and event = "{name}"', **more)


def test_each_pixel_event_source_and_test_code_has_its_own_requests(
    world: World, custom: StartCustom
) -> None:
    world.tiktok.settings.pixels.add(OUTLET_PIXEL)
    world.tiktok.settings.tokens.add(OUTLET_TOKEN)
    world.aws.put_parameters(
        {
            f"{FOLDER}/pixels/outlet/pixel-code": ("String", OUTLET_PIXEL),
            f"{FOLDER}/pixels/outlet/access-token": ("SecureString", OUTLET_TOKEN),
        }
    )
    presets = [
        track("Bought", "Purchase"),
        track("Bought in outlet", "Purchase", pixel="outlet"),
        track(
            "Bought in shop",
            "Purchase",
            fields={"event_source": "offline", "email": "jane@example.org"},
        ),
        track("Tested", "Purchase", fields={"test_event_code": "TEST1"}),
    ]
    events = [
        visit(f"{number}-{one['name']}", type="track", event=one["name"])
        for number in range(3)
        for one in presets
    ]

    answer = custom(*presets).send(events)

    assert (answer.status, answer.ends) == (200, {FORWARDED: 12})
    assert [row["message_id"] for row in answer.rows] == [event["messageId"] for event in events]
    assert [len(one.events) for one in world.tiktok.requests] == [3] * 4
    requests = [
        (
            one.headers["access-token"],
            one.parsed["event_source_id"],
            one.parsed["event_source"],
            one.parsed.get("test_event_code"),
        )
        for one in world.tiktok.requests
        if one.parsed
    ]
    assert set(requests) == {
        (ACCESS_TOKEN, PIXEL_CODE, "web", None),
        (OUTLET_TOKEN, OUTLET_PIXEL, "web", None),
        (ACCESS_TOKEN, PIXEL_CODE, "offline", None),
        (ACCESS_TOKEN, PIXEL_CODE, "web", "TEST1"),
    }


def test_a_pixel_without_parameters_parks_only_its_own_events(
    world: World, custom: StartCustom
) -> None:
    application = custom(
        preset("AddToCart", name="shop"), preset("AddToCart", name="outlet", pixel="outlet")
    )

    answer = application.send([CART, CART | {"messageId": "m-2"}])

    assert answer.status == 202
    assert answer.ends == {FORWARDED: 2, ("parked", "credentials_missing"): 2}
    assert {message["pixel"] for message in world.parked_messages()} == {"outlet"}


@pytest.mark.parametrize("of_deployment", ["", "TEST2"])
def test_the_test_event_code_of_a_mapping_wins_over_that_of_the_deployment(
    world: World, custom: StartCustom, of_deployment: str
) -> None:
    application = custom(
        preset("Real", name="1"),
        preset("Tested", name="2", fields={"test_event_code": "TEST1"}),
        TEST_EVENT_CODE=of_deployment,
    )

    application.send(CART)

    assert {one.event["event"]: one.test_event_code for one in world.tiktok.events} == {
        "Real": of_deployment or None,
        "Tested": "TEST1",
    }


@pytest.mark.parametrize("user", [{"userId": "u-1"}, {}], ids=["with a user id", "lead id only"])
def test_a_lead_of_a_crm(world: World, custom: StartCustom, user: dict[str, str]) -> None:
    """The lead id alone identifies the person."""
    lead = {"lead_id": {"@path": "$.properties.lead"}, "lead_event_source": "HubSpot"}
    application = custom(preset("Lead", fields={"event_source": "crm", "lead_fields": lead}))

    application.send({"type": "track", "messageId": "m-1", "properties": {"lead": 4711}} | user)

    payload = only_payload(world)
    assert payload["event_source"] == "crm"
    assert payload["data"][0]["lead"] == {"lead_id": "4711", "lead_event_source": "HubSpot"}


def test_an_offline_event_needs_no_page(world: World, custom: StartCustom) -> None:
    application = custom(preset("Purchase", fields={"event_source": "offline"}))

    traits = {"email": "jane@example.org"}
    application.send(
        {"type": "track", "messageId": "m-1", "event": "Sold", "context": {"traits": traits}}
    )

    payload = only_payload(world)
    assert payload["event_source"] == "offline"
    assert "page" not in payload["data"][0]


def test_travel_fields(world: World, custom: StartCustom) -> None:
    travel = {
        "city": {"@path": "$.properties.city"},
        "num_adults": {"@path": "$.properties.adults"},
        "travel_class": "bus",
        "user_score": {"@path": "$.properties.score"},
        "suggested_hotels": {"@path": "$.properties.hotels"},
    }
    fields = {"event_spec_type": "travel_fields", "travel_fields": travel}
    properties = {"city": "Rome", "adults": "2", "score": "high", "hotels": ["h-1", 2]}

    custom(preset("ViewContent", fields=fields)).send(CART | {"properties": properties})

    assert only_payload(world)["data"][0]["properties"] == {
        "city": "Rome",
        "num_adults": 2,
        "travel_class": "bus",
        "suggested_hotels": ["h-1", "2"],
    }


def test_vehicle_fields(world: World, custom: StartCustom) -> None:
    vehicle = {
        "make": {"@path": "$.properties.make"},
        "year": {"@path": "$.properties.year"},
        "state_of_vehicle": "Used",
        "fuel_type": {"@path": "$.properties.fuel"},
        "mileage_value": {"@path": "$.properties.mileage"},
        "mileage_unit": "KM",
        "preferred_price_range_min": 1000,
        "preferred_price_range_max": {"@path": "$.properties.budget"},
    }
    fields = {"event_spec_type": "vehicle_fields", "vehicle_fields": vehicle, "content_type": None}
    properties = {"make": "Fiat", "year": "1966", "fuel": "Wood", "mileage": 99.5, "budget": 9000}

    custom(preset("ViewContent", fields=fields)).send(CART | {"properties": properties})

    assert only_payload(world)["data"][0]["properties"] == {
        "make": "Fiat",
        "year": 1966,
        "state_of_vehicle": "Used",
        "mileage": {"unit": "KM", "value": 99.5},
        "preferred_price_range": [1000, 9000],
    }


def test_an_unusable_file_stops_the_start_and_reports_every_mistake(custom: StartCustom) -> None:
    fields = {"content_type": "car", "contents": {"@arrayPath": [5, {}]}}

    with pytest.raises(MappingError) as raised:
        custom(preset("AddToCart", name="Cart", fields=fields), preset("Browse", name="B"))

    file = destination.OWN_MAPPINGS / "dev.json"
    lines = str(raised.value).splitlines()
    assert [line.split(": ")[:3] for line in lines] == [
        [str(file), '"Cart"', "content_type"],
        [str(file), '"Cart"', "contents/@arrayPath/0"],
        [str(file), '"B"', "event"],
    ]
    assert "product, product_group" in lines[0]


def test_a_stage_without_a_file_stops_the_start(world: World, custom: StartCustom) -> None:
    custom(preset("AddToCart"), stage="dev")

    with pytest.raises(MappingError) as raised:
        world.start(MAPPING_SET="custom", STAGE="prod")

    assert str(destination.OWN_MAPPINGS / "prod.json") in str(raised.value)
    assert "dev.json" in str(raised.value)
