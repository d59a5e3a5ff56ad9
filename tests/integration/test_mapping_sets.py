"""The mapping sets through the real function: every mapping's sample and its exact payload.

`events/full/` holds a Segment event for every mapping of the set `full`, `events/` one for every
mapping of the default set, and `expected/` what TikTok gets for each, token and headers apart.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.conftest import StartApplication
from tiktok_pixel import destination, endpoint
from tiktok_pixel.mapping import MappingError, load_mapping_set
from tiktok_pixel.tiktok import schema
from tools.sandbox import samples
from tools.sandbox.application import FOLDER, PREFIX, ForwardApplication, put_parameters
from tools.sandbox.tiktok import PIXEL_CODE, TikTokSandbox

if TYPE_CHECKING:
    from tools.sandbox.aws import AwsSandbox

EXPECTED = Path(__file__).parent / "expected"
OWN = Path(destination.OWN_MAPPINGS)
NOW = 1_700_000_000

StartCustom = Callable[..., ForwardApplication]
Json = dict[str, Any]


def kebab(name: str) -> str:
    return name.lower().replace(" ", "-")


def mapping_names(name: str) -> dict[str, str]:
    """The file name of a sample -> the TikTok event of the mapping it is for."""
    mappings = load_mapping_set(schema.shipped(name), schema).mappings
    return {kebab(mapping.name): str(mapping.event_name) for mapping in mappings}


FULL = mapping_names("full")
DEFAULT = mapping_names("default") | {"order-completed": "PlaceAnOrder"}


def at_a_fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The samples carry no timestamp: their time is the function's clock."""
    monkeypatch.setattr(endpoint, "time", SimpleNamespace(time=lambda: NOW + 0.9))


def sent_for(application: ForwardApplication, tiktok: TikTokSandbox, event: Json) -> list[Json]:
    """Send an event, every row of which must be forwarded; the bodies that TikTok got."""
    answer = application.send(event)
    assert [row["status"] for row in answer.body["results"]] == ["forwarded"] * len(
        answer.body["results"]
    )
    return [one.parsed for one in tiktok.requests if one.parsed is not None]


def expected(name: str) -> Json:
    payload: Json = json.loads((EXPECTED / f"{name}.json").read_text())
    return payload


# ------------------------------------------------------------------ the sets that are shipped


def test_every_mapping_of_full_has_a_sample_and_an_expected_payload() -> None:
    assert {file.stem for file in (samples.EVENTS / "full").glob("*.json")} == set(FULL)
    assert {file.stem for file in (EXPECTED / "full").glob("*.json")} == set(FULL)


def test_every_mapping_of_the_default_set_has_a_sample_and_an_expected_payload() -> None:
    assert set(DEFAULT) <= set(samples.MAPPED)
    assert {file.stem for file in EXPECTED.glob("*.json")} == set(DEFAULT)


@pytest.mark.parametrize(("name", "tiktok_event"), FULL.items())
def test_full_sends_exactly(
    name: str,
    tiktok_event: str,
    start: StartApplication,
    tiktok: TikTokSandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    application = start(MAPPING_SET="full")
    at_a_fixed_time(monkeypatch)

    payloads = sent_for(application, tiktok, samples.read(f"full/{name}"))

    assert payloads == [expected(f"full/{name}")]
    assert payloads[0]["data"][0]["event"] == tiktok_event


@pytest.mark.parametrize(("name", "tiktok_event"), DEFAULT.items())
def test_the_default_set_sends_exactly(
    name: str,
    tiktok_event: str,
    start: StartApplication,
    tiktok: TikTokSandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    application = start()
    at_a_fixed_time(monkeypatch)

    payloads = sent_for(application, tiktok, samples.read(name))

    assert payloads == [expected(name)]
    assert payloads[0]["data"][0]["event"] == tiktok_event


@pytest.mark.parametrize(
    ("mapping_set", "tiktok_event"), [("default", "PlaceAnOrder"), ("full", "Purchase")]
)
def test_an_order_completed_is_what_the_set_says(
    mapping_set: str, tiktok_event: str, start: StartApplication
) -> None:
    answer = start(MAPPING_SET=mapping_set).send(samples.read("order-completed"))
    assert answer.row["event"] == tiktok_event


def test_full_counts_an_order_placed_and_completed_as_two_events(
    start: StartApplication, tiktok: TikTokSandbox
) -> None:
    """One is an order and the other a purchase: TikTok keeps them apart."""
    application = start(MAPPING_SET="full")
    for name in ("place-an-order", "purchase"):
        application.send(samples.read(f"full/{name}"))
    assert [one.event["event"] for one in tiktok.events] == ["PlaceAnOrder", "Purchase"]


# ------------------------------------------------------------------ an own set


@pytest.fixture
def custom(start: StartApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StartCustom:
    """Start the function with presets of one's own in the file of a stage."""
    monkeypatch.setattr(destination, "OWN_MAPPINGS", tmp_path)

    def start_custom(*presets: Json, stage: str = "dev", **more: str) -> ForwardApplication:
        (tmp_path / f"{stage}.json").write_text(json.dumps(presets))
        return start(MAPPING_SET="custom", STAGE=stage, **more)

    return start_custom


def preset(
    event: str, *, name: str = "Own", subscribe: str = 'type = "track"', **more: Any
) -> Json:
    """A preset with all default fields; `fields` are those of its own."""
    mapping = {"event": event, **more.pop("fields", {})}
    return {"name": name, "subscribe": subscribe, "defaults": True, "mapping": mapping, **more}


CART = samples.read("add-to-cart")


def test_the_own_file_that_is_there_at_first_does_what_the_default_set_does() -> None:
    """What it has besides is switched off: an example to begin with."""
    presets = json.loads((OWN / "dev.json").read_text())
    enabled = [one for one in presets if one["enabled"]]
    assert enabled == json.loads(schema.shipped("default").read_text())


def test_each_stage_has_its_own_file(custom: StartCustom, aws: AwsSandbox) -> None:
    put_parameters(aws, f"{PREFIX}/staging")
    in_dev = custom(preset("InDev"), stage="dev")
    in_staging = custom(preset("InStaging"), stage="staging")
    assert in_dev.send(CART).row["event"] == "InDev"
    assert in_staging.send(CART).row["event"] == "InStaging"


def test_a_custom_event_with_a_property_of_ones_own(
    custom: StartCustom, tiktok: TikTokSandbox
) -> None:
    fields = {"value": {"@path": "$.properties.cart_total"}, "email": None}
    application = custom(preset("BigCart", fields=fields))
    event = CART | {"properties": {"cart_total": "120.5", "currency": "EUR"}}
    (payload,) = sent_for(application, tiktok, event)
    (sent,) = payload["data"]
    assert sent["event"] == "BigCart"
    assert sent["properties"] == {"currency": "EUR", "value": 120.5, "content_type": "product"}
    assert "email" not in sent["user"]
    assert "phone" in sent["user"]


@pytest.mark.parametrize(("new", "old"), [("Lead", "SubmitForm"), ("Purchase", "CompletePayment")])
def test_an_old_name_is_sent_where_the_browser_pixel_sends_it(
    custom: StartCustom, tiktok: TikTokSandbox, new: str, old: str
) -> None:
    application = custom(preset(new, legacy_name=True))
    assert application.send(CART).row["event"] == old
    assert [one.event["event"] for one in tiktok.events] == [old]


def test_a_mapping_that_is_switched_off_matches_nothing(custom: StartCustom) -> None:
    answer = custom(preset("AddToCart", enabled=False)).send(CART)
    assert (answer.row["status"], answer.row["reason"]) == ("ignored", "not_mapped")


def test_several_mappings_of_one_event_have_a_row_each(
    custom: StartCustom, tiktok: TikTokSandbox
) -> None:
    application = custom(
        preset("AddToCart", name="1"),
        preset("GameInCart", name="2", subscribe='properties.category = "Games"'),
        preset("BookInCart", name="3", subscribe='properties.category = "Books"'),
        preset("Broken", name="4", fields={"timestamp": {"@path": "$.event"}}),
    )
    answer = application.send(CART)
    assert [(row["event"], row["status"], row["reason"]) for row in answer.body["results"]] == [
        ("AddToCart", "forwarded", "tiktok_accepted"),
        ("GameInCart", "forwarded", "tiktok_accepted"),
        ("Broken", "rejected", "event_time_unparsable"),
    ]
    assert answer.status == 200
    assert [one.event["event"] for one in tiktok.events] == ["AddToCart", "GameInCart"]


# ------------------------------------------------------------------ where events go


OUTLET = f"{FOLDER}/pixels/outlet"


def test_a_mapping_can_send_to_a_pixel_of_its_own(
    custom: StartCustom, tiktok: TikTokSandbox, aws: AwsSandbox
) -> None:
    tiktok.settings.pixels.add("COUTLETPIXEL00000001")
    tiktok.settings.tokens.add("outlet-access-token")
    aws.put_parameters(
        {
            f"{OUTLET}/pixel-code": ("String", "COUTLETPIXEL00000001"),
            f"{OUTLET}/access-token": ("SecureString", "outlet-access-token"),
        }
    )
    application = custom(
        preset("AddToCart", name="shop"), preset("AddToCart", name="outlet", pixel="outlet")
    )
    payloads = sent_for(application, tiktok, CART)
    assert {one["event_source_id"] for one in payloads} == {PIXEL_CODE, "COUTLETPIXEL00000001"}
    tokens = {
        one.parsed["event_source_id"]: one.headers["access-token"]
        for one in tiktok.requests
        if one.parsed
    }
    assert tokens["COUTLETPIXEL00000001"] == "outlet-access-token"


def test_a_pixel_without_parameters_costs_only_its_own_mapping(
    custom: StartCustom, aws: AwsSandbox, tiktok: TikTokSandbox
) -> None:
    queue = aws.create_queue("parked")
    application = custom(
        preset("AddToCart", name="shop"),
        preset("AddToCart", name="outlet", pixel="outlet"),
        PARKED_QUEUE_URL=queue,
    )
    answer = application.send(CART)
    assert [(row["status"], row["reason"]) for row in answer.body["results"]] == [
        ("forwarded", "tiktok_accepted"),
        ("parked", "credentials_missing"),
    ]
    assert len(tiktok.events) == 1
    assert len(aws.messages(queue)) == 1


@pytest.mark.parametrize(("of_deployment", "seen"), [("", "TEST1"), ("TEST2", "TEST1")])
def test_a_mapping_can_be_tested_alone(
    custom: StartCustom, tiktok: TikTokSandbox, of_deployment: str, seen: str
) -> None:
    """Its code wins over the deployment's; the other mappings keep theirs."""
    application = custom(
        preset("Real", name="1"),
        preset("Tested", name="2", fields={"test_event_code": "TEST1"}),
        TEST_EVENT_CODE=of_deployment,
    )
    sent_for(application, tiktok, CART)
    assert {one.event["event"]: one.test_event_code for one in tiktok.events} == {
        "Real": of_deployment or None,
        "Tested": seen,
    }


def test_a_lead_of_a_crm(custom: StartCustom, tiktok: TikTokSandbox) -> None:
    lead = {"lead_id": {"@path": "$.properties.lead"}, "lead_event_source": "HubSpot"}
    application = custom(preset("Lead", fields={"event_source": "crm", "lead_fields": lead}))
    event = {"type": "track", "messageId": "m-1", "event": "Lead Qualified", "userId": "u-1"}
    (payload,) = sent_for(application, tiktok, event | {"properties": {"lead": 4711}})
    assert payload["event_source"] == "crm"
    assert payload["data"][0]["lead"] == {"lead_id": "4711", "lead_event_source": "HubSpot"}


def test_a_lead_identifies_somebody_by_itself(custom: StartCustom, tiktok: TikTokSandbox) -> None:
    lead = {"lead_id": {"@path": "$.properties.lead"}}
    application = custom(preset("Lead", fields={"event_source": "crm", "lead_fields": lead}))
    event = {"type": "track", "messageId": "m-1", "properties": {"lead": "l-1"}}
    (payload,) = sent_for(application, tiktok, event)
    assert payload["data"][0]["lead"] == {"lead_id": "l-1"}


def test_an_event_of_a_shop_in_the_street(custom: StartCustom, tiktok: TikTokSandbox) -> None:
    """It has no page, and TikTok wants none."""
    application = custom(preset("Purchase", fields={"event_source": "offline"}))
    event = {"type": "track", "messageId": "m-1", "userId": "u-1", "event": "Sold"}
    (payload,) = sent_for(application, tiktok, event)
    assert payload["event_source"] == "offline"
    assert "page" not in payload["data"][0]


def test_web_and_offline_events_of_one_segment_event_go_in_requests_of_their_own(
    custom: StartCustom, tiktok: TikTokSandbox
) -> None:
    application = custom(
        preset("Purchase", name="web"),
        preset("Purchase", name="shop", fields={"event_source": "offline"}),
    )
    payloads = sent_for(application, tiktok, CART)
    assert sorted(one["event_source"] for one in payloads) == ["offline", "web"]


def test_travel_fields(custom: StartCustom, tiktok: TikTokSandbox) -> None:
    travel = {
        "city": {"@path": "$.properties.city"},
        "num_adults": {"@path": "$.properties.adults"},
        "travel_class": "bus",
        "user_score": {"@path": "$.properties.score"},
        "suggested_hotels": {"@path": "$.properties.hotels"},
    }
    fields = {"event_spec_type": "travel_fields", "travel_fields": travel}
    application = custom(preset("ViewContent", fields=fields))
    properties = {"city": "Rome", "adults": "2", "score": "high", "hotels": ["h-1", 2]}
    (payload,) = sent_for(application, tiktok, CART | {"properties": properties})
    assert payload["data"][0]["properties"] == {
        "content_type": "product",
        "city": "Rome",
        "num_adults": 2,
        "travel_class": "bus",
        "suggested_hotels": ["h-1", "2"],
    }


def test_vehicle_fields(custom: StartCustom, tiktok: TikTokSandbox) -> None:
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
    application = custom(preset("ViewContent", fields=fields))
    properties = {"make": "Fiat", "year": "1966", "fuel": "Wood", "mileage": 99.5, "budget": 9000}
    (payload,) = sent_for(application, tiktok, CART | {"properties": properties})
    assert payload["data"][0]["properties"] == {
        "make": "Fiat",
        "year": 1966,
        "state_of_vehicle": "Used",
        "mileage": {"unit": "KM", "value": 99.5},
        "preferred_price_range": [1000, 9000],
    }


# ------------------------------------------------------------------ files that cannot be used


def test_a_file_with_mistakes_stops_the_start_with_all_of_them(custom: StartCustom) -> None:
    fields = {"content_type": "car", "contents": {"@arrayPath": [5, {}]}}
    with pytest.raises(MappingError) as raised:
        custom(preset("AddToCart", name="Cart", fields=fields), preset("Browse", name="B"))
    file = destination.OWN_MAPPINGS / "dev.json"
    assert str(raised.value).splitlines() == [
        f'{file}: "Cart": content_type: must be one of: product, product_group; got "car"',
        f'{file}: "Cart": contents/@arrayPath/0: expected a string or a directive, got a number',
        f'{file}: "B": event: "Browse" is reserved, TikTok changes it; write "PageView"',
    ]


def test_a_stage_without_a_file_stops_the_start(
    custom: StartCustom, start: StartApplication
) -> None:
    custom(preset("AddToCart"), stage="dev")
    with pytest.raises(MappingError) as raised:
        start(MAPPING_SET="custom", STAGE="prod")
    file = destination.OWN_MAPPINGS / "prod.json"
    assert str(raised.value) == f"{file}: there is no such file; beside it: dev.json"
