"""Presets: the entries of a mapping file.

The format is that of Segment's own presets: ``name``, ``subscribe`` (FQL), ``mapping`` (the fields
to send) and ``enabled``. The subscriptions of Segment's Public API say ``trigger`` and ``settings``
instead, the presets of its catalog ``trigger`` and ``fields``. Four keys are added: ``defaults``
adds the shipped field mappings for all fields that ``mapping`` does not name (null there removes a
default), ``legacy_name`` sends a renamed standard event under its old name, ``pixel`` names the
pixel that the event goes to, and ``derive`` (true by default) decides whether totals that an event
lacks are computed from its contents.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tiktok_pixel.mapping.compiler import compile_fields, compile_value
from tiktok_pixel.mapping.diagnostics import Diagnostics, Location, json_type
from tiktok_pixel.mapping.directives.conditions import candidate_values
from tiktok_pixel.mapping.directives.directive import is_directive
from tiktok_pixel.mapping.errors import SubscriptionError
from tiktok_pixel.mapping.fields import check_fields
from tiktok_pixel.mapping.paths import within_depth
from tiktok_pixel.mapping.subscriptions import Subscription, compile_subscription

if TYPE_CHECKING:
    from tiktok_pixel.mapping.schema import Schema

OWN_KEYS: Final = (
    "name",
    "subscribe",
    "mapping",
    "enabled",
    "defaults",
    "legacy_name",
    "pixel",
    "derive",
)
# Other keys of Segment's presets and of the subscriptions of its Public API. They concern Segment's
# own workspace only, so they are accepted and ignored.
SEGMENT_KEYS: Final = (
    "id",
    "type",
    "partnerAction",
    "eventSlug",
    "actionId",
    "actionSlug",
    "destinationId",
    "modelId",
    "reverseETLModelId",
    "reverseETLSchedule",
)
_SUBSCRIBE_KEYS: Final = ("subscribe", "trigger")
_MAPPING_KEYS: Final = ("mapping", "settings", "fields")
_PIXEL_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class EventMapping:
    """One mapping: which events it is for, and which fields it makes of them.

    Attributes:
        name: The name of the preset.
        subscription: Decides which events the mapping is for.
        enabled: Whether it is used at all.
        fields: The mapping as JSON, defaults included.
        own_fields: The names of the fields that the preset itself has.
        evaluate: Maps a Segment event to a dict of fields. It does not change the event and never
            raises. Parts of the result are shared with the event and between events, so do not
            change them.
        event_name: The name of the event to send, where the mapping has it literally.
        pixel: The name of the pixel, where the preset has one.
        derive: Whether totals that an event lacks are computed from its contents.
    """

    name: str
    subscription: Subscription
    enabled: bool
    fields: Fields
    own_fields: tuple[str, ...]
    evaluate: Callable[[dict[str, Any]], Fields]
    event_name: str | None
    pixel: str | None
    derive: bool

    def candidates(self, field: str, event: dict[str, Any]) -> list[Any]:
        """Return the values among which a field's ``@first`` chooses; the first one is mapped.

        Args:
            field: The name of a field of the mapping.
            event: A Segment event.
        """
        definition = self.fields.get(field)
        if not isinstance(definition, dict) or "@first" not in definition:
            return []
        return candidate_values(definition["@first"], event, compile_value)

    @property
    def subscribe(self) -> str:
        """The subscription as written."""
        return self.subscription.source


def compile_preset(
    preset: object, number: int, defaults: Fields, schema: Schema, diagnostics: Diagnostics
) -> EventMapping | None:
    """Compile one preset of a file; None, and problems in the diagnostics, when it is unusable.

    Args:
        preset: The entry of the file.
        number: Its position, counted from 1, which replaces a missing name.
        defaults: The fields that ``"defaults": true`` adds.
        schema: The fields and event names of the destination.
        diagnostics: Collects problems and warnings.
    """
    location = Location(diagnostics, f"#{number}")
    problems_before = len(diagnostics.problems)
    if not isinstance(preset, dict):
        location.error(f"must be a preset (an object); got {json_type(preset)}")
        return None
    name = preset.get("name")
    if isinstance(name, str) and name:
        location = Location(diagnostics, name)
    else:
        missing = "is missing; write a name"
        location.at("name").error("must be text that is not empty" if "name" in preset else missing)
    _check_keys(preset, location)
    mapping_key = next((key for key in _MAPPING_KEYS if key in preset), "mapping")
    _check_fields(preset.get(mapping_key), schema, location)
    subscribe_key = next((key for key in _SUBSCRIBE_KEYS if key in preset), "subscribe")
    subscription = _subscription(preset.get(subscribe_key), location.at(subscribe_key))
    fields = _fields(preset, mapping_key, defaults, location)
    if fields is None:
        return None
    fields, event_name = _name_event(fields, preset, schema, location)
    own_fields = tuple(name for name in preset.get(mapping_key, ()) if name in fields)
    evaluate = compile_fields(fields, location)
    if subscription is None or len(diagnostics.problems) > problems_before:
        return None
    enabled = preset.get("enabled", True)
    pixel = preset.get("pixel")
    return EventMapping(
        name=str(name),
        subscription=subscription,
        enabled=enabled,
        fields=fields,
        own_fields=own_fields,
        evaluate=evaluate,
        event_name=event_name,
        pixel=pixel,
        derive=preset.get("derive", True),
    )


def _check_keys(preset: Fields, location: Location) -> None:
    known = {*OWN_KEYS, *SEGMENT_KEYS, *_SUBSCRIBE_KEYS, *_MAPPING_KEYS}
    for key in sorted(preset.keys() - known):
        location.at(key).error(f"unknown key; must be one of: {', '.join(OWN_KEYS)}")
    for keys in (_SUBSCRIBE_KEYS, _MAPPING_KEYS):
        present = [key for key in keys if key in preset]
        if len(present) > 1:
            location.error(f"must have only one of: {', '.join(present)}")
    if preset.get("modelId") or preset.get("reverseETLModelId"):
        location.at("modelId").warning("Reverse ETL models are not read, only events are")
    for key in ("enabled", "defaults", "legacy_name", "derive"):
        if not isinstance(preset.get(key, False), bool):
            location.at(key).error(f"must be true or false; got {json_type(preset[key])}")
    pixel = preset.get("pixel")
    if pixel is not None and not (isinstance(pixel, str) and _PIXEL_NAME.fullmatch(pixel)):
        shown = f'"{pixel}"' if isinstance(pixel, str) else json_type(pixel)
        location.at("pixel").error(
            f"not a valid pixel name: {shown}; "
            "write 1 to 63 of a-z, 0-9 and dashes, and start with a letter or digit"
        )


def _check_fields(fields: object, schema: Schema, location: Location) -> None:
    # A mapping that is one directive names no fields; one nested too deeply is a problem already.
    if not isinstance(fields, dict) or is_directive(fields) or not within_depth(fields):
        return
    # A literal event name is checked with the preset.
    own = fields if is_directive(fields.get("event")) else {**fields, "event": None}
    check_fields(own, schema, location)


def _subscription(source: object, location: Location) -> Subscription | None:
    if not isinstance(source, str):
        got = "is missing" if source is None else f"must be text; got {json_type(source)}"
        location.error(f'{got}; write FQL, as in: type = "track" and event = "Order Completed"')
        return None
    try:
        subscription = compile_subscription(source)
    except SubscriptionError as error:
        location.error(str(error))
        return None
    for warning in subscription.warnings:
        location.warning(warning)
    return subscription


def _fields(
    preset: Fields, mapping_key: str, defaults: Fields, location: Location
) -> Fields | None:
    fields = preset.get(mapping_key, {})
    if not isinstance(fields, dict):
        location.at(mapping_key).error(f"must be an object; got {json_type(fields)}")
        return None
    if preset.get("defaults") is not True:
        return fields
    merged = {**defaults, **fields}
    return {key: value for key, value in merged.items() if value is not None}


def _name_event(
    fields: Fields, preset: Fields, schema: Schema, location: Location
) -> tuple[Fields, str | None]:
    """Check a literal event name, and replace it by its old name where the preset says so.

    Returns:
        The fields, and the literal name when there is one.
    """
    fields = {name: _text_of_literal(value) for name, value in fields.items()}
    event = fields.get("event")
    wants_old_name = preset.get("legacy_name") is True
    if isinstance(event, dict) or any(key.startswith(("@", "__")) for key in fields):
        if wants_old_name:
            location.at("legacy_name").error("needs a literal event name")
        return fields, None
    at_event = location.at("event")
    if not isinstance(event, str):
        got = "is missing" if event is None else f"must be text; got {json_type(event)}"
        at_event.error(f"{got}; write the name of an event, or a directive")
        return fields, None
    if problem := schema.event_name_problem(event):
        at_event.error(problem)
        return fields, None
    if wants_old_name:
        old_name = schema.legacy_name(event)
        if old_name is None:
            location.at("legacy_name").error(f'"{event}" has no old name; remove "legacy_name"')
            return fields, None
        return {**fields, "event": old_name}, old_name
    if problem := schema.combination_problem(fields):
        at_event.error(problem)
        return fields, None
    if warning := schema.event_name_warning(event):
        at_event.warning(warning)
    return fields, event


def _text_of_literal(value: Any) -> Any:
    """Return the text of ``{"@literal": text}``, any other value as it is."""
    literal = (
        value["@literal"] if isinstance(value, dict) and value.keys() == {"@literal"} else None
    )
    return literal if isinstance(literal, str) else value
