"""Subscriptions: what they match, their warnings, and what cannot be read."""

import random
from typing import Any

import pytest

from tiktok_pixel.mapping.errors import SubscriptionError
from tiktok_pixel.mapping.subscriptions import compile_subscription
from tools.pixel.describe import describe_subscription

Event = dict[str, Any]


def matches(source: str, event: Event) -> bool:
    return compile_subscription(source).matches(event)


def warnings(source: str) -> str:
    return "; ".join(compile_subscription(source).warnings)


@pytest.mark.parametrize(
    ("source", "event"),
    [
        ('type = "page"', {"type": "page"}),
        ('type="page"', {"type": "page"}),
        ('event = "A" or event = "B"', {"event": "B"}),
        ('type = "track" and (event = "A" or event = "B")', {"type": "track", "event": "A"}),
        ('event != "A"', {}),
        ("userId != null", {"userId": "u"}),
        ("name = null", {"name": None}),
        ("properties.n = 5", {"properties": {"n": 5.0}}),
        ("properties.n >= 5", {"properties": {"n": 5}}),
        ('properties.n < "10"', {"properties": {"n": 9}}),
        ("properties.yes = true", {"properties": {"yes": True}}),
        ("traits.a.b != null", {"traits": {"a": {"b": 0}}}),
        ("context.page\\ url = null", {"context": {}}),
        ('properties.property\\ 1 = "x"', {"properties": {"property 1": "x"}}),
        ('contains(event, "rd")', {"event": "Order"}),
        ('!contains(event, "rd")', {"event": "Other"}),
        ('match(event, "Or*")', {"event": "Order"}),
        ('match(event, "*er")', {"event": "Order"}),
        ('!match(event, "*er")', {"event": "Orders"}),
    ],
)
def test_matches(source: str, event: Event) -> None:
    assert matches(source, event)


@pytest.mark.parametrize(
    ("source", "event"),
    [
        ('type = "page"', {"type": "Page"}),
        ('properties.n = "5"', {"properties": {"n": 5}}),
        ("properties.n = 5", {"properties": {"n": "5"}}),
        ("properties.n = 1", {"properties": {"n": True}}),
        ("properties.n >= 5", {"properties": {"n": "6"}}),
        ("properties.yes = true", {"properties": {"yes": "true"}}),
        ("properties.n = null", {"properties": {"n": 0}}),
        ('!contains(event, "rd")', {}),
        ('!match(event, "A*")', {"event": 5}),
        ('event = "A"', {"event": ["A"]}),
    ],
)
def test_is_strict_about_case_and_types(source: str, event: Event) -> None:
    """A number does not equal its text, and the negated functions need text too."""
    assert not matches(source, event)


def test_the_last_conjunction_applies_to_the_whole_query() -> None:
    source = 'event = "A" or event = "B" and type = "track"'
    assert not matches(source, {"event": "A"})
    assert "so all of the conditions must be true" in warnings(source)
    assert matches('type = "track" and event = "A" or event = "B"', {"event": "B"})


@pytest.mark.parametrize(
    ("source", "event", "surprise"),
    [
        ('event = "A" AND type = "x"', {"event": "A", "type": "x"}, "must be in lower case"),
        ('event = "A" or(type = "x")', {"event": "A", "type": "x"}, "needs a space after it"),
        ('event = "A" and groupId = "g"', {"event": "A"}, "is not a field of subscriptions"),
        ('!(event = "A")', {"event": "A"}, "is not valid here"),
        ("event = A", {"event": "A"}, "has no quotes"),
        ("event = null", {"event": "null"}, 'compared as the text "null"'),
        ("properties.a != true", {"properties": {"a": True}}, 'compared as the text "true"'),
        ('match(event, "Order")', {"event": "reorder"[2:].replace("o", "O")}, 'has no "*"'),
        ('match(event, "*a*")', {"event": "*ab"}, 'second "*"'),
        ('contains(type, "a") or event = "A"', {"event": "A"}, "cannot be used in a function"),
        (
            'type = "x" and (contains(event, "A") or event = "B")',
            {"event": "B"},
            "ends the parentheses",
        ),
    ],
)
def test_a_query_that_segment_reads_differently_than_it_looks_has_a_warning(
    source: str, event: Event, surprise: str
) -> None:
    assert matches(source, event)
    assert surprise in warnings(source)


def test_a_comparison_that_is_never_true_has_a_warning() -> None:
    assert not matches('properties.n < "abc"', {"properties": {"n": 1}})
    assert "never true" in warnings('properties.n < "abc"')


@pytest.mark.parametrize(
    "source",
    [
        'type = "page"',
        'event = "A" or event = "B"',
        'type = "track" and (event = "A" or event = "B")',
        '(event = "A" and contains(properties.name, "x"))',
        'type = "track" and !contains(event, "x") and properties.n >= 5',
    ],
)
def test_plain_subscriptions_have_no_warnings(source: str) -> None:
    assert warnings(source) == ""


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("", "column 1: expected a condition on one of context, event"),
        ('groupId = "g"', "column 1: expected a condition"),
        ("event", "column 6: expected one of = != < <= > >="),
        ('event "A"', 'column 7: expected one of = != < <= > >=; got "A"'),
        ('event like "A"', "column 7: expected one of = != < <= > >=; got like"),
        (
            "property.price > 5",
            (
                "column 1: expected a condition on one of context, event, name, properties, "
                "traits, type, userId; got property.price"
            ),
        ),
        ('$.event = "A"', 'column 1: write the field without "$."'),
        ("event = ", "column 9: expected a value"),
        ("event = and", "column 9: expected a value"),
        ('event !="A"', 'column 7: expected "!=" and a space'),
        ("properties.n <=5", 'column 15: expected a space after "<="'),
        ('event == "A"', 'column 8: write one "="'),
        ('event === "A"', 'column 8: write one "="'),
        ("event = 'A b'", 'column 9: write double quotes: "A b"'),
        ("event = \u201cA\u201d", 'column 9: write straight double quotes: "text"'),
        ('event = "A" && type = "x"', 'column 13: write "and" instead of "&&"'),
        ('event = "A" || type = "x"', 'column 13: write "or" instead of "||"'),
        ('event = "A', 'column 9: expected a closing "'),
        ("event * 5", "column 7: unexpected character '*'"),
        ("event = é", "column 9: unexpected character 'é'"),
        ("properties.a<5", "column 13: expected a space after"),
        ("properties.n = 1.2.3", 'column 16: expected a number, got "1.2.3"'),
        ("properties.n = 5.", "column 16: expected a number"),
        ("properties.n = -", "column 16: expected a number"),
        ('((event = "A"))', "column 2: parentheses inside parentheses are not supported"),
        ('(event = "A"', 'column 13: expected ")"'),
        ('() or event = "A"', "column 2: expected a condition inside the parentheses"),
        ("contains(event)", 'column 15: expected ","; got )'),
        ('contains("A", event)', "column 10: expected a field"),
        ("match(event, 5)", 'column 14: expected "text"'),
        ('contains event "A"', 'column 10: expected "("; got event'),
        ('properties.\\[ = "A"', "column 1: expected a path after properties"),
    ],
)
def test_an_unreadable_query_reports_the_column_and_what_to_write(
    source: str, problem: str
) -> None:
    with pytest.raises(SubscriptionError) as raised:
        compile_subscription(source)
    assert str(raised.value).startswith(problem)


@pytest.mark.parametrize(
    ("source", "field", "values"),
    [
        ('type = "page"', "type", {"page"}),
        ('event = "A" or event = "B"', "event", {"A", "B"}),
        ('type = "track" and event = "A"', "event", {"A"}),
        ('type = "track" and (event = "A" or event = "B")', "event", {"A", "B"}),
        ('type = "track" or event = "A"', None, set()),
        ('event = "A" or properties.n = 1', None, set()),
        ('event != "A"', None, set()),
        ('contains(event, "A")', None, set()),
    ],
)
def test_an_equality_that_must_be_true_becomes_the_index(
    source: str, field: str | None, values: set[str]
) -> None:
    subscription = compile_subscription(source)
    assert (subscription.index_field, set(subscription.index_values)) == (field, values)


def test_the_index_never_hides_a_match() -> None:
    """Every event that matches has one of the indexed values."""
    chance = random.Random(1)  # noqa: S311 - made-up subscriptions, no secret
    terms = ['event = "A"', 'event = "B"', 'type = "t"', "userId != null", 'event != "A"']
    for _ in range(500):
        inner = f" {chance.choice(['and', 'or'])} ".join(chance.choices(terms, k=2))
        parts = [*chance.choices(terms, k=2), f"({inner})"]
        chance.shuffle(parts)
        subscription = compile_subscription(f" {chance.choice(['and', 'or'])} ".join(parts))
        for event in ({}, {"event": "A"}, {"event": "B", "type": "t"}, {"type": "t", "userId": 1}):
            if subscription.matches(event) and subscription.index_field:
                assert event[subscription.index_field] in subscription.index_values


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('type = "page"', "a page is viewed"),
        ('type = "other"', "type is other"),
        ('event = "Order Completed"', 'track "Order Completed"'),
        (
            'event = "Order Placed" or event = "Order Completed"',
            'track "Order Placed" or "Order Completed"',
        ),
        ('type = "track" and event = "A"', 'track "A"'),
        ('type = "track" and (event = "A" or event = "B")', 'track "A" or "B"'),
        (
            'event = "A" and properties.n >= 5 and userId != null',
            'track "A" and properties.n is at least 5 and userId is given',
        ),
        (
            'type = "page" or (event = "A" and contains(properties.x, "y"))',
            'a page is viewed or (track "A" and properties.x contains "y")',
        ),
    ],
)
def test_subscriptions_in_words(source: str, words: str) -> None:
    assert describe_subscription(source) == words
