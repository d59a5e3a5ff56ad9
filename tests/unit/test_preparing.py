"""Prepare events as Segment's clients send them, with the default mappings."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tiktok_pixel.mapping import MappingSet, compile_mapping_set, load_mapping_set
from tiktok_pixel.outcomes import Outcome, Status, Summary
from tiktok_pixel.preparing import prepare
from tiktok_pixel.settings import Settings
from tiktok_pixel.tiktok import schema
from tiktok_pixel.tiktok.outgoing import OutgoingEvent

NOW = 1_767_225_600.0
DEFAULT = load_mapping_set(schema.shipped("default"), schema)


def settings(**changes: Any) -> Settings:
    return Settings(
        **{"stage": "dev", "parameter_prefix": "/x", "default_phone_region": "US"} | changes
    )


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def analytics_js(event: str = "Product Added", **changes: Any) -> dict[str, Any]:
    """Build a payload of analytics.js."""
    return {
        "type": "track",
        "event": event,
        "messageId": "ajs-next-1",
        "anonymousId": "a1b2",
        "userId": None,
        "integrations": {},
        "context": {
            "ip": "8.8.8.8",
            "userAgent": "Mozilla/5.0",
            "locale": "en-US",
            "page": {"url": "https://shop.example.com/?ttclid=E.C.P.new", "referrer": ""},
            "library": {"name": "analytics.js", "version": "next-1.70.0"},
        },
        "properties": {"product_id": "G-32", "price": 18.99, "quantity": 2, "currency": "USD"},
    } | changes


# What the client libraries sent to a local server; only the times and ids were given to them.
RECORDED: dict[str, dict[str, Any]] = {
    event["messageId"]: event
    for events in json.loads(
        (Path(__file__).parent / "recorded_clients.json").read_text(encoding="utf-8")
    ).values()
    for event in events
}


def node(**changes: Any) -> dict[str, Any]:
    """Return a payload of @segment/analytics-node, which has no page."""
    return RECORDED["node-plain"] | changes


def sent(event: dict[str, Any], mappings: MappingSet = DEFAULT) -> tuple[dict[str, Any], list[str]]:
    """Prepare one event; return the item that is sent and the codes of its problems."""
    (row,), problems = prepare([event], mappings, settings(), NOW)
    assert isinstance(row, OutgoingEvent), row
    return json.loads(row.json), [problem.code for problem in problems]


def test_an_event_of_analytics_js() -> None:
    item, problems = sent(analytics_js())

    assert item["user"]["ttclid"] == "E.C.P.new"
    assert item["user"]["external_id"] == [digest("a1b2")]
    assert item["properties"] == {
        "content_type": "product",
        "currency": "USD",
        "value": 37.98,
        "num_items": 2,
        "content_ids": ["G-32"],
        "contents": [{"content_id": "G-32", "price": 18.99, "quantity": 2}],
    }
    assert problems == []


JANE = digest("jane@example.com")
# Payload: what TikTok gets as `user` and as `properties`, and the problems besides the page.
CLIENTS: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "python-plain": (
        {"external_id": [digest("4711")]},
        {"value": 37.98, "currency": "USD"},
        [],
    ),
    "python-order": (
        {
            "email": [JANE],
            "phone": [digest("+12065550100")],
            "external_id": [digest("u-42")],
            "first_name": digest("jane"),
            "ip": "8.8.8.8",
            "user_agent": "Mozilla/5.0",
            "ttp": "cookie",
            "ttclid": "E.C.P",
        },
        {
            "order_id": "50314",
            "value": 25,
            "currency": "USD",
            "num_items": 3,
            "content_ids": ["507f", "505"],
            "content_type": "product",
            "contents": [
                {
                    "content_id": "507f",
                    "content_name": "Monopoly",
                    "content_category": "Games",
                    "price": 19,
                    "quantity": 1,
                },
                {"content_id": "505", "price": 3, "quantity": 2},
            ],
        },
        [],
    ),
    "python-cart": (
        {"external_id": [digest("00000000-0000-0000-0000-000000000005")]},
        {
            "value": 0.3,
            "currency": "USD",
            "num_items": 3,
            "content_ids": ["123456789"],
            "content_type": "product",
            "contents": [{"content_id": "123456789", "price": 0.1, "quantity": 3}],
        },
        [],
    ),
    "python-search": (
        {"external_id": [digest("a-1")]},
        {"query": "shoes", "search_string": "shoes"},
        ["limited_data_use_not_a_boolean", "limited_data_use_without_ip"],
    ),
    "python-page": ({"external_id": [digest("u-42")], "ttclid": "E.C.P.new"}, {}, []),
    "node-plain": (
        {"external_id": [digest("u-1")]},
        {"value": 37.98, "currency": "USD"},
        [],
    ),
    "node-order": (
        {
            "email": [JANE],
            "phone": [digest("+447911123456")],
            "external_id": [digest("8c1f9b6e2d4a4f0c9a7be8d3c5f1a2b4")],
            "first_name": digest("jos\u00e9"),
            "last_name": digest("m\u00fcller"),
            "ip": "8.8.8.8",
            "user_agent": "Mozilla/5.0",
            "locale": "pt-BR",
            "city": "saopaulo",
            "state": "sp",
            "zip_code": digest("01310100"),
            "country": "br",
        },
        {
            "order_id": "50314",
            "value": 1234.5,
            "currency": "EUR",
            "num_items": 2,
            "content_ids": ["507f", "505b"],
            "content_type": "product",
            "contents": [
                {"content_id": "507f", "price": 19, "quantity": 1},
                {"content_id": "505b", "price": 3},
            ],
        },
        [],
    ),
    "node-cart": ({"external_id": [digest("a-1")]}, {}, []),
    "node-checkout": (
        {"external_id": [digest("a-2")]},
        {
            "currency": "USD",
            "content_type": "product",
            "contents": [{"content_id": "a", "price": 10, "quantity": 2}],
        },
        [],
    ),
    "node-page": ({"external_id": [digest("u-42")], "ttclid": "E.C.P.new"}, {}, []),
}


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_event_of_a_client_library(name: str) -> None:
    user, properties, other_problems = CLIENTS[name]

    item, problems = sent(RECORDED[name])

    assert item["event_time"] == NOW - 60
    assert (item["user"], item.get("properties", {})) == (user, properties)
    assert [problem for problem in problems if problem != "page_url_missing"] == other_problems
    assert ("page_url_missing" in problems) == ("page" not in item)


@pytest.mark.parametrize("user_id", ["null", "undefined", "NaN", "None", "", " ", False])
def test_a_placeholder_for_a_user_id_falls_through_to_the_anonymous_id(user_id: Any) -> None:
    item, problems = sent(analytics_js(userId=user_id))

    assert item["user"]["external_id"] == [digest("a1b2")]
    assert problems == []


@pytest.mark.parametrize(
    ("properties", "value"),
    [
        ({"value": "n/a", "revenue": 5}, 5),
        ({"value": "1,234", "revenue": "1.5"}, 1.5),
        ({"value": "", "revenue": "n/a", "total": "EUR 12"}, 12),
        ({"value": {}, "revenue": 0}, 0),
    ],
)
def test_an_unusable_value_falls_through_to_the_next_source(
    properties: dict[str, Any], value: float
) -> None:
    item, problems = sent(node(properties=properties | {"currency": "EUR"}))

    assert item["properties"]["value"] == value
    assert "value" not in {code.split("_")[0] for code in problems}


def test_a_value_that_no_source_has_is_reported() -> None:
    item, problems = sent(node(properties={"value": "n/a", "revenue": "free", "total": "1,234"}))

    assert "properties" not in item
    assert "value_ambiguous" in problems


def test_an_unusable_email_falls_through_but_a_usable_one_in_a_list_is_kept() -> None:
    context = {"traits": {"email": "jane@example.com"}}
    item, _ = sent(node(context=context, properties={"email": "none"}))
    assert item["user"]["email"] == [digest("jane@example.com")]

    properties = {"email": ["nobody", "joe@example.com"]}
    item, problems = sent(node(context=context, properties=properties))
    assert item["user"]["email"] == [digest("joe@example.com")]
    assert "email_not_an_address" in problems


@pytest.mark.parametrize(
    ("contents", "sent_contents", "problem"),
    [
        ([{"content_id": "a"}, "junk"], [{"content_id": "a"}], "contents_not_an_object"),
        ([{"content_id": "a"}] * 501, [{"content_id": "a"}] * 500, "contents_too_many"),
    ],
    ids=["an unusable item", "too many items"],
)
def test_contents_of_which_some_are_usable_do_not_fall_through(
    contents: list[Any], sent_contents: list[Any], problem: str
) -> None:
    item, problems = sent(analytics_js(properties={"contents": contents, "product_id": "G-32"}))

    assert item["properties"]["contents"] == sent_contents
    assert problem in problems


def test_an_ad_of_which_some_members_are_usable_does_not_fall_through() -> None:
    ad = {"@first": ["$.properties.ad", {"@literal": {"utm_source": "other"}}]}
    preset = {
        "name": "a",
        "subscribe": 'type = "track"',
        "defaults": True,
        "mapping": {"event": "Lead", "ad": ad},
    }
    mappings = compile_mapping_set([preset], schema, source="test")
    properties = {"ad": {"utm_source": "tiktok", "attribution_share": 2}}
    item, problems = sent(node(properties=properties), mappings)

    assert item["ad"] == {"utm_source": "tiktok"}
    assert "ad_not_supported" in problems


def test_content_ids_that_were_cut_do_not_fall_through() -> None:
    preset = {
        "name": "a",
        "subscribe": 'type = "track"',
        "defaults": True,
        "mapping": {"event": "Lead", "content_ids": {"@first": ["$.properties.ids", "$.userId"]}},
    }
    mappings = compile_mapping_set([preset], schema, source="test")
    ids = [str(number) for number in range(501)]
    item, problems = sent(node(properties={"ids": ids}), mappings)

    assert item["properties"]["content_ids"] == ids[:500]
    assert "content_ids_too_many" in problems


def test_unusable_contents_fall_through_to_the_product_of_the_event() -> None:
    item, problems = sent(analytics_js(properties={"contents": "A toy", "product_id": "G-32"}))

    assert item["properties"]["contents"] == [{"content_id": "G-32"}]
    assert problems == []


def test_a_placeholder_does_not_reject_an_event_that_has_another_identifier() -> None:
    event = {**node(userId="undefined"), "anonymousId": "a-1"}
    item, _ = sent(event)

    assert item["user"] == {"external_id": [digest("a-1")]}


def test_an_event_without_any_usable_identifier_is_rejected() -> None:
    event = {**node(userId="undefined"), "anonymousId": "null"}
    (row,), problems = prepare([event], DEFAULT, settings(), NOW)

    assert isinstance(row, Outcome)
    assert (row.status, row.reason) == (Status.REJECTED, "identifier_missing")
    assert [problem.code for problem in problems] == [
        "identifier_missing",
        "external_id_placeholder",
    ]


def test_an_unreadable_privacy_flag_does_not_fall_through() -> None:
    limited = {"@first": ["$.properties.ldu", "$.properties.limited"]}
    mappings = compile_mapping_set(
        [
            {
                "name": "a",
                "subscribe": 'type = "track"',
                "mapping": {
                    "event": "Lead",
                    "external_id": {"@path": "$.userId"},
                    "limited_data_use": limited,
                },
            }
        ],
        schema,
        source="test",
    )
    item, problems = sent(node(properties={"ldu": "yes", "limited": False}), mappings)

    assert item["limited_data_use"] is True
    assert "limited_data_use_not_a_boolean" in problems


@pytest.mark.parametrize("derive", [True, False])
def test_a_preset_decides_whether_totals_are_computed(*, derive: bool) -> None:
    preset = {
        "name": "a",
        "subscribe": 'type = "track"',
        "defaults": True,
        "derive": derive,
        "mapping": {
            "event": "AddToCart",
            "contents": [{"price": {"@path": "$.properties.price"}, "content_id": "G-32"}],
        },
    }
    item, _ = sent(analytics_js(), compile_mapping_set([preset], schema, source="test"))

    assert ("value" in item["properties"]) == derive


@pytest.mark.parametrize("event_source", ["offline", "crm"])
def test_an_event_that_may_not_be_sent_in_full_is_ignored(event_source: str) -> None:
    preset = {
        "name": "a",
        "subscribe": 'type = "track"',
        "mapping": {
            "event": "Purchase",
            "event_source": event_source,
            "email": "jane@example.com",
        },
    }
    mappings = compile_mapping_set([preset], schema, source="test")
    consent = {"categoryPreferences": {"ads": False}}
    event = node(context={"consent": consent})
    limit = settings(consent_categories=("ads",), limit_without_consent=True)
    (row,), _ = prepare([event], mappings, limit, NOW)

    assert isinstance(row, Outcome)
    assert (row.status, row.reason) == (Status.IGNORED, "limited_data_use_not_for_source")


def test_the_summary_of_an_event_has_names_only() -> None:
    (row,), _ = prepare([analytics_js()], DEFAULT, settings(), NOW)
    assert isinstance(row, OutgoingEvent)
    assert row.summary == Summary(
        ("external_id", "ip", "user_agent", "locale", "ttclid"), has_value=True, problems=()
    )

    (row,), _ = prepare([node(properties={"value": "n/a"})], DEFAULT, settings(), NOW)
    assert isinstance(row, OutgoingEvent)
    assert row.summary == Summary(
        ("external_id",), has_value=False, problems=("value_not_a_number", "page_url_missing")
    )


def test_a_value_without_a_currency_does_not_count_as_a_value() -> None:
    (row,), _ = prepare([node(properties={"value": 5})], DEFAULT, settings(), NOW)
    assert isinstance(row, OutgoingEvent)
    assert not row.summary.has_value
    assert "currency_missing" in row.summary.problems
