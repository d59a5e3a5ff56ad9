"""The result of each directive, and the arguments that it refuses."""

import copy
import json
import traceback
from typing import Any

import pytest

from tiktok_pixel.mapping.compiler import compile_fields
from tiktok_pixel.mapping.diagnostics import Diagnostics, Location

Json = Any

EVENT: dict[str, Json] = {
    "type": "track",
    "userId": "",
    "properties": {
        "name": "Hat",
        "price": 12.0,
        "zero": 0,
        "no": False,
        "nothing": None,
        "blank": "",
        "tags": ["a", "b"],
        "products": [{"id": 1, "price": 2}, {"id": 2}, None, "text"],
    },
    "context": None,
    "integrations": {"TikTok Conversions": {"ttclid": "click"}},
}
UNDEFINED = object()


def mapped(value: Json, event: dict[str, Json] = EVENT) -> Json:
    """Map one field; `UNDEFINED` when it is left out. The event stays as it was."""
    diagnostics = Diagnostics()
    evaluate = compile_fields({"it": value}, Location(diagnostics, "Test"))
    assert diagnostics.problems == []
    before = copy.deepcopy(event)
    result = evaluate(event).get("it", UNDEFINED)
    assert event == before
    return result


def problems(value: Json) -> list[str]:
    diagnostics = Diagnostics()
    compile_fields({"it": value}, Location(diagnostics, "Test"))
    return [str(problem) for problem in diagnostics.problems]


def path(keys: str) -> dict[str, str]:
    return {"@path": keys}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("$.type", "track"),
        ("type", "track"),
        ("$.properties.price", 12.0),
        ("$.properties.products[0].id", 1),
        ("$.properties.products.1.id", 2),
        ("$.properties['name']", "Hat"),
        ("$.integrations.TikTok Conversions.ttclid", "click"),
        ("$.properties.tags.length", 2),
        ("$.", EVENT),
        ("", EVENT),
        ("$.missing", UNDEFINED),
        ("$", UNDEFINED),
        ("$.type.more", UNDEFINED),
        ("$.properties.products[9]", UNDEFINED),
    ],
)
def test_path(written: str, value: Json) -> None:
    """A path leads to a value, or nowhere, and then the field is left out."""
    assert mapped(path(written)) == value


@pytest.mark.parametrize(
    ("written", "value"), [("$.context.ip", None), ("$.properties.blank.x", ""), ("$.userId.x", "")]
)
def test_path_stops_at_falsy_values(written: str, value: Json) -> None:
    assert mapped(path(written)) == value


def test_path_may_be_given_by_a_directive() -> None:
    event = {"which": "$.b", "b": 5, "number": 1}
    assert mapped(path({"@path": "$.which"}), event) == 5  # type: ignore[arg-type]
    assert mapped(path({"@path": "$.number"}), event) is UNDEFINED  # type: ignore[arg-type]


def test_null_is_sent_and_undefined_is_left_out() -> None:
    """A null member is sent on; an undefined one is left out of objects and is null in arrays."""
    assert mapped(path("$.properties.nothing")) is None
    assert mapped({"a": path("$.missing"), "b": 1}) == {"b": 1}
    assert mapped([path("$.missing"), 1]) == [None, 1]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Buy {{properties.name}}!", "Buy Hat!"),
        ("{{ properties.name }}/{{{properties.name}}}", "Hat/Hat"),
        ("{{properties.price}} {{properties.no}} {{properties.zero}}", "12 false 0"),
        ("[{{properties.nothing}}{{missing}}]", "[]"),
        ("{{properties.tags}} {{integrations}}", "a,b [object Object]"),
        ("{{$.type}}", ""),
        ("no placeholder {{}}", "no placeholder {{}}"),
    ],
)
def test_template(template: str, text: str) -> None:
    assert mapped({"@template": template}) == text


def test_a_value_is_never_read_as_a_template() -> None:
    """A visitor's text cannot read other fields of the event into a template, unlike in Segment."""
    event = {"name": "{{secret}}", "secret": "s"}
    assert mapped({"@template": "{{{name}}}"}, event) == "{{secret}}"


@pytest.mark.parametrize(
    ("test", "subject", "there"),
    [
        ("exists", "name", True),
        ("exists", "blank", True),
        ("exists", "zero", True),
        ("exists", "no", True),
        ("exists", "nothing", False),
        ("exists", "missing", False),
        ("blank", "name", True),
        ("blank", "blank", False),
        ("blank", "zero", False),
        ("blank", "no", False),
        ("blank", "nothing", False),
        ("blank", "missing", False),
        ("blank", "tags", True),
    ],
)
def test_if(test: str, subject: str, there: bool) -> None:
    """`exists` is true for anything but null, `blank` (Segment's name) for what has content."""
    condition = {test: path(f"$.properties.{subject}"), "then": "yes", "else": "no"}
    assert mapped({"@if": condition}) == ("yes" if there else "no")


@pytest.mark.parametrize("value", [[], [None], [[]], [""]])
def test_arrays_that_print_as_empty_text_are_blank(value: Json) -> None:
    chain = {"@if": {"blank": path("$.a"), "then": path("$.a"), "else": "other"}}
    assert mapped(chain, {"a": value}) == "other"
    assert mapped({"@if": {**chain["@if"], "then": "there"}}, {"a": value}) == "other"


@pytest.mark.parametrize("value", [[0], {}, [{}], [None, None], " "])
def test_values_that_print_as_text_are_not_blank(value: Json) -> None:
    chain = {"@if": {"blank": path("$.a"), "then": path("$.a"), "else": "other"}}
    assert mapped(chain, {"a": value}) == value


def test_else_is_used_only_when_it_is_truthy() -> None:
    """Segment drops `"else": 0` and `"else": ""`, but takes an empty object."""
    for dropped in (0, "", False, None):
        assert mapped({"@if": {"exists": path("$.x"), "then": 1, "else": dropped}}) is UNDEFINED
    assert mapped({"@if": {"exists": path("$.x"), "else": {}}}) == {}


def test_a_chain_gives_the_first_existing_value_or_its_last_one() -> None:
    chain = {
        "@if": {
            "exists": path("$.a"),
            "then": path("$.a"),
            "else": {"@if": {"blank": path("$.b"), "then": path("$.b"), "else": path("$.c")}},
        }
    }
    assert mapped(chain, {"a": 0, "b": 1}) == 0
    assert mapped(chain, {"a": None, "b": 1}) == 1
    assert mapped(chain, {"b": 0, "c": None}) is None
    assert mapped(chain, {"b": ""}) is UNDEFINED


BLANK: list[Json] = [None, "", " \t\n", "\ufeff", [], {}]
NOT_BLANK: list[Json] = ["x", " x ", 0, 0.0, False, True, [None], [""], [[]], {"a": None}]


def inline_and_alone(candidates: Json) -> list[Json]:
    """Write ``@first`` where it is part of a generated function, and where it is not."""
    first = {"@first": candidates}
    return [first, {"@literal": first}]


@pytest.mark.parametrize("value", BLANK)
def test_first_skips_what_is_blank(value: Json) -> None:
    for first in inline_and_alone(["$.a", {"@path": "$.b"}]):
        assert mapped(first, {"a": value, "b": "other"}) == "other"
        assert mapped(first, {"a": "one", "b": value}) == "one"
        assert mapped(first, {"a": value, "b": value}) is UNDEFINED
        assert mapped(first, {"b": value}) is UNDEFINED


@pytest.mark.parametrize("value", NOT_BLANK)
def test_first_takes_what_is_not_blank(value: Json) -> None:
    for first in inline_and_alone(["$.a.b", "$.b"]):
        assert mapped(first, {"a": {"b": value}, "b": "other"}) == value
        assert mapped(first, {"b": value, "a": "text"}) == value


def test_first_takes_any_directive() -> None:
    candidates = [
        {"@template": "{{a}}"},
        {"@case": {"operator": "upper", "value": path("$.b")}},
        {"@literal": "unknown"},
    ]
    for first in inline_and_alone(candidates):
        assert mapped(first, {"a": "x", "b": "y"}) == "x"
        assert mapped(first, {"b": "y"}) == "Y"
        assert mapped(first, {}) == "unknown"


def test_first_may_be_the_end_of_an_if_and_a_candidate_of_another_first() -> None:
    chain = {"@if": {"exists": path("$.a"), "then": path("$.a"), "else": {"@first": ["$.b"]}}}
    assert mapped(chain, {"a": "", "b": "x"}) == ""
    assert mapped(chain, {"b": "x"}) == "x"
    assert mapped(chain, {"b": " "}) is UNDEFINED
    nested = {"@first": [{"@first": ["$.a", "$.b"]}, chain, "$."]}
    assert mapped(nested, {"b": "x"}) == "x"
    assert mapped(nested, {"c": 1}) == {"c": 1}


def test_array_path_maps_each_item() -> None:
    shape = {"content_id": path("$.id"), "price": path("$.price")}
    assert mapped({"@arrayPath": ["$.properties.products", shape]}) == [
        {"content_id": 1, "price": 2},
        {"content_id": 2},
        {"content_id": None, "price": None},
        {},
    ]


def test_array_path_maps_an_object_as_one_item_and_keeps_other_values() -> None:
    shape = {"name": path("$.name")}
    assert mapped({"@arrayPath": ["$.properties", shape]}) == [{"name": "Hat"}]
    assert mapped({"@arrayPath": ["$.type", shape]}) == "track"
    assert mapped({"@arrayPath": ["$.missing", shape]}) is UNDEFINED
    assert mapped({"@arrayPath": ["$.properties.tags"]}) == ["a", "b"]
    assert mapped({"@arrayPath": ["$.properties.tags", {}]}) == ["a", "b"]


def test_array_path_distinguishes_undefined_items_from_null() -> None:
    items = {"@literal": [path("$.missing"), path("$.properties.nothing")]}
    assert mapped({"@arrayPath": [items, {"it": path("$.")}]}) == [{}, {"it": None}]
    assert mapped({"@arrayPath": [items]}) == [None, None]


def test_case_changes_text_only() -> None:
    assert mapped({"@case": {"operator": "upper", "value": path("$.type")}}) == "TRACK"
    assert mapped({"@case": {"operator": "lower", "value": path("$.properties.price")}}) == 12.0


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"pattern": "."}, "abA"),
        ({"pattern": ".", "replacement": "-", "global": False}, "a-b.A"),
        ({"pattern": "A", "replacement": "x", "ignorecase": True}, "x.b.x"),
        ({"pattern": "b", "replacement": "[$&$$$1]"}, "a.[b$$1].A"),
        ({"pattern": "a", "replacement": "1", "pattern2": "1.", "replacement2": "2"}, "2b.A"),
        ({"pattern": "a", "pattern2": "b"}, "..A"),
    ],
)
def test_replace(options: dict[str, Json], text: str) -> None:
    """The pattern is plain text; a replacement may use JavaScript's `$&`."""
    assert mapped({"@replace": {**options, "value": path("$.a")}}, {"a": "a.b.A"}) == text


def test_replace_prints_numbers_and_gives_empty_text_for_other_types() -> None:
    options = {"pattern": "1", "replacement": "x", "value": path("$.a")}
    assert mapped({"@replace": options}, {"a": 1.0}) == "x"
    assert mapped({"@replace": options}, {"a": [1]}) == ""
    assert mapped({"@replace": options}, {}) == ""


def test_merge_prefers_the_given_direction() -> None:
    objects = [{"a": 1, "b": 1}, path("$.o"), path("$.none")]
    event = {"o": {"a": 2}, "none": None}
    assert mapped({"@merge": {"direction": "right", "objects": objects}}, event) == {"a": 2, "b": 1}
    assert mapped({"@merge": {"direction": "left", "objects": objects}}, event) == {"a": 1, "b": 1}


def test_an_undefined_member_still_overwrites_in_a_merge() -> None:
    """`Object.assign` copies undefined members too; what is undefined at the end is left out."""
    objects = [{"a": 1}, {"a": path("$.missing")}]
    assert mapped({"@merge": {"direction": "right", "objects": objects}}) == {}


def test_transform_maps_the_result_of_apply() -> None:
    options = {"apply": {"x": path("$.type")}, "mapping": {"y": path("$.x"), "z": path("$.type")}}
    assert mapped({"@transform": options}) == {"y": "track"}


def test_flatten_joins_the_keys() -> None:
    value = {"a": {"b": [1, {"c": 2}], "empty": {}}, "d": None}
    flatten = {"separator": "_", "value": path("$.v")}
    assert mapped({"@flatten": flatten}, {"v": value}) == {"a_b_0": 1, "a_b_1_c": 2, "d": None}
    flatten_objects = {"@flatten": {**flatten, "omitArrays": True}}
    assert mapped(flatten_objects, {"v": value}) == {"a_b": [1, {"c": 2}], "d": None}
    assert mapped({"@flatten": flatten}, {"v": 5}) == {"": 5}


def test_json_encodes_like_javascript() -> None:
    value = {"a": [1.0, 1e-7, None, True], "ü": 'q"\n', "lone": "\ud83d"}
    text = mapped({"@json": {"mode": "encode", "value": path("$.v")}}, {"v": value})
    assert text == '{"a":[1,1e-7,null,true],"ü":"q\\"\\n","lone":"\\ud83d"}'
    assert mapped({"@json": {"mode": "encode", "value": path("$.missing")}}) is UNDEFINED


@pytest.mark.parametrize(
    ("text", "value"),
    [("[1]", [1]), ("nope", "nope"), ("NaN", "NaN"), (5, 5), ("[" * 200 + "]" * 200, UNDEFINED)],
)
def test_json_decodes_text_and_keeps_other_values(text: Json, value: Json) -> None:
    assert mapped({"@json": {"mode": "decode", "value": path("$.v")}}, {"v": text}) == value


def test_exclude_when_null() -> None:
    value = {"a": None, "b": {"c": None, "d": [None]}}
    assert mapped({"@excludeWhenNull": path("$.v")}, {"v": value}) == {"b": {"d": [None]}}
    assert mapped({"@excludeWhenNull": path("$.v")}, {"v": None}) is UNDEFINED


def test_literal_resolves_nested_directives() -> None:
    assert mapped({"@literal": {"a": path("$.type"), "b": None}}) == {"a": "track", "b": None}


def test_metadata_beside_a_directive_is_ignored() -> None:
    assert mapped({"@path": "$.type", "_metadata": {"label": "x"}}) == "track"


def test_the_other_fields_map_the_result_of_the_root_directive() -> None:
    """Segment's `__segment_internal_directive` has the other fields for its `mapping`."""
    fields = {
        "__segment_internal_directive": {"@transform": {"apply": {"x": path("$.type")}}},
        "y": path("$.x"),
    }
    assert compile_fields(fields, Location(Diagnostics(), "Test"))(EVENT) == {"y": "track"}


DEEP = json.loads('{"a":' * 900 + "1" + "}" * 900)
for _ in range(5000):
    DEEP = {"a": DEEP, "b": 1}


@pytest.mark.parametrize(
    "directive",
    [
        {"@flatten": {"separator": ".", "value": path("$.")}},
        {"@json": {"mode": "encode", "value": path("$.")}},
        {"@excludeWhenNull": path("$.")},
    ],
)
def test_a_value_nested_too_deeply_is_undefined_for_directives_that_walk_it(
    directive: Json,
) -> None:
    diagnostics = Diagnostics()
    evaluate = compile_fields({"it": directive}, Location(diagnostics, "Test"))
    assert evaluate(DEEP) == {}


def test_a_value_nested_too_deeply_passes_all_other_directives() -> None:
    merge = {"@merge": {"direction": "right", "objects": [path("$."), {"x": path("$.a.a")}]}}
    evaluate = compile_fields({"it": merge, "path": path("$.a")}, Location(Diagnostics(), "Test"))
    result = evaluate(DEEP)
    assert result["path"] is DEEP["a"]
    assert set(result["it"]) == {"a", "b", "x"}


def test_numbers_of_any_size_print() -> None:
    assert mapped({"@template": "{{n}}"}, {"n": 10**5000}) == "Infinity"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"@path": 5}, "it/@path: must be a string or a directive; got a number"),
        ({"@path": "$.a", "b": 1}, 'it: must have one key that starts with "@"'),
        ({"@path": "$.a", "@template": ""}, 'except "_metadata"; got "@path", "@template"'),
        ({"@liquid": "{{x}}"}, "it: @liquid is not supported; use one of: @arrayPath, @case"),
        ({"@oops": 1}, "it: @oops is not a directive"),
        ([{"a": {"@oops": 1}}], "it/0/a: @oops is not a directive"),
        ({"@if": {"then": 1}}, 'it/@if: must have "exists" or "blank"'),
        (
            {"@if": path("$.a")},
            "it/@if: must be an object with exists, blank, then, else; got a directive",
        ),
        ({"@arrayPath": "$.a"}, "it/@arrayPath: must be [path, shape]; got a string"),
        ({"@arrayPath": []}, "it/@arrayPath: must be [path, shape]; got an empty array"),
        ({"@case": {"value": "a"}}, "it/@case/operator: must be one of: lower, upper; got nothing"),
        ({"@replace": {"pattern": "a"}}, 'it/@replace: must have "value"'),
        (
            {"@replace": {"pattern": "", "value": "x"}},
            "it/@replace/pattern: must have 1 to 10 characters; got 0",
        ),
        ({"@replace": {"pattern": "a" * 11, "value": "x"}}, "must have 1 to 10 characters; got 11"),
        (
            {"@replace": {"pattern": "a", "value": "x", "global": 1}},
            "must be true or false; got a number",
        ),
        (
            {"@merge": {"direction": "up", "objects": []}},
            'it/@merge/direction: must be one of: left, right; got "up"',
        ),
        ({"@merge": {"direction": "left", "objects": [1]}}, "it/@merge/objects/0: must be an"),
        ({"@merge": {"direction": "left", "objects": {}}}, "it/@merge/objects: must be an array"),
        ({"@transform": {"apply": {}}}, "it/@transform/mapping: must be an object or"),
        (
            {"@flatten": {"value": 1}},
            "it/@flatten/separator: must be a string that is not empty; got nothing",
        ),
        ({"@flatten": {"separator": "."}}, 'it/@flatten: must have "value"'),
        (
            {"@json": {"mode": "both", "value": 1}},
            'it/@json/mode: must be one of: encode, decode; got "both"',
        ),
        ({"@json": {"mode": "encode"}}, 'it/@json: must have "value"'),
        ({"@first": "$.a"}, "it/@first: must be an array of paths and directives; got a string"),
        ({"@first": []}, "it/@first: must be an array of paths and directives; got an empty array"),
        ({"@first": ["$.a", "b"]}, 'it/@first/1: must be a path that starts with "$.", or a direc'),
        ({"@first": [5]}, 'or a directive; got a number; write a literal as {"@literal": …}'),
        ({"@first": [{"a": path("$.a")}]}, "it/@first/0: must be a path that starts with"),
        ({"@first": ["$.a", {"@path": 5}]}, "it/@first/1/@path: must be a string or a directive"),
    ],
)
def test_a_directive_that_can_never_work_does_not_load(value: Json, problem: str) -> None:
    found = problems(value)
    assert len(found) == 1
    assert problem in found[0]


def test_all_problems_are_found_at_once() -> None:
    assert len(problems({"a": {"@path": 1}, "b": {"@template": None}})) == 2


def test_a_mapping_nested_too_deeply_does_not_load() -> None:
    value: Json = 1
    for _ in range(5000):
        value = {"a": value}
    assert problems(value) == ['"Test": must not be nested deeper than 100 levels']


def test_an_unknown_key_of_a_directive_is_a_warning() -> None:
    diagnostics = Diagnostics()
    compile_fields({"it": {"@if": {"exists": 1, "esle": 2}}}, Location(diagnostics, "Test"))
    (warning,) = diagnostics.warnings
    assert str(warning) == (
        '"Test": it/@if: unknown key "esle" is ignored; known keys: exists, blank, then, else'
    )


def test_a_traceback_shows_the_generated_line() -> None:
    class Broken(dict[str, Json]):
        def get(self, *_: Json) -> Json:
            raise RuntimeError

    fields = {"a": {"@path": "$.properties.a"}, "b": {"@path": "$.context.b"}}
    evaluate = compile_fields(fields, Location(Diagnostics(), "Test"))
    with pytest.raises(RuntimeError) as raised:
        evaluate(Broken())
    shown = "".join(traceback.format_exception(raised.value))
    assert 'File "<mapping ' in shown
    assert "if 'properties' not in o0: o1 = EMPTY" in shown
