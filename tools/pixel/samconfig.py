"""Change template parameters of a stage in `samconfig.toml`, keeping its comments."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Final

import tomlkit

# How SAM takes an empty value. A line that is missing would keep the value of the stack.
_EMPTY: Final = '""'


def read_overrides(overrides: Iterable[str]) -> dict[str, str]:
    """Return the values of template parameters, by name."""
    pairs = (one.split("=", 1) for one in overrides)
    return {name: "" if value == _EMPTY else value for name, value in pairs}


def with_parameters(text: str, stage: str, changes: Mapping[str, str]) -> str:
    """Return the text with template parameters of a stage set."""
    document = tomlkit.parse(text)
    deploy: Any = document[stage]["deploy"]["parameters"]
    overrides = {**read_overrides(deploy["parameter_overrides"]), **changes}
    array = tomlkit.array()
    for name, value in overrides.items():
        array.add_line(f"{name}={value or _EMPTY}", indent="  ")
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
