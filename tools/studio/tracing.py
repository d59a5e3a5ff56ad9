"""Each mapped field step by step: where it comes from, how it is normalised, what is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tiktok_pixel.mapping import EventMapping
from tiktok_pixel.mapping.paths import resolve, split_path
from tiktok_pixel.settings import Settings
from tiktok_pixel.tiktok.fields import CONTENT, FIELDS
from tiktok_pixel.tiktok.hashing import existing_digest
from tiktok_pixel.tiktok.identifiers import MATCH_KEYS, MatchKey, locality_of
from tiktok_pixel.tiktok.phones import Locality
from tiktok_pixel.tiktok.schema import literal_problem
from tiktok_pixel.values import coercion
from tiktok_pixel.values.javascript import WHITESPACE
from tiktok_pixel.values.validation import Problem, UnusableValueError
from tools.pixel.inspection import MappedField, Origin
from tools.pixel.reasons import rule_in_words

_KEYS: Final = {key.source: key for key in MATCH_KEYS}
# Where a field stands in the request, if not in `properties` under its own name.
_PLACES: Final = {
    "event": ("event",),
    "event_id": ("event_id",),
    "timestamp": ("event_time",),
    "limited_data_use": ("limited_data_use",),
    "url": ("page", "url"),
    "referrer": ("page", "referrer"),
    "lead_id": ("lead", "lead_id"),
    "lead_event_source": ("lead", "lead_event_source"),
    "lead_fields": ("lead",),
}
NOTHING_FOUND: Final = "nothing found"
_LEFT_OUT: Final = "left out"
_ONLY_WITH_CONTENTS: Final = "sent only with contents"
_OF_REQUEST: Final = ("event_source", "test_event_code")
_PROBLEM_FIELDS: Final = {
    "timestamp": ("event_time",),
    "url": ("page_url",),
    "referrer": ("page_referrer",),
    "lead_id": ("lead",),
    "lead_event_source": ("lead",),
    "lead_fields": ("lead",),
    "contents": ("contents", *CONTENT),
    "external_ids": ("email", "phone"),
    # An unusable currency takes the amounts with it.
    "value": ("value", "currency"),
    "predicted_ltv": ("predicted_ltv", "currency"),
}
_ORDER: Final = {name: rank for rank, name in enumerate(FIELDS)}
_EMPTY: Final[tuple[Any, ...]] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class Trace:
    """What becomes of one field.

    Attributes:
        field: The field; members of an address are named `address.city`.
        paths: The paths in the event that supplied it, or where nothing was found.
        origin: Where the value comes from.
        raw: The mapped value; None when there is none.
        normalised: The text that is hashed or sent, for match keys.
        is_hashed: Whether the value is sent as SHA-256.
        place: Where it is in the request, such as `user.email`.
        sent: The value in the request; None when it is left out.
        note: Why it is left out, or what is special about it; may be empty.
        is_own: Whether the mapping itself sets the field.
    """

    field: str
    paths: tuple[str, ...]
    origin: Origin
    raw: Any
    normalised: str | None
    is_hashed: bool
    place: str
    sent: Any
    note: str
    is_own: bool


def trace_fields(
    mapping: EventMapping,
    event: dict[str, Any],
    fields: Sequence[MappedField],
    request: dict[str, Any] | None,
    problems: Sequence[Problem],
    settings: Settings,
) -> tuple[Trace, ...]:
    """Follow each mapped field of an event into the request.

    Args:
        mapping: The mapping.
        event: The Segment event.
        fields: The mapped fields.
        request: The body of the request; None when the event is not sent.
        problems: The problems of the values.
        settings: The settings of the deployment.
    """
    values = {field.name: field.value for field in fields}
    address = values.get("address")
    country = address.get("country") if isinstance(address, dict) else None
    locality = locality_of(country, values.get("locale"), settings.default_phone_region)
    return tuple(
        _trace(field, name, value, request, problems, locality)
        for field in (
            _chosen(field, mapping, event, locality) for field in sorted(fields, key=_rank)
        )
        for name, value in _parts(field)
    )


def _chosen(
    field: MappedField, mapping: EventMapping, event: dict[str, Any], locality: Locality
) -> MappedField:
    """Return the field with the candidate of its `@first` that is used: the first usable one."""
    definition = mapping.fields.get(field.name)
    candidates = mapping.candidates(field.name, event)
    value = next((one for one in candidates if _is_usable(field.name, one, locality)), field.value)
    if len(candidates) < 2 or value == field.value or not isinstance(definition, dict):
        return field
    paths = tuple(
        path
        for path in definition.get("@first", ())
        if isinstance(path, str) and resolve(event, split_path(path)) == value
    )
    return replace(field, value=value, paths=paths[:1])


def _is_usable(name: str, value: Any, locality: Locality) -> bool:
    key = _KEYS.get(name)
    if key is not None:
        return _normalised(key, value, locality) is not None
    kind = FIELDS.get(name)
    return isinstance(kind, str | tuple) and literal_problem(value, kind) is None


def _rank(field: MappedField) -> tuple[int, str]:
    """Order fields as TikTok's schema does: the event, the person, the page, the purchase."""
    return _ORDER.get(field.name, len(_ORDER)), field.name


def _parts(field: MappedField) -> Iterator[tuple[str, Any]]:
    if field.name == "address" and isinstance(field.value, dict):
        for member, value in field.value.items():
            yield f"address.{member}", value
    else:
        yield field.name, field.value


def _trace(
    field: MappedField,
    name: str,
    value: Any,
    request: dict[str, Any] | None,
    problems: Sequence[Problem],
    locality: Locality,
) -> Trace:
    own_name = name.rpartition(".")[2] if name.startswith("address.") else name
    key = _KEYS.get(own_name)
    place, sent = _sent(own_name, key, request)
    normalised = _normalised(key, value, locality)
    note = _note(own_name, key, value, sent, problems)
    if request is None and note in (_LEFT_OUT, _ONLY_WITH_CONTENTS):
        note = ""  # because the event is not sent at all
    is_hashed = key is not None and key.is_hashed
    paths = _paths_of_part(field, own_name) if own_name != field.name else field.paths
    return Trace(
        name, paths, field.origin, value, normalised, is_hashed, place, sent, note, field.is_own
    )


def _paths_of_part(field: MappedField, member: str) -> tuple[str, ...]:
    endings = {"zip_code": ("postal_code", "postalCode", "zip", "zip_code")}.get(member, (member,))
    return tuple(path for path in field.paths if path.rpartition(".")[2] in endings)


def _sent(name: str, key: MatchKey | None, request: dict[str, Any] | None) -> tuple[str, Any]:
    if name in _OF_REQUEST:
        return name, (request or {}).get(name)
    path = ("user", key.key) if key else _PLACES.get(name, ("properties", name))
    value: Any = request["data"][0] if request else None
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return ".".join(path), value


def _normalised(key: MatchKey | None, value: Any, locality: Locality) -> str | None:
    """Return the normalised text of a match key, as it is before hashing."""
    if key is None:
        return None
    texts = []
    for item in value if isinstance(value, list) else [value]:
        try:
            text = (coercion.text(item) or "").strip(WHITESPACE)
            if not text:
                continue
            if key.is_hashed and existing_digest(text) is not None:
                text = "(hashed already)"
            elif key.normalise is not None:
                text = key.normalise(text, locality)
            texts.append(text)
        except UnusableValueError:
            continue
    return ", ".join(texts) or None


def _note(
    name: str, key: MatchKey | None, value: Any, sent: Any, problems: Sequence[Problem]
) -> str:
    if name not in FIELDS and key is None:
        return "not a field that TikTok reads"
    names = (key.key,) if key else _PROBLEM_FIELDS.get(name, (name,))
    found = [problem for problem in problems if problem.field in names]
    if found and (sent is None or name in ("contents", "email", "phone_number", "external_id")):
        return "; ".join(
            dict.fromkeys(
                rule_in_words(problem.rule)
                if problem.field in (name, *names[:1])
                else f"{problem.field.replace('_', ' ')} {rule_in_words(problem.rule)}"
                for problem in found
            )
        )
    if name == "timestamp" and value in _EMPTY and sent is not None:
        return "the event has no time; the time of receipt is used"
    if sent is not None and _is_empty(value):
        return "taken from the page URL" if name == "ttclid" else "computed from the contents"
    if sent is not None or name == "external_ids":
        return ""
    if name == "content_type":
        return _ONLY_WITH_CONTENTS
    return NOTHING_FOUND if _is_empty(value) else _LEFT_OUT


def _is_empty(value: Any) -> bool:
    """Return whether a mapped value has nothing in it, such as contents without any field."""
    if isinstance(value, list):
        return all(map(_is_empty, value))
    return value in _EMPTY
