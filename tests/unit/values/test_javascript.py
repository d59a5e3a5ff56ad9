"""Reproduce JavaScript's semantics of text and numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_pixel.values.javascript import WHITESPACE, to_number, to_string, trim


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (12, "12"),
        (-0.0, "0"),
        (12.0, "12"),
        (1.5, "1.5"),
        (-0.25, "-0.25"),
        (1e-6, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (1e-7, "1e-7"),
        (123456789012345680000.0, "123456789012345680000"),
        (1e21, "1e+21"),
        (-1.25e300, "-1.25e+300"),
        (5e-324, "5e-324"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        (float("nan"), "NaN"),
        ([1, None, ["a", []], True], "1,,a,,true"),
        ({"a": 1}, "[object Object]"),
        ([{}], "[object Object]"),
    ],
)
def test_values_are_printed_as_in_javascript(value: object, text: str) -> None:
    assert to_string(value) == text


def test_a_long_order_number_keeps_its_digits() -> None:
    """Below 1e21 a whole number is exact, where JavaScript would round it to a double."""
    assert to_string(123456789012345678901) == "123456789012345678901"
    assert to_string(10**21) == "1e+21"


def test_a_huge_number_does_not_raise() -> None:
    """Python refuses to print over 4,300 digits; JavaScript reads such a number as Infinity."""
    assert to_string(10**5000) == "Infinity"
    assert to_string(-(10**5000)) == "-Infinity"


def test_arrays_nested_too_deeply_print_as_empty() -> None:
    deep: list[object] = ["end"]
    for _ in range(5000):
        deep = [deep]
    assert to_string(deep) == ""


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_printed_numbers_can_be_read_back(number: float) -> None:
    assert to_number(to_string(number)) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5),
        (" 5 ", 5),
        ("\ufeff5\u00a0", 5),
        ("+5", 5),
        ("-5.50", -5.5),
        ("5.", 5),
        (".5", 0.5),
        ("1e3", 1000),
        ("1E-3", 0.001),
        ("0x10", 16),
        ("0b101", 5),
        ("0o17", 15),
        ("007", 7),
        ("12345678901234567890", 12345678901234567000.0),
    ],
)
def test_reads_numbers(text: str, number: float) -> None:
    assert to_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "abc",
        "$5",
        "1_000",
        "1,5",
        "٣",
        "-0x10",
        "0x",
        ".",
        "e5",
        "Infinity",
        "NaN",
        "1e400",
    ],
)
def test_other_text_is_not_a_number(text: str) -> None:
    assert to_number(text) is None


def test_a_number_with_too_many_digits_is_not_finite() -> None:
    assert to_number("9" * 5000) is None
    assert to_number("0x" + "f" * 5000) is None


def test_whole_numbers_are_ints() -> None:
    assert isinstance(to_number("5.0"), int)
    assert isinstance(to_number("5.5"), float)


def test_trim_removes_the_white_space_of_javascript() -> None:
    """It removes the byte order mark, but not U+001C to U+001F and U+0085."""
    assert trim(f"{WHITESPACE}a b{WHITESPACE}") == "a b"
    assert trim("\x1ca\x85") == "\x1ca\x85"
