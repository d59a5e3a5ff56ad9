"""Names of TikTok events.

Sources: TikTok Business Help Center, "About standard events", "About custom events" (February
2026) and "Reserved events" (September 2025); TikTok's names are case-sensitive.
"""

import re

STANDARD = (
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
# Not in the list of standard events; TikTok's own senders use both spellings.
PAGE_VIEWS = ("PageView", "Pageview")
# Old names that TikTok takes for the new ones.
LEGACY = {"SubmitForm": "Lead", "CompletePayment": "Purchase"}
# Old names without a successor; TikTok takes them until 2027.
RETIRED = ("ClickButton", "PlaceAnOrder")
# Names that TikTok replaces by another.
RESERVED = {
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
MAX_LENGTH = 50

_NEWER = {new: old for old, new in LEGACY.items()}
_KNOWN = frozenset((*STANDARD, *PAGE_VIEWS, *LEGACY, *RETIRED))
_BY_LOWER_CASE = {name.lower(): name for name in (*RETIRED, *LEGACY, *PAGE_VIEWS, *STANDARD)}
_CUSTOM = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def event_name_problem(name: str) -> str | None:
    """Say which of TikTok's rules an event name breaks; None when it may be sent."""
    if name in _KNOWN:
        return None
    if name in RESERVED:
        return f'"{name}" is reserved: TikTok makes it {RESERVED[name]}, which can be sent itself'
    if not name:
        return "an event name is not empty"
    if len(name) > MAX_LENGTH:
        return f"a custom event name has at most {MAX_LENGTH} characters, this one has {len(name)}"
    if not (name[0].isascii() and name[0].isalpha()):
        return f"a custom event name starts with a letter (A-Z), not {name[0]!r}"
    if _CUSTOM.fullmatch(name):
        return None
    strange = next(char for char in name if not _CUSTOM.fullmatch("a" + char))
    return f"a custom event name has letters, digits, underscores and dashes only, not {strange!r}"


def event_name_warning(name: str) -> str | None:
    """Say what is doubtful about an event name that may be sent; None when nothing is."""
    if name in LEGACY:
        return (
            f"{name} is the old name of {LEGACY[name]}; it must be the one the browser pixel sends"
        )
    if name in RETIRED:
        return f"{name} is retired: TikTok takes it until 2027"
    if name not in _KNOWN and (meant := _BY_LOWER_CASE.get(name.lower())):
        return f"{name} is a custom event, names are case-sensitive; did you mean {meant}?"
    return None


def legacy_name(name: str) -> str | None:
    """Give the old name of a standard event, for pixels that still send it; None without one."""
    return _NEWER.get(name)
