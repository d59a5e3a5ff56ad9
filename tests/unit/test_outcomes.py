"""The response reports what happened to the events, and whether Segment should retry."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import Any, Final

import pytest

from tiktok_pixel.outcomes import (
    NO_SUMMARY,
    Outcome,
    Status,
    Summary,
    refusal_body,
    shown_message_id,
    summarise,
)

FORWARDED = Outcome("m-1", Status.FORWARDED, "tiktok_accepted", "AddToCart")
IGNORED = Outcome("m-2", Status.IGNORED, "not_mapped")
REJECTED = Outcome(None, Status.REJECTED, "message_id_missing")
PARKED = Outcome("m-4", Status.PARKED, "tiktok_token_invalid", "Search")
RETRY = Outcome("m-5", Status.RETRY, "tiktok_timeout", "Search")
THROTTLED = Outcome("m-6", Status.RETRY, "tiktok_throttled", "Search", throttled=True)


@pytest.mark.parametrize(
    ("outcomes", "http_status", "status"),
    [
        ([FORWARDED], 200, "forwarded"),
        ([IGNORED], 200, "ignored"),
        ([REJECTED], 400, "rejected"),
        ([PARKED], 202, "parked"),
        ([RETRY], 503, "retry"),
        ([THROTTLED], 429, "retry"),
        ([THROTTLED, THROTTLED], 429, "retry"),
        ([THROTTLED, RETRY], 503, "retry"),
        ([THROTTLED, PARKED, FORWARDED, REJECTED], 429, "retry"),
        ([FORWARDED, IGNORED, REJECTED, PARKED, RETRY], 503, "retry"),
        ([FORWARDED, IGNORED, REJECTED, PARKED], 202, "parked"),
        ([FORWARDED, IGNORED, REJECTED], 200, "forwarded"),
        ([IGNORED, REJECTED], 200, "ignored"),
        ([REJECTED, REJECTED], 400, "rejected"),
    ],
)
def test_one_status_covers_all_events(
    outcomes: list[Outcome], http_status: int, status: str
) -> None:
    for order in itertools.islice(itertools.permutations(outcomes), 24):
        code, body = summarise(order, [NO_SUMMARY] * len(order))

        assert (code, json.loads(body)["status"]) == (http_status, status)


def test_the_body_counts_and_lists_all_events() -> None:
    outcomes = [FORWARDED, IGNORED, REJECTED, PARKED, RETRY, THROTTLED]
    summary = Summary(("email", "ttclid"), has_value=True, problems=("phone_not_valid",))
    _, text = summarise(outcomes, [summary, *[NO_SUMMARY] * 5])
    body = json.loads(text)
    names = [(row.pop("match_keys"), row.pop("problems")) for row in body["results"]]

    assert names == [(["email", "ttclid"], ["phone_not_valid"]), *[([], [])] * 5]

    assert list(body) == [
        "status",
        "forwarded",
        "ignored",
        "rejected",
        "parked",
        "retry",
        "results",
    ]
    assert body == {
        "status": "retry",
        "forwarded": 1,
        "ignored": 1,
        "rejected": 1,
        "parked": 1,
        "retry": 2,
        "results": [
            {
                "message_id": "m-1",
                "status": "forwarded",
                "reason": "tiktok_accepted",
                "event": "AddToCart",
            },
            {"message_id": "m-2", "status": "ignored", "reason": "not_mapped", "event": None},
            {
                "message_id": None,
                "status": "rejected",
                "reason": "message_id_missing",
                "event": None,
            },
            {
                "message_id": "m-4",
                "status": "parked",
                "reason": "tiktok_token_invalid",
                "event": "Search",
            },
            {"message_id": "m-5", "status": "retry", "reason": "tiktok_timeout", "event": "Search"},
            {
                "message_id": "m-6",
                "status": "retry",
                "reason": "tiktok_throttled",
                "event": "Search",
            },
        ],
    }


MANY: Final = [
    Outcome(f"{number:05}-" + "x" * 94, status, "a_reason", "ViewContent")
    for number, status in enumerate(tuple(Status) * 2_000)
]


def test_rows_that_do_not_fit_are_counted() -> None:
    _, text = summarise(MANY, [NO_SUMMARY] * len(MANY))
    body = json.loads(text)

    assert len(text) < 1_000_000
    assert body["results_omitted"] == len(MANY) - len(body["results"]) > 0
    assert {status: body[status] for status in Status} == dict.fromkeys(Status, 2_000)


def test_the_most_important_rows_are_kept_in_the_order_of_the_events() -> None:
    _, text = summarise(MANY, [NO_SUMMARY] * len(MANY))
    rows = json.loads(text)["results"]

    kept = Counter(row["status"] for row in rows)
    assert kept["retry"] == kept["rejected"] == 2_000
    assert 0 < kept["parked"] < 2_000
    assert kept.keys() == {"retry", "rejected", "parked"}
    assert [row["message_id"] for row in rows] == sorted(row["message_id"] for row in rows)


def test_nine_thousand_short_rows_fit() -> None:
    outcomes = [Outcome("m", Status.PARKED, "r")] * 9_000
    body = json.loads(summarise(outcomes, [NO_SUMMARY] * 9_000)[1])

    assert len(body["results"]) == 9_000
    assert "results_omitted" not in body


def test_a_refusal_has_the_same_body_with_a_reason_and_without_events() -> None:
    assert json.loads(refusal_body(Status.REJECTED, "body_too_large")) == {
        "status": "rejected",
        "forwarded": 0,
        "ignored": 0,
        "rejected": 0,
        "parked": 0,
        "retry": 0,
        "results": [],
        "reason": "body_too_large",
    }


@pytest.mark.parametrize(
    ("message_id", "shown"),
    [
        ("ajs-next-1-9f8e", "ajs-next-1-9f8e"),
        ("", ""),
        ("x" * 100, "x" * 100),
        ("x" * 101, "x" * 100),
        ("a\nb\x00c\x1b[31m", "a?b?c?[31m"),
        ("größe", "gr??e"),
        ("a\ud83d\u2028", "a??"),
        (None, None),
        (5, None),
        (["m-1"], None),
    ],
)
def test_a_shown_message_id_is_short_and_printable(message_id: Any, shown: str | None) -> None:
    assert shown_message_id(message_id) == shown
