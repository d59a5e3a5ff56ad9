"""What the mapping language needs to know about the destination that it maps for.

The type of a field is a mapping (an object with these members), a list of one type (an array, or a
single item of it), or anything else, which is the destination's own name of a scalar type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

FieldTypes = Mapping[str, Any]


class Schema(Protocol):
    """The fields and event names of a destination. A module can implement it."""

    @property
    def FIELDS(self) -> FieldTypes:  # noqa: N802  # a constant of the module
        """The fields that a mapping can fill, with their types."""

    def default_fields(self) -> dict[str, Any]:
        """Read the fields that ``"defaults": true`` adds to a preset."""

    def literal_problem(self, value: object, kind: Any, /) -> str | None:
        """Describe why a literal could never be sent as a scalar type; None when it can."""

    def event_name_problem(self, name: str, /) -> str | None:
        """Describe why a literal event name cannot be used; None when it can."""

    def combination_problem(self, fields: Mapping[str, Any], /) -> str | None:
        """Describe why a literal event name cannot be sent with other literals; None if it can."""

    def event_name_warning(self, name: str, /) -> str | None:
        """Describe what is doubtful about a valid event name; None when nothing is."""

    def legacy_name(self, name: str, /) -> str | None:
        """Return the old name of a renamed event; None without one."""
