"""The limits of the deployment, as the template sets them."""

from __future__ import annotations

from typing import Final

from tools.ops.template import load_template

_TEMPLATE: Final = load_template()
_RESOURCES: Final = _TEMPLATE["Resources"]
_REDRIVE: Final = _RESOURCES["RedriveFunction"]["Properties"]
_TRIGGER: Final = _REDRIVE["Events"]["ParkedEvents"]["Properties"]

MEMORY_MEGABYTES: Final[int] = _TEMPLATE["Globals"]["Function"]["MemorySize"]
FORWARD_SECONDS: Final[int] = _RESOURCES["ForwardFunction"]["Properties"]["Timeout"]
REDRIVE_SECONDS: Final[int] = _REDRIVE["Timeout"]
REDRIVE_ENVIRONMENTS: Final[int] = _TRIGGER["ScalingConfig"]["MaximumConcurrency"]
BATCH_MESSAGES: Final[int] = _TRIGGER["BatchSize"]
VISIBILITY_SECONDS: Final[int] = _RESOURCES["ParkedEventsQueue"]["Properties"]["VisibilityTimeout"]
