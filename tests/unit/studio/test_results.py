"""What the Result part shows is what the Lambda function would do."""

import hashlib
import time
from typing import Any

import pytest

from tiktok_pixel.settings import Settings
from tiktok_pixel.tiktok import schema
from tools.pixel.inspection import Origin
from tools.pixel.reasons import reason_in_words
from tools.sandbox.samples import read
from tools.studio.checking import check
from tools.studio.coverage import coverage_of
from tools.studio.mapping_files import read_mapping_file
from tools.studio.results import EventResult, MatchResult, result_of
from tools.studio.tracing import Trace

DEFAULT = check(read_mapping_file(schema.shipped("default")).presets)
NOW = time.time()
SETTINGS = Settings(stage="dev", parameter_prefix="/tiktok-pixel")
PERSON = {
    "type": "track",
    "event": "Product Added",
    "messageId": "m-1",
    "userId": " user-1 ",
    "context": {"ip": "10.0.0.1", "traits": {"email": " Anna@Example.COM ", "phone": "12"}},
    "properties": {"value": 5, "currency": "XXX"},
}


def result(event: dict[str, Any]) -> EventResult:
    return result_of(event, DEFAULT, SETTINGS, NOW)


def only_match(event: dict[str, Any]) -> MatchResult:
    (match,) = result(event).matches
    return match


def traces(event: dict[str, Any]) -> dict[str, Trace]:
    return {trace.field: trace for trace in only_match(event).traces}


def test_a_sample_is_sent_and_accepted_by_the_local_tiktok() -> None:
    match = only_match(read("order-completed"))
    assert (match.name, match.event_name, match.status) == (
        "Place an Order",
        "PlaceAnOrder",
        "sent",
    )
    assert match.is_accepted
    assert match.request is not None
    assert match.request["data"][0]["event"] == "PlaceAnOrder"


def test_each_hashed_value_is_the_hash_of_the_normalised_one_shown() -> None:
    email = traces(PERSON)["email"]
    assert email.paths == ("$.context.traits.email",)
    assert email.raw == " Anna@Example.COM "
    assert email.normalised == "anna@example.com"
    assert email.sent == [hashlib.sha256(b"anna@example.com").hexdigest()]
    assert email.place == "user.email"
    assert email.note == ""


def test_what_is_left_out_says_why() -> None:
    found = traces(PERSON)
    assert (found["ip"].sent, found["ip"].note) == (None, "not a public address")
    assert (found["phone_number"].sent, found["phone_number"].note) != (None, "")
    assert found["currency"].note == "not accepted by TikTok"
    assert found["value"].sent is None
    assert "currency" in found["value"].note


def test_a_field_with_nothing_in_the_event_names_the_paths_that_were_searched() -> None:
    ttclid = traces(PERSON)["ttclid"]
    assert ttclid.origin is Origin.NOTHING_FOUND
    assert "$.properties.ttclid" in ttclid.paths
    assert ttclid.note == "nothing found"


def test_the_first_usable_candidate_is_shown() -> None:
    event = {**PERSON, "properties": {"email": "nobody", "value": "much", "revenue": 7}}
    found = traces(event)
    assert found["email"].paths == ("$.context.traits.email",)
    assert found["email"].normalised == "anna@example.com"
    assert (found["value"].raw, found["value"].sent) == (7, 7)
    assert found["value"].paths == ("$.properties.revenue",)


def test_totals_computed_from_the_contents_are_named() -> None:
    products = [{"product_id": "a", "price": 3, "quantity": 2}]
    event = {
        **PERSON,
        "event": "Order Completed",
        "properties": {"products": products, "currency": "EUR"},
    }
    value = traces(event)["value"]
    assert (value.raw, value.sent, value.note) == (None, 6, "computed from the contents")


def test_a_click_id_of_the_page_url_is_named() -> None:
    page = {"url": "https://shop.example/?ttclid=abc"}
    ttclid = traces({**PERSON, "context": {"page": page}})["ttclid"]
    assert (ttclid.sent, ttclid.note) == ("abc", "taken from the page URL")


def test_contents_without_any_field_are_nothing() -> None:
    found = traces({**PERSON, "properties": {}})
    assert found["contents"].note == "nothing found"
    assert found["content_type"].note == "sent only with contents"


def test_members_of_an_address_are_fields_of_their_own() -> None:
    address = {"city": "New York", "country": "US"}
    event = {**PERSON, "traits": {"address": address}}
    found = traces(event)
    assert found["address.city"].normalised == "newyork" == found["address.city"].sent
    assert found["address.city"].paths == ("$.traits.address.city",)
    assert found["address.country"].sent == "us"


def test_a_digest_counts_as_hashed_already() -> None:
    digest = hashlib.sha256(b"a@b.c").hexdigest()
    event = {**PERSON, "context": {"traits": {"email": digest.upper()}}}
    email = traces(event)["email"]
    assert (email.normalised, email.sent) == ("(hashed already)", [digest])


def test_a_rejected_event_has_its_reason_and_no_request() -> None:
    match = only_match({"type": "track", "event": "Product Added", "messageId": "m"})
    assert (match.status, match.reason) == ("rejected", "identifier_missing")
    assert match.request is match.response is None
    assert reason_in_words(match.reason).startswith("Nothing in the event identifies a person")


def test_an_event_that_is_too_old_is_judged_by_the_given_time() -> None:
    event = {**PERSON, "timestamp": "2020-01-01T00:00:00Z"}
    assert only_match(event).reason == "event_time_too_old"
    (match,) = result_of(event, DEFAULT, SETTINGS, 1577836800.0).matches
    assert match.status == "sent"


def test_the_failing_condition_of_each_other_mapping_is_given() -> None:
    unmatched = {one.name: one for one in result(PERSON).unmatched}
    assert len(unmatched) == 6
    (failure,) = unmatched["Search"].failures
    assert (failure.condition, failure.actual) == (
        'event name is "Products Searched"',
        "Product Added",
    )


def test_a_mapping_that_is_off_has_no_failing_condition() -> None:
    checked = check(
        (
            {
                "name": "Off",
                "subscribe": 'event = "Product Added"',
                "enabled": False,
                "mapping": {"event": "Lead"},
            },
        )
    )
    (one,) = result_of(PERSON, checked, SETTINGS, NOW).unmatched
    assert (one.is_enabled, one.failures) == (False, ())


def test_mappings_with_problems_are_counted_and_left_out() -> None:
    broken = {"name": "Broken", "subscribe": "", "mapping": {"event": "Lead"}}
    found = result_of(PERSON, (*DEFAULT, *check((broken,))), SETTINGS, NOW)
    assert found.unusable == 1
    assert len(found.matches) == 1


@pytest.mark.parametrize("event", [{}, {"type": 5}, {"type": "track", "context": "text"}])
def test_any_object_has_a_result(event: dict[str, Any]) -> None:
    assert result(event).matches == ()


def test_coverage_counts_outcomes_and_match_keys() -> None:
    nobody = {"type": "track", "event": "Product Added", "messageId": "m"}
    found = coverage_of((PERSON, PERSON, nobody, {"type": "identify"}), DEFAULT, SETTINGS)
    assert (found.events, found.sent) == (4, 2)
    assert dict(found.outcomes) == {"forwarded": 2, "rejected": 1, "ignored": 1}
    shares = dict(found.shares)
    assert (shares["Email"], shares["Phone"], shares["Value"]) == (2, 0, 0)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("email_not_an_address", "Email: not a valid address."),
        ("order_id_missing", "Order id: missing."),
        ("something_new", "Something new."),
    ],
)
def test_every_reason_has_words(code: str, words: str) -> None:
    assert reason_in_words(code) == words
