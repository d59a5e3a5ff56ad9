"""The checks of the TikTok Events API 2.0, and the code of each refusal.

Sources: https://business-api.tiktok.com/portal/docs (Events API 2.0: parameters; return codes) and
https://ads.tiktok.com/help/article/standard-events-parameters. One bad event refuses the whole
request, and the message names the field but not the event.

The sandbox is stricter than TikTok where TikTok only warns or accepts silently, so that tests fail
on what an advertiser would only see as a lower match rate: empty strings and empty lists in `user`,
the hash of an empty string, a number sent as a string.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tiktok_pixel.errors import TikTokPixelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

OK: Final = 0
INVALID_BODY: Final = 40000
NO_PERMISSION: Final = 40001
PARAMETER_ERROR: Final = 40002
NO_SUCH_OBJECT: Final = 40007
PII_NOT_HASHED: Final = 40062
TOKEN_MISSING: Final = 40104
TOKEN_INVALID: Final = 40105

MAX_EVENTS: Final = 1000
MAX_TTCLID: Final = 4096
# Seconds since 1970 have at most eleven digits until the year 5138; milliseconds have thirteen.
FIRST_MILLISECOND: Final = 10**11
SHA256_OF_EMPTY: Final = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

EVENT_SOURCES: Final = frozenset({"web", "app", "offline", "crm"})
# The events that offline sources take, with the old names that TikTok still accepts.
STANDARD_EVENTS: Final = frozenset(
    "AddPaymentInfo AddToCart AddToWishlist ApplicationApproval CompleteRegistration Contact "  # noqa: SIM905
    "CustomizeProduct Download FindLocation InitiateCheckout Lead Purchase Schedule Search "
    "StartTrial SubmitApplication Subscribe ViewContent "
    "ClickButton CompletePayment PlaceAnOrder SubmitForm".split()
)
CONTENT_TYPES: Final = frozenset({"product", "product_group"})
CUSTOMER_TYPES: Final = frozenset({"new", "returning"})
DELIVERY: Final = frozenset({"in_store", "curbside", "home_delivery"})
ATT_STATUS: Final = frozenset(
    {"AUTHORIZED", "DENIED", "NOT_DETERMINED", "RESTRICTED", "NOT_APPLICABLE"}
)
# https://ads.tiktok.com/help/article/standard-events-parameters
CURRENCIES: Final = frozenset(
    "AED ARS AUD BDT BHD BIF BOB BRL CAD CHF CLP CNY COP CRC CZK DKK DZD EGP EUR GBP GTQ HKD HNL "  # noqa: SIM905
    "HUF IDR ILS INR ISK JPY KES KHR KRW KWD KZT MAD MOP MXN MYR NGN NIO NOK NZD OMR PEN PHP PKR "
    "PLN PYG QAR RON RUB SAR SEK SGD THB TRY TWD UAH USD VES VND ZAR".split()
)
HASHED: Final = frozenset({"email", "phone", "external_id", "first_name", "last_name", "zip_code"})
LISTS: Final = frozenset({"email", "phone", "external_id"})
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ApiResult:
    """The code and the message of a response."""

    code: int
    message: str


@dataclass(slots=True)
class Settings:
    """What the local TikTok accepts and how it responds; can change while it runs.

    Attributes:
        tokens: Access tokens that are valid.
        pixels: Event source ids that the tokens may write to.
        removed_pixels: Event source ids that no longer exist.
        poisoned: Event ids that are refused for a reason that the client cannot know.
        latency: Seconds before each response.
        page_url_required: Whether a web event without `page.url` is refused, as documented.
    """

    tokens: set[str] = field(default_factory=set)
    pixels: set[str] = field(default_factory=set)
    removed_pixels: set[str] = field(default_factory=set)
    poisoned: set[str] = field(default_factory=set)
    latency: float = 0.0
    page_url_required: bool = True


class RefusedError(TikTokPixelError):
    """The request is refused, with this result."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.result = ApiResult(code, message)


def _invalid(path: str, problem: str) -> RefusedError:
    return RefusedError(PARAMETER_ERROR, f"Invalid value for {path}: {problem}.")


def judge(
    headers: Mapping[str, str], body: bytes, settings: Settings
) -> tuple[ApiResult, dict[str, Any] | None]:
    """Return the result of a request, and its body when it is readable."""
    parsed: dict[str, Any] | None = None
    try:
        parsed = _parse(headers, body)
    except RefusedError as refused:
        unreadable = refused
    try:
        _check_token(headers.get("access-token"), settings)
        if parsed is None:
            raise unreadable
        _check_envelope(parsed, settings)
        if SHA256_OF_EMPTY.encode() in body.lower():
            for event in parsed["data"]:
                _find_hash_of_empty(event)
        for event in parsed["data"]:
            _check_event(event, parsed["event_source"], settings)
    except RefusedError as refused:
        return refused.result, parsed
    return ApiResult(OK, "OK"), parsed


def _check_token(token: str | None, settings: Settings) -> None:
    if not token:
        raise RefusedError(TOKEN_MISSING, "The access token is empty")
    if token not in settings.tokens:
        raise RefusedError(TOKEN_INVALID, "Access token is incorrect or has been revoked.")


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _parse(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise RefusedError(INVALID_BODY, "Content-Type must be application/json")
    try:
        parsed = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise RefusedError(INVALID_BODY, "The request body is not valid JSON") from None
    if not isinstance(parsed, dict):
        raise RefusedError(INVALID_BODY, "The request body is not a JSON object")
    return parsed


def _check_envelope(body: dict[str, Any], settings: Settings) -> None:
    if body.get("event_source") not in EVENT_SOURCES:
        raise _invalid("event_source", "must be one of web, app, offline, crm")
    source_id = _text(body.get("event_source_id"), "event_source_id")
    for optional in ("test_event_code", "partner_name"):
        if optional in body:
            _filled(body[optional], optional)
    data = body.get("data")
    if not isinstance(data, list):
        raise _invalid("data", "not a valid list")
    if not 1 <= len(data) <= MAX_EVENTS:
        raise _invalid("data", f"length must be between 1 and {MAX_EVENTS}")
    if source_id in settings.removed_pixels:
        raise RefusedError(NO_SUCH_OBJECT, f"Pixel code {source_id} does not exist")
    if source_id not in settings.pixels:
        raise RefusedError(
            NO_PERMISSION,
            f"No permission to operate pixel code: {source_id}. "
            "You must be an admin or operator of this advertiser account.",
        )


def _find_hash_of_empty(event: Any) -> None:
    for path, value in _leaves(event):
        if isinstance(value, str) and value.lower() == SHA256_OF_EMPTY:
            raise _invalid(path, "hash of an empty value")


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _leaves(below, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for below in value:
            yield from _leaves(below, path)
    else:
        yield path, value


def _check_event(event: Any, source: str, settings: Settings) -> None:
    if not isinstance(event, dict):
        raise _invalid("data", "not a valid object")
    name = _filled(event.get("event"), "event")
    if source == "offline" and name not in STANDARD_EVENTS:
        raise _invalid("event", "must be a standard event for the event source offline")
    _check_time(event.get("event_time"))
    if "event_id" in event and _filled(event["event_id"], "event_id") in settings.poisoned:
        raise RefusedError(PARAMETER_ERROR, "Invalid request parameters.")
    if type(event.get("limited_data_use", False)) is not bool:
        raise _invalid("limited_data_use", "not a valid boolean")
    _check_user(_object(event.get("user", {}), "user"))
    _check_properties(_object(event.get("properties", {}), "properties"))
    ad = _object(event.get("ad", {}), "ad")
    if "attribution_share" in ad:
        _share(ad["attribution_share"], "ad.attribution_share")
    page = _object(event.get("page", {}), "page")
    if "url" in page or (source == "web" and settings.page_url_required):
        _filled(page.get("url"), "page.url")
    if "referrer" in page:
        _text(page["referrer"], "page.referrer")
    if source == "crm":
        _filled(_object(event.get("lead"), "lead").get("lead_id"), "lead.lead_id")


def _check_time(value: Any) -> None:
    _whole(value, "event_time")
    if not 0 < value < FIRST_MILLISECOND:
        raise _invalid("event_time", "not a valid Unix timestamp in seconds")


def _check_user(user: dict[str, Any]) -> None:
    for name, value in user.items():
        path = f"user.{name}"
        if isinstance(value, list) and name in LISTS:
            if not value:
                raise _invalid(path, "must not be empty")
            values = value
        else:
            values = [value]
        for one in values:
            text = _filled(one, path)
            if name in HASHED and not _SHA256.fullmatch(text):
                raise RefusedError(PII_NOT_HASHED, f"PII not hashed: {name}")
    if len(user.get("ttclid", "")) > MAX_TTCLID:
        raise _invalid("user.ttclid", f"longer than maximum length {MAX_TTCLID}")
    if user.get("att_status", "DENIED") not in ATT_STATUS:
        raise _invalid("user.att_status", "not a valid choice")


def _check_properties(properties: dict[str, Any]) -> None:
    for name, check in _PROPERTIES.items():
        if name in properties:
            check(properties[name], f"properties.{name}")


def _check_contents(value: Any, path: str) -> None:
    for index, item in enumerate(_list(value, path)):
        content = _object(item, f"{path}.{index}")
        for name, check in _CONTENT.items():
            if name in content:
                check(content[name], f"{path}.{index}.{name}")


def _check_content_ids(value: Any, path: str) -> None:
    for one in _list(value, path):
        _text(one, path)


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise _invalid(path, "not a valid string")
    return value


def _filled(value: Any, path: str) -> str:
    if not _text(value, path).strip():
        raise _invalid(path, "must not be empty")
    return str(value)


def _whole(value: Any, path: str) -> None:
    if type(value) is not int:
        raise _invalid(path, "not a valid integer")


def _number(value: Any, path: str) -> None:
    if type(value) not in {int, float}:
        raise _invalid(path, "not a valid number")


def _share(value: Any, path: str) -> None:
    _number(value, path)
    if not 0 <= value <= 1:
        raise _invalid(path, "must be between 0 and 1")


def _object(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _invalid(path, "not a valid object")
    return value


def _list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise _invalid(path, "not a valid list")
    return value


def _one_of(choices: frozenset[str]) -> Callable[[Any, str], None]:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, str) or value not in choices:
            raise _invalid(path, "not a valid choice")

    return check


_CONTENT: Final[Mapping[str, Callable[[Any, str], object]]] = {
    "price": _number,
    "quantity": _whole,
    "content_id": _text,
    "content_category": _text,
    "content_name": _text,
    "brand": _text,
}
_PROPERTIES: Final[Mapping[str, Callable[[Any, str], object]]] = {
    "value": _number,
    "price": _number,
    "predicted_ltv": _number,
    "num_items": _whole,
    "quantity": _whole,
    "currency": _one_of(CURRENCIES),
    "content_type": _one_of(CONTENT_TYPES),
    "customer_type": _one_of(CUSTOMER_TYPES),
    "delivery_category": _one_of(DELIVERY),
    "contents": _check_contents,
    "content_ids": _check_content_ids,
    **dict.fromkeys(
        ("description", "order_id", "query", "search_string", "shop_id", "status"), _text
    ),
}
