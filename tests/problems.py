"""The closed lists that reasons and metrics of unusable values come from."""

from __future__ import annotations

from typing import Final, get_args

from tiktok_pixel.tiktok import fields, schema
from tiktok_pixel.tiktok.identifiers import MATCH_KEYS
from tiktok_pixel.values.validation import Rule

PROBLEMS: Final = {
    (field, rule)
    for field in (
        *schema.FIELDS,
        *fields.CONTENT,
        *(match_key.key for match_key in MATCH_KEYS),
        *("type", "message_id", "event_time", "identifier", "page_url", "page_referrer"),
        *("lead", "travel", "vehicle"),
    )
    for rule in get_args(Rule)
}
"""Field and rule."""

PROBLEM_CODES: Final = {f"{field}_{rule}" for field, rule in PROBLEMS}
