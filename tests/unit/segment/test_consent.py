"""Integration settings, consent preferences and the consent event."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tiktok_pixel.segment.consent import CONSENT_EVENT, has_consent, is_consent_event, is_selected


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = _Absent()
PIXEL: Final = "TikTok Pixel"
LOWER: Final = "Tiktok Conversions"
UPPER: Final = "TikTok Conversions"

OF_EACH_NAME: Final[list[tuple[dict[str, Any], bool]]] = [
    ({name: value, **rest}, is_sent)
    for name in (PIXEL, LOWER, UPPER)
    for value, rest, is_sent in (
        (True, {}, True),
        (False, {}, False),
        (None, {}, False),
        (0, {}, False),
        ("", {}, False),
        ("true", {}, False),
        (1, {}, False),
        ([], {}, False),
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
    ("no", False),
    (False, False),
    (["All"], False),
    ({"All": True}, True),
    ({"All": False}, False),
    ({"All": {}}, True),
    ({"All": None}, False),
    ({"All": 0}, False),
    ({"All": "false"}, False),
    ({"all": False}, True),  # names are case-sensitive
    ({"tiktok pixel": False}, True),
    ({"Webhook": False}, True),
    ({"All": False, "Webhook": True}, False),
    *OF_EACH_NAME,
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
    ({"categoryPreferences": {"other": True}}, ADS, False),  # a missing category counts as false
    ({"categoryPreferences": {"ads": True, "other": False}}, ADS, True),
    ({"categoryPreferences": {"ads": True}}, BOTH, False),  # all categories are required
    ({"categoryPreferences": {"ads": True, "measurement": False}}, BOTH, False),
    ({"categoryPreferences": {"ads": True, "measurement": True}}, BOTH, True),
    ({"categoryPreferences": {"ads": False}}, (), True),  # TikTok belongs to no category
    ({"categoryPreferences": {}}, (), True),
]


@pytest.mark.parametrize(("consent", "categories", "agrees"), CONSENT, ids=str)
def test_consent_preferences(consent: Any, categories: tuple[str, ...], *, agrees: bool) -> None:
    event = {} if consent is ABSENT else {"context": {"consent": consent}}

    assert has_consent(event, categories) is agrees


def test_an_empty_consent_object_denies_only_beside_an_integrations_object() -> None:
    event: dict[str, Any] = {"context": {"consent": {}}}

    assert has_consent(event, ADS)
    assert not has_consent(event | {"integrations": {"All": True}}, ADS)


@pytest.mark.parametrize("context", [None, "x", [], 5])
def test_without_a_context_there_is_no_consent_object(context: Any) -> None:
    assert has_consent({"context": context}, ADS)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        (CONSENT_EVENT, True),
        ("segment consent preference updated", False),
        ("Order Completed", False),
        (None, False),
        ([CONSENT_EVENT], False),
    ],
)
def test_the_consent_event_is_recognized_by_its_name(name: Any, *, is_one: bool) -> None:
    assert CONSENT_EVENT == "Segment Consent Preference Updated"
    assert is_consent_event({"event": name}) is is_one
