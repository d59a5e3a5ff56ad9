"""Build the properties of travel and vehicle events: flights and hotels, cars.

A mapping chooses one of the two with the field ``event_spec_type``, as in Segment's TikTok
destination; web events only. Source: action-destinations ``tiktok-conversions``, travel and
vehicle fields; TikTok Events API 2.0, "Parameters".
"""

from __future__ import annotations

from typing import Any, Final

from tiktok_pixel.tiktok.fields import TRAVEL, VEHICLE, coercion_of
from tiktok_pixel.values.coercion import usable, usable_fields
from tiktok_pixel.values.validation import Problem, Problems

TRAVEL_FIELDS: Final = {field: coercion_of(kind) for field, kind in TRAVEL.items()}
VEHICLE_FIELDS: Final = {field: coercion_of(kind) for field, kind in VEHICLE.items()}
# With the names that all their fields share in problems.
_VERTICALS: Final = {
    "travel_fields": (TRAVEL_FIELDS, dict.fromkeys(TRAVEL_FIELDS, "travel")),
    "vehicle_fields": (VEHICLE_FIELDS, dict.fromkeys(VEHICLE_FIELDS, "vehicle")),
}
_SPEC_TYPE: Final = coercion_of(tuple(_VERTICALS))


def vertical_properties(
    fields: dict[str, Any], event_source: str
) -> tuple[dict[str, Any], Problems]:
    """Build the properties of the vertical that ``event_spec_type`` names, if any.

    Args:
        fields: Mapped fields, by the names of Segment's TikTok destination.
        event_source: ``web``, ``offline`` or ``crm``.

    Returns:
        The usable properties, and the problems of the others.
    """
    vertical, problem = usable("event_spec_type", fields.get("event_spec_type"), _SPEC_TYPE)
    if vertical is None:
        return {}, () if problem is None else (problem,)
    given = fields.get(vertical)
    if given is None or given == "":
        return {}, ()
    name = vertical.removesuffix("_fields")
    if not isinstance(given, dict):
        return {}, (Problem(name, "not_an_object"),)
    if event_source != "web":
        return {}, (Problem(name, "not_for_source"),)
    properties, problems = usable_fields(given, *_VERTICALS[vertical])
    if vertical == "vehicle_fields":
        properties, found = _combined(properties)
        problems += found
    return properties, problems


def _combined(properties: dict[str, Any]) -> tuple[dict[str, Any], Problems]:
    """Combine a vehicle's mileage with its unit and the two ends of a price range.

    One without the other cannot be sent.
    """
    mileage = properties.pop("mileage_value", None)
    unit = properties.pop("mileage_unit", None)
    lowest = properties.pop("preferred_price_range_min", None)
    highest = properties.pop("preferred_price_range_max", None)
    if mileage is not None and unit is not None:
        properties["mileage"] = {"unit": unit, "value": mileage}
    if lowest is not None and highest is not None:
        properties["preferred_price_range"] = [lowest, highest]
    halves = ((mileage is None) != (unit is None)) + ((lowest is None) != (highest is None))
    return properties, (Problem("vehicle", "missing"),) * halves
