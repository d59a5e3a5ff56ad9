"""Build the properties of events."""

from __future__ import annotations

from typing import Any

import pytest

from tiktok_pixel.tiktok.properties import build_properties


def properties_of(**fields: Any) -> tuple[dict[str, Any], list[str]]:
    """Build the properties of these fields; return them with the codes of their problems."""
    properties, problems = build_properties(fields)
    return properties, [problem.code for problem in problems]


def test_builds_the_properties_of_a_purchase() -> None:
    properties, problems = properties_of(
        currency="eur",
        value="27.50",
        predicted_ltv=100,
        num_items="2",
        content_type="product_group",
        content_ids=["a", 505],
        order_id=50314,
        shop_id="s-1",
        query="board games",
        search_string="board games",
        description="A game",
        delivery_category="curbside",
        contents=[
            {
                "price": "3.00",
                "quantity": "2",
                "content_id": 505,
                "content_category": "Games",
                "content_name": "UNO",
                "brand": "Mattel",
            },
            {"price": 18.99, "quantity": 1.0, "content_id": "507f1f77"},
        ],
    )

    assert properties == {
        "currency": "EUR",
        "value": 27.5,
        "predicted_ltv": 100,
        "num_items": 2,
        "content_type": "product_group",
        "content_ids": ["a", "505"],
        "order_id": "50314",
        "shop_id": "s-1",
        "query": "board games",
        "search_string": "board games",
        "description": "A game",
        "delivery_category": "curbside",
        "contents": [
            {
                "price": 3,
                "quantity": 2,
                "content_id": "505",
                "content_category": "Games",
                "content_name": "UNO",
                "brand": "Mattel",
            },
            {"price": 18.99, "quantity": 1, "content_id": "507f1f77"},
        ],
    }
    assert problems == []


@pytest.mark.parametrize("amount", [0, "0", 0.0])
def test_an_amount_of_zero_is_sent(amount: Any) -> None:
    properties, problems = properties_of(
        currency="USD", value=amount, contents={"price": amount, "quantity": amount}
    )

    assert properties == {
        "currency": "USD",
        "value": 0,
        "contents": [{"price": 0, "quantity": 0}],
    }
    assert problems == []


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("value", "$5", "value_not_a_number"),
        ("value", {}, "value_not_a_number"),
        ("value", float("inf"), "value_not_a_number"),
        ("predicted_ltv", "much", "predicted_ltv_not_a_number"),
        ("num_items", 1.5, "num_items_not_an_integer"),
        ("num_items", "many", "num_items_not_a_number"),
        ("content_type", "book", "content_type_not_supported"),
        ("content_ids", [{}], "content_ids_not_a_string"),
        ("order_id", {"id": 1}, "order_id_not_a_string"),
        ("shop_id", ["a", "b"], "shop_id_not_a_string"),
        ("query", {"text": "games"}, "query_not_a_string"),
        ("search_string", [["games"]], "search_string_not_a_string"),
        ("description", {}, "description_not_a_string"),
        ("delivery_category", "drone", "delivery_category_not_supported"),
        ("contents", "abc", "contents_not_an_object"),
        ("contents", [5], "contents_not_an_object"),
        ("contents", [[{"price": 1}]], "contents_not_an_object"),
        ("contents", {"price": "cheap"}, "price_not_a_number"),
        ("contents", {"quantity": 0.5}, "quantity_not_an_integer"),
        ("contents", {"content_id": {}}, "content_id_not_a_string"),
        ("contents", {"content_category": ["a", "b"]}, "content_category_not_a_string"),
        ("contents", {"content_name": {}}, "content_name_not_a_string"),
        ("contents", {"brand": {}}, "brand_not_a_string"),
    ],
)
def test_an_unusable_value_is_left_out_and_reported(field: str, value: Any, code: str) -> None:
    properties, problems = properties_of(**{"currency": "USD", field: value})

    assert (properties, problems) == ({"currency": "USD"}, [code])


def test_an_unusable_value_is_left_out_alone() -> None:
    properties, problems = properties_of(
        currency="USD",
        value="cheap",
        order_id="o-1",
        contents=[{"price": "cheap", "content_id": "a"}, "junk", {"content_id": "b"}],
    )

    assert properties == {
        "currency": "USD",
        "order_id": "o-1",
        "contents": [{"content_id": "a"}, {"content_id": "b"}],
    }
    assert problems == ["value_not_a_number", "price_not_a_number", "contents_not_an_object"]


@pytest.mark.parametrize("blank", [None, "", " ", []], ids=repr)
@pytest.mark.parametrize(
    "field",
    [
        "currency",
        "value",
        "predicted_ltv",
        "num_items",
        "content_type",
        "content_ids",
        "order_id",
        "shop_id",
        "query",
        "search_string",
        "description",
        "delivery_category",
    ],
)
def test_blank_values_are_absent(field: str, blank: Any) -> None:
    """A missing price is not a price of 0."""
    assert properties_of(**{field: blank}) == ({}, [])


@pytest.mark.parametrize(
    "contents", [None, "", [], [None], [{}], {}, {"price": None, "brand": " "}, ["", None, {}]]
)
def test_empty_contents_are_absent(contents: Any) -> None:
    assert properties_of(contents=contents) == ({}, [])


@pytest.mark.parametrize("currency", ["XXX", "BGN", "dollar", "$", {}, 840])
def test_an_unsupported_currency_is_left_out_with_all_amounts(currency: Any) -> None:
    """TikTok would read them in another currency."""
    properties, (code,) = properties_of(
        currency=currency,
        value=18.99,
        predicted_ltv=100,
        num_items=1,
        contents=[{"price": 18.99, "quantity": 1, "content_id": "a"}, {"price": 1}],
    )

    assert properties == {"num_items": 1, "contents": [{"quantity": 1, "content_id": "a"}]}
    assert code in ("currency_not_supported", "currency_not_a_string")


def test_a_value_without_a_currency_is_sent_and_reported() -> None:
    assert properties_of(value=5) == ({"value": 5}, ["currency_missing"])


def test_unknown_fields_are_not_sent() -> None:
    assert properties_of(email="a@x.io", contents=[{"sku": "G-32"}]) == ({}, [])
