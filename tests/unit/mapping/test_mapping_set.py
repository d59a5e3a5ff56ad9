"""Mapping files: presets, defaults, errors, and finding the mappings for an event."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tiktok_pixel.errors import TikTokPixelError
from tiktok_pixel.mapping import (
    EventMapping,
    MappingError,
    compile_mapping_set,
    load_mapping_set,
)
from tiktok_pixel.tiktok import schema
from tiktok_pixel.tiktok.event_names import LEGACY_EVENTS, STANDARD_EVENTS
from tiktok_pixel.tiktok.schema import shipped

Preset = dict[str, Any]


def preset(**changes: Any) -> Preset:
    entry = {"name": "Cart", "subscribe": 'event = "Product Added"', "mapping": {"event": "Lead"}}
    return {**entry, **changes}


def literal(text: str) -> dict[str, str]:
    return {"@literal": text}


def only(entry: Preset) -> EventMapping:
    (mapping,) = compile_mapping_set([entry], schema, source="test.json").mappings
    return mapping


def problems(*entries: object) -> list[str]:
    with pytest.raises(MappingError) as raised:
        compile_mapping_set(list(entries), schema, source="test.json")
    return str(raised.value).splitlines()


def test_a_preset_becomes_a_mapping() -> None:
    mapping = only(preset(mapping={"event": "AddToCart", "value": {"@path": "$.properties.n"}}))
    assert (mapping.name, mapping.subscribe) == ("Cart", 'event = "Product Added"')
    assert (mapping.enabled, mapping.event_name, mapping.pixel) == (True, "AddToCart", None)
    assert mapping.evaluate({"properties": {"n": 1}}) == {"event": "AddToCart", "value": 1}


def test_a_preset_of_segment_is_used_as_it_is() -> None:
    """Keys of Segment's workspace are accepted; no default field is added."""
    mapping = only(preset(partnerAction="reportWebEvent", type="automatic", id="x"))
    assert mapping.fields == {"event": "Lead"}


def test_the_event_may_be_given_by_a_directive() -> None:
    assert only(preset(mapping={"event": {"@path": "$.event"}})).event_name is None


def test_a_mapping_may_be_one_directive() -> None:
    merge = {"@merge": {"direction": "right", "objects": [{"event": "Lead"}, {"@path": "$.p"}]}}
    mapping = only(preset(mapping=merge))
    assert mapping.evaluate({"p": {"value": 1}}) == {"event": "Lead", "value": 1}
    assert only(preset(mapping={"@path": "$.p"})).evaluate({"p": 5}) == {}


def test_defaults_fill_the_fields_that_the_preset_does_not_name() -> None:
    fields = {"event": "Search", "email": "fixed", "order_id": None}
    mapping = only(preset(defaults=True, mapping=fields))
    event = {"messageId": "m", "properties": {"email": "a", "order_id": "o", "shop_id": "s"}}
    mapped = mapping.evaluate(event)
    assert mapped["event_id"] == "m"
    assert mapped["email"] == "fixed"
    assert mapped["shop_id"] == "s"
    assert "order_id" not in mapped


def test_presets_may_be_inside_an_object() -> None:
    assert len(compile_mapping_set({"presets": [preset()]}, schema, source="t").mappings) == 1


@pytest.mark.parametrize(("name", "old"), [("Lead", "SubmitForm"), ("Purchase", "CompletePayment")])
def test_legacy_name_sends_the_old_name(name: str, old: str) -> None:
    mapping = only(preset(mapping={"event": name}, legacy_name=True))
    assert mapping.event_name == old
    assert mapping.evaluate({}) == {"event": old}


def test_match_gives_enabled_mappings_in_the_order_of_the_file() -> None:
    entries = [
        preset(name="1", subscribe='type = "track"'),
        preset(name="2", subscribe="userId != null"),
        preset(name="3", subscribe='event = "A"'),
        preset(name="4", subscribe='event = "A"', enabled=False),
        preset(name="5", subscribe='type = "track" and event = "A" and properties.n = 1'),
    ]
    mapping_set = compile_mapping_set(entries, schema, source="t")
    event = {"type": "track", "event": "A", "userId": "u", "properties": {"n": 1}}

    def names(event: dict[str, Any]) -> str:
        return "".join(mapping.name for mapping in mapping_set.match(event))

    assert names(event) == "1235"
    assert names({"event": "A"}) == "3"
    assert names({"type": "page"}) == ""
    assert names({"type": ["track"], "event": {}}) == ""


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (5, '"#1": must be a preset (an object); got a number'),
        (preset(name=""), '"#1": name: must be text that is not empty'),
        (
            {"subscribe": 'type = "page"', "mapping": {"event": "ViewContent"}},
            '"#1": name: is missing; write a name',
        ),
        (preset(names="x"), '"Cart": names: unknown key; must be one of: name, subscribe, mapping'),
        (preset(enabled="yes"), '"Cart": enabled: must be true or false; got a string'),
        (preset(mapping=[]), '"Cart": mapping: must be an object; got an array'),
        (
            preset(mapping={}),
            '"Cart": event: is missing; write the name of an event, or a directive',
        ),
        (preset(mapping={"event": 5}), '"Cart": event: must be text; got a number; write'),
        (preset(mapping={"event": "a b"}), '"Cart": event: must have letters'),
        (preset(subscribe=None), '"Cart": subscribe: is missing; write FQL'),
        (preset(subscribe=5), '"Cart": subscribe: must be text; got a number'),
        (preset(subscribe="event"), '"Cart": subscribe: column 6: expected one of'),
        (preset(pixel="A b"), '"Cart": pixel: not a valid pixel name: "A b"; write 1 to 63'),
        (
            preset(mapping={"event": "Search"}, legacy_name=True),
            '"Cart": legacy_name: "Search" has no old name; remove "legacy_name"',
        ),
        (
            preset(mapping={"event": "MyEvent", "event_source": "offline"}),
            '"Cart": event: must be a standard event for the event source offline; got "MyEvent"',
        ),
        (
            preset(mapping={"event": literal("MyEvent"), "event_source": literal("offline")}),
            '"Cart": event: must be a standard event for the event source offline; got "MyEvent"',
        ),
        (
            preset(derive="no"),
            '"Cart": derive: must be true or false; got a string',
        ),
        (
            preset(mapping={"event": {"@path": "$.e"}}, legacy_name=True),
            '"Cart": legacy_name: needs a literal event name',
        ),
        (
            preset(mapping={"event": "Lead", "__segment_internal_directive": {}}),
            '"Cart": __segment_internal_directive: must be an object with one directive',
        ),
        (
            preset(mapping={"event": "Lead", "__segment_internal_directive": {"@transform": 1}}),
            '"Cart": __segment_internal_directive/@transform: must be an object; got a number',
        ),
    ],
)
def test_problems_of_a_preset(entry: object, problem: str) -> None:
    (found,) = problems(entry)
    assert found.startswith(f"test.json: {problem}")


def test_an_error_shows_all_problems_of_the_file() -> None:
    found = problems(
        preset(mapping={"event": "Lead", "contents": [{"@path": 5}]}), preset(name="B", pixel="-")
    )
    assert found[0] == (
        'test.json: "Cart": contents/0/@path: must be a string or a directive; got a number'
    )
    assert found[1].startswith('test.json: "B": pixel:')


def test_names_must_be_unique() -> None:
    assert problems(preset(), preset()) == [
        'test.json: "Cart": name: must be unique; two presets have this name'
    ]


def test_problems_can_be_read_by_a_program() -> None:
    with pytest.raises(TikTokPixelError) as raised:
        compile_mapping_set([preset(subscribe="type")], schema, source="test.json")
    error = raised.value
    assert isinstance(error, MappingError)
    assert error.file == "test.json"
    (problem,) = error.problems
    assert (problem.mapping, problem.field) == ("Cart", "subscribe")
    assert problem.message.startswith("column 5: expected one of")


def test_warnings_name_the_preset() -> None:
    entry = preset(subscribe='event = "A" AND type = "x"', mapping={"event": "ClickButton"})
    subscribe, event = compile_mapping_set([entry], schema, source="t").warnings
    assert subscribe.startswith('"Cart": subscribe: column 13: AND must be in lower case')
    assert event == '"Cart": event: ClickButton is retired: TikTok accepts it until 2027'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\n", "the file is empty"),
        (
            '[\n  {\n    "name": "Cart"\n    "enabled": true\n  }\n]',
            'a comma is missing before this line, or a bracket is not closed: "enabled": true',
        ),
        ('[{"name": "Cart",}]', 'remove the comma before the closing bracket: [{"name": "Cart",}]'),
        ("[1, ]", "remove the comma before the closing bracket"),
        ("[{'name': 'Cart'}]", 'column 3: write straight double quotes: "text": '),
        ("[{\u201cname\u201d: 1}]", 'column 3: write straight double quotes: "text": '),
        ('[{"enabled": True}]', "column 14: write true instead of True: "),
        ("[{ // the cart\n}]", "column 4: JSON has no comments; remove it: "),
        (
            '[{"subscribe": "event = "Cart""}]',
            'column 26: a comma is missing, or a quote inside the text is not written as \\": ',
        ),
        (
            '[{"name": "Cart"}',
            "column 18: the file ends here; a closing bracket or quote is missing",
        ),
        ("{}\n{}", "line 2, column 1: more text follows the end; put several presets into one"),
        ("[1 2]", "column 4: Expecting ',' delimiter: [1 2]"),
        ("[" * 100_000, "maximum recursion depth exceeded"),
    ],
)
def test_a_file_that_is_not_json(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(MappingError) as raised:
        load_mapping_set(path, schema)
    assert str(raised.value).startswith(f"{path}: not valid JSON: ")
    assert reason in str(raised.value)


def test_a_file_can_be_one_preset_with_the_default_fields() -> None:
    (mapping,) = compile_mapping_set(preset(defaults=True), schema, source="t").mappings
    assert "email" in mapping.fields


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "dev.json"
    path.write_text(json.dumps([preset()]), encoding="utf-8-sig")
    assert len(load_mapping_set(path, schema).mappings) == 1


def test_a_key_that_is_written_twice_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "dev.json"
    fields = '{"event": "Lead", "email": "a@example.com", "email": "b@example.com"}'
    entry = f'{{"name": "Cart", "subscribe": "type = \\"track\\"", "mapping": {fields}}}'
    path.write_text(f'{{"presets": [{json.dumps(preset(name="A"))}, {entry}]}}')
    mapping_set = load_mapping_set(path, schema)
    assert mapping_set.mappings[1].fields["email"] == "b@example.com"
    assert mapping_set.warnings == (
        "presets/#2/mapping/email: is written twice; the last one is used",
    )


SUBSCRIPTION = {
    "id": "eoe",
    "name": "Cart",
    "actionId": "uD9",
    "actionSlug": "reportWebEvent",
    "destinationId": "fP7",
    "modelId": "",
    "enabled": True,
    "trigger": 'event = "Product Added"',
    "settings": {"event": "AddToCart", "value": {"@path": "$.properties.value"}},
}


@pytest.mark.parametrize(
    "content",
    [
        SUBSCRIPTION,
        [SUBSCRIPTION],
        {"data": {"subscription": SUBSCRIPTION}},
        {"data": {"subscriptions": [SUBSCRIPTION], "pagination": {"totalEntries": 1}}},
        {"data": {"destination": {"id": "fP7", "subscriptions": [SUBSCRIPTION]}}},
        {"destination": {"id": "fP7", "name": "TikTok"}, "subscriptions": [SUBSCRIPTION]},
    ],
)
def test_what_segments_public_api_returns_can_be_pasted(content: object) -> None:
    mapping_set = compile_mapping_set(content, schema, source="t")
    (mapping,) = mapping_set.match({"type": "track", "event": "Product Added"})
    assert mapping.evaluate({"properties": {"value": 5}}) == {"event": "AddToCart", "value": 5}
    assert mapping_set.warnings == ()


def test_what_cannot_apply_of_an_export_is_a_warning() -> None:
    preset_of_catalog = {
        "actionId": "uD9",
        "name": "Cart",
        "trigger": 'event = "A"',
        "fields": {"event": "AddToCart", "enable_batching": True},
        "modelId": "h1c",
    }
    destination = {
        "id": "fP7",
        "settings": {"accessToken": "x"},
        "metadata": {"presets": [preset_of_catalog]},
    }
    content = {"data": {"destination": destination}}
    mapping_set = compile_mapping_set(content, schema, source="t")
    assert mapping_set.mappings[0].fields["event"] == "AddToCart"
    assert mapping_set.warnings == (
        "settings: the settings of the destination are not read",
        '"Cart": modelId: Reverse ETL models are not read, only events are',
        '"Cart": enable_batching: unknown field, it is not sent; did you mean search_string?',
    )


def test_problems_of_a_subscription_name_its_own_keys() -> None:
    (found,) = problems({**SUBSCRIPTION, "trigger": "event"})
    assert found.startswith('test.json: "Cart": trigger: column 6')
    (found,) = problems({**SUBSCRIPTION, "settings": []})
    assert found == 'test.json: "Cart": settings: must be an object; got an array'
    (found,) = problems({**SUBSCRIPTION, "subscribe": 'type = "x"'})
    assert found == 'test.json: "Cart": must have only one of: subscribe, trigger'


def test_a_missing_file(tmp_path: Path) -> None:
    for name in ("staging", "dev"):
        (tmp_path / f"{name}.json").write_text("[]")
    path = tmp_path / "prod.json"
    with pytest.raises(MappingError) as raised:
        load_mapping_set(path, schema)
    assert str(raised.value) == (f"{path}: file not found; files beside it: dev.json, staging.json")
    with pytest.raises(MappingError, match=r"file not found; files beside it: none"):
        load_mapping_set(tmp_path / "nowhere" / "dev.json", schema)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="cannot be read: Is a directory"):
        load_mapping_set(tmp_path, schema)


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(b"\xff\xfe[]")
    with pytest.raises(MappingError, match=r"bad\.json: not valid JSON: 'utf-8' codec"):
        load_mapping_set(path, schema)


def test_a_file_without_presets(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text("5")
    with pytest.raises(MappingError, match=r"must be an array of presets, or .*; got a number"):
        load_mapping_set(path, schema)


DEFAULT = {
    "View Content": ({"type": "page"}, "ViewContent"),
    "Search": ({"event": "Products Searched"}, "Search"),
    "Add to Wishlist": ({"event": "Product Added to Wishlist"}, "AddToWishlist"),
    "Add to Cart": ({"event": "Product Added"}, "AddToCart"),
    "Initiate Checkout": ({"event": "Checkout Started"}, "InitiateCheckout"),
    "Add Payment Info": ({"event": "Payment Info Entered"}, "AddPaymentInfo"),
    "Place an Order": ({"event": "Order Completed"}, "PlaceAnOrder"),
}


@pytest.mark.parametrize("name", DEFAULT)
def test_the_seven_default_mappings(name: str) -> None:
    event, tiktok_event = DEFAULT[name]
    (mapping,) = load_mapping_set(shipped("default"), schema).match(event)
    assert (mapping.name, mapping.event_name) == (name, tiktok_event)


def test_order_placed_is_mapped_like_order_completed() -> None:
    (mapping,) = load_mapping_set(shipped("default"), schema).match({"event": "Order Placed"})
    assert mapping.name == "Place an Order"


def test_the_default_fields_of_an_order() -> None:
    event = json.loads(
        """{
          "type": "track", "event": "Order Completed", "messageId": "m-1", "userId": "",
          "anonymousId": "anon", "originalTimestamp": "2024-01-02T03:04:05Z",
          "context": {
            "ip": "1.2.3.4", "userAgent": "UA", "locale": "en-US",
            "page": {"url": "https://shop.example/?a=1", "referrer": ""},
            "externalIds": [{"id": "e", "type": "email"}],
            "traits": {"email": "a@example.com", "firstName": "Ann", "address": {"city": "Rome"}}
          },
          "traits": {"phone": "+15550100", "address": {"postalCode": "00100"}},
          "properties": {
            "email": "", "order_id": "o-1", "revenue": 0, "total": 9, "currency": "EUR",
            "referrer": "https://ref.example", "search_string": "hat",
            "products": [{"product_id": "p", "price": 1, "name": "Hat", "category": "c"}]
          },
          "integrations": {"Tiktok Conversions": {"ttclid": "click"}}
        }"""
    )
    (mapping,) = load_mapping_set(shipped("default"), schema).match(event)
    assert mapping.evaluate(event) == {
        "event": "PlaceAnOrder",
        "event_id": "m-1",
        "timestamp": "2024-01-02T03:04:05Z",
        "email": "a@example.com",
        "phone_number": "+15550100",
        "first_name": "Ann",
        "address": {"city": "Rome", "zip_code": "00100"},
        "external_id": "anon",
        "external_ids": [{"id": "e", "type": "email"}],
        "ttclid": "click",
        "locale": "en-US",
        "ip": "1.2.3.4",
        "user_agent": "UA",
        "url": "https://shop.example/?a=1",
        "referrer": "https://ref.example",
        "order_id": "o-1",
        "value": 0,
        "currency": "EUR",
        "content_type": "product",
        "query": "hat",
        "search_string": "hat",
        "contents": [
            {"content_id": "p", "price": 1, "content_name": "Hat", "content_category": "c"}
        ],
    }


@pytest.mark.parametrize(
    ("field", "event"),
    [
        ("order_id", {"properties": {"orderId": "x"}}),
        ("shop_id", {"properties": {"shopId": "x"}}),
        ("content_type", {"properties": {"contentType": "x"}}),
        ("search_string", {"properties": {"searchString": "x"}}),
        ("query", {"properties": {"searchString": "x"}}),
        ("customer_type", {"properties": {"customerType": "x"}}),
        ("city", {"traits": {"city": "x"}}),
        ("state", {"context": {"traits": {"state": "x"}}}),
        ("country", {"traits": {"country": "x"}}),
        ("zip_code", {"traits": {"zip": "x"}}),
        ("zip_code", {"context": {"traits": {"postalCode": "x"}}}),
        ("zip_code", {"traits": {"postal_code": "x"}}),
        (
            "email",
            {
                "properties": {"email": " "},
                "traits": {"email": ""},
                "context": {"traits": {"email": "x"}},
            },
        ),
        ("value", {"properties": {"value": "", "revenue": None, "total": "x"}}),
        ("external_id", {"userId": " ", "anonymousId": "x"}),
    ],
)
def test_the_default_fields_are_read_from_every_usual_place(
    field: str, event: dict[str, Any]
) -> None:
    mapped = only(preset(defaults=True)).evaluate(event)
    assert (mapped | mapped["address"])[field] == "x"


@pytest.mark.parametrize("name", ["Product Added", "Checkout Started"])
def test_contents_in_tiktoks_form_are_sent_as_they_are(name: str) -> None:
    (mapping,) = load_mapping_set(shipped("default"), schema).match({"event": name})
    contents = [{"content_id": "c", "price": 1}]
    products = [{"product_id": "p"}]
    properties: dict[str, Any] = {"contents": contents, "products": products, "product_id": "p"}
    assert mapping.evaluate({"properties": properties})["contents"] == contents
    properties["contents"] = []
    assert mapping.evaluate({"properties": properties})["contents"] == [{"content_id": "p"}]


def test_a_file_may_have_default_fields_of_its_own() -> None:
    defaults = {"order_id": {"@path": "$.properties.cart"}, "lead_id": "x"}
    entries = [preset(defaults=True), preset(name="B", mapping={"event": "Lead", "value": 1})]
    content = {"defaults": defaults, "presets": entries}
    first, second = compile_mapping_set(content, schema, source="t").mappings
    mapped = first.evaluate({"messageId": "m", "properties": {"cart": "c", "order_id": "o"}})
    assert (mapped["event_id"], mapped["order_id"], mapped["lead_id"]) == ("m", "c", "x")
    assert (first.own_fields, second.own_fields) == (("event",), ("event", "value"))
    assert second.evaluate({}) == {"event": "Lead", "value": 1}


@pytest.mark.parametrize(
    ("defaults", "problem"),
    [
        ([], '"defaults": must be an object; got an array'),
        ({"value": "much"}, '"defaults": value: must be an amount of money; got "much"'),
    ],
)
def test_default_fields_of_a_file_are_checked(defaults: object, problem: str) -> None:
    with pytest.raises(MappingError) as raised:
        compile_mapping_set({"defaults": defaults, "presets": []}, schema, source="t")
    assert str(raised.value) == f"t: {problem}"


def test_the_full_set_reads_leads_travel_and_vehicles() -> None:
    event = {
        "event": "Product Viewed",
        "properties": {
            "event_spec_type": "travel_fields",
            "checkin_date": "2026-01-02",
            "make": "x",
            "lead_id": "l",
            "lead_event_source": "HubSpot",
        },
    }
    (mapping,) = load_mapping_set(shipped("full"), schema).match(event)
    mapped = mapping.evaluate(event)
    assert mapped["event_spec_type"] == "travel_fields"
    assert mapped["travel_fields"] == {"checkin_date": "2026-01-02"}
    assert mapped["vehicle_fields"] == {"make": "x"}
    assert (mapped["lead_id"], mapped["lead_event_source"]) == ("l", "HubSpot")


def test_the_full_set_has_a_mapping_for_every_standard_event() -> None:
    names = {mapping.event_name for mapping in load_mapping_set(shipped("full"), schema).mappings}
    assert names == {*STANDARD_EVENTS, "PageView", "PlaceAnOrder"}
    assert not names & set(LEGACY_EVENTS)


class OtherSchema:
    """The schema of another destination."""

    FIELDS: Mapping[str, Any] = {"event": "event", "colour": "colour"}

    def default_fields(self) -> dict[str, Any]:
        return {"colour": {"@path": "$.properties.colour"}}

    def literal_problem(self, value: object, kind: Any) -> str | None:
        return "must be red" if kind == "colour" and value not in ("red", None) else None

    def event_name_problem(self, name: str) -> str | None:
        return None if name.isupper() else "must be upper case"

    def combination_problem(self, _fields: Mapping[str, Any]) -> str | None:
        return None

    def event_name_warning(self, _name: str) -> str | None:
        return None

    def legacy_name(self, _name: str) -> str | None:
        return None


def test_the_language_maps_for_any_schema() -> None:
    other = OtherSchema()
    entry = preset(defaults=True, mapping={"event": "PAINT"})
    (mapping,) = compile_mapping_set([entry], other, source="t").mappings
    assert mapping.evaluate({"properties": {"colour": "red"}}) == {
        "event": "PAINT",
        "colour": "red",
    }
    entry = preset(mapping={"event": "paint", "colour": "blue"})
    with pytest.raises(MappingError) as raised:
        compile_mapping_set([entry], other, source="t")
    assert str(raised.value).splitlines() == [
        't: "Cart": colour: must be red',
        't: "Cart": event: must be upper case',
    ]
