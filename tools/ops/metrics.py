"""The metrics that the functions emit, described."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of the namespace `TikTokPixel`; the dimension `service` is always there.

    Attributes:
        name: Its name.
        unit: CloudWatch's unit.
        meaning: What it counts or measures.
        dimensions: Further dimensions of a second series beside the one with `service` alone.
    """

    name: str
    unit: str
    meaning: str
    dimensions: tuple[str, ...] = ()


METRICS: Final = (
    Metric("EventsReceived", "Count", "Segment events in authenticated requests."),
    Metric("EventsForwarded", "Count", "Events that TikTok accepted.", ("event",)),
    Metric("PurchasesForwarded", "Count", "Purchase, CompletePayment or PlaceAnOrder accepted."),
    Metric("EventsIgnored", "Count", "Events that nothing maps, or that must not be sent."),
    Metric("EventsRejected", "Count", "Events that can never be sent."),
    Metric("EventsParked", "Count", "Events put into the queue.", ("cause",)),
    Metric("EventsRetried", "Count", "Events that Segment was asked to send again."),
    Metric("ParkedEvents", "Count", "Events that an invocation left in the queue.", ("cause",)),
    Metric("OldestParkedHours", "None", "Hours since the oldest of them was parked.", ("cause",)),
    Metric("RedrivenForwarded", "Count", "Parked events that TikTok accepted."),
    Metric("RedrivenWaiting", "Count", "Attempts of parked events that have to wait."),
    Metric("RedrivenRejected", "Count", "Parked events that were given up."),
    Metric("UnreadableMessages", "Count", "Messages of the queue that cannot be read."),
    Metric("ValidationFailure", "Count", "Fields that were left out.", ("field", "reason")),
    Metric("TikTokError", "Count", "Calls that TikTok did not accept.", ("code",)),
    Metric("TikTokLatency", "Milliseconds", "Duration of one call to TikTok."),
    Metric("AuthenticationFailure", "Count", "Requests that were not authenticated.", ("reason",)),
    Metric("AuthenticationUnavailable", "Count", "Requests that could not be authenticated."),
    Metric("RequestsRefused", "Count", "Requests with an unreadable or too large body."),
    Metric("ColdStarts", "Count", "First requests of an environment of ForwardFunction."),
    Metric("InternalError", "Count", "Unexpected errors.", ("function_name", "function_version")),
)
