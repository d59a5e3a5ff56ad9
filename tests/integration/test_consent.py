"""Consent, integration settings and shared event ids decide what TikTok gets."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.integration.harness import FORWARDED, Forward, Output, World, visit


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = _Absent()
PIXEL: Final = "TikTok Pixel"
YES: Final = {"categoryPreferences": {"ads": True}}
NO: Final = {"categoryPreferences": {"ads": False}}
DENIED: Final = ("ignored", "consent_denied")
SWITCHED_OFF: Final = ("ignored", "integration_disabled")


def event_with(consent: Any = ABSENT, integrations: Any = ABSENT, **more: Any) -> dict[str, Any]:
    """A page call with consent preferences and integration settings."""
    event = visit("m", **more)
    if consent is not ABSENT:
        event["context"] = {**event["context"], "consent": consent}
    if integrations is not ABSENT:
        event["integrations"] = integrations
    return event


# Event, its end where ConsentDenied is "block", its end and limited_data_use where it is "limit".
CHOICES: Final[dict[str, tuple[dict[str, Any], tuple[str, str], tuple[str, str], bool]]] = {
    "no preferences": (event_with(), FORWARDED, FORWARDED, False),
    "agreed": (event_with(YES), FORWARDED, FORWARDED, False),
    "denied": (event_with(NO), DENIED, FORWARDED, True),
    "agreed, off": (event_with(YES, {PIXEL: False}), SWITCHED_OFF, SWITCHED_OFF, False),
    "agreed, all off": (event_with(YES, {"All": False}), SWITCHED_OFF, SWITCHED_OFF, False),
    "agreed, not listed": (event_with(YES, {"Webhook": True}), FORWARDED, FORWARDED, False),
    "denied, on": (event_with(NO, {PIXEL: True}), DENIED, FORWARDED, True),
    "denied, off": (event_with(NO, {PIXEL: False}), DENIED, SWITCHED_OFF, False),
}


@pytest.mark.parametrize(("event", "block", "limit", "limited"), CHOICES.values(), ids=CHOICES)
def test_consent_is_checked_first_and_integration_settings_second(
    world: World,
    event: dict[str, Any],
    block: tuple[str, str],
    limit: tuple[str, str],
    *,
    limited: bool,
) -> None:
    for denied, expected in (("block", block), ("limit", limit)):
        world.tiktok.forget()

        answer = world.start(CONSENT_CATEGORIES="ads", CONSENT_DENIED=denied).send(event)

        assert (answer.status, answer.end) == (200, expected)
        flags = [one.event.get("limited_data_use", False) for one in world.tiktok.events]
        assert flags == ([limited] if expected == FORWARDED else [])


def test_every_configured_category_is_required(world: World) -> None:
    application = world.start(CONSENT_CATEGORIES=" ads , measurement")

    assert application.send(event_with(YES)).end == DENIED


def test_consent_is_not_required_unless_categories_are_configured(application: Forward) -> None:
    assert application.send(event_with(NO)).end == FORWARDED


def test_an_event_without_consent_is_counted_and_logged(world: World, output: Output) -> None:
    world.start(CONSENT_CATEGORIES="ads").send(event_with(NO))

    assert output.metrics["EventsIgnored"] == 1
    assert ("m", "consent_denied") in [
        (line.get("message_id"), line.get("reason")) for line in output.logs
    ]


@pytest.mark.parametrize(
    ("value", "consent", "expected"),
    [
        (ABSENT, YES, ABSENT),
        (True, YES, True),
        (False, YES, False),
        (True, NO, True),
        (False, NO, True),  # denied consent outweighs the event's own value
    ],
)
def test_limited_data_use_of_an_event_is_kept_if_it_is_true(
    world: World, value: Any, consent: Any, expected: Any
) -> None:
    properties = {} if value is ABSENT else {"limited_data_use": value}
    application = world.start(CONSENT_CATEGORIES="ads", CONSENT_DENIED="limit")

    assert application.send(event_with(consent, properties=properties)).end == FORWARDED

    (taken,) = world.tiktok.events
    assert taken.event.get("limited_data_use", ABSENT) is expected


@pytest.mark.parametrize("mapping_set", ["default", "full"])
def test_the_consent_event_is_never_sent(world: World, mapping_set: str) -> None:
    """Even if a mapping matches every track call."""
    application = world.start(MAPPING_SET=mapping_set)

    ends = application.send(
        event_with(type="track", event="Segment Consent Preference Updated")
    ).ends

    assert {status for status, _ in ends} == {"ignored"}
    assert world.tiktok.requests == []


SHARED_IDS: Final[list[tuple[Any, str | None]]] = [
    ("shared-1", "shared-1"),
    (17, "17"),
    (1.5, "1.5"),
    ("", None),
    (" \t", None),
    (None, None),
    (True, None),
    ([], None),
    ({}, None),
    (ABSENT, None),
]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        *(("properties.event_id", value, expected) for value, expected in SHARED_IDS),
        ("context.ids.shared", "shared-1", "shared-1"),
        ("context.ids.shared", ABSENT, None),
        ("properties.a.b", 17, "17"),
    ],
    ids=str,
)
def test_with_an_existing_pixel_an_event_needs_the_id_that_both_share(
    world: World, path: str, value: Any, expected: str | None
) -> None:
    # The first path is the default.
    setting = "" if path == "properties.event_id" else path
    application = world.start(USE_EXISTING_PIXEL="true", EVENT_ID_PATH=setting)
    event = visit("m")
    if value is not ABSENT:
        first, *inner, last = path.split(".")
        place = event.setdefault(first, {})
        for name in inner:
            place = place.setdefault(name, {})
        place[last] = value

    answer = application.send(event)

    missing = ("ignored", "shared_event_id_missing")
    assert (answer.status, answer.end) == (200, FORWARDED if expected else missing)
    assert world.tiktok.event_ids == ({expected} if expected else set())


def test_without_an_existing_pixel_the_event_id_is_the_message_id(
    world: World, application: Forward
) -> None:
    assert application.send(visit("m", properties={"event_id": "x"})).end == FORWARDED

    assert world.tiktok.event_ids == {"m"}
