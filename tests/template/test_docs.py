"""The pages of `docs/`: generated ones are up to date, written ones are complete."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest

from tools.load import limits
from tools.ops import cloudwatch
from tools.ops.documents import DOCUMENTS
from tools.ops.render_dashboards import render
from tools.ops.template import ROOT, Node, load_template, transform
from tools.sandbox.faults import BY_NAME, Fault

DOCS: Final = ROOT / "docs"
WORKFLOWS: Final = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# The service whose actions create a resource, where the type does not name it.
SERVICES: Final = {"apigatewayv2": "apigateway", "serverless": "lambda"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_generated_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text() == DOCUMENTS[name](), "run `make docs`"


def test_dashboards_are_rendered(template: Node, tmp_path: Any) -> None:
    for dashboard in cloudwatch.dashboards(template):
        picture = tmp_path / "dashboard.png"
        render(dashboard, picture)
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert (DOCS / "images" / f"dashboard-{dashboard.name.lower()}.png").is_file()


class TestScaleAndCost:
    """Every limit in the page is that of the template."""

    TEXT: Final = (DOCS / "scale-and-cost.md").read_text()

    @pytest.mark.parametrize(
        "words",
        [
            "{ApiRateLimit}, bursts of {ApiBurstLimit}",
            "| requests at once | {MaximumConcurrency} |",
            "| redrive | {redrive} environments |",
            "memory {memory} MB",
            "The functions have {memory} MB.",
            "one redrive invocation for up to {messages:,}",
        ],
    )
    def test_names_the_limits_of_the_template(self, template: Node, words: str) -> None:
        expected = words.format(
            redrive=limits.REDRIVE_ENVIRONMENTS,
            memory=limits.MEMORY_MEGABYTES,
            messages=limits.BATCH_MESSAGES,
            **{name: one.get("Default") for name, one in template["Parameters"].items()},
        )
        assert expected in self.TEXT


class TestRunbook:
    TEXT: Final = (DOCS / "runbook.md").read_text()

    @pytest.mark.parametrize("alarm", cloudwatch.alarms(load_template()), ids=lambda one: one.name)
    def test_says_what_an_alarm_means_and_what_to_do(self, alarm: cloudwatch.Alarm) -> None:
        page, _, anchor = alarm.runbook.partition("#")
        assert (ROOT / page).is_file()
        sections = re.split(r"^## ", self.TEXT, flags=re.MULTILINE)
        (section,) = [one for one in sections if one.startswith(f"{anchor}\n")]
        if alarm.severity != "none":
            assert "**Means.**" in section
            assert "**Do.**" in section

    def test_names_saved_queries_that_exist(self, template: Node) -> None:
        names = {query.name for query in cloudwatch.queries(template)}
        for name in ("top-reasons", "one-message", "who-sends-wrong-signatures"):
            assert name in names
            assert f"`{name}`" in self.TEXT

    def test_faults_to_rehearse_are_known_to_the_sandbox(self) -> None:
        scripts = re.findall(r"_sandbox/faults -d '([^']+)'", self.TEXT)
        assert scripts
        for script in scripts:
            fault = json.loads(script)["always"]
            assert isinstance(BY_NAME[fault.pop("fault")](**fault), Fault)


class TestDeployPolicy:
    POLICY: Final[Node] = json.loads((DOCS / "deploy-policy.json").read_text())

    def test_fits_a_managed_policy(self) -> None:
        # AWS counts characters without white space.
        assert len(json.dumps(self.POLICY, separators=(",", ":"))) <= 6144

    def test_is_limited_to_the_stacks(self) -> None:
        for statement in self.POLICY["Statement"]:
            for resource in _listed(statement["Resource"]):
                limited = "tiktok-pixel" in resource or statement["Sid"] in {
                    "Artifacts",
                    "Deployments",
                    "Endpoint",
                    "EventSourceAndQuota",
                    "LogsWithoutResources",
                    "Metrics",
                    "Stacks",
                }
                assert limited, statement["Sid"]
            assert all(action != "*" for action in _listed(statement["Action"]))

    def test_covers_the_services_of_every_resource(self) -> None:
        allowed = {
            action.split(":")[0]
            for statement in self.POLICY["Statement"]
            for action in _listed(statement["Action"])
        }
        for resource in transform(load_template(), {"Stage": "prod"})["Resources"].values():
            service = resource["Type"].split("::")[1].lower()
            assert SERVICES.get(service, service) in allowed, resource["Type"]

    def test_attaches_the_managed_policies_of_the_transform_only(self) -> None:
        (statement,) = [s for s in self.POLICY["Statement"] if s["Sid"] == "ManagedPolicies"]
        allowed = set(statement["Condition"]["ArnEquals"]["iam:PolicyARN"])
        expanded = transform(load_template(), {"Stage": "prod"})["Resources"]
        attached = {
            arn
            for resource in expanded.values()
            for arn in resource.get("Properties", {}).get("ManagedPolicyArns", [])
        }
        assert attached == allowed


class TestWorkflows:
    @pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
    def test_actions_are_pinned_by_commit(self, path: Any) -> None:
        for used in re.findall(r"uses: (.+)", path.read_text()):
            pinned = re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+(\.\d+)*", used)
            assert pinned or used.startswith("./.github/workflows/"), used

    def test_run_the_same_checks_as_everybody(self) -> None:
        assert "run: .ci/run" in (ROOT / ".github" / "workflows" / "ci.yml").read_text()

    def test_deploy_the_stages_one_after_another(self) -> None:
        text = (ROOT / ".github" / "workflows" / "deploy.yml").read_text()
        order = re.findall(r"^  (\w+):\n    needs: (\w+)", text, re.MULTILINE)
        assert order == [
            ("build", "check"),
            ("dev", "build"),
            ("staging", "dev"),
            ("prod", "staging"),
        ]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
