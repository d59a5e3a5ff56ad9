"""Fields coerced at once become what their coercions make of them one by one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_pixel.tiktok.schema import CONTENT, PROPERTIES, coercion_of
from tiktok_pixel.values.coercion import usable
from tiktok_pixel.values.compiled_coercion import compile_coercer
from tiktok_pixel.values.validation import Problem

KINDS = {**PROPERTIES, **CONTENT}
coerce = compile_coercer(KINDS)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(2**53 - 2, 2**53 + 2),
    st.floats(),
    st.text(max_size=3),
    st.sampled_from(
        ["", " ", "\ufeff", "\x1c", "5", "1.5", "product", "in_store", "nan", "\ud83d"]
    ),
)
values = st.one_of(scalars, st.lists(scalars, max_size=2), st.just({"a": 1}))
sources = st.dictionaries(st.sampled_from([*KINDS, "unknown"]), values)


@given(sources)
def test_all_at_once_is_one_by_one(source: dict[str, Any]) -> None:
    problems: list[Problem] = []
    target: dict[str, Any] = {}
    coerce(target, source, problems)

    expected_problems: list[Problem] = []
    expected = {
        field: value
        for field, kind in KINDS.items()
        if (value := usable(field, source.get(field), coercion_of(kind), expected_problems))
        is not None
    }
    # By their text: NaN differs from itself, and 1 equals True.
    assert repr(target) == repr(expected)
    assert problems == expected_problems


@pytest.mark.parametrize("field", ["a\\'] = 1 #", 'quo"ted', "new\nline", "\ud83d"])
def test_a_name_is_a_key_and_never_code(field: str) -> None:
    target: dict[str, Any] = {}
    compile_coercer({field: "text"})(target, {field: "x"}, [])
    assert target == {field: "x"}
