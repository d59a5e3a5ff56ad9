"""Where a mapped value comes from, for people who look at a mapping and an event."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tiktok_pixel.mapping.compiler import compile_value
from tiktok_pixel.mapping.diagnostics import Diagnostics, Location
from tiktok_pixel.mapping.directives import DIRECTIVES
from tiktok_pixel.mapping.directives.directive import is_directive
from tiktok_pixel.mapping.paths import UNDEFINED


def explain_field(value: Any, event: Any) -> tuple[str, ...]:
    """Return the paths, as they are written, that supplied a field's value from an event.

    Constants, and fields that the event leaves undefined, have none. Of an ``@arrayPath`` it is the
    path of the array, not of its items; of a ``@template`` the placeholders. The mapping is
    evaluated piece by piece, which is for tools and not for traffic.

    Args:
        value: The field as the mapping has it.
        event: A Segment event.
    """
    return _Explainer(event).paths(value)


class _Explainer:
    """Implements the protocol ``Explainer`` for one event."""

    def __init__(self, event: Any) -> None:
        self._event = event

    def evaluate(self, value: Any) -> Any:
        return compile_value(value, Location(Diagnostics(), ""))(self._event)

    def paths(self, value: Any) -> tuple[str, ...]:
        if is_directive(value):
            if self.evaluate(value) is UNDEFINED:
                return ()
            name = next(key for key in value if key.startswith("@"))
            return DIRECTIVES[name].explain(value[name], self)
        if isinstance(value, dict):
            return _union(map(self.paths, value.values()))
        return _union(map(self.paths, value)) if isinstance(value, list) else ()


def _union(found: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(path for paths in found for path in paths))
