"""Reason codes in words, for people who do not read the documentation first."""

from __future__ import annotations

from typing import Final

_REASONS: Final = {
    "not_mapped": "No enabled mapping matches this event.",
    "type_unknown": "The event has a type that Segment does not have.",
    "type_missing": "The event has no type.",
    "consent_event": "A consent event only records a choice; it is not sent.",
    "consent_denied": "The person did not agree to the categories that TikTok belongs to.",
    "integration_disabled": "The event's integrations object switches TikTok off.",
    "shared_event_id_missing": "The event has no id that it shares with the browser pixel.",
    "duplicate_in_batch": "The batch has this event twice.",
    "message_id_missing": "The event has no messageId.",
    "identifier_missing": (
        "Nothing in the event identifies a person: TikTok needs an email, a phone number, an "
        "external ID, a click ID, or an IP address with a user agent."
    ),
    "event_time_too_old": "The event is older than 28 days.",
    "event_time_in_future": "The time of the event is more than one day ahead.",
    "event_time_unparsable": "The time of the event is not ISO 8601.",
    "event_missing": "The mapping gives no TikTok event name for this event.",
    "event_not_valid": "The TikTok event name is not allowed.",
    "page_url_missing": (
        "TikTok wants the URL of a page in web events; the parameter DefaultPageUrl sets one."
    ),
    "value_ambiguous": (
        "The amount can be read in two ways, or is in another currency than the event's; it is "
        "left out."
    ),
    "currency_missing": "There is an amount, but no currency.",
    "currency_not_supported": "TikTok does not accept this currency; the amounts are left out.",
}
_RULES: Final = {
    "missing": "missing",
    "unparsable": "cannot be parsed",
    "in_future": "in the future",
    "too_old": "too old",
    "too_long": "too long",
    "not_a_string": "not text",
    "not_a_number": "not a number",
    "not_an_integer": "not a whole number",
    "not_a_boolean": "not true or false",
    "not_an_object": "not an object",
    "not_an_address": "not a valid address",
    "not_possible": "not a possible phone number",
    "not_valid": "not valid",
    "not_public": "not a public address",
    "not_supported": "not accepted by TikTok",
    "not_sha256": "hashed, but not with SHA-256",
    "without_region": "a national phone number without a country",
    "without_ip": "not enough without an IP address",
    "placeholder": "a placeholder such as null or undefined",
    "ambiguous": "can be read in more than one way",
    "too_many": "too many values; the first ones are sent",
    "not_for_source": "not sent for this event source",
}


def reason_in_words(code: str) -> str:
    """Describe a reason code in a sentence."""
    if code in _REASONS:
        return _REASONS[code]
    for rule, words in _RULES.items():
        if code.endswith(f"_{rule}"):
            field = code.removesuffix(f"_{rule}").replace("_", " ")
            return f"{field[:1].upper()}{field[1:]}: {words}."
    return f"{code.replace('_', ' ').capitalize()}."


def rule_in_words(rule: str) -> str:
    """Describe the rule that a value breaks."""
    return _RULES.get(rule, rule.replace("_", " "))
