"""Serialise values as compact JSON in ASCII."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_pixel.outcomes import Status
from tiktok_pixel.values.json_text import compact

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.sampled_from(["\ud83d", "ü", '"\\', "\x00", "\u2028"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=20,
)


@given(values)
def test_it_equals_the_output_of_json_dumps(value: Any) -> None:
    assert compact(value) == json.dumps(value, separators=(",", ":"))


def test_a_status_is_serialised_as_text() -> None:
    assert compact({Status.PARKED: Status.RETRY}) == '{"parked":"retry"}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}])
def test_numbers_that_are_not_finite_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        compact(value)
