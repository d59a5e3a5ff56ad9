"""What TikTok has to get of each mapped sample, written down by hand and not computed by our code.

The sample's person is Jane Doe of Seattle; TikTok's side of the sandbox must hold her hashed, and
nothing of her otherwise.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from tools.sandbox.tiktok import PIXEL_CODE

if TYPE_CHECKING:
    from tools.sandbox.tiktok import Received

PERSONAL: Final = (
    "jane.doe@example.com",
    "jane@example.org",
    "+12065550100",
    "+442079460958",
    "user-4711",
    "a1b2c3d4-0000-4000-8000-000000000001",
    "jane",
    "doe",
    "981011234",
)
"""The person's identifiers as they are hashed: none may be seen, be it as text or as hash."""

_BROWSER: Final = {
    "ip": "8.8.8.8",
    "user_agent": (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/17.5 Safari/605.1.15"
    ),
    "locale": "en-US",
}


def hashed(text: str) -> str:
    """SHA-256 in hex, as TikTok matches by."""
    return sha256(text.encode()).hexdigest()


_CUSTOMER: Final = _BROWSER | {"external_id": [hashed("user-4711")]}
_JANE: Final = _CUSTOMER | {
    "email": [hashed("jane.doe@example.com")],
    "phone": [hashed("+12065550100")],
    "first_name": hashed("jane"),
    "last_name": hashed("doe"),
    "city": "seattle",
    "state": "wa",
    "zip_code": hashed("981011234"),
    "country": "us",
}
_MONOPOLY: Final = {
    "price": 18.99,
    "quantity": 1,
    "content_id": "507f1f77",
    "content_category": "Games",
    "content_name": "Monopoly: 3rd Edition",
    "brand": "Hasbro",
}
_UNO: Final = {
    "price": 3,
    "quantity": 2,
    "content_id": "505",
    "content_category": "Games",
    "content_name": "UNO Card Game",
    "brand": "Mattel",
}
_SHOP: Final = "https://www.example.com"
_HOME: Final = f"{_SHOP}/"

EVENTS: Final[dict[str, dict[str, Any]]] = {
    "view-content": {
        "event": "ViewContent",
        "user": _BROWSER
        | {
            "external_id": [hashed("a1b2c3d4-0000-4000-8000-000000000001")],
            "ttclid": "E.C.P.sample-click-id",
        },
        "properties": {"content_type": "product"},
        "page": {
            "url": f"{_SHOP}/games?ttclid=E.C.P.sample-click-id",
            "referrer": "https://www.tiktok.com/",
        },
    },
    "search": {
        "event": "Search",
        "user": _CUSTOMER,
        "properties": {
            "query": "board games",
            "search_string": "board games",
            "content_type": "product",
        },
        "page": {"url": f"{_SHOP}/search?q=board+games", "referrer": _HOME},
    },
    "add-to-wishlist": {
        "event": "AddToWishlist",
        "user": _JANE,
        "properties": {"contents": [_MONOPOLY], "content_type": "product"},
        "page": {"url": f"{_SHOP}/games/507f1f77", "referrer": _HOME},
    },
    "add-to-cart": {
        "event": "AddToCart",
        "user": _JANE | {"ttp": "sample-ttp-cookie"},
        "properties": {
            "currency": "USD",
            "value": 18.99,
            "contents": [_MONOPOLY],
            "content_type": "product",
        },
        "page": {"url": f"{_SHOP}/games/507f1f77", "referrer": _HOME},
    },
    "initiate-checkout": {
        "event": "InitiateCheckout",
        "user": _JANE,
        "properties": {
            "currency": "USD",
            "value": 24.99,
            "contents": [_MONOPOLY, _UNO],
            "content_type": "product",
            "order_id": "order-50314b8e",
        },
        "page": {"url": f"{_SHOP}/checkout", "referrer": _HOME},
    },
    "add-payment-info": {
        "event": "AddPaymentInfo",
        "user": _JANE | {"phone": [hashed("+442079460958")]},
        "properties": {"content_type": "product", "order_id": "order-50314b8e"},
        "page": {"url": f"{_SHOP}/checkout/payment", "referrer": _HOME},
    },
    "place-an-order": {
        "event": "PlaceAnOrder",
        "user": _JANE | {"email": [hashed("jane.doe@example.com"), hashed("jane@example.org")]},
        "properties": {
            "currency": "USD",
            "value": 24.99,
            "contents": [_MONOPOLY, _UNO],
            "content_type": "product",
            "order_id": "order-50314b8e",
        },
        "page": {"url": f"{_SHOP}/checkout/done", "referrer": _HOME},
    },
    "order-completed": {
        "event": "PlaceAnOrder",
        # The sample holds the hash itself: of user@example.com.
        "user": _CUSTOMER | {"email": [hashed("user@example.com")]},
        "properties": {
            "currency": "EUR",
            "value": 30,
            "contents": [_MONOPOLY, _UNO],
            "content_type": "product",
            "order_id": "order-50314b8f",
        },
        "page": {"url": f"{_SHOP}/checkout/done", "referrer": _HOME},
    },
}
"""Sample -> the one event of TikTok's request, without its time and id."""

ENDS: Final = {
    **dict.fromkeys(EVENTS, ("forwarded", 200)),
    "partly-unusable": ("forwarded", 200),
    "ignored-identify": ("ignored", 200),
    "rejected-no-identifier": ("rejected", 400),
    "rejected-too-old": ("rejected", 400),
}
"""Sample -> its outcome and the HTTP status that tells it."""

REFUSALS: Final = {
    "refused-wrong-signature": (401, "signature_invalid"),
    "refused-unsigned": (401, "signature_invalid"),
    "refused-not-json": (400, "body_not_json"),
}
"""HTTP sample that is refused as a whole -> HTTP status and reason."""


def assert_received(received: Received, name: str, now: float) -> None:
    """The request to TikTok is the one of this sample, made just now."""
    parsed = received.parsed
    assert parsed is not None
    (event,) = parsed["data"]
    told = dict(event)
    assert abs(told.pop("event_time") - now) < 300
    assert told.pop("event_id") == f"sample-{name}"
    assert told == EVENTS[name]
    assert {key: parsed[key] for key in parsed if key != "data"} == {
        "event_source": "web",
        "event_source_id": PIXEL_CODE,
    }
    assert received.headers["access-token"] == "sandbox-access-token"


def assert_nothing_personal(text: str) -> None:
    """Neither the person's identifiers nor their hashes stand in the text."""
    seen = text.lower()
    for identifier in PERSONAL:
        assert hashed(identifier) not in seen
        # Three letters stand in other words as well.
        if len(identifier) > 4:
            assert identifier not in seen
    assert "206) 555" not in seen
    assert "8.8.8.8" not in seen
