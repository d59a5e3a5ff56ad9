"""What travel and vehicle events say besides: flights and hotels, cars and their condition.

A mapping asks for one of the two with the field ``event_spec_type``, as in Segment's TikTok
destination; web events only. Source: action-destinations ``tiktok-conversions``, travel and
vehicle fields; TikTok Events API 2.0, "Parameters".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tiktok_pixel.problems import Problem, UnusableValueError
from tiktok_pixel.tiktok import coercion

if TYPE_CHECKING:
    from tiktok_pixel.tiktok.coercion import Coercion

TRAVEL_FIELDS: Final[dict[str, Coercion]] = {
    **dict.fromkeys(
        (
            "city",
            "region",
            "country",
            "checkin_date",
            "checkout_date",
            "departing_departure_date",
            "returning_departure_date",
            "departing_arrival_date",
            "returning_arrival_date",
            "origin_airport",
            "destination_airport",
            "travel_start",
            "travel_end",
        ),
        coercion.text,
    ),
    **dict.fromkeys(
        ("num_adults", "num_children", "num_infants", "preferred_num_stops"), coercion.integer
    ),
    "user_score": coercion.number,
    "travel_class": coercion.one_of("eco", "prem", "bus", "first"),
    **dict.fromkeys(
        ("suggested_hotels", "destination_ids", "suggested_destinations"), coercion.texts
    ),
}
VEHICLE_FIELDS: Final[dict[str, Coercion]] = {
    **dict.fromkeys(
        (
            "postal_code",
            "make",
            "model",
            "exterior_color",
            "interior_color",
            "trim",
            "vin",
            "viewcontent_type",
            "search_type",
            "registration_type",
        ),
        coercion.text,
    ),
    "year": coercion.integer,
    "state_of_vehicle": coercion.one_of("New", "Used", "CPO"),
    "transmission": coercion.one_of("Automatic", "Manual", "Other"),
    "body_style": coercion.one_of(
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
    "fuel_type": coercion.one_of("Diesel", "Electric", "Flex", "Gasoline", "Hybrid", "Other"),
    "drivetrain": coercion.one_of("AWD", "FOUR_WD", "FWD", "RWD", "TWO_WD", "Other"),
    "condition_of_vehicle": coercion.one_of("Excellent", "Good", "Fair", "Poor", "Other"),
    "mileage_value": coercion.number,
    "mileage_unit": coercion.one_of("MI", "KM"),
    "preferred_price_range_min": coercion.number,
    "preferred_price_range_max": coercion.number,
}
_VERTICALS: Final = {
    "travel_fields": ("travel", TRAVEL_FIELDS),
    "vehicle_fields": ("vehicle", VEHICLE_FIELDS),
}


def vertical_properties(fields: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The properties of the vertical that ``event_spec_type`` names; none without one.

    Args:
        fields: Mapped fields, by the names of Segment's TikTok destination.
        problems: What is left out is appended here.
    """
    vertical = fields.get("event_spec_type")
    if not isinstance(vertical, str) or vertical not in _VERTICALS:
        return {}
    if fields.get("event_source") not in (None, "", "web"):
        return {}
    problem_field, coercions = _VERTICALS[vertical]
    given = fields.get(vertical)
    if not isinstance(given, dict):
        return {}
    properties: dict[str, Any] = {}
    for field, coerce in coercions.items():
        try:
            value = coerce(given.get(field))
        except UnusableValueError as error:
            problems.append(Problem(problem_field, error.rule))
        else:
            if value is not None:
                properties[field] = value
    return properties if vertical == "travel_fields" else _vehicle(properties)


def _vehicle(properties: dict[str, Any]) -> dict[str, Any]:
    """TikTok takes mileage and price range as one value each, or not at all."""
    mileage = properties.pop("mileage_value", None)
    unit = properties.pop("mileage_unit", None)
    if mileage is not None and unit is not None:
        properties["mileage"] = {"unit": unit, "value": mileage}
    lowest = properties.pop("preferred_price_range_min", None)
    highest = properties.pop("preferred_price_range_max", None)
    if lowest is not None and highest is not None:
        properties["preferred_price_range"] = [lowest, highest]
    return properties
