"""Segment's mapping language: which events become which TikTok event, and with which fields.

A mapping file holds presets in Segment's own format. `load_mapping_set` compiles it once;
`MappingSet.match` finds the mappings that are for an event, and `Mapping.evaluate` gives the fields
that one of them makes of it::

    mapping_set = load_mapping_set(schema.shipped("default"), schema)
    for mapping in mapping_set.match(event):
        fields = mapping.evaluate(event)
"""

from tiktok_pixel.mapping.errors import MappingError, MappingProblem
from tiktok_pixel.mapping.explain import explain_field
from tiktok_pixel.mapping.mapping_set import MappingSet, compile_mapping_set, load_mapping_set
from tiktok_pixel.mapping.presets import Mapping
from tiktok_pixel.mapping.schema import Schema

__all__ = [
    "Mapping",
    "MappingError",
    "MappingProblem",
    "MappingSet",
    "Schema",
    "compile_mapping_set",
    "explain_field",
    "load_mapping_set",
]
