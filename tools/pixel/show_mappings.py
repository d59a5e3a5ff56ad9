"""The active mappings as a table, and what they make of one event (``make mappings``).

::

    python -m tools.pixel.show_mappings [--set default|full|custom] [--stage dev] [--event FILE]

Every shipped and every own mapping file is checked; the errors read like a compiler's.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tiktok_pixel.destination import OWN_MAPPINGS, mapping_file
from tiktok_pixel.mapping import MappingError, load_mapping_set
from tiktok_pixel.mapping.explain import explain_field
from tiktok_pixel.outcomes import Outcome
from tiktok_pixel.preparing import prepare
from tiktok_pixel.settings import MAPPING_SETS, STAGES, Settings
from tiktok_pixel.tiktok import schema
from tiktok_pixel.tiktok.bisection import Parcel
from tiktok_pixel.tiktok.delivery import request_body
from tools.pixel.describe import describe_subscription

if TYPE_CHECKING:
    from tiktok_pixel.mapping import Mapping, MappingSet
    from tiktok_pixel.values.validation import Problem

# Columns of a table; a terminal that has fewer breaks the lines, one that is none has no size.
_NARROWEST_TABLE: Final = 100
_TABLE_WITHOUT_TERMINAL: Final = 120


def main(arguments: Sequence[str] | None = None) -> int:
    """Print; 1 where a file cannot be used."""
    for stream in (sys.stdout, sys.stderr):
        # An event may hold what the terminal cannot show, and halves of characters that none can.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    options = _options(arguments)
    settings = Settings(
        stage=options.stage,
        parameter_prefix="/tiktok-pixel",
        mapping_set=options.set,
        default_phone_region=options.region,
    )
    if not _check_all():
        return 1
    chosen = _near(mapping_file(settings))
    try:
        mappings = load_mapping_set(chosen, schema)
    except MappingError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{chosen} ({options.set})\n")
    print_table(
        ["mapping", "on", "when", "TikTok event", "own fields"],
        [_mapping_row(mapping) for mapping in mappings.mappings],
    )
    if options.event is None:
        return 0
    return _show_event(options.event, mappings, settings)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="show_mappings", description=__doc__.split("\n")[0])
    parser.add_argument("--set", default="default", choices=MAPPING_SETS)
    parser.add_argument("--stage", default="dev", choices=STAGES)
    parser.add_argument("--event", type=Path, help="a file with one Segment event")
    parser.add_argument("--region", help="country of phone numbers that do not say theirs")
    return parser.parse_args(arguments)


def _check_all() -> bool:
    """Load every mapping file there is; print what is wrong and what will surprise."""
    usable = True
    for path in (
        schema.shipped("default"),
        schema.shipped("full"),
        *sorted(OWN_MAPPINGS.glob("*.json")),
    ):
        file = _near(path)
        try:
            warnings = load_mapping_set(file, schema).warnings
        except MappingError as error:
            print(error, file=sys.stderr)
            usable = False
        else:
            for warning in warnings:
                print(f"{file}: warning: {warning}", file=sys.stderr)
    return usable


def _near(path: Path) -> Path:
    """The path as seen from here, which is shorter to read."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def _mapping_row(mapping: Mapping) -> list[str]:
    defaults = schema.default_fields()
    own = sorted(
        field
        for field in mapping.fields.keys() | defaults.keys()
        if field != "event" and mapping.fields.get(field) != defaults.get(field)
    )
    return [
        mapping.name,
        "yes" if mapping.enabled else "no",
        describe_subscription(mapping.subscribe),
        mapping.event_name or "(from the event)",
        ", ".join(own),
    ]


def _show_event(file: Path, mappings: MappingSet, settings: Settings) -> int:
    try:
        event = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        print(f"{file}: {error}", file=sys.stderr)
        return 1
    if not isinstance(event, dict):
        print(f"{file}: expected one Segment event, an object", file=sys.stderr)
        return 1
    matching = mappings.match(event)
    print(f"\n{file}: {len(matching)} of {len(mappings.mappings)} mappings match")
    for mapping in matching:
        fields = mapping.evaluate(event)
        print(f"\n{mapping.name}\n")
        print_table(
            ["field", "value", "from"],
            [
                [
                    field,
                    json.dumps(fields[field], ensure_ascii=False),
                    _source(field, fields[field], mapping, event),
                ]
                for field in sorted(fields)
            ],
        )
    problems: list[Problem] = []
    for row in prepare([event], mappings, settings, time.time(), problems):
        if isinstance(row, Outcome):
            print(f"\n{row.status}: {row.reason}")
        else:
            body = request_body(row.route, "<pixel code>", [Parcel(0, row.json)])
            print("\nTikTok gets:\n")
            print(json.dumps(json.loads(body), indent=2, ensure_ascii=False))
    for problem in dict.fromkeys(problems):
        print(f"\ncannot be sent: {problem.code}")
    return 0


def _source(field: str, value: object, mapping: Mapping, event: dict[str, Any]) -> str:
    if field not in mapping.fields:
        return "(the mapping as a whole)"
    paths = ", ".join(explain_field(mapping.fields[field], event))
    return paths or ("(nothing found)" if value in ({}, []) else "(constant)")


def print_table(header: list[str], rows: list[list[str]]) -> None:
    """Columns as wide as their widest cell; where that is too wide, cells go on in more lines."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    available = shutil.get_terminal_size((_TABLE_WITHOUT_TERMINAL, 0)).columns
    excess = sum(widths) + 2 * (len(widths) - 1) - max(_NARROWEST_TABLE, available)
    for _ in range(excess):
        widths[widths.index(max(widths))] -= 1
    for number, line in enumerate(lines):
        wrapped = [_wrapped(cell, width) for cell, width in zip(line, widths, strict=True)]
        for part in range(max(map(len, wrapped))):
            texts = [cell[part] if part < len(cell) else "" for cell in wrapped]
            padded = [text.ljust(width) for text, width in zip(texts, widths, strict=True)]
            print("  ".join(padded).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


def _wrapped(text: str, width: int) -> list[str]:
    # Imported here: only this tool needs it, and this module is part of the layer.
    import textwrap  # noqa: PLC0415

    return textwrap.wrap(text, width) or [""]


if __name__ == "__main__":
    sys.exit(main())
