"""Check the field names and literals of a mapping.

What an event supplies is coerced when it is sent, and left out when that fails. A literal that can
never be sent, and a name of no field, are mistakes in the file and are reported when it loads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tiktok_pixel.mapping.diagnostics import Location, json_type
from tiktok_pixel.mapping.directives import DIRECTIVES
from tiktok_pixel.mapping.directives.directive import is_directive
from tiktok_pixel.values.javascript import WHITESPACE

if TYPE_CHECKING:
    from tiktok_pixel.mapping.schema import FieldTypes, Schema


def check_fields(fields: Mapping[str, Any], schema: Schema, location: Location) -> None:
    """Report names of no field as warnings, and literals that can never be sent as problems.

    Args:
        fields: The fields of a mapping; not nested too deeply.
        schema: The fields of the destination.
        location: Where the fields stand.
    """
    _Checker(schema).check_members(fields, schema.FIELDS, location)


@dataclass(frozen=True, slots=True)
class _Checker:
    schema: Schema

    def check_members(
        self, members: Mapping[str, Any], known: FieldTypes, location: Location
    ) -> None:
        for name, value in members.items():
            if name in known:
                self.check(value, known[name], location.at(name))
            elif not name.startswith("__"):  # reserved by Segment
                suggestion = _suggestion(name, known)
                location.at(name).warning(f"unknown field, it is not sent{suggestion}")

    def check(self, value: Any, kind: Any, location: Location) -> None:
        if is_directive(value):
            self.check_directive(value, kind, location)
        elif isinstance(value, str) and value.startswith("$."):
            location.error(f'is the text "{value}"; write {{"@path": "{value}"}} to read it')
        elif isinstance(value, str) and value.startswith("{{"):
            location.error(f'is the text "{value}"; write {{"@template": "{value}"}} to fill it in')
        elif isinstance(kind, Mapping):
            if isinstance(value, dict):
                self.check_members(value, kind, location)
            elif not _is_blank(value):
                members = ", ".join(kind)
                location.error(f"must be an object with {members}; got {json_type(value)}")
        elif isinstance(kind, list):
            self.check_items(value, kind[0], location)
        elif isinstance(value, list) and any(map(is_directive, value)):
            self.check_items(value, kind, location)
        elif problem := self.schema.literal_problem(value, kind):
            location.error(problem)

    def check_items(self, value: Any, kind: Any, location: Location) -> None:
        """Check an array, or a single item in the place of one."""
        if not isinstance(value, list):
            self.check(value, kind, location)
            return
        for index, item in enumerate(value):
            self.check(item, kind, location.at(str(index)))

    def check_directive(self, value: dict[str, Any], kind: Any, location: Location) -> None:
        """Check the literals among the values that a directive can have."""
        name = next(key for key in value if key.startswith("@"))
        if name in DIRECTIVES:
            DIRECTIVES[name].check(value[name], kind, location.at(name), self.check)


def _suggestion(name: str, known: FieldTypes) -> str:
    # Imported here: only a mistake needs it, and every cold start would pay for it.
    from difflib import get_close_matches  # noqa: PLC0415

    close = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip(WHITESPACE))
