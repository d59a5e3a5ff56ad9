"""TikTok's schema: event names, fields with their types, currencies, and the shipped mappings.

The mapping language gets this module as an argument (``tiktok_pixel.mapping.schema.Schema``), and
what is sent is coerced by the same tables. So a mapping file is refused for exactly the literals
that could never be sent.

Sources: the fields are those of Segment's TikTok destination (action-destinations
``tiktok-conversions``) with ``external_ids`` added, and TikTok Events API 2.0, "Parameters". Event
names: TikTok Business Help Center, "About standard events", "About custom events" (February 2026)
and "Reserved events" (September 2025). Currencies: "About parameters".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tiktok_pixel.values import coercion
from tiktok_pixel.values.javascript import WHITESPACE, to_string
from tiktok_pixel.values.money import read_amount
from tiktok_pixel.values.validation import UnusableValueError

if TYPE_CHECKING:
    from tiktok_pixel.values.coercion import Coercion

# ------------------------------------------------------------------ event names

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


# ------------------------------------------------------------------ fields

# A type by its name, the values of a closed choice, an object's members, or (in a list of one) the
# items of an array.
Scalar = str | tuple[str, ...]
Kind = Scalar | Mapping[str, "Kind"] | list["Kind"]

_TEXTS: Final[list[Kind]] = ["text"]
_LEAD: Final[Mapping[str, Kind]] = {"lead_id": "text", "lead_event_source": "text"}
_ADDRESS: Final[Mapping[str, Kind]] = {
    "city": "text",
    "country": "text",
    "zip_code": "text",
    "state": "text",
}
CONTENT: Final[Mapping[str, Kind]] = {
    "price": "amount",
    "quantity": "integer",
    "content_category": "text",
    "content_id": "text",
    "content_name": "text",
    "brand": "text",
}
PROPERTIES: Final[Mapping[str, Kind]] = {
    "value": "amount",
    "predicted_ltv": "amount",
    "content_type": ("product", "product_group"),
    "content_ids": _TEXTS,
    "num_items": "integer",
    "order_id": "text",
    "shop_id": "text",
    "query": "text",
    "search_string": "text",
    "description": "text",
    "delivery_category": ("in_store", "curbside", "home_delivery"),
    "customer_type": ("new", "returning"),
}
AD: Final[Mapping[str, Kind]] = {
    "attribution_share": "share",
    "attribution_value": "number",
    "attribution_model": "text",
    "attribution_method": "text",
    "attribution_window_hr_click": "integer",
    "attribution_window_hr_view": "integer",
    "touchpoint_type": "text",
    "touchpoint_ts": "integer",
    "touchpoint_url": "text",
    "decline_reason": "text",
    "utm_id": "text",
    "utm_source": "text",
    "utm_medium": "text",
    "utm_campaign": "text",
}
TRAVEL: Final[Mapping[str, Kind]] = {
    "city": "text",
    "region": "text",
    "country": "text",
    "checkin_date": "text",
    "checkout_date": "text",
    "num_adults": "integer",
    "num_children": "integer",
    "num_infants": "integer",
    "suggested_hotels": _TEXTS,
    "departing_departure_date": "text",
    "returning_departure_date": "text",
    "origin_airport": "text",
    "destination_ids": _TEXTS,
    "departing_arrival_date": "text",
    "returning_arrival_date": "text",
    "destination_airport": "text",
    "travel_class": ("eco", "prem", "bus", "first"),
    "user_score": "number",
    "preferred_num_stops": "integer",
    "travel_start": "text",
    "travel_end": "text",
    "suggested_destinations": _TEXTS,
}
VEHICLE: Final[Mapping[str, Kind]] = {
    "postal_code": "text",
    "make": "text",
    "model": "text",
    "year": "integer",
    "state_of_vehicle": ("New", "Used", "CPO"),
    "exterior_color": "text",
    "transmission": ("Automatic", "Manual", "Other"),
    "body_style": (
        "Convertible",
        "Coupe",
        "Hatchback",
        "Minivan",
        "Truck",
        "SUV",
        "Sedan",
        "Van",
        "Wagon",
        "Crossover",
        "Other",
    ),
    "fuel_type": ("Diesel", "Electric", "Flex", "Gasoline", "Hybrid", "Other"),
    "drivetrain": ("AWD", "FOUR_WD", "FWD", "RWD", "TWO_WD", "Other"),
    "preferred_price_range_min": "number",
    "preferred_price_range_max": "number",
    "trim": "text",
    "vin": "text",
    "interior_color": "text",
    "condition_of_vehicle": ("Excellent", "Good", "Fair", "Poor", "Other"),
    "viewcontent_type": "text",
    "search_type": "text",
    "registration_type": "text",
    "mileage_value": "number",
    "mileage_unit": ("MI", "KM"),
}
EVENT_SOURCES: Final = ("web", "offline", "crm")
FIELDS: Final[Mapping[str, Kind]] = {
    "event": "event",
    "event_id": "text",
    "timestamp": "time",
    "event_source": EVENT_SOURCES,
    "test_event_code": "text",
    "limited_data_use": "boolean",
    "email": _TEXTS,
    "phone_number": _TEXTS,
    "external_id": _TEXTS,
    "external_ids": "anything",
    "first_name": "text",
    "last_name": "text",
    "address": _ADDRESS,
    "ttclid": "text",
    "ttp": "text",
    "locale": "text",
    "ip": "text",
    "user_agent": "text",
    "url": "text",
    "referrer": "text",
    "lead_fields": _LEAD,
    **_LEAD,
    "contents": [CONTENT],
    "currency": "currency",
    **PROPERTIES,
    "event_spec_type": ("travel_fields", "vehicle_fields"),
    "travel_fields": TRAVEL,
    "vehicle_fields": VEHICLE,
    "ad": AD,
}
# Members of TikTok's `user` object that not every event source takes.
USER_KEY_SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "external_id": ("web", "crm"),
    "ttclid": ("web",),
    "ttp": ("web",),
    "ip": ("web",),
    "user_agent": ("web",),
    "locale": ("web",),
}

# ------------------------------------------------------------------ values

_CURRENCY_CODES: Final = """
AED ARS AUD BDT BHD BIF BOB BRL CAD CHF CLP CNY COP CRC CZK DKK DZD EGP EUR GBP GTQ HKD HNL HUF
IDR ILS INR ISK JPY KES KHR KRW KWD KZT MAD MOP MXN MYR NGN NIO NOK NZD OMR PEN PHP PKR PLN PYG
QAR RON RUB SAR SEK SGD THB TRY TWD UAH USD VES VND ZAR
"""
CURRENCIES: Final = frozenset(_CURRENCY_CODES.split())


def currency(value: object) -> str | None:
    """Coerce a value to an upper-case ISO 4217 code that TikTok accepts.

    Raises:
        UnusableValueError: TikTok does not accept the currency, or the value is no text.
    """
    if type(value) is str and value in CURRENCIES:
        return value
    code = coercion.text(value)
    if code is None:
        return None
    code = code.strip(WHITESPACE).upper()
    if code not in CURRENCIES:
        raise UnusableValueError("not_supported")
    return code


def amount(value: object) -> int | float | None:
    """Coerce a value to an amount of money, without its currency.

    Raises:
        UnusableValueError: The value is not an amount, or can be read as two.
    """
    return read_amount(value, CURRENCIES)[0]


def share(value: object) -> int | float | None:
    """Coerce a value to a number from 0 to 1.

    Raises:
        UnusableValueError: The value is not such a number.
    """
    number = coercion.number(value)
    if number is not None and not 0 <= number <= 1:
        raise UnusableValueError("not_supported")
    return number


_COERCIONS: Final[Mapping[str, Coercion]] = {
    "text": coercion.text,
    "number": coercion.number,
    "integer": coercion.integer,
    "boolean": coercion.boolean,
    "currency": currency,
    "amount": amount,
    "share": share,
}
_DESCRIPTIONS: Final[Mapping[str, str]] = {
    "text": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "time": "a time in ISO 8601",
    "currency": "a currency that TikTok accepts",
    "amount": "an amount of money",
    "share": "a number from 0 to 1",
}


def coercion_of(kind: Kind) -> Coercion:
    """Return the coercion to a scalar type, to one of a closed choice, or to an array of text.

    Raises:
        KeyError: No coercion makes names, times and objects.
    """
    if isinstance(kind, tuple):
        return coercion.one_of(*kind)
    return coercion.texts if kind == _TEXTS else _COERCIONS[str(kind)]


def literal_problem(value: object, kind: Scalar) -> str | None:
    """Describe why a literal in a mapping could never be sent; None when it can, or is blank.

    Args:
        value: A JSON value without directives.
        kind: The type of the field.
    """
    if kind == "anything":
        return None
    if kind == "event":
        return event_name_problem(value) if isinstance(value, str) else None
    try:
        (_check_time if kind == "time" else coercion_of(kind))(value)
    except UnusableValueError:
        return f"must be {_description(kind)}; got {_shown(value)}"
    return None


def _check_time(value: Any) -> None:
    if coercion.text(value) is None:
        return
    moment = value[0] if isinstance(value, list) else value
    try:
        datetime.fromisoformat(moment)
    except (TypeError, ValueError) as error:
        raise UnusableValueError("unparsable") from error


def _description(kind: Scalar) -> str:
    if isinstance(kind, tuple):
        return f"one of: {', '.join(kind)}"
    if kind == "currency":
        return f"{_DESCRIPTIONS[kind]} ({', '.join(sorted(CURRENCIES))})"
    return _DESCRIPTIONS[kind]


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    return f'"{value}"' if isinstance(value, str) else to_string(value)


# ------------------------------------------------------------------ shipped mappings

_DATA: Final = Path(__file__).parent / "data"


def shipped(name: str) -> Path:
    """Return the path of a shipped mapping file: ``default`` or ``full``."""
    return _DATA / f"{name}.json"


def default_fields() -> dict[str, Any]:
    """Read the fields that ``"defaults": true`` adds to a preset."""
    fields: dict[str, Any] = json.loads((_DATA / "fields.json").read_text(encoding="utf-8"))
    return fields
