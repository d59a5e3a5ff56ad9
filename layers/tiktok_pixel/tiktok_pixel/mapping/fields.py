"""The fields that a mapping can fill, and the literal values that they can never have.

They are those of Segment's TikTok destination, with `external_ids` added. What the event gives is
coerced when it is sent, and left out when that fails; a literal that is bound to fail, and a name
that nobody reads, are mistakes in the file and are told when it loads.
"""

from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from typing import Any, Final

from tiktok_pixel.ecmascript import WHITESPACE, to_number, to_string

from .arguments import is_directive, truthy
from .event_names import event_name_problem
from .place import Place, kind_of

# A word for a type, the values of a closed choice, an object's members, or (in a list of one) the
# items of an array.
Kind = str | tuple[str, ...] | Mapping[str, "Kind"] | list["Kind"]
KnownFields = Mapping[str, Kind]

EVENT_SOURCES: Final = ("web", "offline", "crm")
_CURRENCY_CODES: Final = """
AED ARS AUD BDT BHD BIF BOB BRL CAD CHF CLP CNY COP CRC CZK DKK DZD EGP EUR GBP GTQ HKD HNL HUF
IDR ILS INR ISK JPY KES KHR KRW KWD KZT MAD MOP MXN MYR NGN NIO NOK NZD OMR PEN PHP PKR PLN PYG
QAR RON RUB SAR SEK SGD THB TRY TWD UAH USD VES VND ZAR
"""
CURRENCIES: Final = tuple(_CURRENCY_CODES.split())
_LEAD: Final[KnownFields] = {"lead_id": "text", "lead_event_source": "text"}
_ADDRESS: Final[KnownFields] = {
    "city": "text",
    "country": "text",
    "zip_code": "text",
    "state": "text",
}
_CONTENT: Final[KnownFields] = {
    "price": "number",
    "quantity": "integer",
    "content_category": "text",
    "content_id": "text",
    "content_name": "text",
    "brand": "text",
}
_TRAVEL: Final[KnownFields] = {
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
_VEHICLE: Final[KnownFields] = {
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
    "contents": [_CONTENT],
    "content_ids": "texts",
    "content_type": ("product", "product_group"),
    "num_items": "integer",
    "currency": "currency",
    "value": "number",
    "predicted_ltv": "number",
    "order_id": "text",
    "shop_id": "text",
    "query": "text",
    "search_string": "text",
    "description": "text",
    "delivery_category": ("in_store", "curbside", "home_delivery"),
    "event_spec_type": ("travel_fields", "vehicle_fields"),
    "travel_fields": _TRAVEL,
    "vehicle_fields": _VEHICLE,
}

_IN_WORDS: Final = {
    "text": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "time": "a time in ISO 8601",
    "currency": "a currency",
}
# A double holds every whole number up to here.
_EXACT_INTEGER: Final = 2**53


def check_fields(fields: Mapping[str, Any], known: KnownFields, place: Place) -> None:
    """Warn of names that nothing reads, and refuse literals that could never be sent.

    Args:
        fields: Members of an object in a mapping; not nested too deeply.
        known: What may stand there.
        place: Where the object stands.
    """
    for name, value in fields.items():
        if name in known:
            _check(value, known[name], place.at(name))
        elif not name.startswith("__"):  # Segment's own
            place.at(name).warn(f"is not a field of TikTok's and is not sent{_meant(name, known)}")


def _meant(name: str, known: KnownFields) -> str:
    # Imported here: only a mistake needs it, and every cold start would pay for it.
    from difflib import get_close_matches  # noqa: PLC0415

    close = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""


def _check(value: Any, kind: Kind, place: Place) -> None:
    if is_directive(value):
        _check_results(value, kind, place)
    elif isinstance(kind, Mapping):
        if isinstance(value, dict):
            check_fields(value, kind, place)
        elif not _is_blank(value):
            place.refuse(f"expected an object, got {kind_of(value)}", ", ".join(kind))
    elif isinstance(kind, list):
        _check_items(value, kind[0], place)
    elif kind == "texts":
        _check_items(value, "text", place)
    elif kind == "event":
        # The name that stands there itself is checked with the preset.
        is_inner = isinstance(value, str) and len(place.path) > 1
        if is_inner and (problem := event_name_problem(value)):
            place.refuse(problem)
    elif isinstance(value, list) and any(map(is_directive, value)):
        _check_items(value, kind, place)
    elif not _is_usable(value, kind):
        _refuse(value, kind, place)


def _check_items(value: Any, kind: Kind, place: Place) -> None:
    """Check an array, or what stands for an array of one."""
    if not isinstance(value, list):
        _check(value, kind, place)
        return
    for index, item in enumerate(value):
        _check(item, kind, place.at(str(index)))


def _check_results(directive: dict[str, Any], kind: Kind, place: Place) -> None:
    """Check the literals among the values that a directive can have."""
    name = next(key for key in directive if key.startswith("@"))
    arguments = directive[name]
    place = place.at(name)
    if name in ("@literal", "@excludeWhenNull"):
        _check(arguments, kind, place)
    elif name == "@if" and isinstance(arguments, dict):
        if "then" in arguments:
            _check(arguments["then"], kind, place.at("then"))
        if truthy(arguments.get("else")):
            _check(arguments["else"], kind, place.at("else"))
    elif name == "@arrayPath" and isinstance(arguments, list) and isinstance(kind, list):
        shape = arguments[1] if len(arguments) > 1 else None
        if isinstance(shape, dict):
            _check(shape, kind[0], place.at("1"))


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip(WHITESPACE))


def _is_usable(value: Any, kind: str | tuple[str, ...]) -> bool:
    """Tell whether coercion can make something of a literal; blank ones are left out, not wrong."""
    if isinstance(value, list) and kind != "boolean" and not (value and isinstance(value[0], list)):
        if len(value) > 1:
            return False
        value = value[0] if value else None
    if _is_blank(value) or kind == "anything":
        return True
    if isinstance(value, dict | list):
        return False
    if isinstance(kind, tuple):
        return to_string(value) in kind
    return _TESTS[kind](value)


def _is_text(value: Any) -> bool:
    # A number beyond the range of a double has no text of its own.
    return isinstance(value, str) or not to_string(value).endswith("Infinity")


def _number(value: Any) -> int | float | None:
    number: int | float | None = to_number(value) if isinstance(value, str) else value
    if isinstance(number, float):
        return number if isfinite(number) else None
    return number if number is not None and abs(number) <= _EXACT_INTEGER else None


def _is_number(value: Any) -> bool:
    return _number(value) is not None


def _is_integer(value: Any) -> bool:
    number = _number(value)
    return number is not None and number == int(number) and abs(number) <= _EXACT_INTEGER


def _is_boolean(value: Any) -> bool:
    return value in ("true", "false", 0, 1)


def _is_time(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value) is not None
    except (TypeError, ValueError):
        return False


def _is_currency(value: Any) -> bool:
    return to_string(value).strip(WHITESPACE).upper() in CURRENCIES


_TESTS: Final = {
    "text": _is_text,
    "number": _is_number,
    "integer": _is_integer,
    "boolean": _is_boolean,
    "time": _is_time,
    "currency": _is_currency,
}


def _refuse(value: Any, kind: str | tuple[str, ...], place: Place) -> None:
    allowed = CURRENCIES if kind == "currency" else kind if isinstance(kind, tuple) else ()
    expected = "one of a few words" if isinstance(kind, tuple) else _IN_WORDS[kind]
    if isinstance(value, dict | list):
        got = kind_of(value)
    else:
        got = f'"{value}"' if isinstance(value, str) else to_string(value)
    place.refuse(f"expected {expected}, got {got}", ", ".join(allowed))
