"""Build the properties of events."""

from __future__ import annotations

from typing import Any

import pytest

from tiktok_pixel.tiktok.properties import build_properties


def properties_of(*, derive: bool = False, **fields: Any) -> tuple[dict[str, Any], list[str]]:
    """Build the properties of these fields; return them with the codes of their problems."""
    properties, problems = build_properties(fields, derive=derive)
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
        ("value", "much", "value_not_a_number"),
        ("value", "1,234", "value_ambiguous"),
        ("customer_type", "frequent", "customer_type_not_supported"),
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


@pytest.mark.parametrize("name", ["query", "search_string"])
def test_search_strings_are_trimmed(name: str) -> None:
    fields: dict[str, Any] = {name: " board games\n"}
    assert properties_of(**fields) == ({name: "board games"}, [])


# ------------------------------------------------------------------ contents


@pytest.mark.parametrize(
    "item", [{"content_name": "Product"}, {"brand": "Acme", "quantity": 2}, {"price": ""}]
)
def test_contents_need_an_id_or_a_price(item: dict[str, Any]) -> None:
    """A page named "Product" is not a product."""
    contents = [item, {"content_id": "a"}]
    assert properties_of(contents=contents) == ({"contents": [{"content_id": "a"}]}, [])
    assert properties_of(contents=item) == ({}, [])


@pytest.mark.parametrize(
    ("content_type", "fields", "sent"),
    [
        ("product", {}, None),
        ("product", {"contents": [{"content_name": "Product"}]}, None),
        ("product_group", {"contents": [{"content_id": "a"}]}, "product_group"),
        ("product", {"content_ids": ["a"]}, "product"),
        ("product_group", {"content_ids": ["a"], "order_id": {}}, "product_group"),
        (None, {"content_ids": ["a"]}, None),
        ("book", {}, None),
        ("book", {"contents": [{"content_id": "a"}]}, "product"),
        ({}, {"content_ids": ["a"]}, "product"),
    ],
)
def test_content_type_is_sent_with_contents_only(
    content_type: Any, fields: dict[str, Any], sent: str | None
) -> None:
    properties, _ = properties_of(content_type=content_type, **fields)
    assert properties.get("content_type") == sent


@pytest.mark.parametrize(
    ("count", "problems", "value"),
    [(500, [], 500), (501, ["content_ids_too_many", "contents_too_many"], None)],
)
def test_at_most_500_contents_are_sent(count: int, problems: list[str], value: int | None) -> None:
    ids = [str(number) for number in range(count)]
    contents = [{"content_id": number, "price": 1} for number in ids]
    properties, found = properties_of(
        derive=True, currency="USD", contents=contents, content_ids=ids
    )
    assert len(properties["contents"]) == len(properties["content_ids"]) == 500
    assert (found, properties.get("value")) == (problems, value)


# ------------------------------------------------------------------ totals

UNO: dict[str, Any] = {"content_id": "G-32", "price": 3.1, "quantity": 3}
CHESS: dict[str, Any] = {"content_id": "G-33", "price": 18.99}


def derived(*contents: Any, **fields: Any) -> dict[str, Any]:
    """Return the totals of an event with these contents."""
    properties, _ = properties_of(
        derive=True, **{"currency": "USD", "contents": list(contents)} | fields
    )
    return {key: properties.get(key) for key in ("content_ids", "num_items", "value")}


def test_totals_are_computed_from_the_contents() -> None:
    assert derived(UNO, CHESS) == {
        "content_ids": ["G-32", "G-33"],
        "num_items": 4,
        "value": 28.29,
    }


def test_totals_that_the_event_has_are_kept() -> None:
    given = {"content_ids": ["x"], "num_items": 0, "value": 0}
    assert derived(UNO, CHESS, **given) == given


def test_totals_replace_unusable_ones() -> None:
    given = {"content_ids": {}, "num_items": "many", "value": "n/a"}
    assert derived(CHESS, **given) == {"content_ids": ["G-33"], "num_items": 1, "value": 18.99}


def test_a_preset_can_switch_totals_off() -> None:
    properties, _ = properties_of(derive=False, currency="USD", contents=[UNO])
    assert properties.keys() == {"currency", "contents"}


@pytest.mark.parametrize(
    ("currency", "price", "value"),
    [
        ("USD", 0.1, 0.3),
        ("USD", 1.005, 3.02),
        ("USD", "4.995", 14.99),
        ("JPY", 33.5, 101),
        ("KWD", 0.0015, 0.005),
        ("USD", 10, 30),
        ("USD", 1e12, 3e12),
    ],
)
def test_the_value_is_rounded_to_the_minor_unit(currency: str, price: Any, value: float) -> None:
    contents = {"price": price, "quantity": 3}
    assert derived(contents, currency=currency)["value"] == value


def test_every_currency_without_cents_is_rounded_to_whole_units() -> None:
    for code in ("BIF", "CLP", "ISK", "JPY", "KRW", "PYG", "VND"):
        assert derived({"price": 0.6, "quantity": 2}, currency=code)["value"] == 1


@pytest.mark.parametrize(
    "contents",
    [
        [UNO, "junk"],
        [UNO, {"content_name": "dropped"}],
        [UNO, {"sku": "a product without any known field"}],
        [UNO, {"content_id": "a", "price": 1, "quantity": "some"}],
        [UNO, {"content_id": "a", "price": "cheap"}],
    ],
)
def test_nothing_is_computed_from_incomplete_contents(contents: list[Any]) -> None:
    assert derived(*contents) == {"content_ids": None, "num_items": None, "value": None}


@pytest.mark.parametrize(
    ("contents", "fields"),
    [
        pytest.param([UNO, {"content_id": "a"}], {}, id="an item without a price"),
        pytest.param([UNO], {"currency": None}, id="no currency"),
        pytest.param([UNO], {"currency": "BGN"}, id="a currency that TikTok does not accept"),
        pytest.param([{"content_id": "a", "price": 1e300}], {}, id="beyond doubles"),
    ],
)
def test_no_value_is_computed_without_all_prices_and_a_currency(
    contents: list[Any], fields: dict[str, Any]
) -> None:
    totals = derived(*contents, **fields)
    assert totals["value"] is None
    assert totals["content_ids"]


# ------------------------------------------------------------------ money


def test_a_currency_code_in_an_amount_supplies_the_currency() -> None:
    properties, problems = properties_of(value="EUR 12", contents=[{"price": "12 eur"}])
    assert properties == {"currency": "EUR", "value": 12, "contents": [{"price": 12}]}
    assert problems == []


def test_an_amount_in_the_same_currency_is_sent() -> None:
    assert properties_of(currency="usd", value="US$ 12.50 USD") == (
        {"currency": "USD", "value": 12.5},
        [],
    )


def test_an_amount_in_another_currency_is_left_out_and_reported() -> None:
    properties, problems = properties_of(
        currency="USD",
        value="EUR 12",
        predicted_ltv=5,
        contents=[{"content_id": "a", "price": "EUR 12"}],
    )
    assert properties == {
        "currency": "USD",
        "predicted_ltv": 5,
        "contents": [{"content_id": "a"}],
    }
    assert problems == ["value_ambiguous", "price_ambiguous"]


def test_amounts_in_several_currencies_keep_the_first() -> None:
    properties, problems = properties_of(value="EUR 12", contents=[{"price": "USD 5"}])
    assert properties == {"currency": "EUR", "value": 12}
    assert problems == ["price_ambiguous"]
