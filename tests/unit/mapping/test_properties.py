"""Properties of all mappings and events, tested on generated ones."""

import copy
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.unit.mapping.naive import transform
from tiktok_pixel.mapping.compiler import compile_fields
from tiktok_pixel.mapping.diagnostics import Diagnostics, Location

Json = Any

KEYS = ["a", "b", "c", "d e", "0", "length"]
PATHS = [
    "$.",
    "$.a",
    "$.b",
    "$.a.b",
    "$.a.b.c",
    "$.b.a",
    "$.c[0].a",
    "$.c.0",
    "$.d e.a",
    "a.length",
]

scalars: SearchStrategy[Json] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", " ", "a", "$.a", "{{a}}", '{"a":1}', "[null]", "Ää-a", "\ud83d"]),
)
values: SearchStrategy[Json] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=12,
)
events = st.dictionaries(st.sampled_from(KEYS), values, max_size=5)


def _literal(value: Json) -> Json:
    return {"@literal": value}


@st.composite
def mapping_values(draw: st.DrawFn, depth: int) -> Json:  # noqa: C901, PLR0911, PLR0912
    """Draw a constant or a directive, with others nested in it up to a depth."""
    kinds = ["constant", "@path", "@template", "chain", "@case", "@replace", "@first"]
    if depth:
        kinds += ["object", "array", "@literal", "@if", "@merge", "@transform", "@flatten"]
        kinds += ["@json", "@excludeWhenNull", "@arrayPath", "inner @path", "inner @template"]
    kind = draw(st.sampled_from(kinds))
    path = {"@path": draw(st.sampled_from(PATHS))}
    inner = mapping_values(depth - 1)
    if kind == "constant":
        return draw(scalars)
    if kind == "@path":
        return path
    if kind == "@template":
        return {kind: draw(st.sampled_from(["{{a}}", "x{{ a.b }}y{{{c}}}", "{{", "{{b.length}}"]))}
    if kind == "chain":
        value = draw(inner) if depth else draw(scalars)
        for _ in range(draw(st.integers(1, 3))):
            path = {"@path": draw(st.sampled_from(PATHS))}
            test = draw(st.sampled_from(["exists", "blank"]))
            value = {"@if": {test: path, "then": path, "else": value}}
        return value
    if kind == "@first":
        candidates = st.one_of(
            st.sampled_from(PATHS[:-1]),
            st.just(path),
            st.builds(_literal, inner if depth else scalars),
        )
        return {kind: draw(st.lists(candidates, min_size=1, max_size=4))}
    if kind == "@case":
        return {kind: {"operator": draw(st.sampled_from(["lower", "upper"])), "value": path}}
    if kind == "@replace":
        pattern = draw(st.sampled_from(["a", ".", "-a"]))
        replacement = draw(st.sampled_from(["", "b", "\\1"]))
        flags = {"ignorecase": draw(st.booleans()), "global": draw(st.booleans())}
        return {kind: {"pattern": pattern, "replacement": replacement, "value": path, **flags}}
    if kind in ("@literal", "@excludeWhenNull"):
        return {kind: draw(inner)}
    if kind.startswith("inner"):
        return {kind.removeprefix("inner "): {"@literal": draw(inner)}}
    if kind == "array":
        return draw(st.lists(inner, max_size=3))
    if kind == "@if":
        test = draw(st.sampled_from(["exists", "blank"]))
        return {kind: {test: {"@literal": draw(inner)}, "then": draw(inner), "else": draw(inner)}}
    if kind == "@flatten":
        return {kind: {"separator": ".", "value": draw(inner), "omitArrays": draw(st.booleans())}}
    if kind == "@json":
        mode = draw(st.sampled_from(["encode", "decode"]))
        return {kind: {"mode": mode, "value": {"@literal": draw(inner)}}}
    fields = draw(st.dictionaries(st.sampled_from(KEYS), inner, max_size=4))
    if kind == "@merge":
        direction = draw(st.sampled_from(["left", "right"]))
        objects = [fields, {"@literal": draw(inner)}, {"b": path}]
        return {kind: {"direction": direction, "objects": draw(st.permutations(objects))}}
    if kind == "@transform":
        return {kind: {"apply": fields, "mapping": {"it": draw(inner), "b": path}}}
    if kind == "@arrayPath":
        root = draw(st.sampled_from([path["@path"], path, {"@literal": draw(inner)}]))
        return {kind: [root, fields]}
    return fields


mappings = st.dictionaries(st.sampled_from(["x", "y", "z"]), mapping_values(3), max_size=3)


DECODED = {"@json": {"mode": "decode", "value": {"b": {"@path": "$.a"}}}}
UNORDERED = {"@first": [{"@literal": {"a": {"@path": "$."}, "b": None}}]}


@settings(max_examples=500, deadline=None)
@given(mapping=mappings, event=events)
# A value that is not text is decoded to itself, with its undefined member, which hides the other.
@example(mapping={"x": {"@merge": {"direction": "left", "objects": [DECODED, {"b": 1}]}}}, event={})
# The members of an object are in the order of the mapping, which the text of @json shows.
@example(mapping={"x": {"@json": {"mode": "encode", "value": UNORDERED}}}, event={})
def test_a_compiled_mapping_gives_the_same_as_the_naive_one(
    mapping: dict[str, Json], event: dict[str, Json]
) -> None:
    """Compiled and naive evaluation agree, and neither the mapping nor the event is changed."""
    diagnostics = Diagnostics()
    mapping_before, event_before = copy.deepcopy(mapping), copy.deepcopy(event)
    evaluate = compile_fields(mapping, Location(diagnostics, "made up"))
    assert not diagnostics.problems
    assert repr(evaluate(event)) is not None
    assert evaluate(event) == transform(mapping, event)
    assert (mapping, event) == (mapping_before, event_before)
