from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tiktok_pixel.aws.credentials import DEVELOPMENT_SECRET
from tiktok_pixel.segment.signature import is_signed
from tools.load.segment import Answer, Segment, is_retried
from tools.load.traffic import Post
from tools.sandbox.wire import Connection, HttpServer, Request, Response


class Endpoint:
    """Answers requests with what a function decides; None is no response."""

    def __init__(self, respond: Callable[[int], Response | None]) -> None:
        self._respond = respond
        self.requests: list[Request] = []
        self._lock = threading.Lock()

    @contextmanager
    def serving(self) -> Iterator[str]:
        with HttpServer(self._serve) as server:
            yield f"{server.url}/segment"

    def _serve(self, line: Connection) -> bool:
        request = line.read_request()
        if request is None:
            return False
        with self._lock:
            self.requests.append(request)
            response = self._respond(len(self.requests))
        if response is None:
            return False
        line.send(response.encode())
        return True


def deliver(endpoint: Endpoint, *posts: Post, **options: Any) -> tuple[Segment, list[Answer]]:
    answers: list[Answer] = []
    with endpoint.serving() as url:
        segment = Segment(url, answers.append, **options)
        segment.run(posts, 0.1, threading.Event())
    return segment, answers


def batch(count: int) -> Post:
    return Post([{"messageId": f"m-{number}"} for number in range(count)], is_batch=True, at=0.0)


def sent_ids(endpoint: Endpoint) -> list[list[str]]:
    return [[event["messageId"] for event in json.loads(one.body)] for one in endpoint.requests]


@pytest.mark.parametrize("status", [None, 408, 423, 429, 500, 502, 503, 504])
def test_statuses_that_segment_retries(status: int | None) -> None:
    assert is_retried(status)


@pytest.mark.parametrize("status", [200, 202, 301, 400, 401, 403, 404, 413, 422, 501])
def test_statuses_that_segment_does_not_retry(status: int) -> None:
    assert not is_retried(status)


def test_an_answer_has_the_outcome_of_each_event() -> None:
    rows = [{"message_id": "m-0", "status": "parked", "reason": "why", "event": None}]
    endpoint = Endpoint(lambda _: Response.of_json({"results": rows}, 202))
    _, (answer,) = deliver(endpoint, batch(1))
    assert (answer.status, answer.outcomes) == (202, {"m-0": ("parked", "why")})


def test_requests_are_signed_as_segment_does() -> None:
    endpoint = Endpoint(lambda _: Response(200, b"{}"))
    deliver(endpoint, batch(2), Post([{"messageId": "m-9", "é": "é"}], is_batch=False, at=1.0))
    assert len(endpoint.requests) == 2
    for request in endpoint.requests:
        assert is_signed(
            request.body.decode(), request.headers["x-signature"], (DEVELOPMENT_SECRET,)
        )


@pytest.mark.parametrize("failure", [Response(503, b"{}"), None])
def test_a_batch_that_failed_comes_again_in_other_batches(failure: Response | None) -> None:
    endpoint = Endpoint(lambda number: failure if number == 1 else Response(200, b"{}"))
    segment, answers = deliver(endpoint, batch(50), seed=3)
    first, *again = sent_ids(endpoint)
    assert len(again) == 2
    assert Counter(first) == Counter(again[0] + again[1])
    assert (segment.retries, segment.given_up) == (1, 0)
    assert [one.status for one in answers][1:] == [200, 200]


def test_what_segment_does_not_retry_is_sent_once() -> None:
    endpoint = Endpoint(lambda _: Response(400, b"not JSON"))
    segment, (answer,) = deliver(endpoint, batch(5))
    assert (answer.status, answer.outcomes, segment.retries) == (400, {}, 0)


def test_after_its_time_segment_gives_up() -> None:
    endpoint = Endpoint(lambda _: Response(500, b"{}"))
    segment, _ = deliver(endpoint, batch(3), retry_seconds=1.0)
    assert segment.given_up == 3
    assert len(endpoint.requests) > 2
