"""The fields of TikTok's events, and the coercions to their types.

Sources: the fields are those of Segment's TikTok destination (action-destinations
``tiktok-conversions``) with ``external_ids`` added, and TikTok Events API 2.0, "Parameters".
Currencies: TikTok Business Help Center, "About parameters".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from tiktok_pixel.values import coercion
from tiktok_pixel.values.javascript import WHITESPACE
from tiktok_pixel.values.money import read_amount
from tiktok_pixel.values.validation import UnusableValueError

if TYPE_CHECKING:
    from tiktok_pixel.values.coercion import Coercion

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


def coercion_of(kind: Kind) -> Coercion:
    """Return the coercion to a scalar type, to one of a closed choice, or to an array of text.

    Raises:
        KeyError: No coercion makes names, times and objects.
    """
    if isinstance(kind, tuple):
        return coercion.one_of(*kind)
    return coercion.texts if kind == _TEXTS else _COERCIONS[str(kind)]
