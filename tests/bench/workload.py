"""Segment events of a shop, each from a different person.

An ecommerce mix: seven of ten events are mapped; some phones are national, some E.164, some
absent; identifiers are single or lists; one page URL in five has a click id; orders have one to
five products. Identifiers come from a counter that continues from round to round, so that no cache
contains them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

EVENTS = 2000

_PRODUCTS: list[dict[str, Any]] = [
    {
        "product_id": f"prod-{number}",
        "sku": f"SKU-{number:05}",
        "category": ("Games", "Books", "Garden", "Shoes")[number % 4],
        "name": f"Product number {number}",
        "brand": ("Acme", "Globex", "Initech")[number % 3],
        "price": round(3 + number * 1.37, 2),
        "quantity": 1 + number % 3,
        "position": number % 10,
        "url": f"https://shop.example.com/p/{number}",
    }
    for number in range(400)
]
_AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0",
)
_FIRST_NAMES = ("Jane", "Omar", "Mei", "Zoë", "Ravi", "Lucía")
_LAST_NAMES = ("Doe", "Haddad", "Lin", "O'Brien", "Patel", "García")
_CITIES = (("Seattle", "WA", "US"), ("London", "", "GB"), ("Berlin", "BE", "DE"))

_NOW = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

Make = Callable[[random.Random], dict[str, Any]]


def _page(_: random.Random) -> dict[str, Any]:
    return {"type": "page", "name": "Product", "properties": {"path": "/p", "title": "Shop"}}


def _product_event(name: str) -> Make:
    def make(rng: random.Random) -> dict[str, Any]:
        properties = {**rng.choice(_PRODUCTS), "currency": "USD", "cart_id": "c-77"}
        return {"type": "track", "event": name, "properties": properties}

    return make


def _order_event(name: str) -> Make:
    def make(rng: random.Random) -> dict[str, Any]:
        products = rng.sample(_PRODUCTS, rng.randint(1, 5))
        total = round(sum(product["price"] * product["quantity"] for product in products), 2)
        properties = {
            "order_id": f"order-{rng.randrange(10**9)}",
            "revenue": total,
            "currency": "usd",
            "products": products,
            "coupon": "AUTUMN",
        }
        return {"type": "track", "event": name, "properties": properties}

    return make


def _search(rng: random.Random) -> dict[str, Any]:
    properties = {"query": rng.choice(("board games", "blue shoes", "garden hose"))}
    return {"type": "track", "event": "Products Searched", "properties": properties}


def _identify(_: random.Random) -> dict[str, Any]:
    return {"type": "identify", "traits": {"plan": "pro", "logins": 5}}


# Weights sum to one hundred; events with a weight of thirty in total are not mapped.
_MIX: tuple[tuple[int, Make], ...] = (
    (24, _page),
    (9, _search),
    (14, _product_event("Product Added")),
    (4, _product_event("Product Added to Wishlist")),
    (8, _order_event("Checkout Started")),
    (4, _order_event("Payment Info Entered")),
    (7, _order_event("Order Completed")),
    (16, _product_event("Product Viewed")),
    (7, _product_event("Product Removed")),
    (7, _identify),
)


def make_events(count: int, first: int) -> list[dict[str, Any]]:
    """Create events of different people, numbered from `first`."""
    rng = random.Random(first)  # noqa: S311  # not a secret
    makers = rng.choices([make for _, make in _MIX], [weight for weight, _ in _MIX], k=count)
    return [_with_person(make(rng), first + place) for place, make in enumerate(makers)]


def make_bodies(count: int, first: int) -> list[bytes]:
    """Create the same events as request bodies."""
    events = make_events(count, first)
    return [json.dumps(event, separators=(",", ":")).encode() for event in events]


def _with_person(event: dict[str, Any], number: int) -> dict[str, Any]:
    city, state, country = _CITIES[number % 3]
    traits: dict[str, Any] = {
        "email": f" Person.{number}@Example.com " if number % 4 else [f"a{number}@example.com"],
        "firstName": _FIRST_NAMES[number % 6],
        "lastName": _LAST_NAMES[number // 6 % 6],
        "address": {
            "city": city,
            "state": state,
            "country": country,
            "postalCode": str(10000 + number % 90000),
        },
    }
    phone = _phone(number, country)
    if phone is not None:
        traits["phone"] = phone
    return {
        **event,
        "messageId": f"ajs-next-{number:012}-5f0c5a1e",
        "timestamp": _NOW,
        "userId": f"user-{number}" if number % 3 else None,
        "anonymousId": f"anon-{number:08x}",
        "context": {
            "ip": f"8.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}",
            "userAgent": _AGENTS[number % 2],
            "locale": "en-US",
            "timezone": "Europe/Berlin",
            "library": {"name": "analytics.js", "version": "next-1.70.0"},
            "page": {
                "path": "/p",
                "referrer": "https://www.tiktok.com/",
                "search": "",
                "title": "Shop",
                "url": _url(number),
            },
            "traits": traits,
        },
        "integrations": {"All": True},
    }


def _url(number: int) -> str:
    """Return a page URL; one visitor in five comes from an ad."""
    click_id = f"?ttclid=E.C.P.{number:010}" if number % 5 == 0 else ""
    return f"https://shop.example.com/p{click_id}"


def _phone(number: int, country: str) -> str | None:
    """Return a phone for three people of five: two in E.164, one as written in the country."""
    kind = number % 5
    if kind < 2:
        return None
    area, local = 200 + number // 10_000 % 800, number % 10_000
    e164 = {
        "US": f"+1206{area}{local:04}",
        "GB": f"+44207{area}{local:04}",
        "DE": f"+49309{area}{local:04}",
    }
    national = {
        "US": f"(206) {area}-{local:04}",
        "GB": f"020 7{area} {local:04}",
        "DE": f"030 9{area}{local:04}",
    }
    return (national if kind == 4 else e164)[country]
