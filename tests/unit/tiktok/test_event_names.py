"""The event names that TikTok accepts."""

import pytest

from tiktok_pixel.tiktok.event_names import (
    LEGACY_EVENTS,
    PAGE_VIEWS,
    RESERVED_EVENTS,
    RETIRED_EVENTS,
    STANDARD_EVENTS,
    event_name_problem,
    event_name_warning,
    legacy_name,
)


@pytest.mark.parametrize("name", [*STANDARD_EVENTS, *PAGE_VIEWS])
def test_names_of_tiktok_itself(name: str) -> None:
    assert event_name_problem(name) is None
    assert event_name_warning(name) is None


def test_there_are_18_standard_events() -> None:
    assert len(set(STANDARD_EVENTS)) == 18


@pytest.mark.parametrize("name", [*LEGACY_EVENTS, "ClickButton"])
def test_old_names_work_with_a_warning(name: str) -> None:
    assert event_name_problem(name) is None
    assert name in str(event_name_warning(name))


def test_the_retired_name_of_the_default_mappings_is_not_warned_about_at_each_start() -> None:
    assert "PlaceAnOrder" in RETIRED_EVENTS
    assert event_name_problem("PlaceAnOrder") is None
    assert event_name_warning("PlaceAnOrder") is None


def test_renamed_events_have_an_old_name() -> None:
    assert legacy_name("Lead") == "SubmitForm"
    assert legacy_name("Purchase") == "CompletePayment"
    assert legacy_name("Search") is None


@pytest.mark.parametrize("name", ["A", "Quiz_done-2", "x" * 50])
def test_custom_names(name: str) -> None:
    assert event_name_problem(name) is None
    assert event_name_warning(name) is None


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "must not be empty"),
        ("x" * 51, "must have at most 50 characters; got 51"),
        ("1st", "must start with a letter (A-Z); got '1'"),
        ("Éclair", "must start with a letter"),
        ("Order Completed", "must have letters, digits, underscores and dashes only; got ' '"),
        ("Quiz\n", "only; got '\\n'"),
        ("Checkout", '"Checkout" is reserved, TikTok changes it; write "PlaceAnOrder"'),
    ],
)
def test_names_that_break_a_rule(name: str, rule: str) -> None:
    assert rule in str(event_name_problem(name))


@pytest.mark.parametrize("name", RESERVED_EVENTS)
def test_reserved_names_cannot_be_sent(name: str) -> None:
    assert event_name_problem(name) is not None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("addtocart", "AddToCart"),
        ("Purchased", "Purchase"),
        ("Add_To_Cart", "AddToCart"),
        ("AddedToCart", "AddToCart"),
        ("InitiatedCheckout", "InitiateCheckout"),
        ("CompletedPayment", "CompletePayment"),
        ("View-Content", "ViewContent"),
    ],
)
def test_a_custom_name_that_looks_like_a_standard_one_is_a_warning(name: str, meant: str) -> None:
    assert event_name_problem(name) is None
    warning = event_name_warning(name)
    assert warning == f"{name} is a custom event; did you mean {meant}?"
