"""Log lines and metrics have AWS's formats, are bounded, and hold no personal data."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

import pytest

from tiktok_pixel import observability


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the logger writes."""
    written = io.StringIO()
    handler: Any = observability.logger.registered_handler
    before, handler.stream = handler.stream, written
    yield written
    handler.stream = before


@pytest.fixture(autouse=True)
def _metrics(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "TikTokPixel")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "tiktok-pixel-test")
    observability.metrics.clear_metrics()
    yield
    observability.metrics.clear_metrics()


def collected() -> dict[str, list[float]]:
    """The values of the metrics that are emitted at the end of the invocation."""
    return {
        name: values["Value"] for name, values in observability.metrics.provider.metric_set.items()
    }


def test_counters_add_up_and_zero_is_not_counted() -> None:
    observability.count("EventsReceived", 3)
    observability.count("EventsReceived")
    observability.count("EventsRejected", 0)

    assert collected() == {"EventsReceived": [3.0, 1.0]}


def test_durations_are_milliseconds() -> None:
    observability.time_taken("TikTokLatency", [0.01234, 1.5])

    assert collected() == {"TikTokLatency": [12.3, 1500.0]}


def test_a_counter_with_dimensions_is_a_line_in_the_embedded_metric_format() -> None:
    with redirect_stdout(io.StringIO()) as written:
        observability.count_by("ValidationFailure", 2, {"field": "price", "reason": "not_a_number"})

    line = json.loads(written.getvalue())
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "TikTokPixel"
    assert directive["Metrics"] == [{"Name": "ValidationFailure", "Unit": "Count"}]
    assert set(directive["Dimensions"][0]) >= {"field", "reason"}
    assert (line["field"], line["reason"], line["ValidationFailure"]) == (
        "price",
        "not_a_number",
        [2.0],
    )


def test_an_internal_error_is_logged_without_its_message(log: io.StringIO) -> None:
    def crash(value: Any) -> None:
        raise ValueError(f"bad value: {value}")

    try:
        crash("jane.doe@example.com")
    except ValueError as error:
        observability.report_crash(error)

    (line,) = log.getvalue().splitlines()
    assert "jane" not in line
    written = json.loads(line)
    assert (written["level"], written["error"]) == ("ERROR", "ValueError")
    assert written["stack"][-1].endswith(" crash")
    assert collected() == {"InternalError": [1.0]}


def test_a_log_line_is_json_with_level_timestamp_and_service(log: io.StringIO) -> None:
    observability.logger.info("request", extra={"message_id": "m-1"})

    written = json.loads(log.getvalue())
    assert written["message"] == "request"
    assert written["message_id"] == "m-1"
    assert {"level", "timestamp", "service"} <= written.keys()


def test_text_of_a_caller_is_logged_short_and_printable() -> None:
    assert observability.shown("\x1b[31mNo\n\u2028" + "x" * 500, 20) == "?[31mNo??" + "x" * 11


@pytest.mark.parametrize(("value", "shown"), [(None, ""), (7, "7"), ("", "")])
def test_a_caller_may_have_no_text(value: object, shown: str) -> None:
    assert observability.shown(value, 20) == shown
