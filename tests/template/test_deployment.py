"""The stack as CloudFormation deploys it: order, traffic shifting, removal."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from tests.moto_stack import for_moto
from tools.ops.template import STAGES, Node, load_template, resources, transform

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "us-east-1"
FUNCTIONS = ("ForwardFunction", "RedriveFunction")


@pytest.fixture(scope="module")
def expanded() -> Node:
    return transform(load_template(), {"Stage": "dev"})


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("app.py", "")
        _client("s3").create_bucket(Bucket="artifacts")
        _client("s3").put_object(Bucket="artifacts", Key="code.zip", Body=archive.getvalue())
        yield


class TestVersions:
    def test_every_invocation_goes_to_the_alias(self, expanded: Node) -> None:
        created = expanded["Resources"]
        integration = created["Endpoint"]["Properties"]["Body"]["paths"]["/segment"]["post"]
        uri = integration["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
        assert "${ForwardFunctionAliaslive}" in uri
        source = created["RedriveFunctionParkedEvents"]["Properties"]
        assert source["FunctionName"] == {"Ref": "RedriveFunctionAliaslive"}
        assert expanded["Outputs"]["ForwardFunctionArn"]["Value"] == {
            "Ref": "ForwardFunctionAliaslive"
        }

    @pytest.mark.parametrize("function", FUNCTIONS)
    @pytest.mark.parametrize("change", ["layer", "memory", "policy of log group"])
    def test_a_change_makes_a_new_version(self, function: str, change: str) -> None:
        template = load_template()
        if change == "layer":
            template["Resources"]["TikTokPixelLayer"]["Properties"]["Description"] = "changed"
        elif change == "memory":
            template["Globals"]["Function"]["MemorySize"] += 128
        else:
            template["Globals"]["Function"]["LoggingConfig"]["SystemLogLevel"] = "INFO"
        changed = transform(template, {"Stage": "dev"})
        before = transform(load_template(), {"Stage": "dev"})
        assert _version(changed, function) != _version(before, function)

    def test_redrive_reaches_its_new_version_before_forward_changes(self, expanded: Node) -> None:
        # New messages must be readable before they are written.
        assert expanded["Resources"]["ForwardFunction"]["DependsOn"] == "RedriveFunctionAliaslive"
        assert "UpdatePolicy" not in expanded["Resources"]["RedriveFunctionAliaslive"]

    def test_forward_shifts_traffic_as_the_parameter_says(self, expanded: Node) -> None:
        group = expanded["Resources"]["ForwardFunctionDeploymentGroup"]["Properties"]
        assert group["DeploymentConfigName"]["Fn::Sub"] == [
            "CodeDeployDefault.Lambda${ConfigName}",
            {"ConfigName": "AllAtOnce"},
        ]

    def test_a_deployment_is_rolled_back_for_the_new_version_only(self, expanded: Node) -> None:
        group = expanded["Resources"]["ForwardFunctionDeploymentGroup"]["Properties"]
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        names = [one["Name"]["Ref"] for one in group["AlarmConfiguration"]["Alarms"]]
        assert names == ["NewVersionErrorsAlarm", "NewVersionInternalErrorsAlarm"]
        version = {"Fn::GetAtt": [_version(expanded, "ForwardFunction"), "Version"]}
        for name in names:
            alarm = expanded["Resources"][name]["Properties"]
            assert version in [one["Value"] for one in alarm["Dimensions"]]
            # An alarm from before must not block the deployment that fixes its cause.
            assert alarm["EvaluationPeriods"] == 1
            assert "AlarmActions" not in alarm


class TestRemoval:
    def test_is_stated_for_everything_that_holds_data(self) -> None:
        template = load_template()
        for name in resources(template, "AWS::Logs::LogGroup", "AWS::SQS::Queue"):
            resource = template["Resources"][name]
            assert resource["DeletionPolicy"] == "Delete"
            assert resource["UpdateReplacePolicy"] in {"Delete", "Retain"}

    def test_a_replaced_queue_keeps_its_events(self) -> None:
        queue = load_template()["Resources"]["ParkedEventsQueue"]
        assert queue["UpdateReplacePolicy"] == "Retain"


@pytest.mark.usefixtures("aws")
@pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning")
class TestCreatedStack:
    @pytest.mark.parametrize("stage", STAGES)
    def test_has_functions_that_know_their_stage(self, stage: str) -> None:
        outputs = _create(Stage=stage)
        for name in ("ForwardFunctionName", "RedriveFunctionName"):
            found = _client("lambda").get_function_configuration(FunctionName=outputs[name])
            assert found["Runtime"] == "python3.13"
            assert found["Environment"]["Variables"]["STAGE"] == stage
            service = found["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
            assert service == f"tiktok-pixel-{stage}"

    def test_encrypts_the_queue_with_the_key_of_sqs_or_with_the_given_one(self) -> None:
        key = "arn:aws:kms:us-east-1:123456789012:key/1234"
        assert _queue_attributes(_create())["SqsManagedSseEnabled"] == "true"
        assert _queue_attributes(_create(KmsKeyArn=key))["KmsMasterKeyId"] == key

    def test_keeps_logs_as_long_as_the_parameter_says(self) -> None:
        outputs = _create(LogRetentionDays="7")
        groups = _client("logs").describe_log_groups()["logGroups"]
        assert {group["retentionInDays"] for group in groups} == {7}
        names = {group["logGroupName"] for group in groups}
        assert {outputs["ForwardLogGroup"], outputs["RedriveLogGroup"]} <= names

    def test_subscribes_the_email_address_to_a_topic(self) -> None:
        _create()
        assert _client("sns").list_subscriptions()["Subscriptions"] == []
        _create(AlarmEmail="operator@example.com")
        (subscription,) = _client("sns").list_subscriptions()["Subscriptions"]
        assert (subscription["Protocol"], subscription["Endpoint"]) == (
            "email",
            "operator@example.com",
        )

    def test_has_both_dashboards(self) -> None:
        stack = "stack-of-dashboards"
        _create(stack=stack)
        for page in ("business", "technical"):
            found = _client("cloudwatch").get_dashboard(DashboardName=f"{stack}-{page}")
            assert json.loads(found["DashboardBody"])["widgets"]


def _create(*, stack: str | None = None, **parameters: str) -> dict[str, str]:
    """Create the transformed template with moto and return its outputs."""
    cloudformation = _client("cloudformation")
    name = stack or f"stack-{len(cloudformation.list_stacks()['StackSummaries'])}"
    template = for_moto(transform(load_template(), parameters))
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    created = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    assert created["StackStatus"] == "CREATE_COMPLETE"
    return {one["OutputKey"]: one["OutputValue"] for one in created["Outputs"]}


def _queue_attributes(outputs: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = _client("sqs").get_queue_attributes(
        QueueUrl=outputs["ParkedEventsQueueUrl"], AttributeNames=["All"]
    )["Attributes"]
    return found


def _client(service: Any) -> Any:
    return boto3.Session("test", "test", region_name=REGION).client(service)


def _version(expanded: Node, function: str) -> str:
    alias = expanded["Resources"][f"{function}Aliaslive"]["Properties"]
    version: str = alias["FunctionVersion"]["Fn::GetAtt"][0]
    return version
