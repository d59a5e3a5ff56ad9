"""Apply a person's consent preferences and the integrations object to an event.

Segment applies both to its own destination, which is a webhook here, so they are applied for TikTok
here. Consent comes first: an integration that is switched on cannot override missing consent, and
one that is switched off still blocks. Where Segment's documentation contradicts itself, the event
is not sent.

Source: Segment documentation, "Consent in Segment Connections" and "Filtering with the
integrations object".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

CONSENT_EVENT: Final = "Segment Consent Preference Updated"
"""Sent whatever the preferences are; it reports them and is not a conversion."""

# Names of TikTok's destinations in Segment's catalog, past and present.
INTEGRATIONS: Final = frozenset({"TikTok Pixel", "Tiktok Conversions", "TikTok Conversions"})


def is_consent_event(event: dict[str, Any]) -> bool:
    """Say whether the event only reports consent preferences."""
    return event.get("event") == CONSENT_EVENT


def is_selected(event: dict[str, Any]) -> bool:
    """Say whether the integrations object allows sending the event to TikTok.

    ``true`` and an object of options select; any other value blocks. The values of TikTok's names
    decide, of several the one that blocks; without any of the names, ``All`` decides. Everything
    is selected by default.
    """
    integrations = event.get("integrations")
    # PHP serialises an empty object as an empty array.
    if integrations is None or integrations == []:
        return True
    if not isinstance(integrations, dict):
        return False
    if INTEGRATIONS.isdisjoint(integrations):
        return _selects(integrations.get("All", True))
    return all(_selects(integrations[name]) for name in INTEGRATIONS if name in integrations)


def has_consent(event: dict[str, Any], categories: Sequence[str]) -> bool:
    """Say whether the person agreed to every category that TikTok belongs to.

    Args:
        event: The Segment event.
        categories: Ids of TikTok's consent categories. Without any, consent is not needed, as for a
            destination without categories in Segment.
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


def _selects(setting: object) -> bool:
    return setting is True or isinstance(setting, dict)
