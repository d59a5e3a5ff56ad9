"""Write docs/default-fields.md: ``python -m tools.docs.default_fields``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tiktok_pixel.tiktok import schema

PAGE: Final = Path(__file__).parents[2] / "docs" / "default-fields.md"
_HEAD: Final = """# Default fields

<!-- Generated from tiktok/data: python -m tools.docs.default_fields -->

A preset with `"defaults": true` maps these fields, as all shipped mappings do. A field is read from
the first of its sources that is not blank: null, white space, `[]` and `{}` are blank. A value that
cannot be sent gives way to the next source, except in `timestamp` and `address`.

Some fields have one more source, outside the mapping: `ttclid` is read from the query of the page
URL first, `url` of a web event falls back to the parameter `DefaultPageUrl`, an event without
`timestamp` has the time of its receipt, and `value`, `num_items` and `content_ids` are computed
from `contents`.

`contents` belong to each mapping: `properties.contents`, where they are in TikTok's form already,
else the products of the event (`properties.products`, or `properties` for events of one product).

"""
_FULL: Final = """
## In the set `full`

`MappingSet=full` reads these fields too. TikTok gets `lead_id` with CRM events only. The travel or
the vehicle fields are sent when `event_spec_type` is `travel_fields` or `vehicle_fields`.

"""


def page() -> str:
    """Return the page as Markdown."""
    full = json.loads(schema.shipped("full").read_text(encoding="utf-8"))
    return _HEAD + _table(schema.default_fields()) + _FULL + _table(full["defaults"])


def _table(fields: dict[str, Any]) -> str:
    rows = [f"| `{field}` | {sources} |" for field, sources in _rows(fields)]
    return "\n".join(("| field | sources |", "|---|---|", *rows, ""))


def _rows(fields: dict[str, Any], parent: str = "") -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        if any(key.startswith("@") for key in value):
            yield parent + name, ", ".join(_sources(value))
        else:
            yield from _rows(value, f"{parent}{name}.")


def _sources(value: dict[str, Any] | str) -> list[str]:
    if isinstance(value, str):
        return [f"`{value.removeprefix('$.')}`"]
    match value:
        case {"@path": str(path)}:
            return _sources(path)
        case {"@literal": literal}:
            return [f'"{literal}"']
        case {"@first": [*candidates]}:
            return [source for candidate in candidates for source in _sources(candidate)]
    message = f"a directive that the table cannot show: {value}"
    raise ValueError(message)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
