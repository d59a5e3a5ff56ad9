"""What the person chose, and what the site's own pixel sends, decides on what TikTok gets."""

from __future__ import annotations

from typing import Any

from tests.integration.conftest import StartApplication
from tools.sandbox import samples
from tools.sandbox.tiktok import TikTokSandbox

DENIED = {"consent": {"categoryPreferences": {"ads": False}}}
AGREED = {"consent": {"categoryPreferences": {"ads": True}}}


def cart(context: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    event = samples.read("add-to-cart")
    return event | {"context": event["context"] | (context or {})} | more


def test_events_without_consent_are_held_back(
    start: StartApplication, tiktok: TikTokSandbox
) -> None:
    application = start(CONSENT_CATEGORIES="ads, measurement")
    answer = application.send(cart(AGREED))
    assert (answer.status, answer.row["reason"]) == (200, "consent_denied")
    assert tiktok.accepted == []


def test_events_with_consent_are_sent(start: StartApplication, tiktok: TikTokSandbox) -> None:
    answer = start(CONSENT_CATEGORIES="ads").send(cart(AGREED))
    assert answer.row["status"] == "forwarded"
    assert "limited_data_use" not in tiktok.accepted[0].event


def test_limit_sends_events_without_consent_with_limited_data_use(
    start: StartApplication, tiktok: TikTokSandbox
) -> None:
    answer = start(CONSENT_CATEGORIES="ads", CONSENT_DENIED="limit").send(cart(DENIED))
    assert answer.row["status"] == "forwarded"
    assert tiktok.accepted[0].event["limited_data_use"] is True


def test_limited_data_use_of_the_event_wins_when_true(
    start: StartApplication, tiktok: TikTokSandbox
) -> None:
    application = start(CONSENT_CATEGORIES="ads", CONSENT_DENIED="limit")
    properties = samples.read("add-to-cart")["properties"]
    application.send(cart(AGREED, properties=properties | {"limited_data_use": True}))
    application.send(
        cart(DENIED, properties=properties | {"limited_data_use": False}, messageId="second")
    )
    assert [one.event["limited_data_use"] for one in tiktok.accepted] == [True, True]


def test_consent_cannot_be_overridden_and_an_integration_switched_off_still_blocks(
    start: StartApplication, tiktok: TikTokSandbox
) -> None:
    application = start(CONSENT_CATEGORIES="ads")
    forced = application.send(cart(DENIED, integrations={"TikTok Pixel": True}))
    off = application.send(cart(AGREED, integrations={"Tiktok Conversions": False}))
    assert (forced.row["reason"], off.row["reason"]) == ("consent_denied", "integration_disabled")
    assert tiktok.accepted == []


def test_the_sites_own_pixel_shares_its_id(start: StartApplication, tiktok: TikTokSandbox) -> None:
    application = start(USE_EXISTING_PIXEL="true")
    properties = samples.read("add-to-cart")["properties"]
    shared = application.send(cart(properties=properties | {"event_id": 4711}))
    alone = application.send(cart(messageId="second"))
    assert (shared.row["status"], alone.row["reason"]) == ("forwarded", "shared_event_id_missing")
    assert tiktok.event_ids == {"4711"}


def test_the_place_of_the_shared_id_can_be_chosen(
    start: StartApplication, tiktok: TikTokSandbox
) -> None:
    application = start(USE_EXISTING_PIXEL="true", EVENT_ID_PATH="context.pixel.id")
    application.send(cart({"pixel": {"id": "shared-1"}}))
    assert tiktok.event_ids == {"shared-1"}
