"""The fields of a mapping: unknown names are warnings, literals that cannot be sent problems."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import tiktok_pixel
from tests.recorded import Recorded
from tiktok_pixel.mapping import compile_mapping_set
from tiktok_pixel.mapping.diagnostics import Diagnostics, Location
from tiktok_pixel.mapping.errors import MappingProblem
from tiktok_pixel.mapping.fields import check_fields
from tiktok_pixel.tiktok import fields, schema
from tiktok_pixel.tiktok.events import EventContext, build_event
from tiktok_pixel.tiktok.fields import EVENT_SOURCES, FIELDS, Kind
from tiktok_pixel.tiktok.identifiers import MATCH_KEYS
from tiktok_pixel.tiktok.verticals import TRAVEL_FIELDS, VEHICLE_FIELDS
from tiktok_pixel.values.validation import InvalidEventError

NOW = 1_700_000_000


def check(fields: dict[str, Any]) -> Diagnostics:
    diagnostics = Diagnostics()
    check_fields(fields, schema, Location(diagnostics, "Cart"))
    return diagnostics


def warnings(**fields: Any) -> list[str]:
    return list(map(str, check(fields).warnings))


# ------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("fields", "warning"),
    [
        ({"emial": "x"}, "emial: unknown field, it is not sent; did you mean email?"),
        (
            {"Currency": "x"},
            "Currency: unknown field, it is not sent; did you mean cu",
        ),
        ({"orderId": "x"}, "orderId: unknown field, it is not sent; did you mean or"),
        ({"phone": "x"}, "phone: unknown field, it is not sent; did you mean phone_n"),
        ({"colour": {"@path": "$.c"}}, "colour: unknown field, it is not sent"),
        (
            {"address": {"zip": {"@path": "$.zip"}}},
            "address/zip: unknown field, it is not sent; did you mean zip_code?",
        ),
        (
            {"contents": {"@arrayPath": ["$.p", {"content_ids": {"@path": "$.id"}}]}},
            (
                "contents/@arrayPath/1/content_ids: unknown field, it is not sent; "
                "did you mean content_id?"
            ),
        ),
        ({"contents": [{"prize": 1}]}, "contents/0/prize: unknown field"),
        ({"lead_fields": {"lead": 1}}, "lead_fields/lead: unknown field"),
        ({"travel_fields": {"town": 1}}, "travel_fields/town: unknown field"),
        ({"vehicle_fields": {"colour": 1}}, "vehicle_fields/colour: unknown field"),
    ],
)
def test_an_unknown_field_is_a_warning(fields: dict[str, Any], warning: str) -> None:
    diagnostics = check(fields)
    (found,) = diagnostics.warnings
    assert str(found).startswith(f'"Cart": {warning}')
    assert not diagnostics.problems


def test_an_unknown_field_without_a_similar_one_has_no_suggestion() -> None:
    assert warnings(xyz=1) == ['"Cart": xyz: unknown field, it is not sent']


def test_keys_reserved_by_segment_are_ignored() -> None:
    assert warnings(__segment_internal_engage_force_full_sync=True) == []


def test_a_file_with_an_unknown_field_can_be_used() -> None:
    preset = {"name": "Cart", "subscribe": 'type = "track"', "mapping": {"event": "A", "emial": 1}}
    (warning,) = compile_mapping_set([preset], schema, source="test.json").warnings
    assert warning.startswith('"Cart": emial: unknown field')


def test_a_mapping_that_is_one_directive_names_no_fields() -> None:
    merge = {"@merge": {"direction": "left", "objects": [{"event": "A"}, {"@path": "$.p"}]}}
    preset = {"name": "Cart", "subscribe": 'type = "track"', "mapping": merge}
    assert compile_mapping_set([preset], schema, source="test.json").warnings == ()


# ------------------------------------------------------------------ literals


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (
            {"content_type": "car"},
            'content_type: must be one of: product, product_group; got "car"',
        ),
        (
            {"event_source": "radio"},
            'event_source: must be one of: web, offline, crm; got "radio"',
        ),
        (
            {"event_spec_type": "travel"},
            ('event_spec_type: must be one of: travel_fields, vehicle_fields; got "travel"'),
        ),
        ({"limited_data_use": "maybe"}, 'limited_data_use: must be true or false; got "maybe"'),
        ({"value": "much"}, 'value: must be an amount of money; got "much"'),
        ({"value": [1, 2]}, "value: must be an amount of money; got an array"),
        ({"num_items": 1.5}, "num_items: must be a whole number; got 1.5"),
        (
            {"email": "$.properties.email"},
            (
                'email: is the text "$.properties.email"; '
                'write {"@path": "$.properties.email"} to read it'
            ),
        ),
        (
            {"contents": {"@arrayPath": ["$.p", {"price": "$.price"}]}},
            (
                'contents/@arrayPath/1/price: is the text "$.price"; '
                'write {"@path": "$.price"} to read it'
            ),
        ),
        (
            {"order_id": "{{properties.id}}"},
            (
                'order_id: is the text "{{properties.id}}"; '
                'write {"@template": "{{properties.id}}"} to fill it in'
            ),
        ),
        ({"order_id": {"a": 1}}, "order_id: must be text; got an object"),
        ({"email": ["a@b.c", {}]}, "email/1: must be text; got an object"),
        ({"timestamp": "today"}, 'timestamp: must be a time in ISO 8601; got "today"'),
        ({"timestamp": 1700000000}, "timestamp: must be a time in ISO 8601; got 1700000000"),
        (
            {"contents": 5},
            (
                "contents: must be an object with price, quantity, content_category, "
                "content_id, content_name, brand; got a number"
            ),
        ),
        (
            {"contents": [{"price": "free"}]},
            'contents/0/price: must be an amount of money; got "free"',
        ),
        (
            {"contents": {"@arrayPath": ["$.p", {"quantity": 0.5}]}},
            "contents/@arrayPath/1/quantity: must be a whole number; got 0.5",
        ),
        (
            {"address": "Rome"},
            "address: must be an object with city, country, zip_code, state; got a string",
        ),
        ({"address": {"city": {"name": "Rome"}}}, "address/city: must be text; got an object"),
        (
            {"vehicle_fields": {"mileage_unit": "miles"}},
            ('vehicle_fields/mileage_unit: must be one of: MI, KM; got "miles"'),
        ),
        (
            {"content_type": {"@if": {"exists": {"@path": "$.t"}, "then": "a", "else": "product"}}},
            ('content_type/@if/then: must be one of: product, product_group; got "a"'),
        ),
        (
            {"content_type": {"@if": {"exists": {"@path": "$.t"}, "else": {"@literal": "b"}}}},
            ('content_type/@if/else/@literal: must be one of: product, product_group; got "b"'),
        ),
        (
            {"event": {"@if": {"exists": {"@path": "$.t"}, "then": "Add to Cart"}}},
            ("event/@if/then: must have letters, digits, underscores and dashes only; got ' '"),
        ),
    ],
)
def test_a_literal_that_can_never_be_sent_is_a_problem(
    fields: dict[str, Any], problem: str
) -> None:
    diagnostics = check(fields)
    assert [str(found) for found in diagnostics.problems] == [f'"Cart": {problem}']
    assert not diagnostics.warnings


def test_the_problem_of_an_unsupported_currency_lists_the_supported_ones() -> None:
    (problem,) = check({"currency": "BGN"}).problems
    accepted = ", ".join(sorted(fields.CURRENCIES))
    message = f'must be a currency that TikTok accepts ({accepted}); got "BGN"'
    assert problem == MappingProblem("Cart", "currency", message)


@pytest.mark.parametrize(
    "fields",
    [
        {"value": 5, "currency": "usd", "num_items": "2", "limited_data_use": 1},
        {"value": "5", "order_id": 17, "content_ids": "one", "email": ["a@b.c", "d@e.f"]},
        {"content_type": "", "value": None, "contents": None, "address": "", "currency": " "},
        {"content_type": {"@if": {"blank": {"@path": "$.t"}, "then": "product", "else": 0}}},
        {"content_ids": [{"@path": "$.a"}, {"@path": "$.b"}], "order_id": [{"@path": "$.o"}]},
        {"contents": [{"content_id": {"@path": "$.a"}}, {"price": 5}]},
        {"contents": {"@path": "$.contents"}, "address": {"@path": "$.address"}},
        {"contents": {"@arrayPath": ["$.products"]}, "external_ids": [{"id": 1, "type": "email"}]},
        {"event": {"@path": "$.event"}, "timestamp": "2026-01-02T03:04:05Z"},
        {"event": {"@literal": "AddToCart"}, "lead_id": 5, "lead_event_source": "HubSpot"},
    ],
)
def test_literals_that_can_be_sent_are_accepted(fields: dict[str, Any]) -> None:
    diagnostics = check(fields)
    assert (diagnostics.problems, diagnostics.warnings) == ([], [])


def test_the_default_fields_are_known() -> None:
    diagnostics = check(schema.default_fields())
    assert (diagnostics.problems, diagnostics.warnings) == ([], [])


# ------------------------------------------------------------------ agreement with what is sent


def test_the_schema_has_exactly_the_fields_that_are_sent() -> None:
    """Every field is looked up once, and so is every member of the objects among them."""
    asked: Counter[str] = Counter()
    for event_source, vertical in (
        ("web", "travel_fields"),
        ("web", "vehicle_fields"),
        ("crm", ""),
    ):
        objects = {
            name: Recorded({"lead_id": 1, "content_id": 1})
            for name in (
                "address",
                "contents",
                "travel_fields",
                "vehicle_fields",
                "lead_fields",
                "ad",
            )
        }
        fields = Recorded(
            {
                "event": "Lead",
                "external_id": "u",
                "event_source": event_source,
                "event_spec_type": vertical,
                "url": "https://www.example.com/",
                **objects,
            }
        )
        build_event(fields, None, EventContext("m", NOW))
        asked.update(fields.asked)
        asked.update(f"{name}/{key}" for name, part in objects.items() for key in part.asked)
    for row in MATCH_KEYS:
        asked[f"address/{row.source}" if row.source in FIELDS["address"] else row.source] += 1
    del asked["url_ttclid"]  # computed from the URL
    known = set(FIELDS) - {"lead_id", "lead_event_source"}
    for name, kind in FIELDS.items():
        members = kind[0] if isinstance(kind, list) else kind
        if isinstance(members, dict):
            known |= {f"{name}/{member}" for member in members}
    assert set(asked) == known


VALUES: tuple[Any, ...] = (
    *("a", "product", "product_group", "in_store", "curbside", "home_delivery", "web", "crm"),
    *("offline", "radio", "eco", "New", "Automatic", "SUV", "Flex", "AWD", "Good", "MI", "new"),
    *("5", " 5 ", "$5", "1e3", "0x10", "1.5", "2.0", "9007199254740993", "1e999", "NaN"),
    *("true", "false", "True", "yes", "USD", "usd", " eur ", "BGN", "USD EUR"),
    *(0, 1, 2, -1, 1.5, 2.0, 1e21, 2**53, 2**53 + 1, 10**400, float("inf"), True, False),
    *([], [5], ["5"], ["a"], ["product"], ["USD"], [True], [None], [[5]], [1, 2], [{}], {}),
    *({"a": 1}, None, "", " ", "\ufeff"),
)


def is_refused(name: str, value: Any) -> bool:
    return bool(check({name: value}).problems)


def is_left_out(code: str, **fields: Any) -> bool:
    """Whether `build_event` reports the field as unusable."""
    complete = {"event": "Lead", "external_id": "u", "url": "https://www.example.com/", **fields}
    try:
        _, problems = build_event(complete, None, EventContext("m", NOW))
    except InvalidEventError as error:
        return error.problem.field == code
    general = ("missing", "placeholder", "without_ip")  # not about the type
    return any(problem.field == code and problem.rule not in general for problem in problems)


SCALARS = {
    name: {"url": "page_url", "referrer": "page_referrer"}.get(name, name)
    for name, kind in FIELDS.items()
    if isinstance(kind, tuple) or kind in ("text", "integer", "boolean", "currency", "amount")
}
# It has a shape besides its type.
SHAPED = {"ip"}


@pytest.mark.parametrize("name", sorted(SCALARS.keys() - SHAPED - {"lead_id", "lead_event_source"}))
def test_a_literal_is_refused_exactly_when_the_same_value_of_an_event_is_left_out(
    name: str,
) -> None:
    differing = [
        value
        for value in VALUES
        if is_refused(name, value) != is_left_out(SCALARS[name], **{name: value})
    ]
    assert differing == []


@pytest.mark.parametrize("member", FIELDS["contents"][0])  # type: ignore[index]
def test_the_same_holds_for_contents(member: str) -> None:
    differing = [
        value
        for value in VALUES
        if is_refused("contents", {member: value})
        != is_left_out(member, contents=[{member: value}], currency="USD")
    ]
    assert differing == []


@pytest.mark.parametrize(
    ("vertical", "member"),
    [
        *(("travel_fields", member) for member in TRAVEL_FIELDS),
        *(("vehicle_fields", member) for member in VEHICLE_FIELDS),
    ],
)
def test_the_same_holds_for_travel_and_vehicles(vertical: str, member: str) -> None:
    differing = [
        value
        for value in VALUES
        if is_refused(vertical, {member: value})
        != is_left_out(
            vertical.removesuffix("_fields"),
            event_spec_type=vertical,
            **{vertical: {member: value}},
        )
    ]
    assert differing == []


def choices(kind: Kind) -> dict[str, tuple[str, ...]]:
    return {name: of for name, of in kind.items() if isinstance(of, tuple)}  # type: ignore[union-attr]


def test_every_choice_can_be_sent() -> None:
    assert FIELDS["event_source"] == EVENT_SOURCES == ("web", "offline", "crm")
    for vertical, coercions in (
        ("travel_fields", TRAVEL_FIELDS),
        ("vehicle_fields", VEHICLE_FIELDS),
    ):
        for member, words in choices(FIELDS[vertical]).items():
            assert [coercions[member](word) for word in words] == list(words)


def test_a_valid_file_does_not_import_difflib() -> None:
    """Every cold start would pay for it."""
    program = (
        "import sys; from tiktok_pixel.mapping import load_mapping_set; "
        "from tiktok_pixel.tiktok import schema; "
        "load_mapping_set(schema.shipped('full'), schema); sys.exit('difflib' in sys.modules)"
    )
    layer = str(Path(tiktok_pixel.__file__).parents[1])
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": layer})
