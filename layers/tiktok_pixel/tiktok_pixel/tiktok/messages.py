"""Clean TikTok's messages for the log: keep the words of a closed vocabulary, drop all others.

A message may quote a value of an event, also cut, decoded or in other case, and the value may be
personal. So it is not searched for values; only words that no value consists of are kept: TikTok's
field names and the words of its own error messages.
"""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 200
_VOCABULARY: Final = frozenset(
    """
    a access account allowed already an and api app are array at authorization authorized be been
    between blank body boolean but by cannot character characters check code content correct
    data denied does double duplicate duplicated each empty encrypted endpoint enum error errors
    exceed exceeded exceeds exist exists expected expired fail failed field fields float following
    for format forbidden found frequency from greater has hash hashed have in incorrect index
    integer internal invalid is it item items json key kind later least length less limit list
    long lowercase malformed match max maximum maxlength message method min minimum missing more
    most must no none not null number object of ok on one only or out over param parameter
    parameters parse payload permission permissions pii please positive qps range rate reached
    read received refused regex rejected request requests required retry revoked scope server
    service sha256 should shorter size smaller something string supported system task than that
    the then there this time timeout to token too track try type types unable unauthorized
    unavailable unexpected unique unknown unsupported use valid validation value values was
    while with within wrong you your

    ad address advertiser attribution batch brand callback city click client_id content_category
    content_id content_ids content_name content_type contents country crm currency
    customer_type delivery_category description email event event_id event_name event_source
    event_source_id event_time events external_id first_name idfa idfv ip last_name lead
    lead_event_source lead_id limited_data_use locale num_items offline order_id page partner_name
    phone phone_number pixel pixel_code predicted_ltv price properties property quantity query
    referrer search_string shop_id source state status test_event_code timestamp ttclid ttp url
    user user_agent web zip zip_code
    """.split()  # noqa: SIM905  # readable as text
)
# A word, a number, or a single other character.
_TOKEN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]+|.", re.DOTALL)
_PUNCTUATION: Final = frozenset(" .,:;[]()'\"-=")
_DROPPED: Final = "…"
_REPEATED: Final = re.compile(r"…(?:[^A-Za-z0-9…]*…)+")
# A number in a path, as in "data[3]" or "contents.0": an index, no value.
_INDEX_AFTER: Final = re.compile(r"(?:data|Batch|contents|content_ids)(?:\.|\[)\Z")
_LONGEST_INDEX: Final = 4


def cleaned(message: str) -> str:
    """Return a message with everything but known words, indexes and punctuation dropped."""
    kept = ""
    for token in _TOKEN.findall(message[: 4 * _LONGEST]):
        if token.lower() in _VOCABULARY or token in _PUNCTUATION or _is_index(token, kept):
            kept += token
        else:
            kept += _DROPPED
    return _REPEATED.sub(_DROPPED, kept)[:_LONGEST]


def _is_index(token: str, before: str) -> bool:
    return (
        token.isdecimal()
        and len(token) <= _LONGEST_INDEX
        and _INDEX_AFTER.search(before[-16:]) is not None
    )
