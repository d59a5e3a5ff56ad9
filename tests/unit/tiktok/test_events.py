"""Build events for TikTok from mapped fields."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tiktok_pixel.tiktok.events import EventContext, Route, build_event, event_time
from tiktok_pixel.values.validation import InvalidEventError

NOW = 1_767_225_600.75  # 2026-01-01T00:00:00.750Z
DAY = 86_400
ID_HASH = "85e8cbcc4fab8df4f45e9e396b5b367a54af6cc13f9b5433d3e12f4e9c0a1846"
FIELDS = {"event": "AddToCart", "external_id": "user-4711", "url": "https://x.io/a"}


CONTEXT = EventContext("m-1", NOW, default_region="US")


@dataclass
class Built:
    """An event as TikTok receives it, and the codes of its problems."""

    item: dict[str, Any]
    route: Route
    problems: list[str]


def build(context: EventContext = CONTEXT, **changes: Any) -> Built:
    """Build a valid event with changed fields; None removes a field."""
    event, problems = build_event(FIELDS | changes, None, context)
    return Built(json.loads(event.json), event.route, [problem.code for problem in problems])


def iso(seconds: float) -> str:
    """A timestamp as Segment writes it."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_builds_a_minimal_event() -> None:
    built = build()

    assert built.item == {
        "event": "AddToCart",
        "event_time": 1_767_225_600,
        "event_id": "m-1",
        "user": {"external_id": [ID_HASH]},
        "page": {"url": "https://x.io/a"},
    }
    assert (built.route, built.problems) == (Route(None, "web", None), [])


def test_builds_an_event_with_every_part() -> None:
    built = build(
        event_id="e-1",
        timestamp=iso(NOW - 60),
        referrer="https://www.tiktok.com/",
        limited_data_use="true",
        test_event_code="TEST1",
        currency="usd",
        value="18.99",
    )

    assert built.item == {
        "event": "AddToCart",
        "event_time": 1_767_225_540,
        "event_id": "e-1",
        "user": {"external_id": [ID_HASH]},
        "properties": {"currency": "USD", "value": 18.99},
        "page": {"url": "https://x.io/a", "referrer": "https://www.tiktok.com/"},
        "limited_data_use": True,
    }
    assert (built.route, built.problems) == (Route(None, "web", "TEST1"), [])


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        (None, 1_767_225_600),
        ("2026-01-01T00:00:00.000Z", 1_767_225_600),
        ("2025-12-31T23:59:59.999Z", 1_767_225_599),
        ("2025-12-31T23:59:59.123456789Z", 1_767_225_599),
        ("2026-01-01T01:00:00+01:00", 1_767_225_600),
        ("2025-12-31T16:00:00-08:00", 1_767_225_600),
        ("2026-01-01T00:00:00", 1_767_225_600),
        ("2026-01-01 00:00:00", 1_767_225_600),
        ("2026-01-01", 1_767_225_600),
    ],
)
def test_event_time_is_in_unix_seconds_utc(timestamp: object, expected: int) -> None:
    seconds = event_time(timestamp, NOW)

    assert (type(seconds), seconds) == (int, expected)


@pytest.mark.parametrize(
    "timestamp",
    [
        "",
        "yesterday",
        "2026-13-01T00:00:00Z",
        "2026-01-01T00:00:00ZZ",
        "Thu, 01 Jan 2026 00:00:00 GMT",
        "1767225600",
        1_767_225_600,
        1_767_225_600_000,
        1.5,
        True,
        [],
        ["2026-01-01T00:00:00Z"],
        {},
        "\ud83d",
        "2" * 5000,
    ],
    ids=lambda value: repr(value)[:30],
)
def test_an_unparsable_time_rejects_the_event(timestamp: Any) -> None:
    with pytest.raises(InvalidEventError, match=r"^event_time_unparsable$"):
        event_time(timestamp, NOW)


@pytest.mark.parametrize(
    ("age", "reason"),
    [
        (-DAY - 1, "event_time_in_future"),
        (-10 * 365 * DAY, "event_time_in_future"),
        (28 * DAY + 1, "event_time_too_old"),
        (20 * 365 * DAY, "event_time_too_old"),
    ],
)
def test_a_time_outside_the_limits_rejects_the_event(age: float, reason: str) -> None:
    with pytest.raises(InvalidEventError, match=f"^{reason}$"):
        build(timestamp=iso(NOW - age))


@pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_the_ends_of_the_calendar_do_not_crash(timestamp: str) -> None:
    with pytest.raises(InvalidEventError, match=r"^event_time_(too_old|in_future)$"):
        event_time(timestamp, NOW)


@pytest.mark.parametrize("age", [-DAY + 1, 0, 28 * DAY - 1])
def test_a_time_inside_the_limits_is_accepted(age: float) -> None:
    assert event_time(iso(NOW - age), NOW) == int(NOW - age)


def test_a_time_zone_is_converted() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))

    assert event_time(datetime.fromtimestamp(NOW, zone).isoformat(), NOW) == int(NOW)


@pytest.mark.parametrize(
    ("event_id", "expected", "problems"),
    [
        (None, "m-1", []),
        ("", "m-1", []),
        (" ", "m-1", []),
        ("order-1", "order-1", []),
        (17, "17", []),
        ({}, "m-1", ["event_id_not_a_string"]),
    ],
)
def test_the_event_id_is_text_and_by_default_the_message_id(
    event_id: Any, expected: str, problems: list[str]
) -> None:
    built = build(event_id=event_id)

    assert (built.item["event_id"], built.problems) == (expected, problems)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (None, "event_missing"),
        ("", "event_missing"),
        ({}, "event_not_a_string"),
        (["a", "b"], "event_not_a_string"),
        ("1stOrder", "event_not_valid"),
        ("Add to cart", "event_not_valid"),
        ("Größe", "event_not_valid"),
        ("AddToCart\n", "event_not_valid"),
        ("a" * 51, "event_not_valid"),
    ],
)
def test_an_unusable_name_rejects_the_event(event: Any, reason: str) -> None:
    with pytest.raises(InvalidEventError, match=f"^{reason}$"):
        build(event=event)


@pytest.mark.parametrize("event", ["Purchase", "my_event-2", "a" * 50])
def test_custom_names_are_accepted(event: str) -> None:
    assert build(event=event).item["event"] == event


@pytest.mark.parametrize(
    "identifiers",
    [
        {},
        {"email": "nobody", "phone_number": "12345"},
        {"ip": "8.8.8.8"},
        {"user_agent": "Mozilla/5.0"},
        {"ip": "192.168.0.10", "user_agent": "Mozilla/5.0"},
        {"first_name": "Jane", "last_name": "Doe", "address": {"city": "Seattle"}},
        {"external_id": " ", "email": [], "phone_number": [None], "ttclid": ""},
    ],
)
def test_an_event_without_an_identifier_is_rejected(identifiers: dict[str, Any]) -> None:
    with pytest.raises(InvalidEventError, match=r"^identifier_missing$"):
        build(**{"external_id": None} | identifiers)


@pytest.mark.parametrize(
    "identifiers",
    [
        {"email": "a@x.io"},
        {"phone_number": "+12133734253"},
        {"external_id": "user-4711"},
        {"ttclid": "E.C.P"},
        {"url": "https://x.io/?ttclid=E.C.P"},
        {"ttp": "cookie"},
        {"ip": "8.8.8.8", "user_agent": "Mozilla/5.0"},
        {"external_ids": [{"type": "email", "id": "a@x.io"}]},
    ],
)
def test_one_identifier_is_enough(identifiers: dict[str, Any]) -> None:
    assert build(**{"external_id": None} | identifiers).item["user"]


@pytest.mark.parametrize("url", [None, "", " ", {}])
def test_a_web_event_without_page_url_is_sent_and_reported(url: Any) -> None:
    built = build(url=url, referrer="https://www.tiktok.com/")

    assert "page" not in built.item
    assert "page_url_missing" in built.problems


def test_only_web_events_need_a_page() -> None:
    built = build(event_source="offline", url=None)

    assert (built.route.event_source, built.problems) == ("offline", [])


def test_an_unusable_referrer_is_left_out_alone() -> None:
    built = build(referrer={})

    assert built.item["page"] == {"url": "https://x.io/a"}
    assert built.problems == ["page_referrer_not_a_string"]


def test_an_unknown_event_source_falls_back_to_web() -> None:
    built = build(event_source="app")

    assert (built.route.event_source, built.problems) == ("web", ["event_source_not_supported"])


@pytest.mark.parametrize(
    ("value", "sent", "problems"),
    [
        (True, {"limited_data_use": True}, []),
        ("false", {"limited_data_use": False}, []),
        (None, {}, []),
        ("yes", {}, ["limited_data_use_not_a_boolean"]),
    ],
)
def test_limited_data_use_is_a_boolean_or_absent(
    value: Any, sent: dict[str, bool], problems: list[str]
) -> None:
    built = build(limited_data_use=value)

    assert ({k: v for k, v in built.item.items() if k == "limited_data_use"}) == sent
    assert built.problems == problems


@pytest.mark.parametrize(
    ("lead", "sent"),
    [
        ({"lead_id": "l-1"}, {"lead_id": "l-1"}),
        (
            {"lead_fields": {"lead_id": 5, "lead_event_source": "CRM"}},
            {"lead_id": "5", "lead_event_source": "CRM"},
        ),
    ],
)
def test_a_lead_identifies_a_crm_event(lead: dict[str, Any], sent: dict[str, str]) -> None:
    built = build(event_source="crm", external_id=None, url=None, **lead)

    assert built.item["lead"] == sent
    assert "user" not in built.item


@pytest.mark.parametrize("lead_id", [None, "", {}])
def test_a_crm_event_without_a_lead_needs_another_identifier(lead_id: Any) -> None:
    with pytest.raises(InvalidEventError, match=r"^identifier_missing$"):
        build(event_source="crm", external_id=None, lead_id=lead_id)


@pytest.mark.parametrize("blank", [None, "", " ", [], {}, [None], [""]], ids=repr)
def test_nothing_empty_is_ever_sent(blank: Any) -> None:
    """Blank input never becomes an empty text, list, object or null."""
    names = (
        *("email", "phone_number", "first_name", "last_name", "address", "external_ids"),
        *("ttclid", "ttp", "locale", "ip", "user_agent", "url", "referrer", "test_event_code"),
        *("event_source", "event_id", "limited_data_use", "currency", "value", "contents"),
        *("content_ids", "content_type", "num_items", "order_id", "shop_id", "query"),
        *("search_string", "description", "delivery_category", "predicted_ltv", "lead_fields"),
    )
    built = build(**dict.fromkeys(names, blank))

    assert built.item == {
        "event": "AddToCart",
        "event_time": 1_767_225_600,
        "event_id": "m-1",
        "user": {"external_id": [ID_HASH]},
    }
