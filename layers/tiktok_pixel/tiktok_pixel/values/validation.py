"""What can be wrong with a value, in a closed vocabulary.

A problem names the field and the rule it breaks. Both come from short fixed lists, because
every pair becomes a CloudWatch metric series and a reason code that alarms and dashboards
rely on: adding one is a change of the interface, described in the README.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tiktok_pixel.errors import TikTokPixelError

FIELDS: Final = frozenset(
    {
        "type",
        "message_id",
        "event",
        "event_time",
        "event_id",
        "event_source",
        "limited_data_use",
        "test_event_code",
        "identifier",
        "email",
        "phone",
        "external_id",
        "first_name",
        "last_name",
        "city",
        "state",
        "country",
        "zip_code",
        "ip",
        "user_agent",
        "ttclid",
        "ttp",
        "locale",
        "page_url",
        "page_referrer",
        "lead",
        "currency",
        "value",
        "contents",
        "price",
        "quantity",
        "content_id",
        "content_ids",
        "content_type",
        "content_category",
        "content_name",
        "brand",
        "num_items",
        "order_id",
        "shop_id",
        "query",
        "search_string",
        "description",
        "delivery_category",
        "predicted_ltv",
        "travel",
        "vehicle",
    }
)

RULES: Final = frozenset(
    {
        "missing",
        "unparsable",
        "in_future",
        "too_old",
        "too_long",
        "not_a_string",
        "not_a_number",
        "not_an_integer",
        "not_a_boolean",
        "not_an_object",
        "not_an_address",
        "not_possible",
        "not_valid",
        "not_public",
        "not_supported",
        "not_sha256",
        "without_region",
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule: which field, which rule. ``code`` is the stable reason code."""

    field: str
    rule: str

    @property
    def code(self) -> str:
        """The reason code, for example ``event_time_too_old``."""
        return f"{self.field}_{self.rule}"


class InvalidEventError(TikTokPixelError):
    """An event that can never be sent.

    Attributes:
        problem: The field and the rule that cost it.
        left_out: What had been left out by then, which may be what led to it.
    """

    def __init__(self, problem: Problem, left_out: tuple[Problem, ...] = ()) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.left_out = left_out


class UnusableValueError(TikTokPixelError):
    """One value that cannot be sent; ``rule`` says why. It never costs the event."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule
