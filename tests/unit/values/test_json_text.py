"""Compact JSON is what Python's own encoder writes, made faster."""

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
def test_it_is_what_pythons_encoder_writes(value: Any) -> None:
    assert compact(value) == json.dumps(value, separators=(",", ":"))


def test_a_status_is_its_word() -> None:
    assert compact({Status.PARKED: Status.RETRY}) == '{"parked":"retry"}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        compact(value)
