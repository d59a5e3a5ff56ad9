"""The sample events in `events/`, raw and as signed requests from API Gateway.

`pixel events` writes the signed ones. They are signed with the development secret, which
production refuses.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from tiktok_pixel.aws.credentials import DEVELOPMENT_SECRET

EVENTS = Path(__file__).parents[2] / "events"
SIGNED = "signed-"

MAPPED = {
    "view-content": "ViewContent",
    "search": "Search",
    "add-to-wishlist": "AddToWishlist",
    "add-to-cart": "AddToCart",
    "initiate-checkout": "InitiateCheckout",
    "add-payment-info": "AddPaymentInfo",
    "place-an-order": "PlaceAnOrder",
    "order-completed": "PlaceAnOrder",
}
"""Sample → TikTok event of the default mapping."""

OTHERS = ("ignored-identify", "rejected-no-identifier", "rejected-too-old", "partly-unusable")


def visits(count: int) -> list[dict[str, Any]]:
    """Return page calls of different users, with messageIds from `m-0`."""
    return [
        {
            "type": "page",
            "messageId": f"m-{number}",
            "userId": f"user-{number}",
            "context": {"page": {"url": "https://shop.example/"}},
        }
        for number in range(count)
    ]


def names() -> list[str]:
    """Return the names of the raw samples, the mapped ones first."""
    return [*MAPPED, *OTHERS]


def read(name: str) -> dict[str, Any]:
    """Read one file of `events/`."""
    sample: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return sample


def sign(body: bytes, secret: str = DEVELOPMENT_SECRET) -> str:
    """Return Segment's `X-Signature` of a body."""
    return hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()


def http_event(
    body: str, signature: str | None, *, base64: bool = False, **headers: str
) -> dict[str, Any]:
    """Return a request as API Gateway's HTTP API passes it to the function (payload 2.0)."""
    sent = {"content-type": "application/json", "user-agent": "Segment (Actions)", **headers}
    if signature is not None:
        sent["x-signature"] = signature
    return {
        "version": "2.0",
        "routeKey": "POST /segment",
        "rawPath": "/segment",
        "rawQueryString": "",
        "headers": sent,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdef1234",
            "domainName": "abcdef1234.execute-api.us-east-1.amazonaws.com",
            "http": {
                "method": "POST",
                "path": "/segment",
                "protocol": "HTTP/1.1",
                "sourceIp": "52.25.130.38",
                "userAgent": "Segment (Actions)",
            },
            "requestId": "sample-request",
            "routeKey": "POST /segment",
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": base64,
    }


def signed(event: object) -> dict[str, Any]:
    """Return the request for an event or a batch, signed as Segment does."""
    body = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
    return http_event(body, sign(body.encode()))


def http_samples() -> dict[str, dict[str, Any]]:
    """Return the content of every signed sample, by file name."""
    samples = {SIGNED + name: signed(read(name)) for name in names()}
    cart = json.dumps(read("add-to-cart"), separators=(",", ":"))
    samples["refused-wrong-signature"] = http_event(cart, sign(cart.encode(), "another secret"))
    samples["refused-unsigned"] = http_event(cart, None)
    broken = cart[:-1]
    samples["refused-not-json"] = http_event(broken, sign(broken.encode()))
    return samples
