"""A naive implementation of the mapping language: a recursion over the mapping.

The compiled mappings are tested against it, so it shares only the handling of single values with
them. Every rule is a plain reading of Segment's mapping kit; a run-time error there is undefined
here.
"""

import json
import re
from typing import Any

from tiktok_pixel.mapping.directives.json_text import stringify
from tiktok_pixel.mapping.paths import UNDEFINED, member, split_path
from tiktok_pixel.values.javascript import WHITESPACE, to_string

type_of_json = dict[str, Any]


def transform(mapping: Any, event: Any) -> Any:
    """Map an event: resolve all directives, then remove undefined members."""
    return remove_undefined(resolve(mapping, event))


def remove_undefined(value: Any) -> Any:
    if isinstance(value, dict):
        members = {key: remove_undefined(item) for key, item in value.items()}
        return {key: item for key, item in members.items() if item is not UNDEFINED}
    if isinstance(value, list):
        return [None if item is UNDEFINED else remove_undefined(item) for item in value]
    return value


def resolve(mapping: Any, data: Any) -> Any:
    if isinstance(mapping, list):
        return [resolve(item, data) for item in mapping]
    if not isinstance(mapping, dict):
        return mapping
    for key, options in mapping.items():
        if key.startswith("@"):
            return directive(key, options, data)
    return {key: resolve(item, data) for key, item in mapping.items()}


def get(data: Any, path: str) -> Any:
    for key in split_path(path):
        data = member(data, key)
    return data


def directive(name: str, options: Any, data: Any) -> Any:  # noqa: C901, PLR0911, PLR0912
    match name:
        case "@path":
            path = resolve(options, data)
            return get(data, path) if isinstance(path, str) else UNDEFINED
        case "@template":
            template = resolve(options, data)
            return fill(template, data) if isinstance(template, str) else UNDEFINED
        case "@literal":
            return resolve(options, data)
        case "@if":
            return choose(options, data)
        case "@first":
            paths = [{"@path": item} if isinstance(item, str) else item for item in options]
            values = [remove_undefined(resolve(item, data)) for item in paths]
            return next((value for value in values if not is_blank(value)), UNDEFINED)
        case "@arrayPath":
            return array_path(options, data)
        case "@case":
            value = resolve(options["value"], data)
            if not isinstance(value, str):
                return value
            return value.lower() if options["operator"] == "lower" else value.upper()
        case "@replace":
            return replace(options, data)
        case "@merge":
            merged: type_of_json = {}
            objects = [resolve(item, data) for item in options["objects"]]
            for item in reversed(objects) if options["direction"] == "left" else objects:
                if isinstance(item, str) or item.__class__ is list:
                    merged |= {str(index): member for index, member in enumerate(item)}
                elif isinstance(item, dict):
                    merged |= item
            return merged
        case "@transform":
            if not isinstance(data, dict):
                return UNDEFINED
            return resolve(options["mapping"], transform(options["apply"], data))
        case "@flatten":
            value = resolve(options["value"], data)
            return dict(flatten(value, "", options["separator"], options.get("omitArrays", False)))
        case "@json":
            return convert(options["mode"], resolve(options["value"], data))
        case "@excludeWhenNull":
            value = resolve(options, data)
            return UNDEFINED if value is None else without_nulls(value)
    raise AssertionError(name)


def fill(template: str, data: Any) -> str:
    def put(match: re.Match[str]) -> str:
        value = data
        for key in [key for key in match[1].strip(" {}").split(".") if key]:
            value = member(value, key)
        return "" if value is None or value is UNDEFINED else to_string(value)

    return re.sub(r"\{\{\{?([^}]+)\}\}\}?", put, template)


def choose(options: type_of_json, data: Any) -> Any:
    if "exists" in options:
        value = resolve(options["exists"], data)
        there = value is not UNDEFINED and value is not None
    else:
        value = resolve(options["blank"], data)
        there = value is not UNDEFINED and value is not None and not loosely_empty(value)
    if there:
        return resolve(options["then"], data) if "then" in options else UNDEFINED
    otherwise = options.get("else")
    if otherwise is None or otherwise is False or otherwise in ("", 0):
        return UNDEFINED
    return resolve(otherwise, data)


def is_blank(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip(WHITESPACE)
    return value is None or value is UNDEFINED or value == [] or value == {}


def loosely_empty(value: Any) -> bool:
    """Compare with the empty text as JavaScript's `==` does."""
    if isinstance(value, bool | int | float):
        return not value
    return to_string(remove_undefined(value)) == ""


def array_path(options: list[Any], data: Any) -> Any:
    source = options[0]
    root = get(data, source) if isinstance(source, str) else resolve(source, data)
    shape = options[1] if len(options) > 1 else None
    if isinstance(shape, dict) and shape and (isinstance(root, dict) or root.__class__ is list):
        return [resolve(shape, item) for item in ([root] if isinstance(root, dict) else root)]
    return root


def replace(options: type_of_json, data: Any) -> Any:
    if not options["value"]:
        return UNDEFINED
    value = resolve(options["value"], data)
    if isinstance(value, bool | int | float):
        value = to_string(value)
    if not isinstance(value, str):
        return ""
    flags = re.IGNORECASE if options.get("ignorecase") else 0
    count = 0 if options.get("global", True) else 1
    pattern = re.escape(options["pattern"])
    text = options.get("replacement", "")
    return re.sub(pattern, lambda _match: text, value, count=count, flags=flags)


def flatten(value: Any, prefix: str, separator: str, omit: bool) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        members = list(value.items())
    elif value.__class__ is list and not omit:
        members = [(str(index), item) for index, item in enumerate(value)]
    else:
        return [(prefix, value)]
    found: list[tuple[str, Any]] = []
    for key, item in members:
        below = f"{prefix}{separator}{key}" if prefix else key
        found += flatten(item, below, separator, omit)
    return found


def convert(mode: str, value: Any) -> Any:
    if mode == "encode":
        return value if value is UNDEFINED else stringify(remove_undefined(value))
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def without_nulls(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: UNDEFINED if item is None else without_nulls(item) for key, item in value.items()}
