"""Segment events become outgoing events; the work for a body is bounded."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from tiktok_pixel.deadline import Deadline
from tiktok_pixel.mapping import MappingSet, compile_mapping_set, load_mapping_set
from tiktok_pixel.outcomes import Outcome, Status
from tiktok_pixel.preparing import prepare
from tiktok_pixel.settings import Settings
from tiktok_pixel.tiktok import schema
from tiktok_pixel.tiktok.outgoing import OutgoingEvent
from tools.sandbox.samples import visits

NOW: Final = 1_767_225_600.0
SETTINGS: Final = Settings("dev", "/tiktok-pixel")
DEFAULT: Final = load_mapping_set(schema.shipped("default"), schema)


def prepared(
    events: list[Any],
    mappings: MappingSet = DEFAULT,
    settings: Settings = SETTINGS,
    deadline: Deadline | None = None,
) -> tuple[list[Outcome | OutgoingEvent], list[str]]:
    """The rows, and the codes of the problems."""
    rows, problems = prepare(events, mappings, settings, NOW, deadline)
    return rows, [problem.code for problem in problems]


def item(row: Outcome | OutgoingEvent) -> dict[str, Any]:
    """The item of ``data[]`` of an event that is sent."""
    assert isinstance(row, OutgoingEvent)
    body: dict[str, Any] = json.loads(row.json)
    return body


def test_events_that_are_not_mapped_in_time_are_a_retry() -> None:
    """Segment sends them again; those that are mapped are delivered or parked."""
    ticks = iter(range(100))
    deadline = Deadline(3.0, lambda: next(ticks))

    rows, _ = prepared(visits(5), deadline=deadline)

    assert [isinstance(row, OutgoingEvent) for row in rows] == [True, True, True, False, False]
    assert {(row.status, row.reason) for row in rows if isinstance(row, Outcome)} == {
        (Status.RETRY, "budget_exhausted")
    }


def with_emails(number: int, count: int) -> dict[str, Any]:
    emails = [f"user-{number}-{index}@shop.example" for index in range(count)]
    return visits(1)[0] | {"messageId": f"m-{number}", "properties": {"email": emails}}


def emails_of(row: Outcome | OutgoingEvent) -> int:
    return len(item(row)["user"].get("email", []))


EMAILS: Final = compile_mapping_set(
    [
        {
            "name": "Own",
            "subscribe": 'type = "page"',
            "defaults": True,
            "mapping": {"event": "ViewContent", "email": {"@path": "$.properties.email"}},
        }
    ],
    schema,
    source="test",
)


def test_a_body_has_at_most_ten_thousand_further_identifiers() -> None:
    rows, problems = prepared([with_emails(number, 11) for number in range(1_001)], EMAILS)

    assert [emails_of(row) for row in rows] == [11] * 1_000 + [1]
    assert problems.count("email_too_many") == 1


def test_identifiers_of_later_candidates_count_too() -> None:
    events = [with_emails(number, 0) for number in range(1_001)]
    for number, event in enumerate(events):
        emails = with_emails(number, 11)["properties"]["email"]
        event |= {"properties": {"email": "none"}, "context": {"traits": {"email": emails}}}

    rows, problems = prepared(events)

    assert [emails_of(row) for row in rows] == [11] * 1_000 + [1]
    assert problems.count("email_too_many") == 1


def test_external_ids_count_as_further_identifiers() -> None:
    external_ids = [{"type": "email", "id": f"{index}@shop.example"} for index in range(41)]
    event = visits(1)[0] | {"context": {"externalIds": external_ids}}
    bodies = [event | {"messageId": f"m-{number}"} for number in range(251)]
    bodies[-1]["properties"] = {"email": ["own@shop.example"]}

    rows, problems = prepared(bodies)

    assert [emails_of(row) for row in rows] == [20] * 250 + [1]
    assert problems[-2:] == ["external_id_too_many", "page_url_missing"]


def test_the_first_identifier_of_each_kind_is_never_bounded() -> None:
    rows, problems = prepared([with_emails(number, 1) for number in range(10_000)], EMAILS)

    assert {emails_of(row) for row in rows} == {1}
    assert "email_too_many" not in problems


def test_an_event_is_sent_by_five_mappings_at_most() -> None:
    names = ["ViewContent", "Search", "AddToCart", "Contact", "Download", "Schedule", "Subscribe"]
    mappings = compile_mapping_set(
        [
            {
                "name": name,
                "subscribe": 'type = "page"',
                "defaults": True,
                "mapping": {"event": name},
            }
            for name in names
        ],
        schema,
        source="test",
    )

    rows, _ = prepared(visits(1), mappings)

    assert [item(row)["event"] for row in rows[:5]] == names[:5]
    assert rows[5:] == [
        Outcome("m-0", Status.IGNORED, "too_many_mappings", name) for name in names[5:]
    ]


@pytest.mark.parametrize(
    "context", [{}, {"page": {"url": " "}}, {"page": {"referrer": "https://a"}}]
)
def test_a_web_event_without_a_page_gets_the_default_one(context: dict[str, Any]) -> None:
    settings = Settings("dev", "/tiktok-pixel", default_page_url="https://shop.example/start")

    (row,), problems = prepared([visits(1)[0] | {"context": context}], settings=settings)

    assert item(row)["page"] == {"url": "https://shop.example/start"}
    assert "page_url_missing" in problems


def test_a_web_event_keeps_its_own_page() -> None:
    settings = Settings("dev", "/tiktok-pixel", default_page_url="https://shop.example/start")

    (row,), _ = prepared(visits(1), settings=settings)

    assert item(row)["page"] == {"url": "https://shop.example/"}


def test_without_a_default_page_the_event_has_none() -> None:
    (row,), problems = prepared([visits(1)[0] | {"context": {}}])

    assert "page" not in item(row)
    assert "page_url_missing" in problems
