"""Change template parameters of a stage in `samconfig.toml`, keeping its comments."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import tomlkit


def with_parameters(text: str, stage: str, changes: Mapping[str, str]) -> str:
    """Return the text with template parameters of a stage set; an empty value removes one."""
    document = tomlkit.parse(text)
    deploy: Any = document[stage]["deploy"]["parameters"]
    overrides = dict(one.split("=", 1) for one in deploy["parameter_overrides"])
    for name, value in changes.items():
        if value:
            overrides[name] = value
        else:
            overrides.pop(name, None)
    array = tomlkit.array()
    for name, value in overrides.items():
        array.add_line(f"{name}={value}", indent="  ")
    array.add_line(indent="")
    deploy["parameter_overrides"] = array
    return tomlkit.dumps(document)


def with_region(text: str, stage: str, region: str) -> str:
    """Return the text with the region of a stage set."""
    document = tomlkit.parse(text)
    given: Any = document[stage]["global"]["parameters"]
    given["region"] = region
    return tomlkit.dumps(document)


def difference(before: str, after: str, name: str) -> list[str]:
    """Return a unified diff of two texts."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"{name} (now)", f"{name} (new)", lineterm="", n=1
    )
    return list(lines)
