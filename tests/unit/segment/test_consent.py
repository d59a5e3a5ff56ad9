"""The person's choice: the integrations object and consent preferences."""

from __future__ import annotations

from typing import Any

import pytest

from tiktok_pixel.segment.consent import CONSENT_EVENT, has_consent, is_consent_event, is_selected


@pytest.mark.parametrize(
    ("integrations", "selected"),
    [
        (None, True),
        ({}, True),
        ({"All": True}, True),
        ({"All": False}, False),
        ({"All": False, "TikTok Pixel": True}, True),
        ({"All": False, "Tiktok Conversions": {"ttp": "x"}}, True),
        ({"TikTok Conversions": False}, False),
        ({"TikTok Pixel": True, "Tiktok Conversions": False}, False),
        ({"All": True, "TikTok Pixel": {}}, True),
        ({"tiktok pixel": False}, True),
        ({"Webhook": False}, True),
        ("everything", True),
    ],
)
def test_any_of_tiktoks_names_that_is_false_blocks_and_one_that_is_true_selects(
    integrations: object, selected: bool
) -> None:
    event = {} if integrations is None else {"integrations": integrations}
    assert is_selected(event) is selected


@pytest.mark.parametrize(
    ("consent", "categories", "agreed"),
    [
        (None, ["ads"], True),
        ({"categoryPreferences": {"ads": True}}, ["ads"], True),
        ({"categoryPreferences": {"ads": False}}, ["ads"], False),
        ({"categoryPreferences": {"ads": "true"}}, ["ads"], False),
        ({"categoryPreferences": {"ads": True}}, ["ads", "measurement"], False),
        ({"categoryPreferences": {"ads": True, "other": False}}, ["ads"], True),
        ({"categoryPreferences": {}}, ["ads"], False),
        ({"categoryPreferences": None}, ["ads"], False),
        ("yes", ["ads"], False),
        ({"categoryPreferences": {"ads": False}}, [], True),
    ],
)
def test_every_category_of_tiktok_has_to_be_agreed_to(
    consent: object, categories: list[str], agreed: bool
) -> None:
    context: dict[str, Any] = {} if consent is None else {"consent": consent}
    assert has_consent({"context": context}, categories) is agreed


def test_an_empty_consent_object_is_a_no_only_beside_an_integrations_object() -> None:
    event: dict[str, Any] = {"context": {"consent": {}}}
    assert has_consent(event, ["ads"])
    assert not has_consent(event | {"integrations": {"All": True}}, ["ads"])


def test_the_event_that_tells_of_preferences_is_known_by_its_name() -> None:
    assert is_consent_event({"type": "track", "event": CONSENT_EVENT})
    assert not is_consent_event({"type": "track", "event": "Order Placed"})
