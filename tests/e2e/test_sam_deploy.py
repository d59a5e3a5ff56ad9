"""`sam deploy` of each environment, against a local AWS.

moto has no Serverless transform, so the operator's command creates the plain resources only; the
transformed template is deployed separately. moto creates no alarms, saved queries, aliases, HTTP
APIs or CodeDeploy resources.
"""

from __future__ import annotations

import ast
import json
import subprocess
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest

from tests.moto_stack import for_moto
from tools.ops.template import load_samconfig, load_template
from tools.sandbox.aws import CREDENTIALS, AwsSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.conftest import SamCli

pytestmark = [
    pytest.mark.runtime,
    pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning"),
]

BUCKET: Final = "artifacts"
ENVIRONMENTS: Final = ("dev", "staging", "prod")

# Runs with the Python of the SAM CLI, which has the translator that CloudFormation uses.
TRANSLATE: Final = """
import json, sys
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

class ManagedPolicies:
    def load(self):
        names = ("AWSXrayWriteOnlyAccess",)
        roles = ("AWSLambdaBasicExecutionRole", "AWSLambdaSQSQueueExecutionRole",
                 "AWSCodeDeployRoleForLambda")
        policies = {name: f"arn:aws:iam::aws:policy/{name}" for name in names}
        return policies | {n: f"arn:aws:iam::aws:policy/service-role/{n}" for n in roles}

template = yaml_parse(open(sys.argv[1]).read())
print(json.dumps(transform(template, {"Stage": sys.argv[2]}, ManagedPolicies())))
"""


@pytest.fixture
def aws() -> Iterator[AwsSandbox]:
    with AwsSandbox() as running:
        _client(running, "s3").create_bucket(Bucket=BUCKET)
        yield running


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_sam_deploy(build: Path, sam: SamCli, aws: AwsSandbox, name: str) -> None:
    del build
    run = sam.run(
        *("deploy", "--config-env", name, "--no-confirm-changeset", "--no-progressbar"),
        *("--no-resolve-s3", "--s3-bucket", BUCKET),
        **_environment(aws),
    )
    assert run.returncode == 0, run.stdout + run.stderr

    config = load_samconfig()[name]
    stack = _stack(aws, config["global"]["parameters"]["stack_name"])
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    given = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
    for override in config["deploy"]["parameters"]["parameter_overrides"]:
        parameter, _, value = override.partition("=")
        assert given[parameter] == value
    assert {one["Key"]: one["Value"] for one in stack["Tags"]}["stage"] == name


@pytest.mark.parametrize("stage", ENVIRONMENTS)
def test_the_transformed_template(
    build: Path, sam: SamCli, aws: AwsSandbox, tmp_path: Path, stage: str
) -> None:
    del build
    packaged = tmp_path / "packaged.yaml"
    run = sam.run(
        *("package", "--s3-bucket", BUCKET, "--output-template-file", str(packaged)),
        **_environment(aws),
    )
    assert run.returncode == 0, run.stderr
    # `sam publish` takes the packaged template with these files in the bucket.
    application = load_template(packaged)["Metadata"]["AWS::ServerlessRepo::Application"]
    assert application["LicenseUrl"].startswith("s3://")
    assert application["ReadmeUrl"].startswith("s3://")
    template = for_moto(_translated(sam, packaged, stage))
    _client(aws, "cloudformation").create_stack(
        StackName="transformed",
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": "Stage", "ParameterValue": stage}],
        Capabilities=["CAPABILITY_IAM"],
    )

    stack = _stack(aws, "transformed")
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    assert set(outputs) == set(template["Outputs"])

    functions = _client(aws, "lambda")
    forward = functions.get_function_configuration(FunctionName=outputs["ForwardFunctionName"])
    assert forward["Runtime"] == "python3.13"
    assert forward["Architectures"] == ["x86_64"]
    variables = forward["Environment"]["Variables"]
    assert variables["STAGE"] == stage
    assert variables["PARAMETER_PREFIX"] == "/tiktok-pixel"
    assert variables["TIKTOK_API_URL"] == "https://business-api.tiktok.com"
    cap = functions.get_function_concurrency(FunctionName=outputs["ForwardFunctionName"])
    assert cap["ReservedConcurrentExecutions"] > 0

    (statement,) = (
        one for one in _statements(aws, forward["Role"]) if one["Sid"] == "ReadParameters"
    )
    assert statement["Action"] == "ssm:GetParameters"
    folder = f"arn:aws:ssm:us-east-1:123456789012:parameter/tiktok-pixel/{stage}"
    assert {f"{folder}/pixel-code", f"{folder}/access-token", f"{folder}/webhook-secret"} <= set(
        statement["Resource"]
    )
    assert all(resource.startswith(f"{folder}/") for resource in statement["Resource"])

    groups = _client(aws, "logs").describe_log_groups()["logGroups"]
    assert outputs["ForwardLogGroup"] in {group["logGroupName"] for group in groups}
    assert all(group["retentionInDays"] == 30 for group in groups)


def _environment(aws: AwsSandbox) -> dict[str, str]:
    # moto reads the bucket of a template URL from its path for this host name only.
    return aws.environment | {"AWS_ENDPOINT_URL": aws.url.replace("127.0.0.1", "localhost")}


def _client(aws: AwsSandbox, service: Any) -> Any:
    return boto3.client(service, endpoint_url=aws.url, **CREDENTIALS)


def _stack(aws: AwsSandbox, name: str) -> dict[str, Any]:
    stacks = _client(aws, "cloudformation").describe_stacks(StackName=name)["Stacks"]
    stack: dict[str, Any] = stacks[0]
    return stack


def _statements(aws: AwsSandbox, role_arn: str) -> list[dict[str, Any]]:
    """The statements of a role, without those of AWS's managed policies."""
    iam = _client(aws, "iam")
    role = role_arn.rpartition("/")[2]
    statements: list[dict[str, Any]] = []
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        # moto stores the policies of a stack in Python's notation.
        read = ast.literal_eval(document) if isinstance(document, str) else document
        # moto leaves None where CloudFormation leaves a conditional statement out.
        statements += [one for one in read["Statement"] if one]
    return statements


def _translated(sam: SamCli, packaged: Path, stage: str) -> dict[str, Any]:
    """The template after CloudFormation's Serverless transform."""
    if not sam.python.is_file():
        pytest.skip(f"no Python beside {sam.program}")
    run = subprocess.run(
        [str(sam.python), "-c", TRANSLATE, str(packaged), stage],
        env=sam.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    template: dict[str, Any] = json.loads(run.stdout)
    return template
