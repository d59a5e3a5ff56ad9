"""Templates as moto's CloudFormation can create them."""

from __future__ import annotations

from typing import Any, Final

ALIAS: Final = "Aliaslive"
Node = dict[str, Any]


def for_moto(template: Node) -> Node:
    """Leave out aliases, which moto cannot create, and point references to the functions.

    The event source mapping is left out as well: moto would invoke the function in a container.
    """
    kept = {
        name: one
        for name, one in template["Resources"].items()
        if not name.endswith(ALIAS) and one["Type"] != "AWS::Lambda::EventSourceMapping"
    }
    changed: Node = _without_aliases(template | {"Resources": kept})
    for resource in changed["Resources"].values():
        if str(resource.get("DependsOn", "")).endswith(ALIAS):
            del resource["DependsOn"]
    return changed


def _without_aliases(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_aliases(item) for item in node]
    if isinstance(node, dict):
        return {
            key: item.removesuffix(ALIAS)
            if key == "Ref" and isinstance(item, str)
            else _without_aliases(item)
            for key, item in node.items()
        }
    return node
