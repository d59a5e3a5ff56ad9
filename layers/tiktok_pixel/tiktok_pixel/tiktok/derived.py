"""Compute the totals of an event from its contents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

# ISO 4217: the digits after the decimal point, for currencies with other than two.
_MINOR_DIGITS: Final = {
    **dict.fromkeys(("BIF", "CLP", "ISK", "JPY", "KRW", "PYG", "VND"), 0),
    **dict.fromkeys(("BHD", "KWD", "OMR"), 3),
}
# Beyond this, sums of doubles have no cents any more.
_LARGEST: Final = 10**13


def derived_properties(contents: Sequence[dict[str, Any]], currency: str | None) -> dict[str, Any]:
    """Compute ``content_ids``, ``num_items`` and ``value``.

    Args:
        contents: All contents of the event, not empty. One without a quantity counts once.
        currency: The currency of the prices. Without it, no value is computed.

    Returns:
        The properties that the contents determine: the value only if all of them have a price.
    """
    derived: dict[str, Any] = {}
    ids = [content["content_id"] for content in contents if "content_id" in content]
    if ids:
        derived["content_ids"] = list(dict.fromkeys(ids))
    derived["num_items"] = sum(content.get("quantity", 1) for content in contents)
    if currency is not None and all("price" in content for content in contents):
        value = _total(contents, currency)
        if value is not None:
            derived["value"] = value
    return derived


def _total(contents: Sequence[dict[str, Any]], currency: str) -> int | float | None:
    # Imported here: many cold starts need no total.
    from decimal import ROUND_HALF_UP, Decimal  # noqa: PLC0415

    # In binary, three times 0.1 is not 0.3. The text of a double has the digits that were sent.
    total = Decimal(0)
    for content in contents:
        total += Decimal(repr(content["price"])) * content.get("quantity", 1)
    if abs(total) > _LARGEST:
        return None
    unit = Decimal(1).scaleb(-_MINOR_DIGITS.get(currency, 2))
    rounded = total.quantize(unit, ROUND_HALF_UP)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)
