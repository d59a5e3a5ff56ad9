"""`template.yaml` and `samconfig.toml`: functions, permissions, parameters, environments."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.recorded import Recorded
from tiktok_pixel.settings import Settings
from tiktok_pixel.tiktok.batches import BYTES_PER_REQUEST
from tools.ops.template import ROOT, STAGES, Node, load_template, transform

if TYPE_CHECKING:
    from collections.abc import Iterator

ENVIRONMENTS: Final = STAGES
SEGMENT_WAITS: Final = 5.0
# Read by Powertools and boto3.
OF_LIBRARIES: Final = re.compile(r"POWERTOOLS_|AWS_")


@pytest.fixture(scope="module")
def forward(template: Node) -> Node:
    """The properties of ForwardFunction, including those of Globals."""
    properties: Node = template["Globals"]["Function"] | _properties(template, "ForwardFunction")
    return properties


@pytest.fixture(scope="module")
def variables(template: Node) -> Node:
    """The environment variables of every function."""
    declared: Node = template["Globals"]["Function"]["Environment"]["Variables"]
    return declared


class TestFunction:
    def test_runs_python_3_13_on_the_chosen_processor(self, template: Node, forward: Node) -> None:
        assert forward["Runtime"] == "python3.13"
        assert forward["Architectures"] == [{"Ref": "Architecture"}]
        assert template["Parameters"]["Architecture"]["Default"] == "x86_64"
        assert template["Parameters"]["Architecture"]["AllowedValues"] == ["x86_64", "arm64"]

    def test_has_a_handler_and_the_layer(self, template: Node, forward: Node) -> None:
        module, _, name = forward["Handler"].partition(".")
        assert f"def {name}(" in (ROOT / forward["CodeUri"] / f"{module}.py").read_text()
        assert forward["Layers"] == [{"Ref": "TikTokPixelLayer"}]
        layer = template["Resources"]["TikTokPixelLayer"]
        assert layer["Metadata"] == {"BuildMethod": "makefile"}
        assert layer["Properties"]["CompatibleRuntimes"] == [forward["Runtime"]]
        makefile = ROOT / layer["Properties"]["ContentUri"] / "Makefile"
        assert "\nbuild-TikTokPixelLayer:" in makefile.read_text()

    def test_has_more_time_than_its_budget(self, forward: Node) -> None:
        budget = Settings("dev", "/tiktok-pixel").budget_seconds
        assert budget < SEGMENT_WAITS <= forward["Timeout"]

    def test_is_traced_by_the_service_itself(self, forward: Node) -> None:
        assert forward["Tracing"] == "Active"

    def test_logs_json_at_a_level_that_lets_metrics_through(
        self, template: Node, forward: Node
    ) -> None:
        # Metrics are lines without a level, which Lambda treats as INFO.
        logging = template["Globals"]["Function"]["LoggingConfig"] | forward["LoggingConfig"]
        assert logging["LogFormat"] == "JSON"
        assert set(_texts(logging["ApplicationLogLevel"])) <= {"LogsDebug", "DEBUG", "INFO"}


class TestEndpoint:
    def test_is_post_segment(self, template: Node, forward: Node) -> None:
        (route,) = [one for one in forward["Events"].values() if one["Type"] == "HttpApi"]
        assert route["Properties"] == {
            "ApiId": {"Ref": "Endpoint"},
            "Method": "POST",
            "Path": "/segment",
        }
        assert template["Resources"]["Endpoint"]["Type"] == "AWS::Serverless::HttpApi"

    def test_is_throttled_because_it_is_public(self, template: Node, forward: Node) -> None:
        throttling = _properties(template, "Endpoint")["DefaultRouteSettings"]
        assert throttling["ThrottlingBurstLimit"] == {"Ref": "ApiBurstLimit"}
        assert throttling["ThrottlingRateLimit"] == {"Ref": "ApiRateLimit"}
        assert {"Ref": "MaximumConcurrency"} in forward["ReservedConcurrentExecutions"]["Fn::If"]
        assert template["Parameters"]["MaximumConcurrency"]["Default"] > 0

    def test_access_log_shows_the_caller_and_no_content(self, template: Node) -> None:
        logged = json.loads(_properties(template, "Endpoint")["AccessLogSettings"]["Format"])
        assert logged["ip"] == "$context.identity.sourceIp"
        assert logged["userAgent"] == "$context.identity.userAgent"
        assert all(text.startswith("$context.") for text in logged.values())
        assert not [text for text in logged.values() if "authorizer" in text]


class TestParkedEvents:
    def test_are_encrypted_and_kept_for_fourteen_days(self, template: Node) -> None:
        queue = _properties(template, "ParkedEventsQueue")
        assert queue["MessageRetentionPeriod"] == 14 * 24 * 60 * 60
        assert queue.get("SqsManagedSseEnabled") or queue.get("KmsMasterKeyId")

    def test_can_be_as_large_as_a_request_to_tiktok(self, template: Node) -> None:
        queue = _properties(template, "ParkedEventsQueue")
        assert queue["MaximumMessageSize"] > BYTES_PER_REQUEST
        assert queue["MaximumMessageSize"] <= 2**20

    def test_are_invisible_while_they_are_processed(self, template: Node) -> None:
        # Lambda recommends six times the function's time-out.
        visibility = _properties(template, "ParkedEventsQueue")["VisibilityTimeout"]
        assert visibility >= 6 * _properties(template, "RedriveFunction")["Timeout"]

    def test_that_still_wait_do_not_block_the_others(self, template: Node) -> None:
        events = _properties(template, "RedriveFunction")["Events"].values()
        (source,) = [one["Properties"] for one in events if one["Type"] == "SQS"]
        assert source["Queue"] == {"Fn::GetAtt": ["ParkedEventsQueue", "Arn"]}
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]

    def test_may_return_to_the_redrive_function_any_number_of_times(self) -> None:
        # Lambda stops a function that sends to its own queue after about 16 passes.
        redrive = transform(load_template(), {"Stage": "dev"})["Resources"]["RedriveFunction"]
        assert redrive["Properties"]["RecursiveLoop"] == "Allow"
        policy = json.loads((ROOT / "docs" / "deploy-policy.json").read_text())
        assert "lambda:PutFunctionRecursionConfig" in _texts(policy)


class TestVariables:
    def test_endpoints_can_be_overridden_locally(self, variables: Node) -> None:
        # `sam local --env-vars` passes declared names only.
        assert variables["AWS_ENDPOINT_URL_SSM"] == ""
        assert variables["AWS_ENDPOINT_URL_SQS"] == ""
        assert variables["TIKTOK_API_URL"] == "https://business-api.tiktok.com"
        env_file = json.loads((ROOT / "events" / "env.json").read_text())
        assert set(env_file["Parameters"]) <= set(variables)

    def test_are_those_that_the_settings_read(self, variables: Node) -> None:
        recorded = Recorded({"STAGE": "dev", "PARAMETER_PREFIX": "/tiktok-pixel"})
        Settings.from_environment(recorded)
        assert recorded.asked == {name for name in variables if not OF_LIBRARIES.match(name)}

    def test_defaults_are_those_of_the_settings(self, template: Node, variables: Node) -> None:
        declared = {name: _default(template, value) for name, value in variables.items()}
        resolved = {name: value for name, value in declared.items() if value is not None}
        assert Settings.from_environment(resolved) == Settings("dev", "/tiktok-pixel")


class TestParameters:
    @pytest.mark.parametrize(
        ("name", "default"),
        [
            ("Stage", "dev"),
            ("ParameterPrefix", "/tiktok-pixel"),
            ("DefaultPhoneRegion", ""),
            ("DefaultPageUrl", ""),
            ("TestEventCode", ""),
            ("LogLevel", "INFO"),
            ("Architecture", "x86_64"),
        ],
    )
    def test_exist_with_their_defaults(self, template: Node, name: str, default: str) -> None:
        assert template["Parameters"][name]["Default"] == default

    def test_stages_are_the_three_environments(self, template: Node) -> None:
        assert template["Parameters"]["Stage"]["AllowedValues"] == list(ENVIRONMENTS)

    def test_all_are_described_and_have_a_usable_default(self, template: Node) -> None:
        for name, parameter in template["Parameters"].items():
            assert parameter["Description"], name
            assert _allows(parameter, parameter["Default"]), name

    def test_all_are_used(self, template: Node) -> None:
        rest = {part: content for part, content in template.items() if part != "Parameters"}
        assert set(template["Parameters"]) <= set(_references(rest))

    def test_conditions_are_used(self, template: Node) -> None:
        rest = {part: content for part, content in template.items() if part != "Conditions"}
        assert set(template["Conditions"]) <= {*_conditions(rest), *_conditions(template)}


class TestLogs:
    def test_every_function_has_its_own_group(self, template: Node) -> None:
        groups = [
            _properties(template, name)["LoggingConfig"]["LogGroup"]["Ref"]
            for name in _of_type(template, "AWS::Serverless::Function")
        ]
        assert len(set(groups)) == len(groups)
        assert set(groups) <= set(_of_type(template, "AWS::Logs::LogGroup"))

    def test_every_group_has_a_retention(self, template: Node) -> None:
        for name in _of_type(template, "AWS::Logs::LogGroup"):
            assert _properties(template, name)["RetentionInDays"] == {"Ref": "LogRetentionDays"}


class TestOutputs:
    def test_include_endpoint_function_and_log(self, template: Node) -> None:
        outputs = template["Outputs"]
        assert outputs["EndpointUrl"]["Value"]["Fn::Sub"].endswith("/segment")
        assert outputs["ForwardFunctionName"]["Value"] == {"Ref": "ForwardFunction"}
        assert outputs["ForwardLogGroup"]["Value"] == {"Ref": "ForwardLogs"}

    def test_are_described(self, template: Node) -> None:
        assert all(output["Description"] for output in template["Outputs"].values())


class TestEnvironments:
    @pytest.mark.parametrize("name", ENVIRONMENTS)
    def test_deploy_with_allowed_values_of_existing_parameters(
        self, template: Node, samconfig: Node, name: str
    ) -> None:
        overrides = _overrides(samconfig, name)
        assert overrides["Stage"] == name
        for parameter, value in overrides.items():
            assert _allows(template["Parameters"][parameter], value), parameter

    def test_share_nothing(self, samconfig: Node) -> None:
        stacks = {samconfig[name]["global"]["parameters"]["stack_name"] for name in ENVIRONMENTS}
        prefixes = {samconfig[name]["deploy"]["parameters"]["s3_prefix"] for name in ENVIRONMENTS}
        assert len(stacks) == len(prefixes) == len(ENVIRONMENTS)

    @pytest.mark.parametrize("name", ENVIRONMENTS)
    def test_are_complete(self, samconfig: Node, name: str) -> None:
        assert set(samconfig[name]["global"]["parameters"]) == {"stack_name", "region"}
        tags = samconfig[name]["deploy"]["parameters"]["tags"]
        assert tags == ["application=tiktok-pixel", f"stage={name}"]
        assert _overrides(samconfig, name)["Architecture"] == "arm64"

    def test_only_production_shifts_traffic_slowly(self, template: Node, samconfig: Node) -> None:
        default = template["Parameters"]["DeploymentType"]["Default"]
        types = {
            name: _overrides(samconfig, name).get("DeploymentType", default)
            for name in ENVIRONMENTS
        }
        assert types == {
            "dev": "AllAtOnce",
            "staging": "AllAtOnce",
            "prod": "Canary10Percent5Minutes",
        }

    @pytest.mark.parametrize("name", ENVIRONMENTS)
    def test_only_production_asks_before_it_deploys(self, samconfig: Node, name: str) -> None:
        deploy = samconfig[name]["deploy"]["parameters"]
        assert deploy["resolve_s3"] is True
        assert deploy["capabilities"] == "CAPABILITY_IAM"
        assert deploy["fail_on_empty_changeset"] is False
        assert deploy["confirm_changeset"] is (name == "prod")

    def test_local_runs_find_the_variables(self, samconfig: Node) -> None:
        for command in ("local_invoke", "local_start_api"):
            file = samconfig["default"][command]["parameters"]["env_vars"]
            assert (ROOT / file).is_file()


def _properties(template: Node, resource: str) -> Node:
    properties: Node = template["Resources"][resource]["Properties"]
    return properties


def _of_type(template: Node, *types: str) -> list[str]:
    return [name for name, one in template["Resources"].items() if one["Type"] in types]


def _overrides(samconfig: Node, name: str) -> dict[str, str]:
    pairs = samconfig[name]["deploy"]["parameters"]["parameter_overrides"]
    return dict(pair.split("=", 1) for pair in pairs)


def _allows(parameter: Node, value: Any) -> bool:
    """Whether CloudFormation accepts the value, which it compares as text."""
    allowed = [str(one) for one in parameter.get("AllowedValues", [value])]
    pattern = parameter.get("AllowedPattern", ".*")
    return str(value) in allowed and re.search(pattern, str(value)) is not None


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from _texts(item)
    else:
        yield str(node)


def _references(node: Any) -> Iterator[str]:
    """Every name in a `Ref` or `Sub`."""
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    if isinstance(node, dict):
        for key, item in node.items():
            if key == "Ref":
                yield item
            elif key == "Fn::Sub":
                yield from re.findall(r"\$\{([^}!]+)\}", " ".join(_texts(item)))
            yield from _references(item)


def _conditions(node: Any) -> Iterator[str]:
    """Every condition that an `If` or a `Condition` names."""
    if isinstance(node, list):
        for item in node:
            yield from _conditions(item)
    if isinstance(node, dict):
        for key, item in node.items():
            if key == "Fn::If":
                yield item[0]
            elif key == "Condition" and isinstance(item, str):
                yield item
            yield from _conditions(item)


def _default(template: Node, value: Any) -> str | None:
    """A variable's value in a deployment with defaults; None if only AWS knows it."""
    if isinstance(value, str):
        return value
    parameter = template["Parameters"].get(value.get("Ref"))
    return None if parameter is None else str(parameter["Default"])
