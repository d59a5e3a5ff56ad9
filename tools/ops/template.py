"""Read `template.yaml` and `samconfig.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
STAGES: Final = ("dev", "staging", "prod")

# The managed policies that the transform attaches.
_MANAGED_POLICIES: Final = {
    "AWSXrayWriteOnlyAccess": "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess",
} | {
    name: f"arn:aws:iam::aws:policy/service-role/{name}"
    for name in (
        "AWSLambdaBasicExecutionRole",
        "AWSLambdaSQSQueueExecutionRole",
        "AWSCodeDeployRoleForLambda",
    )
}

Node = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref X` is `{"Ref": "X"}`."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Node:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    if isinstance(node, yaml.MappingNode):
        return {name: loader.construct_mapping(node, deep=True)}
    raise TypeError(f"cannot read {node.tag}")


_Loader.add_multi_constructor("!", _short_form)


def load_template(path: Path = ROOT / "template.yaml") -> Node:
    """Read the SAM template, with intrinsic functions in their long form."""
    template: Node = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  # a SafeLoader
    return template


def load_samconfig(path: Path = ROOT / "samconfig.toml") -> Node:
    """Read the configuration of the SAM CLI."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def resources(template: Node, *types: str) -> dict[str, Node]:
    """Return the properties of the resources of some types, by logical id."""
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] in types
    }


def transform(template: Node, parameters: dict[str, str], region: str = "us-east-1") -> Node:
    """Expand the Serverless transform as CloudFormation does.

    Code locations are replaced by an S3 address, as `sam package` does.
    """
    # Imported here: few callers need them, and they take half a second.
    import boto3  # noqa: PLC0415
    from samtranslator.parser.parser import Parser  # noqa: PLC0415
    from samtranslator.translator.translator import Translator  # noqa: PLC0415

    for resource in template["Resources"].values():
        for key in ("CodeUri", "ContentUri"):
            if key in resource.get("Properties", {}):
                resource["Properties"][key] = "s3://artifacts/code.zip"
    translator = Translator(
        _MANAGED_POLICIES, Parser(), boto_session=boto3.Session(region_name=region)
    )
    expanded: Node = translator.translate(template, dict(parameters))
    return expanded
