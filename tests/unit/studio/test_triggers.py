"""A trigger means the same as a form and as FQL."""

from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tiktok_pixel.mapping.fql import parse_fql
from tiktok_pixel.mapping.subscriptions import compile_subscription
from tiktok_pixel.tiktok import schema
from tools.studio.mapping_files import read_mapping_file
from tools.studio.triggers import (
    TESTS,
    WITH_PATH,
    WITHOUT_VALUE,
    ConditionForm,
    Failure,
    TriggerError,
    TriggerForm,
    failures,
    item_at,
    offered_tests,
    read_form,
    with_item,
    write_fql,
)

EVENT = ConditionForm("event", "", "=", "Order Completed")
TOTAL = ConditionForm("properties", "total", ">=", "10")
VIP = ConditionForm("traits", "vip", "is true")
SHIPPED = [
    preset["subscribe"]
    for name in ("default", "full")
    for preset in read_mapping_file(schema.shipped(name)).presets
]


@st.composite
def conditions(draw: st.DrawFn) -> ConditionForm:
    field = draw(st.sampled_from(["event", "type", "userId", "name", *WITH_PATH]))
    test = draw(st.sampled_from(offered_tests(field)))
    path = draw(st.text(min_size=1, max_size=8)) if field in WITH_PATH else ""
    numeric = test in ("number =", "number !=", "<", "<=", ">", ">=")
    number = st.integers(-(10**6), 10**6).map(str) | st.floats(-1e6, 1e6).map(repr)
    value = draw(number if numeric else st.text(min_size=1, max_size=8))
    return ConditionForm(field, path, test, "" if test in WITHOUT_VALUE else value)


groups = st.builds(
    TriggerForm,
    st.sampled_from(["and", "or"]),
    st.lists(conditions(), min_size=1, max_size=3).map(tuple),
)
forms = st.builds(
    TriggerForm,
    st.sampled_from(["and", "or"]),
    st.lists(conditions() | groups, min_size=1, max_size=3).map(tuple),
)


@given(forms)
@example(TriggerForm("and", (ConditionForm("properties", "0\r[", "exists"),)))
def test_a_form_that_is_written_is_read_again(form: TriggerForm) -> None:
    try:
        fql = write_fql(form)
    except TriggerError:
        assume(False)
    node, warnings = parse_fql(fql)
    assert warnings == ()
    reread = read_form(fql)
    assert reread is not None
    assert parse_fql(write_fql(reread))[0] == node


@given(conditions())
def test_a_condition_is_written_unless_it_has_a_quotation_mark_or_no_key(
    condition: ConditionForm,
) -> None:
    try:
        write_fql(TriggerForm("and", (condition,)))
    except TriggerError as error:
        assert any(  # noqa: PT017 - the message says which of the two
            text in str(error) for text in ("quotation mark", "name of the property", "FQL")
        )


@pytest.mark.parametrize("fql", SHIPPED)
def test_every_shipped_trigger_has_a_form_that_writes_it(fql: str) -> None:
    form = read_form(fql)
    assert form is not None
    assert write_fql(form) == fql


@pytest.mark.parametrize(
    ("form", "fql"),
    [
        (
            TriggerForm("and", (EVENT, TOTAL)),
            'event = "Order Completed" and properties.total >= 10',
        ),
        (
            TriggerForm("and", (VIP, TriggerForm("or", (EVENT, TOTAL)))),
            'traits.vip = true and (event = "Order Completed" or properties.total >= 10)',
        ),
        (
            TriggerForm("and", (ConditionForm("properties", "a b.c", "exists"),)),
            "properties.a\\ b.c != null",
        ),
        (
            TriggerForm("and", (ConditionForm("properties", "items[0].id", "is true"),)),
            "properties.items.\\0.id = true",
        ),
        (
            TriggerForm("and", (ConditionForm("event", "", "not starts with", "Order"),)),
            '!match(event, "Order*")',
        ),
        (
            TriggerForm("and", (ConditionForm("properties", "$.properties.total", "<", "1e-7"),)),
            "properties.total < 0.0000001",
        ),
        # Segment's brackets end at a function's bracket, so the function goes last.
        (
            TriggerForm(
                "and",
                (VIP, TriggerForm("or", (ConditionForm("event", "", "contains", "a"), EVENT))),
            ),
            'traits.vip = true and (event = "Order Completed" or contains(event, "a"))',
        ),
    ],
)
def test_forms_as_fql(form: TriggerForm, fql: str) -> None:
    assert write_fql(form) == fql


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        (TriggerForm(), "add a condition"),
        (TriggerForm("and", (ConditionForm("event", "", "=", ""),)), "enter a value"),
        (TriggerForm("and", (ConditionForm("event", "", "=", 'a"b'),)), "quotation mark"),
        (TriggerForm("and", (ConditionForm("properties", "", "exists"),)), "enter the name"),
        (TriggerForm("and", (ConditionForm("properties", "a", "<", "x"),)), "enter a number"),
        (
            TriggerForm(
                "and",
                (VIP, TriggerForm("or", (ConditionForm("event", "", "contains", "a"),) * 2)),
            ),
            "a group can have one condition",
        ),
    ],
)
def test_what_fql_cannot_express_is_refused(form: TriggerForm, problem: str) -> None:
    with pytest.raises(TriggerError, match=problem):
        write_fql(form)


def test_fql_that_reads_otherwise_than_it_looks_has_the_form_of_its_meaning() -> None:
    form = read_form('type = "track" AND event = "A"')
    assert form is not None
    assert write_fql(form) == 'type = "track" and event = "A"'


def test_items_are_found_replaced_and_removed() -> None:
    form = TriggerForm("and", (EVENT, TriggerForm("or", (TOTAL, VIP))))
    assert item_at(form, (1, 1)) == VIP
    assert with_item(form, (1, 1), EVENT).items[1] == TriggerForm("or", (TOTAL, EVENT))
    assert with_item(form, (0,), None).items == (TriggerForm("or", (TOTAL, VIP)),)
    emptied = with_item(with_item(form, (1, 0), None), (1, 0), None)
    assert emptied.items == (EVENT,)


def test_every_test_has_a_name_and_a_field_that_offers_it() -> None:
    assert set(offered_tests("properties")) == set(TESTS)


@pytest.mark.parametrize(
    ("fql", "event", "expected"),
    [
        ('event = "A"', {"event": "A"}, ()),
        ('event = "A"', {"event": "B"}, (Failure('event name is "A"', "B"),)),
        ('event = "A"', {}, (Failure('event name is "A"', None),)),
        (
            'event = "A" or event = "B"',
            {"event": "C"},
            (Failure('event name is "A"', "C"), Failure('event name is "B"', "C")),
        ),
        (
            'type = "track" and properties.total > 5 and event = "A"',
            {"type": "track", "event": "A", "properties": {"total": 5}},
            (Failure("properties.total is greater than 5", 5),),
        ),
        ("properties.total > null", {"properties": {"total": 5}}, None),
    ],
)
def test_failing_conditions(
    fql: str, event: dict[str, Any], expected: tuple[Failure, ...] | None
) -> None:
    found = failures(fql, event)
    assert found == expected if expected is not None else len(found) == 1


@given(forms, st.dictionaries(st.sampled_from(["event", "type"]), st.text(max_size=4)))
def test_an_event_matches_exactly_when_no_condition_fails(
    form: TriggerForm, event: dict[str, Any]
) -> None:
    try:
        fql = write_fql(form)
    except TriggerError:
        assume(False)
    assert compile_subscription(fql).matches(event) is (failures(fql, event) == ())
