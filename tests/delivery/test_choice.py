"""What a person or the site has chosen holds for TikTok as Segment would have it hold."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.delivery.world import Output, World, visit
from tiktok_pixel.segment.consent import has_consent, is_consent_event, is_selected


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = _Absent()
PIXEL: Final = "TikTok Pixel"
LOWER: Final = "Tiktok Conversions"
UPPER: Final = "TikTok Conversions"

OF_EACH_NAME: Final[list[tuple[str, Any, dict[str, Any], bool]]] = [
    (name, value, rest, is_sent)
    for name in (PIXEL, LOWER, UPPER)
    for value, rest, is_sent in (
        (True, {}, True),
        (False, {}, False),
        (None, {}, True),
        (None, {"All": False}, False),
        ({}, {}, True),
        ({"ttclid": "x"}, {}, True),
        ({}, {"All": False}, True),
        (True, {"All": False}, True),
        (False, {"All": True}, False),
    )
]
INTEGRATIONS: Final[list[tuple[Any, bool]]] = [
    (ABSENT, True),
    (None, True),
    ({}, True),
    ([], True),
    ("no", True),
    ({"All": True}, True),
    ({"All": False}, False),
    ({"All": None}, True),
    ({"all": False}, True),  # names are case-sensitive
    ({"Webhook": False}, True),
    ({"All": False, "Webhook": True}, False),
    *[({name: value, **rest}, is_sent) for name, value, rest, is_sent in OF_EACH_NAME],
    ({PIXEL: True, LOWER: False}, False),  # any false wins
    ({PIXEL: True, UPPER: False}, False),
    ({PIXEL: {"ttclid": "x"}, LOWER: False}, False),
    ({PIXEL: True, LOWER: True, UPPER: True, "All": False}, True),
]


@pytest.mark.parametrize(("integrations", "is_sent"), INTEGRATIONS, ids=str)
def test_the_integrations_object(integrations: Any, *, is_sent: bool) -> None:
    event = {} if integrations is ABSENT else {"integrations": integrations}

    assert is_selected(event) is is_sent


ADS: Final = ("ads",)
BOTH: Final = ("ads", "measurement")
CONSENT: Final[list[tuple[Any, tuple[str, ...], bool]]] = [
    (ABSENT, ADS, True),  # no consent object: nothing is enforced
    (None, ADS, True),
    ({}, ADS, True),
    ({"categoryPreferences": {}}, ADS, False),
    ({"categoryPreferences": None}, ADS, False),
    ({"categoryPreferences": []}, ADS, False),
    ({"other": 1}, ADS, False),
    ("yes", ADS, False),
    ([], ADS, False),
    ({"categoryPreferences": {"ads": True}}, ADS, True),
    ({"categoryPreferences": {"ads": False}}, ADS, False),
    ({"categoryPreferences": {"ads": None}}, ADS, False),
    ({"categoryPreferences": {"ads": "true"}}, ADS, False),
    ({"categoryPreferences": {"ads": 1}}, ADS, False),
    ({"categoryPreferences": {"Ads": True}}, ADS, False),
    ({"categoryPreferences": {"other": True}}, ADS, False),  # a missing one counts as false
    ({"categoryPreferences": {"ads": True, "other": False}}, ADS, True),
    ({"categoryPreferences": {"ads": True}}, BOTH, False),  # all are needed
    ({"categoryPreferences": {"ads": True, "measurement": False}}, BOTH, False),
    ({"categoryPreferences": {"ads": True, "measurement": True}}, BOTH, True),
    ({"categoryPreferences": {"ads": False}}, (), True),  # TikTok belongs to no category
    ({"categoryPreferences": {}}, (), True),
]


@pytest.mark.parametrize(("consent", "categories", "agrees"), CONSENT, ids=str)
def test_consent_preferences(consent: Any, categories: tuple[str, ...], *, agrees: bool) -> None:
    event = {} if consent is ABSENT else {"context": {"consent": consent}}

    assert has_consent(event, categories) is agrees


def test_an_empty_consent_object_beside_integrations_is_a_no() -> None:
    event = {"context": {"consent": {}}, "integrations": {"All": True}}

    assert not has_consent(event, ADS)


@pytest.mark.parametrize("context", [None, "x", [], 5])
def test_without_a_context_there_is_no_consent_object(context: Any) -> None:
    assert has_consent({"context": context}, ADS)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("Segment Consent Preference Updated", True),
        ("segment consent preference updated", False),
        ("Order Completed", False),
        (None, False),
        (["Segment Consent Preference Updated"], False),
    ],
)
def test_the_consent_event(name: Any, *, is_one: bool) -> None:
    assert is_consent_event({"event": name}) is is_one


YES: Final = {"categoryPreferences": {"ads": True}}
NO: Final = {"categoryPreferences": {"ads": False}}


def of(consent: Any = ABSENT, integrations: Any = ABSENT, **more: Any) -> dict[str, Any]:
    event = visit("m", **more)
    if consent is not ABSENT:
        event["context"] = {**event["context"], "consent": consent}
    if integrations is not ABSENT:
        event["integrations"] = integrations
    return event


SENT: Final = ("forwarded", "tiktok_accepted")
DENIED: Final = ("ignored", "consent_denied")
SWITCHED_OFF: Final = ("ignored", "integration_disabled")
# Event, its end where ConsentDenied is "block", its end and limited_data_use where it is "limit".
CHOICES: Final[dict[str, tuple[dict[str, Any], tuple[str, str], tuple[str, str], bool]]] = {
    "nothing said": (of(), SENT, SENT, False),
    "agreed": (of(YES), SENT, SENT, False),
    "denied": (of(NO), DENIED, SENT, True),
    "agreed, switched off": (of(YES, {PIXEL: False}), SWITCHED_OFF, SWITCHED_OFF, False),
    "agreed, all switched off": (of(YES, {"All": False}), SWITCHED_OFF, SWITCHED_OFF, False),
    "agreed, not listed": (of(YES, {"Webhook": True}), SENT, SENT, False),
    "denied, switched on": (of(NO, {PIXEL: True}), DENIED, SENT, True),
    "denied, switched off": (of(NO, {PIXEL: False}), DENIED, SWITCHED_OFF, False),
}


@pytest.mark.parametrize(("event", "block", "limit", "limited"), CHOICES.values(), ids=CHOICES)
def test_consent_first_then_integrations(
    world: World,
    event: dict[str, Any],
    block: tuple[str, str],
    limit: tuple[str, str],
    *,
    limited: bool,
) -> None:
    for denied, expected in (("block", block), ("limit", limit)):
        world.tiktok.forget()
        application = world.start(CONSENT_CATEGORIES="ads", CONSENT_DENIED=denied)

        sent = world.send(application, event)

        assert (sent.status, sent.end) == (200, expected)
        flags = [one.event.get("limited_data_use", False) for one in world.tiktok.events]
        assert flags == ([limited] if expected == SENT else [])


def test_unless_categories_are_configured_consent_is_not_asked_for(world: World) -> None:
    assert world.send(world.start(), of(NO)).end == SENT


def test_what_is_held_back_is_counted_and_told(world: World, output: Output) -> None:
    world.send(world.start(CONSENT_CATEGORIES=" ads , x"), of(NO))

    assert output.metrics["EventsIgnored"] == 1
    assert ("m", "consent_denied") in [
        (line.get("message_id"), line.get("reason")) for line in output.logs
    ]


@pytest.mark.parametrize(
    ("said", "consent", "expected"),
    [
        (ABSENT, YES, ABSENT),
        (True, YES, True),
        (False, YES, False),
        (True, NO, True),
        (False, NO, True),  # the person's no outweighs the event's
    ],
)
def test_limited_data_use_of_the_event_wins_when_true(
    world: World, said: Any, consent: Any, expected: Any
) -> None:
    properties = {} if said is ABSENT else {"limited_data_use": said}
    application = world.start(CONSENT_CATEGORIES="ads", CONSENT_DENIED="limit")

    assert world.send(application, of(consent, properties=properties)).end == SENT

    (taken,) = world.tiktok.events
    assert taken.event.get("limited_data_use", ABSENT) is expected


def test_the_consent_event_is_never_a_conversion(world: World) -> None:
    """Not even where a mapping takes every track call."""
    application = world.start()
    event = of(type="track", event="Segment Consent Preference Updated")
    assert world.send(application, event).end == ("ignored", "not_mapped")

    everything = world.start(MAPPING_SET="full")
    ends = world.send(everything, event).ends
    assert {status for status, _ in ends} == {"ignored"}


SHARED_IDS: Final[list[tuple[Any, Any]]] = [
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
def test_with_the_sites_own_pixel_both_share_an_id(
    world: World, path: str, value: Any, expected: str | None
) -> None:
    """An event without one is not sent twice, so it is not sent."""
    # The first path is the one without a setting.
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

    if expected is None:
        assert answer.row["reason"] == "shared_event_id_missing"
        assert (answer.status, answer.row["status"]) == (200, "ignored")
    else:
        assert answer.row["status"] == "forwarded"
    assert world.tiktok.event_ids == ({expected} if expected else set())


def test_without_the_sites_own_pixel_the_message_id_is_the_id(world: World) -> None:
    assert world.send(world.start(), visit("m", properties={"event_id": "x"})).end == SENT

    assert world.tiktok.event_ids == {"m"}
