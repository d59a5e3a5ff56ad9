"""Compare coercions with Segment's own validation.

The cases were recorded from Segment's validation (actions-core: `removeEmptyValues`, then AJV with
`coerceTypes: "array"`). It refuses the whole event when a value cannot be coerced; here only the
field is left out.
"""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from tiktok_pixel.mapping import load_mapping_set
from tiktok_pixel.tiktok import schema
from tiktok_pixel.tiktok.events import EventContext, build_event
from tiktok_pixel.values import coercion
from tiktok_pixel.values.validation import Problem, UnusableValueError

REFUSED: Final = "refused"
NOW: Final = 1_700_000_000

# coercion -> (value, Segment's result).
SEGMENT: dict[Any, list[tuple[Any, Any]]] = {
    coercion.text: [
        (5, "5"),
        (1.5, "1.5"),
        (True, "true"),
        (["a"], "a"),
        ([5], "5"),
        ([False], "false"),
        (["a", "b"], REFUSED),
        ([None, None], REFUSED),
        ({}, REFUSED),
        ([{}], REFUSED),
    ],
    coercion.number: [
        ("5", 5),
        (" 5 ", 5),
        ("1e3", 1000),
        ("0x10", 16),
        ("0b11", 3),
        ("0o17", 15),
        ("-1.50", -1.5),
        ("+1", 1),
        ("5.", 5),
        (True, 1),
        (False, 0),
        ([5], 5),
        (["5"], 5),
        ([True], 1),
        ("abc", REFUSED),
        ("$5", REFUSED),
        ("5 USD", REFUSED),
        ("1,000", REFUSED),
        ("-0x10", REFUSED),
        ("true", REFUSED),
        ("NaN", REFUSED),
        ("Infinity", REFUSED),
        ("1e999", REFUSED),
        ([1, 2], REFUSED),
        ({}, REFUSED),
    ],
    coercion.integer: [
        (2, 2),
        ("2", 2),
        ("1e3", 1000),
        (2.0, 2),
        ([2], 2),
        (True, 1),
        (1.5, REFUSED),
        ("1.5", REFUSED),
        ("two", REFUSED),
        ({}, REFUSED),
    ],
    coercion.boolean: [
        ("true", True),
        ("false", False),
        (1, True),
        (0, False),
        ("True", REFUSED),
        ("yes", REFUSED),
        ("1", REFUSED),
        ("0", REFUSED),
        (5, REFUSED),
        (-1, REFUSED),
        ({}, REFUSED),
        ([], REFUSED),
        ([True], True),
    ],
    coercion.texts: [
        ("a", ["a"]),
        (5, ["5"]),
        ([1, True, "a"], ["1", "true", "a"]),
        (["a", {}], REFUSED),
        ({}, REFUSED),
    ],
    coercion.one_of("in_store", "curbside", "home_delivery"): [
        ("curbside", "curbside"),
        (["curbside"], "curbside"),
        ("drone", REFUSED),
        ("Curbside", REFUSED),
        (" curbside", REFUSED),
    ],
}
# coercion -> (value, Segment's result, the result here), with the reason for the difference.
DIFFERENT: dict[Any, list[tuple[Any, Any, Any]]] = {
    # Blank values are absent, neither 0 nor "" nor an error.
    coercion.text: [
        (None, "", None),
        ("", "", None),
        (" ", " ", None),
        ([], REFUSED, None),
        ([None], "", None),
        # JavaScript changes digits beyond 2^53; an id keeps them.
        (12345678901234567890, "12345678901234567000", "12345678901234567890"),
    ],
    coercion.number: [
        (None, 0, None),
        ("", REFUSED, None),
        (" ", 0, None),
        ([], REFUSED, None),
        ([None], 0, None),
        # Numbers that a double cannot hold would be sent changed.
        (2**53 + 1, 2**53, REFUSED),
    ],
    coercion.integer: [(None, 0, None), ("", REFUSED, None), (" ", 0, None)],
    coercion.boolean: [
        (None, False, None),
        ("", REFUSED, None),
    ],
    coercion.texts: [
        ([None], [], None),
        ([], [], None),
        (["a", ""], ["a", ""], ["a"]),
    ],
}


def coerced(coerce: coercion.Coercion, value: Any) -> Any:
    try:
        return coerce(value)
    except UnusableValueError:
        return REFUSED


def cases(table: dict[Any, list[Any]]) -> list[Any]:
    return [
        pytest.param(coerce, *case, id=f"{coerce.__name__}-{str(case[0])[:20]!r}")
        for coerce, of_it in table.items()
        for case in of_it
    ]


@pytest.mark.parametrize(("coerce", "value", "expected"), cases(SEGMENT))
def test_a_value_is_coerced_as_in_segment(
    coerce: coercion.Coercion, value: Any, expected: Any
) -> None:
    result = coerced(coerce, value)
    assert (type(result), result) == (type(expected), expected)


@pytest.mark.parametrize(("coerce", "value", "of_segment", "expected"), cases(DIFFERENT))
def test_harmful_coercions_of_segment_are_not_copied(
    coerce: coercion.Coercion, value: Any, of_segment: Any, expected: Any
) -> None:
    result = coerced(coerce, value)
    assert (type(result), result) == (type(expected), expected)
    assert expected != of_segment


# ------------------------------------------------------------------ the effect on events


def sent(
    mapping: str = "Place an Order", **properties: Any
) -> tuple[dict[str, Any], list[Problem]]:
    """Map an order with these properties by the default set, and build it."""
    names = {"Place an Order": "Order Completed", "Add to Cart": "Product Added"}
    event = {
        "type": "track",
        "event": names[mapping],
        "messageId": "m-1",
        "userId": "u-1",
        "context": {
            "page": {"url": "https://www.example.com/"},
            "traits": {"email": "jane.doe@example.com"},
        },
        "properties": {"currency": "USD", **properties},
    }
    (found,) = load_mapping_set(schema.shipped("default"), schema).match(event)
    assert found.name == mapping
    outgoing, problems = build_event(found.evaluate(event), None, EventContext("m-1", NOW))
    return json.loads(outgoing.json), list(problems)


def sent_properties(**properties: Any) -> Any:
    return sent(**properties)[0]["properties"]


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        ({"value": "much"}, "value_not_a_number"),
        ({"query": {"text": "hat"}}, "query_not_a_string"),
        ({"order_id": {"id": 1}}, "order_id_not_a_string"),
        ({"delivery_category": "drone"}, "delivery_category_not_supported"),
        ({"limited_data_use": "yes"}, "limited_data_use_not_a_boolean"),
        ({"products": "abc"}, "contents_not_an_object"),
        ({"products": [5, {"product_id": "p"}]}, None),
        ({"products": [{"price": "free"}]}, "price_not_a_number"),
        ({"content_ids": [{}]}, "content_ids_not_a_string"),
        ({"num_items": 1.5}, "num_items_not_an_integer"),
        ({"predicted_ltv": []}, None),
    ],
)
def test_a_value_that_rejects_the_event_in_segment_is_left_out_here(
    properties: dict[str, Any], problem: str | None
) -> None:
    item, problems = sent(**properties)
    assert item["event"] == "PlaceAnOrder"
    assert {one.code for one in problems} >= ({problem} if problem else set())


def test_a_price_that_is_null_is_not_a_price_of_zero() -> None:
    product = {"price": None, "name": None, "product_id": "p", "quantity": 0, "sku": "s"}
    assert sent_properties(products=[product])["contents"] == [{"content_id": "p", "quantity": 0}]


def test_a_product_that_is_null_is_ignored() -> None:
    item, problems = sent(products=[None, {"product_id": "p"}])
    assert item["properties"]["contents"] == [{"content_id": "p"}]
    assert Problem("contents", "not_an_object") not in problems


@pytest.mark.parametrize("products", [None, [], "", [None], [{}], {}])
def test_no_products_are_no_contents(products: Any) -> None:
    assert "contents" not in sent_properties(products=products)


def test_a_single_object_is_one_product() -> None:
    assert sent_properties(products={"product_id": 5})["contents"] == [{"content_id": "5"}]


@pytest.mark.parametrize("value", ["", " ", None])
def test_a_blank_value_does_not_hide_the_revenue(value: str | None) -> None:
    """Segment sends no value for blank text."""
    assert sent_properties(value=value, revenue=5)["value"] == 5


def test_a_value_of_zero_is_sent() -> None:
    assert sent_properties(value=0, revenue=5)["value"] == 0
    assert sent_properties(value="0")["value"] == 0


def test_a_blank_email_does_not_hide_the_one_of_the_traits() -> None:
    """In Segment it does, and the event has no email."""
    assert len(sent(email="")[0]["user"]["email"]) == 1
    assert "email" in sent(email=None)[0]["user"]
