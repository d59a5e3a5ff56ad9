"""What a person has chosen: the integrations object and consent preferences of an event.

Segment enforces both for its own destination, which here is a webhook; for TikTok this is the
place. Consent comes first: an integration that is switched on cannot override it, one that is
switched off still blocks. Where Segment's documentation contradicts itself, the answer is no.

Source: Segment documentation, "Consent in Segment Connections" and "Filtering with the
integrations object".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

CONSENT_EVENT: Final = "Segment Consent Preference Updated"
"""Sent whatever the preferences are; it tells of them and is no conversion."""

# The names under which Segment's catalogue has, or had, TikTok's destinations.
INTEGRATIONS: Final = frozenset({"TikTok Pixel", "Tiktok Conversions", "TikTok Conversions"})


def is_consent_event(event: dict[str, Any]) -> bool:
    """Whether the event only reports consent preferences."""
    return event.get("event") == CONSENT_EVENT


def is_selected(event: dict[str, Any]) -> bool:
    """Whether the integrations object lets the event through to TikTok.

    Any of TikTok's names that is ``false`` blocks; one that is ``true`` or holds options selects,
    even where ``All`` is ``false``; otherwise ``All`` decides, which is ``true`` by default.
    """
    integrations = event.get("integrations")
    if not isinstance(integrations, dict):
        return True
    if not INTEGRATIONS.isdisjoint(integrations):
        named = [integrations[name] for name in INTEGRATIONS if integrations.get(name) is not None]
        if named:
            return all(value is not False for value in named)
    return integrations.get("All") is not False


def has_consent(event: dict[str, Any], categories: Sequence[str]) -> bool:
    """Whether the person agreed to every category that TikTok is used for.

    Args:
        event: The Segment event.
        categories: Ids of the consent categories that TikTok belongs to. Without any, consent is
            not asked for, as with a destination that has no category in Segment.
    """
    if not categories:
        return True
    context = event.get("context")
    consent = context.get("consent") if isinstance(context, dict) else None
    if consent is None:
        return True
    if consent == {} and "integrations" not in event:
        return True
    preferences = consent.get("categoryPreferences") if isinstance(consent, dict) else None
    if not isinstance(preferences, dict):
        return False
    return all(preferences.get(category) is True for category in categories)
