"""What travel and vehicle events say besides: flights and hotels, cars and their condition.

A mapping asks for one of the two with the field ``event_spec_type``, as in Segment's TikTok
destination; web events only. Source: action-destinations ``tiktok-conversions``, travel and
vehicle fields; TikTok Events API 2.0, "Parameters".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tiktok_pixel.tiktok.schema import TRAVEL, VEHICLE, coercion_of
from tiktok_pixel.values.coercion import usable

if TYPE_CHECKING:
    from tiktok_pixel.values.validation import Problem

TRAVEL_FIELDS: Final = {field: coercion_of(kind) for field, kind in TRAVEL.items()}
VEHICLE_FIELDS: Final = {field: coercion_of(kind) for field, kind in VEHICLE.items()}
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
    properties = {
        field: value
        for field, coerce in coercions.items()
        if (value := usable(problem_field, given.get(field), coerce, problems)) is not None
    }
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
