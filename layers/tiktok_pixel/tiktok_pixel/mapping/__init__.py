"""Segment's mapping language: which events are sent as which event, and with which fields.

A mapping file holds presets in Segment's own format. ``load_mapping_set`` compiles it once;
``MappingSet.match`` finds the mappings for an event, and ``EventMapping.evaluate`` returns the
fields that a mapping makes of it::

    mapping_set = load_mapping_set(schema.shipped("default"), schema)
    for mapping in mapping_set.match(event):
        fields = mapping.evaluate(event)

The schema has the fields and event names of the destination (``tiktok_pixel.tiktok.schema``).
"""

from tiktok_pixel.mapping.errors import MappingError, MappingProblem, SubscriptionError
from tiktok_pixel.mapping.mapping_set import MappingSet, compile_mapping_set, load_mapping_set
from tiktok_pixel.mapping.presets import EventMapping
from tiktok_pixel.mapping.schema import Schema

__all__ = [
    "EventMapping",
    "MappingError",
    "MappingProblem",
    "MappingSet",
    "Schema",
    "SubscriptionError",
    "compile_mapping_set",
    "load_mapping_set",
]
