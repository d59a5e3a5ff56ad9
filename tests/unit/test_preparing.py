"""Prepare events as Segment's clients send them, with the default mappings."""

from __future__ import annotations

import json
from hashlib import sha256
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


def node(event: str = "Order Completed", **changes: Any) -> dict[str, Any]:
    """Build a payload of @segment/analytics-node, which has no page."""
    return {
        "type": "track",
        "event": event,
        "messageId": "node-next-1",
        "userId": "u-1",
        "timestamp": "2025-12-31T23:59:00.000Z",
        "context": {"library": {"name": "@segment/analytics-node", "version": "2.1.0"}},
        "properties": {"revenue": 37.98, "currency": "USD"},
        "integrations": {},
        "_metadata": {"nodeVersion": "20.10.0"},
    } | changes


def python(event: str = "Order Completed", **changes: Any) -> dict[str, Any]:
    """Build a payload of segment-analytics-python."""
    return {
        "type": "track",
        "event": event,
        "messageId": "5d2f0c2e-9a1f-4c7e-8d5a-2f6a9b3c4d5e",
        "userId": 4711,
        "anonymousId": None,
        "timestamp": "2025-12-31T23:59:00.123456+00:00",
        "context": {"library": {"name": "segment-analytics-python", "version": "2.3.2"}},
        "properties": {"total": "37.98", "currency": "usd"},
        "integrations": {},
    } | changes


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


def test_an_event_of_node() -> None:
    item, problems = sent(node())

    assert item["user"] == {"external_id": [digest("u-1")]}
    assert item["properties"] == {"currency": "USD", "value": 37.98}
    assert problems == ["page_url_missing"]


def test_an_event_of_python() -> None:
    item, problems = sent(python())

    assert item["event_time"] == 1_767_225_540
    assert item["user"] == {"external_id": [digest("4711")]}
    assert item["properties"] == {"currency": "USD", "value": 37.98}
    assert problems == ["page_url_missing"]


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
