"""TikTok's event names: standard, custom, old and reserved ones.

Sources: TikTok Business Help Center, "About standard events", "About custom events" (February 2026)
and "Reserved events" (September 2025).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

STANDARD_EVENTS: Final = (
    "AddPaymentInfo",
    "AddToCart",
    "AddToWishlist",
    "ApplicationApproval",
    "CompleteRegistration",
    "Contact",
    "CustomizeProduct",
    "Download",
    "FindLocation",
    "InitiateCheckout",
    "Lead",
    "Purchase",
    "Schedule",
    "Search",
    "StartTrial",
    "SubmitApplication",
    "Subscribe",
    "ViewContent",
)
# Missing from TikTok's list of standard events; TikTok's own senders use both spellings.
PAGE_VIEWS: Final = ("PageView", "Pageview")
# Old names that TikTok replaces with the new ones.
LEGACY_EVENTS: Final = {"SubmitForm": "Lead", "CompletePayment": "Purchase"}
# Old names without a successor; TikTok accepts them until 2027. PlaceAnOrder is in the default
# mappings, so README explains it instead of a warning at each start.
RETIRED_EVENTS: Final = ("ClickButton", "PlaceAnOrder")
# Names that TikTok replaces with another.
RESERVED_EVENTS: Final = {
    "AddBilling": "AddPaymentInfo",
    "Browse": "PageView",
    "Checkout": "PlaceAnOrder",
    "ClickForm": "Lead",
    "ClickInDownloadPage": "ClickButton",
    "ClickToDownload": "Download",
    "Consult": "Contact",
    "ConsultByPhone": "Contact",
    "Registration": "CompleteRegistration",
    "StartCheckout": "InitiateCheckout",
    "ViewConsultationPage": "ViewContent",
    "ViewDownloadPage": "ViewContent",
    "ViewForm": "ViewContent",
}
MAX_EVENT_NAME: Final = 50  # characters

_KNOWN_EVENTS: Final = frozenset((*STANDARD_EVENTS, *PAGE_VIEWS, *LEGACY_EVENTS, *RETIRED_EVENTS))
_EVENT_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def is_event_name(name: str) -> bool:
    """Return whether TikTok accepts an event name.

    A name is a letter, then letters, digits, underscores and dashes, 50 characters at most.
    """
    # Hot path: nearly all events have a known name.
    return name in _KNOWN_EVENTS or (
        len(name) <= MAX_EVENT_NAME and _EVENT_NAME.fullmatch(name) is not None
    )


def is_standard_event(name: str) -> bool:
    """Return whether a name is one of TikTok's standard events, under its new or old name."""
    return name in STANDARD_EVENTS or name in LEGACY_EVENTS or name in RETIRED_EVENTS


def event_name_problem(name: str) -> str | None:
    """Describe why a literal event name cannot be used; None when it can."""
    if name in RESERVED_EVENTS:
        return f'"{name}" is reserved, TikTok changes it; write "{RESERVED_EVENTS[name]}"'
    if is_event_name(name):
        return None
    if not name:
        return "must not be empty"
    if len(name) > MAX_EVENT_NAME:
        return f"must have at most {MAX_EVENT_NAME} characters; got {len(name)}"
    if not _EVENT_NAME.fullmatch(name[0]):
        return f"must start with a letter (A-Z); got {name[0]!r}"
    invalid = next(char for char in name if not _EVENT_NAME.fullmatch("a" + char))
    return f"must have letters, digits, underscores and dashes only; got {invalid!r}"


def combination_problem(fields: Mapping[str, Any]) -> str | None:
    """Describe why a literal event name cannot be sent with the other literals; None when it can.

    Args:
        fields: The fields of a mapping.
    """
    name = fields.get("event")
    if not isinstance(name, str) or fields.get("event_source") != "offline":
        return None
    if is_standard_event(name):
        return None
    return f'must be a standard event for the event source offline; got "{name}"'


def event_name_warning(name: str) -> str | None:
    """Describe what is doubtful about a valid event name; None when nothing is."""
    if name in LEGACY_EVENTS:
        return (
            f"{name} is the old name of {LEGACY_EVENTS[name]}; "
            "use the name that the browser pixel sends"
        )
    if name == "ClickButton":
        return f"{name} is retired: TikTok accepts it until 2027"
    if name in _KNOWN_EVENTS:
        return None
    # Imported here: only custom names need it, and every cold start would pay for it.
    from difflib import get_close_matches  # noqa: PLC0415

    by_lower_case = {known.lower(): known for known in sorted(_KNOWN_EVENTS, reverse=True)}
    close = get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.85)
    return f"{name} is a custom event; did you mean {by_lower_case[close[0]]}?" if close else None


def legacy_name(name: str) -> str | None:
    """Return the old name of a standard event, for pixels that still use it; None without one."""
    return next((old for old, new in LEGACY_EVENTS.items() if new == name), None)
