"""Build events for TikTok from mapped fields."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tiktok_pixel.tiktok.events import EventContext, build_event, event_time
from tiktok_pixel.tiktok.outgoing import Route, Traffic
from tiktok_pixel.values.validation import ForbiddenEventError, InvalidEventError

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
    assert (built.route, built.problems) == (Route(None, "web"), [])


def test_builds_an_event_with_every_part() -> None:
    built = build(
        event_id="e-1",
        timestamp=iso(NOW - 60),
        referrer="https://www.tiktok.com/",
        limited_data_use="true",
        ip="8.8.8.8",
        ad={"attribution_share": "0.5", "utm_source": "tiktok"},
        test_event_code="TEST1",
        currency="usd",
        value="18.99",
    )

    assert built.item == {
        "event": "AddToCart",
        "event_time": 1_767_225_540,
        "event_id": "e-1",
        "user": {"external_id": [ID_HASH], "ip": "8.8.8.8"},
        "properties": {"currency": "USD", "value": 18.99},
        "page": {"url": "https://x.io/a", "referrer": "https://www.tiktok.com/"},
        "ad": {"attribution_share": 0.5, "utm_source": "tiktok"},
        "limited_data_use": True,
    }
    assert (built.route, built.problems) == (Route(None, "web", Traffic.MAPPING, "TEST1"), [])


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
    built = build(event_source="offline", external_id=None, email="a@x.io", url=None)

    assert (built.route.event_source, built.problems) == ("offline", [])


def test_an_unusable_referrer_is_left_out_alone() -> None:
    built = build(referrer={})

    assert built.item["page"] == {"url": "https://x.io/a"}
    assert built.problems == ["page_referrer_not_a_string"]


def test_an_unknown_event_source_falls_back_to_web() -> None:
    built = build(event_source="app")

    assert (built.route.event_source, built.problems) == ("web", ["event_source_not_supported"])


@pytest.mark.parametrize(
    ("value", "limited", "problems"),
    [
        (True, True, []),
        ("true", True, []),
        (1, True, []),
        ([True], True, []),
        (False, False, []),
        ("false", False, []),
        ([False], False, []),
        (None, None, []),
        ("", None, []),
        ("yes", True, ["limited_data_use_not_a_boolean"]),
        ("no", True, ["limited_data_use_not_a_boolean"]),
        ([], True, ["limited_data_use_not_a_boolean"]),
        ({}, True, ["limited_data_use_not_a_boolean"]),
        ([False, False], True, ["limited_data_use_not_a_boolean"]),
    ],
)
def test_limited_data_use_is_true_when_it_cannot_be_read(
    value: Any, limited: bool | None, problems: list[str]
) -> None:
    built = build(limited_data_use=value, ip="8.8.8.8")

    assert (built.item.get("limited_data_use"), built.problems) == (limited, problems)


@pytest.mark.parametrize(
    ("value", "ip", "problems"),
    [
        (True, None, ["limited_data_use_without_ip"]),
        (True, "10.0.0.1", ["ip_not_public", "limited_data_use_without_ip"]),
        (False, None, []),
    ],
)
def test_limited_data_use_without_a_public_ip_is_reported(
    value: bool, ip: str | None, problems: list[str]
) -> None:
    assert build(limited_data_use=value, ip=ip).problems == problems


@pytest.mark.parametrize("event_source", ["offline", "crm"])
@pytest.mark.parametrize(
    ("limit_data_use", "value"), [(False, True), (False, "yes"), (True, None), (True, False)]
)
def test_limited_data_use_forbids_an_event_whose_source_does_not_support_it(
    event_source: str, limit_data_use: bool, value: Any
) -> None:
    context = EventContext("m-1", NOW, limit_data_use=limit_data_use)
    with pytest.raises(ForbiddenEventError, match=r"^limited_data_use_not_for_source$"):
        build(context, event_source=event_source, email="a@x.io", limited_data_use=value)


WEB_FIELDS: dict[str, Any] = {
    "email": "a@x.io",
    "ttclid": "E.C.P",
    "ttp": "cookie",
    "ip": "8.8.8.8",
    "user_agent": "Mozilla/5.0",
    "locale": "en-US",
    "address": {"city": "Seattle"},
    "referrer": "https://www.tiktok.com/",
    "limited_data_use": False,
    "customer_type": "new",
    "ad": {"attribution_share": 1},
    "event_spec_type": "travel_fields",
    "travel_fields": {"city": "Rome"},
}
NOT_FOR_OFFLINE = {
    *("ttclid", "ttp", "ip", "user_agent", "locale", "page_url", "page_referrer"),
    *("limited_data_use", "customer_type", "ad", "travel", "external_id"),
}


@pytest.mark.parametrize(
    ("event_source", "keys", "not_sent"),
    [
        ("offline", ["email", "city"], NOT_FOR_OFFLINE),
        ("crm", ["email", "external_id", "city"], NOT_FOR_OFFLINE - {"external_id"}),
    ],
)
def test_fields_of_another_event_source_are_not_sent_and_reported(
    event_source: str, keys: list[str], not_sent: set[str]
) -> None:
    lead: dict[str, Any] = {"lead_id": "l-1"} if event_source == "crm" else {}
    built = build(event_source=event_source, **WEB_FIELDS, **lead)

    assert built.item.keys() - {"lead"} == {"event", "event_time", "event_id", "user"}
    assert list(built.item["user"]) == keys
    assert sorted(built.problems) == sorted(f"{field}_not_for_source" for field in not_sent)


@pytest.mark.parametrize("event_source", ["web", "offline"])
@pytest.mark.parametrize("blank", [None, "", {}], ids=repr)
def test_blank_fields_of_another_event_source_are_not_reported(
    event_source: str, blank: Any
) -> None:
    flag = None if blank == {} else blank  # an object would count as true
    fields = {"lead_fields": blank, "ad": blank, "limited_data_use": flag, "customer_type": None}
    built = build(event_source=event_source, email="a@x.io", external_id=None, **fields)

    assert [problem for problem in built.problems if "page_url" not in problem] == []


def test_a_web_event_takes_all_of_them() -> None:
    built = build(**WEB_FIELDS)

    assert built.problems == []
    assert built.item["properties"] == {"customer_type": "new", "city": "Rome"}
    assert built.item["ad"] == {"attribution_share": 1}


@pytest.mark.parametrize(
    "lead", [{"lead_id": "l-1"}, {"lead_fields": {"lead_event_source": "HubSpot"}}]
)
def test_a_lead_belongs_to_crm_events_only(lead: dict[str, Any]) -> None:
    built = build(**lead)

    assert "lead" not in built.item
    assert built.problems == ["lead_not_for_source"]


@pytest.mark.parametrize("lead", [{}, {"lead_fields": {"lead_event_source": "HubSpot"}}])
def test_a_crm_event_without_a_lead_id_is_reported(lead: dict[str, Any]) -> None:
    built = build(event_source="crm", email="a@x.io", url=None, **lead)

    assert "lead" not in built.item
    assert built.problems == ["lead_missing"]


@pytest.mark.parametrize(
    ("fields", "sent", "problems"),
    [
        ({"event_spec_type": "hotel"}, None, ["event_spec_type_not_supported"]),
        (
            {"event_spec_type": "travel_fields", "travel_fields": "Rome"},
            None,
            ["travel_not_an_object"],
        ),
        (
            {"event_spec_type": "travel_fields", "travel_fields": {"city": "Rome"}},
            {"city": "Rome"},
            [],
        ),
        (
            {
                "event_spec_type": "vehicle_fields",
                "vehicle_fields": {"mileage_value": 5, "preferred_price_range_max": 9, "vin": "v"},
            },
            {"vin": "v"},
            ["vehicle_missing", "vehicle_missing"],
        ),
        (
            {
                "event_spec_type": "vehicle_fields",
                "vehicle_fields": {"mileage_unit": "MI", "preferred_price_range_min": 1},
            },
            None,
            ["vehicle_missing", "vehicle_missing"],
        ),
    ],
)
def test_travel_and_vehicle_fields_that_cannot_be_sent_are_reported(
    fields: dict[str, Any], sent: dict[str, Any] | None, problems: list[str]
) -> None:
    built = build(**fields)

    assert (built.item.get("properties"), built.problems) == (sent, problems)


def test_an_offline_event_needs_an_email_or_a_phone() -> None:
    with pytest.raises(InvalidEventError, match=r"^identifier_missing$") as raised:
        build(event_source="offline", ttclid="E.C.P", url=None)
    assert {problem.code for problem in raised.value.left_out} == {
        "external_id_not_for_source",
        "ttclid_not_for_source",
    }


@pytest.mark.parametrize("event", ["MyEvent", "PageView"])
def test_an_offline_event_with_a_custom_name_is_rejected(event: str) -> None:
    with pytest.raises(InvalidEventError, match=r"^event_not_for_source$"):
        build(event=event, event_source="offline", email="a@x.io")


@pytest.mark.parametrize(
    ("event", "event_source"),
    [("Purchase", "offline"), ("CompletePayment", "offline"), ("MyEvent", "crm")],
)
def test_other_event_names_are_accepted(event: str, event_source: str) -> None:
    assert build(event=event, event_source=event_source, email="a@x.io").item["event"] == event


@pytest.mark.parametrize(
    ("ad", "sent", "problems"),
    [
        ({"attribution_share": 0, "touchpoint_ts": "1767225600"}, None, []),
        ({"attribution_share": 1.5, "utm_id": "u"}, {"utm_id": "u"}, ["ad_not_supported"]),
        ({"attribution_window_hr_click": "week"}, {}, ["ad_not_a_number"]),
        ("tiktok", {}, ["ad_not_an_object"]),
        ({"unknown": 1}, {}, []),
    ],
)
def test_ad_attribution_is_sent_with_web_events(
    ad: Any, sent: dict[str, Any] | None, problems: list[str]
) -> None:
    built = build(ad=ad)

    expected = {"attribution_share": 0, "touchpoint_ts": 1767225600} if sent is None else sent
    assert (built.item.get("ad", {}), built.problems) == (expected, problems)


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
        *("event_source", "event_id", "currency", "value", "contents"),
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
