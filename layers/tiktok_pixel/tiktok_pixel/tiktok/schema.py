"""The fields that a mapping can fill, and their types: what loads, and what sends, both go by it.

They are those of Segment's TikTok destination, with ``external_ids`` added. Source:
action-destinations ``tiktok-conversions``; TikTok Events API 2.0, "Parameters".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from tiktok_pixel.values import coercion

if TYPE_CHECKING:
    from tiktok_pixel.values.coercion import Coercion

# A word for a type, the values of a closed choice, an object's members, or (in a list of one) the
# items of an array.
Scalar = str | tuple[str, ...]
Kind = Scalar | Mapping[str, "Kind"] | list["Kind"]
KnownFields = Mapping[str, Kind]

_LEAD: Final[KnownFields] = {"lead_id": "text", "lead_event_source": "text"}
_ADDRESS: Final[KnownFields] = {
    "city": "text",
    "country": "text",
    "zip_code": "text",
    "state": "text",
}
CONTENT: Final[Mapping[str, Scalar]] = {
    "price": "number",
    "quantity": "integer",
    "content_category": "text",
    "content_id": "text",
    "content_name": "text",
    "brand": "text",
}
PROPERTIES: Final[Mapping[str, Scalar]] = {
    "value": "number",
    "predicted_ltv": "number",
    "content_type": ("product", "product_group"),
    "content_ids": "texts",
    "num_items": "integer",
    "order_id": "text",
    "shop_id": "text",
    "query": "text",
    "search_string": "text",
    "description": "text",
    "delivery_category": ("in_store", "curbside", "home_delivery"),
}
TRAVEL: Final[Mapping[str, Scalar]] = {
    "city": "text",
    "region": "text",
    "country": "text",
    "checkin_date": "text",
    "checkout_date": "text",
    "num_adults": "integer",
    "num_children": "integer",
    "num_infants": "integer",
    "suggested_hotels": "texts",
    "departing_departure_date": "text",
    "returning_departure_date": "text",
    "origin_airport": "text",
    "destination_ids": "texts",
    "departing_arrival_date": "text",
    "returning_arrival_date": "text",
    "destination_airport": "text",
    "travel_class": ("eco", "prem", "bus", "first"),
    "user_score": "number",
    "preferred_num_stops": "integer",
    "travel_start": "text",
    "travel_end": "text",
    "suggested_destinations": "texts",
}
VEHICLE: Final[Mapping[str, Scalar]] = {
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
FIELDS: Final[KnownFields] = {
    "event": "event",
    "event_id": "text",
    "timestamp": "time",
    "event_source": EVENT_SOURCES,
    "test_event_code": "text",
    "limited_data_use": "boolean",
    "email": "texts",
    "phone_number": "texts",
    "external_id": "texts",
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
}

_COERCIONS: Final[Mapping[str, Coercion]] = {
    "text": coercion.text,
    "texts": coercion.texts,
    "number": coercion.number,
    "integer": coercion.integer,
    "boolean": coercion.boolean,
    "currency": coercion.currency,
}


def coercion_of(kind: Scalar) -> Coercion:
    """The coercion to a type, or to one of a closed choice.

    Raises:
        KeyError: Names, times and objects are not made by a coercion.
    """
    return coercion.one_of(*kind) if isinstance(kind, tuple) else _COERCIONS[kind]
