"""Where the value of each field comes from."""

from __future__ import annotations

from typing import Any

import pytest

from tiktok_pixel.mapping import EventMapping, compile_mapping_set
from tiktok_pixel.tiktok import schema
from tools.pixel.inspection import Origin, map_fields

EVENT = {"type": "track", "event": "A", "properties": {"id": "o", "n": None}}


def mapping_of(fields: Any) -> EventMapping:
    preset = {"name": "A", "subscribe": 'type = "track"', "mapping": fields}
    return compile_mapping_set([preset], schema, source="test").mappings[0]


@pytest.mark.parametrize(
    ("definition", "value", "origin", "paths"),
    [
        ("x", "x", Origin.CONSTANT, ()),
        ({"@path": "$.properties.id"}, "o", Origin.EVENT, ("$.properties.id",)),
        ({"@template": "{{properties.id}}!"}, "o!", Origin.EVENT, ("properties.id",)),
        ({"@path": "$.properties.x"}, None, Origin.NOTHING_FOUND, ("$.properties.x",)),
        (
            {
                "@if": {
                    "exists": {"@path": "$.a"},
                    "then": {"@path": "$.a"},
                    "else": {"@path": "$.b"},
                }
            },
            None,
            Origin.NOTHING_FOUND,
            ("$.a", "$.b"),
        ),
    ],
)
def test_the_origin_of_a_field(
    definition: Any, value: Any, origin: Origin, paths: tuple[str, ...]
) -> None:
    fields = map_fields(mapping_of({"event": "A", "order_id": definition}), EVENT)
    (field,) = [field for field in fields if field.name == "order_id"]
    assert (field.value, field.origin, field.paths) == (value, origin, paths)


def test_an_object_whose_paths_find_nothing_is_no_constant() -> None:
    address = {"city": {"@path": "$.city"}}
    fields = map_fields(mapping_of({"event": "A", "address": address}), EVENT)
    assert [(field.name, field.origin) for field in fields] == [
        ("address", Origin.NOTHING_FOUND),
        ("event", Origin.CONSTANT),
    ]


def test_a_mapping_that_is_one_directive_names_no_source() -> None:
    merge = {"@merge": {"direction": "right", "objects": [{"event": "A"}, {"@path": "$.mapped"}]}}
    fields = map_fields(mapping_of(merge), EVENT | {"mapped": {"order_id": "o"}})
    assert [(field.name, field.origin) for field in fields] == [
        ("event", Origin.WHOLE_MAPPING),
        ("order_id", Origin.WHOLE_MAPPING),
    ]
