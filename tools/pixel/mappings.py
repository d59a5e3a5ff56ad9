"""`pixel mappings`: the mappings of a set, or what they do with the events of a file."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from tiktok_pixel import destination
from tiktok_pixel.mapping import EventMapping, MappingError, MappingSet, load_mapping_set
from tiktok_pixel.settings import Settings
from tiktok_pixel.tiktok import schema
from tools.pixel.console import (
    CommandError,
    counted,
    print_json,
    print_line,
    print_table,
    print_warning,
)
from tools.pixel.describe import describe_subscription
from tools.pixel.event_files import read_events
from tools.pixel.inspection import (
    Inspection,
    MappedField,
    Match,
    Origin,
    Result,
    inspect_event,
    own_fields,
)
from tools.pixel.options import (
    JsonOption,
    ParametersOption,
    SetOption,
    StageOption,
    settings_for,
)
from tools.pixel.reasons import reason_in_words


def command(
    *,
    mapping_set: SetOption = "default",
    stage: StageOption = "dev",
    event: Annotated[
        Path | None,
        typer.Option(help="Show what happens to the events of this file.", metavar="FILE"),
    ] = None,
    parameters: ParametersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check every mapping file and show the mappings of a set.

    With --event, show which mappings match, the value and source of each field, and the request
    to TikTok. Nothing is sent.
    """
    settings = settings_for(mapping_set, stage, parameters)
    check_mapping_files()
    file, mappings = load_mappings(settings)
    if event is None:
        show = _mappings_as_json if as_json else _show_mappings
        show(file, mapping_set, mappings)
        return
    now = time.time()
    inspections = [
        inspect_event(value, mappings, settings, now=now) for value in read_events(event)
    ]
    if as_json:
        print_json([_inspection_as_json(inspection) for inspection in inspections])
        return
    print_line(f"{event}: {counted(len(inspections), 'event')}")
    for inspection in inspections:
        _show_inspection(inspection, mappings)


def check_mapping_files() -> None:
    """Load every shipped and every own mapping file, and print the warnings.

    Raises:
        CommandError: Files cannot be used; the message lists all problems.
    """
    own = sorted(destination.OWN_MAPPINGS.glob("*.json"))
    errors = []
    for path in (schema.shipped("default"), schema.shipped("full"), *own):
        file = relative(path)
        try:
            warnings = load_mapping_set(file, schema).warnings
        except MappingError as error:
            errors.append(str(error))
        else:
            for warning in warnings:
                print_warning(f"{file}: warning: {warning}")
    if errors:
        raise CommandError("\n".join(errors))


def relative(path: Path) -> Path:
    """Shorten a path below the current folder."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path


def load_mappings(settings: Settings) -> tuple[Path, MappingSet]:
    """Load the mapping set that the settings choose; return its file, too.

    Raises:
        CommandError: The file cannot be used.
    """
    file = relative(destination.mapping_file(settings))
    try:
        return file, load_mapping_set(file, schema)
    except MappingError as error:
        raise CommandError(str(error)) from error


def _show_mappings(file: Path, name: str, mappings: MappingSet) -> None:
    print_line(f"{file} ({name})\n")
    print_table(
        ["mapping", "on", "when", "TikTok event", "own fields"],
        [
            [
                mapping.name,
                "yes" if mapping.enabled else "no",
                describe_subscription(mapping.subscribe),
                mapping.event_name or "(from the event)",
                ", ".join(own_fields(mapping)),
            ]
            for mapping in mappings.mappings
        ],
    )


def _mappings_as_json(file: Path, name: str, mappings: MappingSet) -> None:
    rows = [_mapping_as_json(mapping) for mapping in mappings.mappings]
    print_json({"file": str(file), "set": name, "mappings": rows})


def _mapping_as_json(mapping: EventMapping) -> dict[str, Any]:
    return {
        "name": mapping.name,
        "enabled": mapping.enabled,
        "subscribe": mapping.subscribe,
        "event": mapping.event_name,
        "pixel": mapping.pixel,
        "own_fields": list(own_fields(mapping)),
    }


def _show_inspection(inspection: Inspection, mappings: MappingSet) -> None:
    matches = len(inspection.matches)
    print_line(
        f"\n{_title(inspection.event)}: {matches} of {counted(len(mappings.mappings), 'mapping')} "
        f"{'matches' if matches == 1 else 'match'}"
    )
    for match in inspection.matches:
        _show_match(match)
    for result in inspection.results:
        _show_result(result)
    if inspection.left_out:
        print_line("\nProblems:\n")
    for problem in inspection.left_out:
        print_line(f"{problem.code}: {reason_in_words(problem.code)}")


def _title(event: Any) -> str:
    """Name an event as its sender does: `track "Order Completed" (message id)`."""
    if not isinstance(event, dict):
        return json.dumps(event, ensure_ascii=False)
    name = f' "{event["event"]}"' if isinstance(event.get("event"), str) else ""
    return f"{event.get('type', 'no type')}{name} ({event.get('messageId', 'no messageId')})"


def _show_match(match: Match) -> None:
    print_line(f"\n{match.mapping.name}\n", style="bold")
    shown = [field for field in match.fields if field.is_own or not _is_missing(field)]
    print_table(
        ["field", "value", "from"], [[field.name, _value(field), _source(field)] for field in shown]
    )
    missing = [field.name for field in match.fields if field not in shown]
    if missing:
        print_line(f"\nnothing found for the default fields {', '.join(missing)}")


def _is_missing(field: MappedField) -> bool:
    return field.origin is Origin.NOTHING_FOUND


def _value(field: MappedField) -> str:
    if _is_missing(field):
        return ""
    values = (field.value, *field.alternatives)
    return ", else ".join(json.dumps(value, ensure_ascii=False) for value in values)


def _source(field: MappedField) -> str:
    match field.origin:
        case Origin.EVENT:
            return ", ".join(field.paths)
        case Origin.NOTHING_FOUND:
            return f"nothing found at {', '.join(field.paths)}"
        case Origin.WHOLE_MAPPING:
            return "(the mapping as a whole)"
        case Origin.CONSTANT:
            return "(constant)"


def _show_result(result: Result) -> None:
    if result.request is None:
        print_line(f"\n{result.status}: {result.reason}: {reason_in_words(result.reason)}")
        return
    print_line("\nTikTok gets:\n")
    print_json(result.request)


def _inspection_as_json(inspection: Inspection) -> dict[str, Any]:
    event = inspection.event
    return {
        "message_id": event.get("messageId") if isinstance(event, dict) else None,
        "mappings": [
            {
                "name": match.mapping.name,
                "fields": [
                    {
                        "field": field.name,
                        "value": field.value,
                        "alternatives": list(field.alternatives),
                        "origin": field.origin,
                        "paths": list(field.paths),
                    }
                    for field in match.fields
                ],
            }
            for match in inspection.matches
        ],
        "results": [
            {
                "status": result.status or "sendable",
                "reason": result.reason,
                "event": result.event_name,
                "request": result.request,
            }
            for result in inspection.results
        ],
        "left_out": [problem.code for problem in inspection.left_out],
    }
