"""What the functions' roles may do: exact actions on exact ARNs, after the Serverless transform."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest

from tiktok_pixel.aws.credentials import parameter_names
from tools.ops.template import Node, load_template, transform

VARIABLES: Final = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "123456789012",
    "ParameterPrefix": "/tiktok-pixel",
    "Stage": "prod",
}
FOLDER: Final = "arn:aws:ssm:eu-west-1:123456789012:parameter/tiktok-pixel/prod"
PIXEL: Final = [f"{FOLDER}/pixel-code", f"{FOLDER}/access-token"]
SECRETS: Final = [f"{FOLDER}/webhook-secret", f"{FOLDER}/bearer-token"]
FURTHER_PIXELS: Final = f"{FOLDER}/pixels/*"
QUEUE: Final = {"Fn::GetAtt": ["ParkedEventsQueue", "Arn"]}


@pytest.fixture(scope="module")
def expanded() -> Node:
    return transform(load_template(), {"Stage": "prod"})


@pytest.mark.parametrize("key", ["", "arn:aws:kms:eu-west-1:123456789012:key/k"])
def test_forward_function_reads_parameters_and_parks_events(expanded: Node, key: str) -> None:
    assert _statements(expanded, "ForwardFunctionRole", key) == [
        _allow("ReadParameters", "ssm:GetParameters", [*PIXEL, *SECRETS, FURTHER_PIXELS]),
        _allow("ParkEvents", "sqs:SendMessage", QUEUE),
        *_key_statements(key),
    ]


@pytest.mark.parametrize("key", ["", "arn:aws:kms:eu-west-1:123456789012:key/k"])
def test_redrive_function_reads_no_secret_of_the_endpoint(expanded: Node, key: str) -> None:
    assert _statements(expanded, "RedriveFunctionRole", key) == [
        _allow("ReadParameters", "ssm:GetParameters", [*PIXEL, FURTHER_PIXELS]),
        _allow("KeepEventsParked", "sqs:SendMessage", QUEUE),
        *_key_statements(key),
    ]


@pytest.mark.parametrize(
    ("role", "managed"),
    [
        ("ForwardFunctionRole", {"AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess"}),
        (
            "RedriveFunctionRole",
            {
                "AWSLambdaBasicExecutionRole",
                "AWSLambdaSQSQueueExecutionRole",
                "AWSXrayWriteOnlyAccess",
            },
        ),
        ("CodeDeployServiceRole", {"AWSCodeDeployRoleForLambda"}),
    ],
)
def test_roles_have_the_managed_policies_of_the_transform(
    expanded: Node, role: str, managed: set[str]
) -> None:
    policies = expanded["Resources"][role]["Properties"]["ManagedPolicyArns"]
    assert {one.rpartition("/")[2] for one in policies} == managed


def test_no_other_role_exists(expanded: Node) -> None:
    roles = {n for n, one in expanded["Resources"].items() if one["Type"].startswith("AWS::IAM")}
    assert roles == {"ForwardFunctionRole", "RedriveFunctionRole", "CodeDeployServiceRole"}


@pytest.mark.parametrize(
    ("role", "authenticates"), [("ForwardFunctionRole", True), ("RedriveFunctionRole", False)]
)
def test_every_parameter_that_is_read_is_allowed(
    expanded: Node, role: str, *, authenticates: bool
) -> None:
    # SSM refuses the whole call if one name is not allowed.
    allowed = _statements(expanded, role)[0]["Resource"]
    for name in parameter_names("/tiktok-pixel/prod", ["eu"], authenticates=authenticates):
        arn = f"arn:aws:ssm:eu-west-1:123456789012:parameter{name}"
        assert arn in allowed or (arn.startswith(f"{FOLDER}/pixels/") and FURTHER_PIXELS in allowed)


def _allow(sid: str, action: Any, resource: Any) -> Node:
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}


def _key_statements(key: str) -> list[Node]:
    actions = ["kms:Decrypt", "kms:GenerateDataKey"]
    return [_allow("UseKey", actions, {"Ref": "KmsKeyArn"})] if key else []


def _statements(expanded: Node, role: str, key: str = "") -> list[Node]:
    """Return the statements of a role's own policies, with names and conditions resolved."""
    statements: list[Node] = []
    for policy in expanded["Resources"][role]["Properties"]["Policies"]:
        assert policy["PolicyDocument"]["Version"] == "2012-10-17"
        for statement in policy["PolicyDocument"]["Statement"]:
            resolved = statement
            if "Fn::If" in statement:
                condition, then, otherwise = statement["Fn::If"]
                assert condition == "HasKmsKey"
                resolved = then if key else otherwise
            if resolved != {"Ref": "AWS::NoValue"}:
                statements.append(_resolved(resolved))
    return statements


def _resolved(statement: Node) -> Node:
    text = re.sub(r'\{"Fn::Sub": ("[^"]*")\}', r"\1", json.dumps(statement))
    for name, value in VARIABLES.items():
        text = text.replace(f"${{{name}}}", value)
    resolved: Node = json.loads(text)
    return resolved
