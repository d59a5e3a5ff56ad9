"""The forms of a batch, what signs them, and the second factor."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.conftest import StartApplication
from tools.sandbox import samples
from tools.sandbox.application import FOLDER, ForwardApplication
from tools.sandbox.aws import AwsSandbox
from tools.sandbox.samples import visits
from tools.sandbox.tiktok import TikTokSandbox


def post_signed_by(application: ForwardApplication, body: str, signed: str) -> tuple[int, Any]:
    answer = application.post(samples.http_event(body, samples.sign(signed.encode())))
    return answer.status, answer.body


@pytest.mark.parametrize("signed", ["whole", "first"])
def test_an_array_is_signed_whole_or_by_its_first_event(
    application: ForwardApplication, tiktok: TikTokSandbox, signed: str
) -> None:
    texts = [json.dumps(event) for event in visits(3)]
    body = f"[{', '.join(texts)}]"
    status, answer = post_signed_by(application, body, body if signed == "whole" else texts[0])
    assert (status, answer["forwarded"]) == (200, 3)
    assert len(tiktok.requests) == 1


def test_the_second_event_signs_nothing(
    application: ForwardApplication, tiktok: TikTokSandbox
) -> None:
    texts = [json.dumps(event) for event in visits(2)]
    status, _ = post_signed_by(application, f"[{','.join(texts)}]", texts[1])
    assert status == 401
    assert tiktok.requests == []


def test_the_extensible_webhook_wraps_events_and_signs_the_bare_first_one(
    application: ForwardApplication, tiktok: TikTokSandbox
) -> None:
    texts = [json.dumps(event) for event in visits(2)]
    wrapped = [f'{{"json": {text}}}' for text in texts]
    body = f"[{', '.join(wrapped)}]"
    status, answer = post_signed_by(application, body, texts[0])
    assert (status, answer["forwarded"]) == (200, 2)
    assert tiktok.event_ids == {"m-0", "m-1"}


def test_the_tracking_apis_batch_is_signed_whole(
    application: ForwardApplication, tiktok: TikTokSandbox
) -> None:
    assert application.send({"batch": visits(2)}).body["forwarded"] == 2
    assert tiktok.event_ids == {"m-0", "m-1"}


def test_more_than_four_thousand_events_go_out_in_requests_of_a_thousand(
    application: ForwardApplication, tiktok: TikTokSandbox
) -> None:
    answer = application.send(visits(4321))
    assert (answer.status, answer.body["forwarded"]) == (200, 4321)
    assert sorted(len(one.events) for one in tiktok.requests) == [321, 1000, 1000, 1000, 1000]


def test_bad_events_are_rejected_before_anything_is_sent(
    application: ForwardApplication, tiktok: TikTokSandbox
) -> None:
    good, old, anonymous = visits(3)
    old["timestamp"] = "2001-01-01T00:00:00Z"
    del anonymous["userId"]
    answer = application.send([good, old, anonymous, 5, None])
    assert [row["reason"] for row in answer.body["results"]] == [
        "tiktok_accepted",
        "event_time_too_old",
        "identifier_missing",
        "event_not_an_object",
        "event_not_an_object",
    ]
    assert tiktok.event_ids == {"m-0"}


def test_a_second_copy_is_ignored_unless_the_first_was_rejected(
    application: ForwardApplication, tiktok: TikTokSandbox
) -> None:
    (good,) = visits(1)
    bad = good | {"timestamp": "never"}
    answer = application.send([bad, good, good])
    assert [row["reason"] for row in answer.body["results"]] == [
        "event_time_unparsable",
        "tiktok_accepted",
        "duplicate_in_batch",
    ]
    assert len(tiktok.accepted) == 1


def test_a_bearer_token_is_demanded_by_the_template_alone(
    start: StartApplication, aws: AwsSandbox, tiktok: TikTokSandbox
) -> None:
    application = start(REQUIRE_BEARER_TOKEN="true")
    body = json.dumps(visits(1)[0])
    signature = samples.sign(body.encode())

    def post(authorization: str | None = None) -> tuple[int, str]:
        headers = {} if authorization is None else {"Authorization": authorization}
        event = samples.http_event(body, signature)
        answer = application.post(event | {"headers": event["headers"] | headers})
        return answer.status, answer.body.get("reason", "")

    assert post() == (503, "bearer_token_unavailable")
    aws.put_parameters({f"{FOLDER}/bearer-token": ("SecureString", "second-factor")})
    application = start(REQUIRE_BEARER_TOKEN="true")
    assert post() == (401, "bearer_token_invalid")
    assert post("Bearer wrong") == (401, "bearer_token_invalid")
    assert tiktok.requests == []
    assert post("Bearer second-factor") == (200, "")


def test_two_secrets_count_while_one_is_rotated(start: StartApplication, aws: AwsSandbox) -> None:
    aws.put_parameters({f"{FOLDER}/webhook-secret": ("SecureString", "new-secret\nold-secret\n")})
    application = start()
    body = json.dumps(visits(1)[0])
    for secret, status in (("new-secret", 200), ("old-secret", 200), ("older-secret", 401)):
        signature = samples.sign(body.encode(), secret)
        assert application.post(samples.http_event(body, signature)).status == status
