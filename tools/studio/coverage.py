"""How many of several events would reach TikTok, and with which match keys."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tiktok_pixel.outcomes import Outcome
from tiktok_pixel.preparing import prepare
from tiktok_pixel.settings import Settings
from tools.studio.checking import Checked

# The match keys that TikTok recommends, and what optimises for value.
_SHARES: Final = (
    ("Email", "user", "email"),
    ("Phone", "user", "phone"),
    ("External ID", "user", "external_id"),
    ("Click ID", "user", "ttclid"),
    ("Browser ID", "user", "ttp"),
    ("IP address", "user", "ip"),
    ("Value", "properties", "value"),
    ("Currency", "properties", "currency"),
)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What several events come to.

    Attributes:
        events: The number of Segment events.
        sent: The number of TikTok events.
        outcomes: The number of outcomes of each kind.
        shares: The number of TikTok events that have each match key or value.
    """

    events: int
    sent: int
    outcomes: tuple[tuple[str, int], ...]
    shares: tuple[tuple[str, int], ...]


def coverage_of(
    events: Sequence[dict[str, Any]], checked: Sequence[Checked], settings: Settings
) -> Coverage:
    """Run events through all usable mappings of a draft and count."""
    now = time.time()
    outcomes: Counter[str] = Counter()
    found: Counter[str] = Counter()
    sent = 0
    for event in events:
        is_matched = False
        for one in checked:
            if one.compiled is None or not one.compiled.match(event):
                continue
            is_matched = True
            row = prepare([event], one.compiled, settings, now)[0][0]
            if isinstance(row, Outcome):
                outcomes[row.status] += 1
                continue
            sent += 1
            outcomes["forwarded"] += 1
            wire = json.loads(row.json)
            found.update(name for name, part, key in _SHARES if key in wire.get(part, {}))
        if not is_matched:
            outcomes["ignored"] += 1
    return Coverage(
        len(events),
        sent,
        tuple(outcomes.most_common()),
        tuple((name, found[name]) for name, _, _ in _SHARES),
    )
