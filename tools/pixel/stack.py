"""The deployed stack of a stage, and how its parameters differ from `samconfig.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tools.pixel.stage import Stage


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack.

    Attributes:
        name: Its name.
        status: Its status, such as `UPDATE_COMPLETE`.
        outputs: Its outputs.
        parameters: The values of the template's parameters.
        changed_at: When it was last created or updated.
    """

    name: str
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Difference:
    """A parameter that differs between the stack and `samconfig.toml`.

    Attributes:
        name: The parameter.
        deployed: Its value in the stack; `None` if the deployed template does not have it.
        configured: Its value in `samconfig.toml`; `None` if the file does not set it.
    """

    name: str
    deployed: str | None
    configured: str | None


def find_stack(stage: Stage) -> Stack | None:
    """Return the stack of a stage; `None` if there is none."""
    from botocore.exceptions import ClientError  # noqa: PLC0415  # slow to import

    try:
        found = stage.client("cloudformation").describe_stacks(StackName=stage.stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        return None
    return Stack(
        name=stage.stack,
        status=found["StackStatus"],
        outputs={one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())},
        parameters={
            one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", ())
        },
        changed_at=found.get("LastUpdatedTime") or found["CreationTime"],
    )


def no_stack(stage: Stage) -> tuple[str, str]:
    """Return what is missing when a stage has no stack, and what to do."""
    return (
        f"The stack {stage.stack} does not exist in region {stage.region}.",
        f"`pixel deploy {stage.name}` creates it.",
    )


def compare_parameters(stage: Stage, stack: Stack) -> list[Difference]:
    """Return the differences between the stack and `samconfig.toml`.

    A parameter that the file does not set differs when the stack does not have the default: a
    deployment keeps the value of the stack.
    """
    found = []
    for name, expected in stage.parameters.items():
        deployed, configured = stack.parameters.get(name), stage.overrides.get(name)
        is_new = deployed is None and configured is None
        if deployed != expected and not is_new:
            found.append(Difference(name, deployed, configured))
    return found
