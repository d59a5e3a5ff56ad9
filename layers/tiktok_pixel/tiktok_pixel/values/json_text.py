"""Compact JSON text in ASCII.

ASCII, because a string may hold lone surrogates: they stay escaped, where UTF-8 cannot encode them.
"""

from __future__ import annotations

import json
from typing import Final

# Created once: `json.dumps` creates an encoder per call when it gets any option. Values that were
# read from JSON cannot contain themselves, so the check for that is off.
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False)


def compact(value: object) -> str:
    """Serialise a value that was read from JSON.

    Raises:
        ValueError: A number is not finite.
    """
    return _ENCODER.encode(value)
