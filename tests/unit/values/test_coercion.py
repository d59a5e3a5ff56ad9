"""Coerce JSON values to the types of TikTok's fields."""

from __future__ import annotations

from typing import Any

import pytest

from tiktok_pixel.tiktok import fields
from tiktok_pixel.values import coercion
from tiktok_pixel.values.validation import UnusableValueError
from tools.sandbox import rules

HUGE = 10**400
INFINITE = float("inf")
NOT_A_NUMBER = float("nan")
CONTENT_TYPE = coercion.one_of("product", "product_group")

# coercion -> (value, result); None means that nothing is sent.
USABLE: dict[Any, list[tuple[Any, Any]]] = {
    coercion.text: [
        ("a", "a"),
        (" a ", " a "),
        ("0", "0"),
        (0, "0"),
        (505, "505"),
        (1.0, "1"),
        (1.5, "1.5"),
        (1e21, "1e+21"),
        (123456789012345678, "123456789012345678"),
        (True, "true"),
        (False, "false"),
        (["a"], "a"),
        ([5], "5"),
        (None, None),
        ("", None),
        (" \t\u00a0\u3000\ufeff", None),
        ([], None),
        ([None], None),
        ([""], None),
    ],
    coercion.number: [
        (0, 0),
        (-0.5, -0.5),
        (18.99, 18.99),
        ("18.99", 18.99),
        (" 5 ", 5),
        ("1e3", 1000),
        ("0x10", 16),
        (".5", 0.5),
        (["5"], 5),
        ([5], 5),
        (True, 1),
        (False, 0),
        (2**53, 2**53),
        (None, None),
        ("", None),
        (" ", None),
        ([], None),
        ([None], None),
    ],
    coercion.integer: [
        (2, 2),
        (2.0, 2),
        ("2", 2),
        ("2.0", 2),
        (-1, -1),
        (0, 0),
        ([3], 3),
        (None, None),
        ("", None),
    ],
    coercion.boolean: [
        (True, True),
        (False, False),
        ("true", True),
        ("false", False),
        (1, True),
        (0, False),
        (None, None),
        (" ", None),
        ([True], True),
        (["false"], False),
        ([None], None),
    ],
    coercion.texts: [
        (["a", "b"], ["a", "b"]),
        ("a", ["a"]),
        (5, ["5"]),
        ([1, True, ["x"]], ["1", "true", "x"]),
        (["a", None, "", " ", "b"], ["a", "b"]),
        ([None], None),
        ([], None),
        ("", None),
        (None, None),
    ],
    fields.currency: [
        ("USD", "USD"),
        ("usd", "USD"),
        (" eur\n", "EUR"),
        (["JPY"], "JPY"),
        ("", None),
        (None, None),
    ],
    CONTENT_TYPE: [
        ("product", "product"),
        (["product_group"], "product_group"),
        ("", None),
        (None, None),
    ],
}
UNUSABLE: dict[Any, list[tuple[Any, str]]] = {
    coercion.text: [
        ({}, "not_a_string"),
        ({"a": 1}, "not_a_string"),
        (["a", "b"], "not_a_string"),
        ([["a"]], "not_a_string"),
        ([{}], "not_a_string"),
        (INFINITE, "not_a_string"),
        (HUGE, "not_a_string"),
        ([-INFINITE], "not_a_string"),
    ],
    coercion.number: [
        ("cheap", "not_a_number"),
        ("$5", "not_a_number"),
        ("5,00", "not_a_number"),
        ("1_000", "not_a_number"),
        ("\u0665", "not_a_number"),
        ("NaN", "not_a_number"),
        ("1e999", "not_a_number"),
        ("9" * 5000, "not_a_number"),
        ({}, "not_a_number"),
        ([1, 2], "not_a_number"),
        ([[1]], "not_a_number"),
        (INFINITE, "not_a_number"),
        (-INFINITE, "not_a_number"),
        (NOT_A_NUMBER, "not_a_number"),
        (HUGE, "not_a_number"),
        (2**53 + 1, "not_a_number"),
    ],
    coercion.integer: [
        (1.5, "not_an_integer"),
        ("1.5", "not_an_integer"),
        (1e300, "not_an_integer"),
        ("1e300", "not_an_integer"),
        ("two", "not_a_number"),
        (INFINITE, "not_a_number"),
        ({}, "not_a_number"),
    ],
    coercion.boolean: [
        ("yes", "not_a_boolean"),
        ("True", "not_a_boolean"),
        (2, "not_a_boolean"),
        (0.5, "not_a_boolean"),
        ([], "not_a_boolean"),
        ([True, False], "not_a_boolean"),
        ([[True]], "not_a_boolean"),
        ({}, "not_a_boolean"),
    ],
    coercion.texts: [({}, "not_a_string"), (["a", {}], "not_a_string")],
    fields.currency: [
        ("XXX", "not_supported"),
        ("BGN", "not_supported"),
        ("$", "not_supported"),
        ("US Dollar", "not_supported"),
        (840, "not_supported"),
        ({}, "not_a_string"),
    ],
    CONTENT_TYPE: [
        ("Product", "not_supported"),
        (" product", "not_supported"),
        (5, "not_supported"),
        ({}, "not_a_string"),
    ],
}


def _cases(table: dict[Any, list[tuple[Any, Any]]]) -> list[Any]:
    return [
        pytest.param(coerce, *case, id=f"{coerce.__name__}-{str(case[0])[:20]!r}")
        for coerce, cases in table.items()
        for case in cases
    ]


@pytest.mark.parametrize(("coerce", "value", "expected"), _cases(USABLE))
def test_usable_values_are_coerced_as_segment_does(
    coerce: coercion.Coercion, value: Any, expected: Any
) -> None:
    coerced = coerce(value)

    assert (type(coerced), coerced) == (type(expected), expected)


@pytest.mark.parametrize(("coerce", "value", "rule"), _cases(UNUSABLE))
def test_unusable_values_raise_with_the_broken_rule(
    coerce: coercion.Coercion, value: Any, rule: str
) -> None:
    with pytest.raises(UnusableValueError) as raised:
        coerce(value)

    assert raised.value.rule == rule


def test_the_tables_cover_every_coercion() -> None:
    assert USABLE.keys() >= {
        coercion.text,
        coercion.number,
        coercion.integer,
        coercion.boolean,
        coercion.texts,
        fields.currency,
    }


def test_takes_the_currencies_of_tiktoks_list() -> None:
    """The list was copied twice, for the sandbox as well."""
    assert fields.CURRENCIES == rules.CURRENCIES
    assert "BGN" not in fields.CURRENCIES
