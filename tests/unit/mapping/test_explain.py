"""The paths that supplied a field."""

from typing import Any

import pytest

from tiktok_pixel.mapping.explain import explain_field

EVENT = {"a": 1, "b": {"c": "x", "none": None}, "items": [{"id": 1}], "empty": ""}


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        ("constant", ()),
        ({"@path": "$.b.c"}, ("$.b.c",)),
        ({"@path": "$.b.none"}, ("$.b.none",)),
        ({"@path": "$.missing"}, ()),
        (
            {"@if": {"blank": {"@path": "$.empty"}, "then": 1, "else": {"@path": "$.a"}}},
            ("$.a",),
        ),
        ({"@if": {"exists": {"@path": "$.a"}, "then": {"@path": "$.a"}}}, ("$.a",)),
        ({"@if": {"exists": {"@path": "$.x"}, "then": 1, "else": "product"}}, ()),
        ({"@template": "{{a}} {{ b.c }} {{missing}}"}, ("a", "b.c")),
        ({"@arrayPath": ["$.items", {"content_id": {"@path": "$.id"}}]}, ("$.items",)),
        ({"@arrayPath": ["$.missing", {"content_id": {"@path": "$.id"}}]}, ()),
        ({"@arrayPath": [{"@path": "$.b"}]}, ("$.b",)),
        ({"@case": {"operator": "upper", "value": {"@path": "$.b.c"}}}, ("$.b.c",)),
        ({"x": {"@path": "$.a"}, "y": [{"@path": "$.a"}, {"@path": "$.b.c"}]}, ("$.a", "$.b.c")),
        ({"@merge": {"direction": "right", "objects": [{"@path": "$.b"}]}}, ("$.b",)),
        ({"@transform": {"apply": {"x": {"@path": "$.a"}}, "mapping": {"y": 1}}}, ("$.a",)),
        ({"@excludeWhenNull": {"@path": "$.b"}}, ("$.b",)),
        ({"@first": ["$.missing", "$.empty", "$.b.c", "$.a"]}, ("$.b.c",)),
        ({"@first": ["$.empty", {"@template": "{{a}}!"}]}, ("a",)),
        ({"@first": ["$.empty"]}, ()),
    ],
)
def test_explain_returns_the_paths_that_supplied_a_value(
    value: Any, paths: tuple[str, ...]
) -> None:
    assert explain_field(value, EVENT) == paths
