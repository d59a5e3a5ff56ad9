"""Check values of the template's parameters as CloudFormation does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def parameter_problem(name: str, value: str, declared: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a value, in sentences; `None` if the template allows it.

    Args:
        name: The parameter.
        value: The value to check.
        declared: The section `Parameters` of the template.
    """
    parameter = declared[name]
    allowed = list(map(str, parameter.get("AllowedValues", ())))
    if allowed and value not in allowed:
        return f"{name} must be one of: {', '.join(allowed)}."
    if parameter["Type"] == "Number" and not _is_in_range(value, parameter):
        return f"{name} must be {_range(parameter)}."
    if not re.search(parameter.get("AllowedPattern", ""), value):
        return f'{name} cannot be "{value}". {parameter["Description"]}'
    return None


def _is_in_range(value: str, parameter: Mapping[str, Any]) -> bool:
    if not re.fullmatch(r"\d+", value):
        return False
    number = int(value)
    return bool(parameter.get("MinValue", 0) <= number <= parameter.get("MaxValue", number))


def _range(parameter: Mapping[str, Any]) -> str:
    lowest, highest = parameter.get("MinValue", 0), parameter.get("MaxValue")
    return f"a number from {lowest}" + (f" to {highest}" if highest is not None else "")
