"""Metrics and log lines of a request."""

from __future__ import annotations

from typing import Any

from tests.integration.conftest import StartCustom
from tests.integration.harness import Forward, Output, World, preset
from tiktok_pixel import observability
from tools.sandbox import faults, samples


def test_the_metrics_of_a_batch(application: Forward, output: Output) -> None:
    application.send([samples.read(name) for name in samples.names()])

    metrics = output.metrics
    assert metrics.pop("TikTokLatency") > 0
    assert metrics == {
        "EventsReceived": 12,
        "EventsForwarded": 9,
        "EventsForwarded[AddPaymentInfo]": 1,
        "EventsForwarded[AddToCart]": 2,
        "EventsForwarded[AddToWishlist]": 1,
        "EventsForwarded[InitiateCheckout]": 1,
        "EventsForwarded[PlaceAnOrder]": 2,
        "EventsForwarded[Search]": 1,
        "EventsForwarded[ViewContent]": 1,
        "PurchasesForwarded": 2,
        "EventsIgnored": 1,
        "ValidationFailure": 7,
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

    line, _ = output.logs
    assert line["message_id"] == "sample-search"
    assert line["status"] == "forwarded"
    assert line["tiktok"][0]["request_id"]


def logged(output: Output, message: str) -> list[dict[str, Any]]:
    """Return the log lines with a message, without what every line has."""
    general = {"level", "location", "timestamp", "service", "message", "sampling_rate"}
    context = {"cold_start", "xray_trace_id"}
    return [
        {
            key: value
            for key, value in line.items()
            if key not in general | context and not key.startswith("function_")
        }
        for line in output.logs
        if line["message"] == message
    ]


def test_the_log_of_a_batch_counts_by_tiktok_event_what_the_events_have(
    application: Forward, output: Output
) -> None:
    output.clear()
    cart = samples.read("add-to-cart")
    worse = {**cart, "messageId": "m-2", "properties": {"price": "1,234", "email": "nobody"}}
    application.send([cart, worse, samples.read("search"), samples.read("ignored-identify")])

    everybody = ("email", "phone", "external_id", "first_name", "last_name", "ip", "user_agent")
    address = ("locale", "city", "state", "zip_code", "country")
    assert logged(output, "tiktok_event") == [
        {
            "event": "AddToCart",
            "events": 2,
            **{f"with_{key}": 2 for key in (*everybody, *address, "ttp")},
            "with_value": 1,
            "problem_price_ambiguous": 1,
        },
        {"event": "Search", "events": 1, "with_external_id": 1, "with_ip": 1}
        | {f"with_{key}": 1 for key in ("user_agent", "locale")},
    ]
    (request,) = logged(output, "request")
    assert (request["events"], request["ignored_not_mapped"]) == (4, 1)
    assert (request["tiktok_calls"], request["tiktok_codes"]) == (1, "0")


def test_an_event_name_that_an_event_computes_is_counted_as_other(
    custom: StartCustom, output: Output
) -> None:
    computed = {"@path": "$.properties.event_name"}
    literal = preset("BigCart", name="Literal", subscribe='event = "Big Cart"')
    application = custom(preset("unused", fields={"event": computed}), literal)
    output.clear()
    names = ["Search", "Invented1", "Invented2", "BigCart"]
    cart = samples.read("add-to-cart")
    application.send(
        [{**cart, "messageId": name, "properties": {"event_name": name}} for name in names]
    )

    rows = logged(output, "tiktok_event")
    assert {row["event"]: row["events"] for row in rows} == {"Search": 1, "other": 2, "BigCart": 1}
    metrics = output.metrics
    assert {name for name in metrics if name.startswith("EventsForwarded[")} == {
        "EventsForwarded[Search]",
        "EventsForwarded[other]",
        "EventsForwarded[BigCart]",
    }
    assert metrics["EventsForwarded[other]"] == 2


def test_an_event_that_lost_a_field_has_a_log_row_of_its_own(
    application: Forward, output: Output
) -> None:
    output.clear()
    application.send(
        [samples.read(name) for name in ("partly-unusable", "search", "rejected-too-old")]
    )

    assert logged(output, "event") == [
        {
            "message_id": "sample-partly-unusable",
            "status": "forwarded",
            "reason": "tiktok_accepted",
            "event": "AddToCart",
            "match_keys": "external_id ip user_agent locale",
            "problems": "email_not_an_address phone_not_valid price_not_a_number "
            "currency_not_supported",
        },
        {
            "message_id": "sample-rejected-too-old",
            "status": "rejected",
            "reason": "event_time_too_old",
            "event": "AddToCart",
            "match_keys": "",
            "problems": "event_time_too_old",
        },
    ]


def test_at_level_debug_the_stages_are_timed(application: Forward, output: Output) -> None:
    level = observability.logger.log_level
    observability.logger.setLevel("DEBUG")
    try:
        application.send(samples.read("search"))
    finally:
        observability.logger.setLevel(level)

    timings = [line for line in output.logs if line["message"] == "timings"]
    stages = {key for line in timings for key in line if key.endswith("_ms")}
    assert stages == {"map_ms", "deliver_ms", "park_ms"}
    assert all(line[stage] >= 0 for line in timings for stage in stages & line.keys())
