"""Presets: one entry of a mapping file, from JSON to something that can be called.

The format is that of Segment's own presets and exports: `name`, `subscribe` (FQL), `mapping`
(fields of the TikTok event) and `enabled`. Four keys are added: `defaults` takes the shipped
field mappings for all fields that `mapping` does not name (null there takes a default away),
`legacy_name` sends a renamed standard event under its old name, and `pixel` names the pixel that
the event goes to when it is not the usual one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tiktok_pixel.mapping.arguments import is_directive
from tiktok_pixel.mapping.diagnostics import Findings, Place, kind_of
from tiktok_pixel.mapping.directives import compile_value
from tiktok_pixel.mapping.fields import check_fields
from tiktok_pixel.mapping.fql_tokens import SubscriptionError
from tiktok_pixel.mapping.paths import within_depth
from tiktok_pixel.mapping.schema import Schema
from tiktok_pixel.mapping.subscriptions import Subscription, compile_subscription

OWN_KEYS = ("name", "subscribe", "mapping", "enabled", "defaults", "legacy_name", "pixel")
# What Segment's presets and the subscriptions of its Public API carry besides; all of it is about
# Segment's own workspace, so it is taken and left alone.
SEGMENT_KEYS = (
    "id",
    "type",
    "partnerAction",
    "eventSlug",
    "actionId",
    "actionSlug",
    "destinationId",
    "modelId",
)
# Fields that belong to all fields at once: a directive whose result is mapped (Segment's core).
_ROOT_KEY = "__segment_internal_directive"
_PIXEL_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mapping:
    """One mapping: which events it is for, and how it makes a TikTok event's fields of them.

    `evaluate` takes a Segment event (a dict; it is not changed) and gives the mapped fields as a
    plain dict. Parts of it are shared with the event and between events: take them, never change
    them. It does not raise on any JSON object. `fields` is the mapping as JSON, defaults included.
    `event_name` is the TikTok event when the mapping names it literally, else None. `pixel` is the
    name of the pixel when the preset gives one.
    """

    name: str
    subscription: Subscription
    enabled: bool
    fields: Fields
    evaluate: Callable[[dict[str, Any]], Fields]
    event_name: str | None
    pixel: str | None

    @property
    def subscribe(self) -> str:
        """The subscription as written."""
        return self.subscription.source


def compile_preset(
    preset: object, number: int, defaults: Fields, schema: Schema, findings: Findings
) -> Mapping | None:
    """Compile one preset of a file; None, and problems among the findings, when it is unusable.

    `number` counts presets from 1 and stands for a missing name; `defaults` are the fields that
    `"defaults": true` adds.
    """
    place = Place(findings, f"#{number}")
    before = len(findings.problems)
    if not isinstance(preset, dict):
        place.refuse(f"expected a preset (an object), got {kind_of(preset)}")
        return None
    name = preset.get("name")
    if isinstance(name, str) and name:
        place = Place(findings, name)
    else:
        place.at("name").refuse("expected a text that is not empty")
    _check_keys(preset, place)
    _check_own_fields(preset.get("mapping"), schema, place)
    pixel = preset.get("pixel")
    if pixel is not None and not (isinstance(pixel, str) and _PIXEL_NAME.fullmatch(pixel)):
        allowed = "1 to 63 of a-z, 0-9 and dashes, the first no dash"
        place.at("pixel").refuse("is no name of a pixel", allowed)
    subscription = _subscription(preset.get("subscribe"), place.at("subscribe"))
    fields = _fields(preset, defaults, place)
    event_name = _event_name(fields, preset, schema, place) if fields is not None else None
    evaluate = compile_fields(fields, place) if fields is not None else None
    if subscription is None or fields is None or evaluate is None:
        return None
    if len(findings.problems) > before:
        return None
    enabled = preset.get("enabled", True)
    return Mapping(str(name), subscription, enabled, fields, evaluate, event_name, pixel)


def compile_fields(fields: Fields, place: Place) -> Callable[[dict[str, Any]], Fields]:
    """Compile the fields of a mapping to one function from event to mapped fields."""
    if not within_depth(fields):
        return place.refuse("is nested too deeply")
    if _ROOT_KEY in fields:
        return _compile_root(fields, place)
    evaluate = compile_value(fields, place)
    if not any(key.startswith("@") for key in fields):
        return evaluate

    def evaluate_directive(event: dict[str, Any]) -> Fields:
        mapped = evaluate(event)
        return mapped if isinstance(mapped, dict) else {}

    return evaluate_directive


def _compile_root(fields: Fields, place: Place) -> Callable[[dict[str, Any]], Fields]:
    root = fields[_ROOT_KEY]
    place = place.at(_ROOT_KEY)
    if not isinstance(root, dict) or len(root) != 1:
        return place.refuse("expected an object with one directive")
    ((directive, options),) = root.items()
    if not isinstance(options, dict):
        return place.at(directive).refuse(f"expected an object, got {kind_of(options)}")
    rest = {key: value for key, value in fields.items() if key != _ROOT_KEY}
    return compile_fields({directive: {**options, "mapping": rest}}, place)


def _check_keys(preset: Fields, place: Place) -> None:
    for key in sorted(preset.keys() - {*OWN_KEYS, *SEGMENT_KEYS}):
        place.at(key).refuse("is not known", ", ".join(OWN_KEYS))
    for key in ("enabled", "defaults", "legacy_name"):
        if not isinstance(preset.get(key, False), bool):
            place.at(key).refuse(f"expected true or false, got {kind_of(preset[key])}")


def _check_own_fields(fields: object, schema: Schema, place: Place) -> None:
    # A mapping that is one directive names no fields; one nested too deeply is refused elsewhere.
    if not isinstance(fields, dict) or any(key.startswith("@") for key in fields):
        return
    if within_depth(fields):
        # A literal event name is checked with the preset.
        event_is_literal = not is_directive(fields.get("event"))
        own = {
            key: value for key, value in fields.items() if key != "event" or not event_is_literal
        }
        check_fields(own, schema, place)


def _subscription(source: object, place: Place) -> Subscription | None:
    if not isinstance(source, str):
        got = "is missing" if source is None else f"expected a text, got {kind_of(source)}"
        place.refuse(got, 'FQL, as in type = "track" and event = "Order Completed"')
        return None
    try:
        subscription = compile_subscription(source)
    except SubscriptionError as error:
        place.refuse(str(error))
        return None
    for warning in subscription.warnings:
        place.warn(warning)
    return subscription


def _fields(preset: Fields, defaults: Fields, place: Place) -> Fields | None:
    fields = preset.get("mapping", {})
    if not isinstance(fields, dict):
        place.at("mapping").refuse(f"expected an object, got {kind_of(fields)}")
        return None
    if preset.get("defaults") is not True:
        return dict(fields)
    merged = {**defaults, **fields}
    return {key: value for key, value in merged.items() if value is not None}


def _event_name(fields: Fields, preset: Fields, schema: Schema, place: Place) -> str | None:
    """Check a literal event name, and replace it in `fields` when its old name is wanted."""
    event = fields.get("event")
    old_wanted = preset.get("legacy_name") is True
    if isinstance(event, dict) or any(key.startswith(("@", "__")) for key in fields):
        if old_wanted:
            place.at("legacy_name").refuse("needs an event that is named literally")
        return None
    place_of_event = place.at("event")
    if not isinstance(event, str):
        got = "is missing" if event is None else f"expected a string, got {kind_of(event)}"
        place_of_event.refuse(got, "the name of a TikTok event, or a directive")
        return None
    if problem := schema.event_name_problem(event):
        place_of_event.refuse(problem)
        return None
    if old_wanted:
        old = schema.legacy_name(event)
        if old is None:
            place.at("legacy_name").refuse(f"{event} has no old name", "on Lead and Purchase only")
            return None
        fields["event"] = old
        return old
    if warning := schema.event_name_warning(event):
        place_of_event.warn(warning)
    return event
