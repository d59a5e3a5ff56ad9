"""The template as CloudFormation reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

ROOT: Final = Path(__file__).parents[2]

Node = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref X` is `{"Ref": "X"}`."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Node:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _function)


@pytest.fixture(scope="session")
def template() -> Node:
    loaded: Node = yaml.load((ROOT / "template.yaml").read_text(), _Loader)  # noqa: S506  # safe: its own subclass
    return loaded
