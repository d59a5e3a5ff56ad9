"""Metrics and log lines of a request."""

from __future__ import annotations

from tests.integration.harness import Forward, Output, World
from tools.sandbox import faults, samples


def test_the_metrics_of_a_batch(application: Forward, output: Output) -> None:
    application.send([samples.read(name) for name in samples.names()])

    metrics = output.metrics
    assert metrics.pop("TikTokLatency") > 0
    assert metrics == {
        "EventsReceived": 12,
        "EventsForwarded": 9,
        "EventsIgnored": 1,
        "EventsRejected": 2,
        # Left out of the event that has no identifier in the end.
        "ValidationFailure[ip,not_public]": 1,
        "ValidationFailure[identifier,missing]": 1,
        "ValidationFailure[event_time,too_old]": 1,
        "ValidationFailure[email,not_an_address]": 1,
        "ValidationFailure[phone,not_valid]": 1,
        "ValidationFailure[currency,not_supported]": 1,
        "ValidationFailure[price,not_a_number]": 1,
    }


def test_requests_that_tiktok_refuses_are_counted_by_code(
    world: World, application: Forward, output: Output
) -> None:
    world.tiktok.next(faults.answer(40100), faults.http(502))

    application.send(samples.read("search"))

    metrics = output.metrics
    assert metrics["TikTokError[40100]"] == 1
    assert metrics["TikTokError[tiktok_unavailable]"] == 1
    assert metrics["EventsForwarded"] == 1


def test_the_log_of_an_event_has_its_message_id_and_tiktoks_request_id(
    application: Forward, output: Output
) -> None:
    output.clear()
    application.send(samples.read("search"))

    (line,) = output.logs
    assert line["message_id"] == "sample-search"
    assert line["status"] == "forwarded"
    assert line["tiktok"][0]["request_id"]
