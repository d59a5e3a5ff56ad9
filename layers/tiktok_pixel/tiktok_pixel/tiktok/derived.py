"""Compute the totals of an event from its contents."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from types import ModuleType

# ISO 4217: the minor units of currencies that have no cents.
_UNITS: Final = {
    **dict.fromkeys(("BIF", "CLP", "ISK", "JPY", "KRW", "PYG", "VND"), "1"),
    **dict.fromkeys(("BHD", "KWD", "OMR"), "0.001"),
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
    ids: dict[str, None] = {}  # ordered, without duplicates
    quantities: list[int] = []
    prices: list[int | float] = []
    for content in contents:
        quantities.append(content.get("quantity", 1))
        if "content_id" in content:
            ids[content["content_id"]] = None
        if "price" in content:
            prices.append(content["price"])
    derived: dict[str, Any] = {"num_items": sum(quantities)}
    if ids:
        derived["content_ids"] = list(ids)
    if currency is not None and len(prices) == len(contents):
        value = _total(prices, quantities, currency)
        if value is not None:
            derived["value"] = value
    return derived


def _total(prices: Sequence[float], quantities: Sequence[int], currency: str) -> int | float | None:
    # In binary, three times 0.1 is not 0.3. The text of a double has the digits that were sent.
    decimal, unit = _decimal_and_unit(currency)
    number = decimal.Decimal
    total = number(0)
    for price, quantity in zip(prices, quantities, strict=True):
        total += number(repr(price)) * quantity
    if abs(total) > _LARGEST:
        return None
    rounded = float(total.quantize(unit, decimal.ROUND_HALF_UP))
    return int(rounded) if rounded.is_integer() else rounded


# Bounded by the currencies that TikTok takes.
@cache
def _decimal_and_unit(currency: str) -> tuple[ModuleType, Any]:
    # Imported with the first total: many cold starts see none.
    import decimal  # noqa: PLC0415

    return decimal, decimal.Decimal(_UNITS.get(currency, "0.01"))
