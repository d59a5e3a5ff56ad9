"""A cold start imports what its libraries need and nothing more, and collects garbage later."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tools.sandbox.application import environment

ROOT: Final = Path(__file__).parents[2]
FORWARD: Final = ROOT / "functions" / "forward"
REDRIVE: Final = ROOT / "functions" / "redrive"
# What every function of this kind imports at its start; phonenumbers is imported later.
LIBRARIES: Final = """
import botocore.auth
import urllib3
from aws_lambda_powertools import Logger, Metrics
"""

HEAVY: Final = (
    "boto3",
    "botocore.client",
    "botocore.credentials",
    "botocore.loaders",
    "botocore.session",
    "pydantic",
    "aws_xray_sdk",
    "requests",
    "asyncio",
    "phonenumbers",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.batch",
    "aws_lambda_powertools.utilities.data_classes",
    "aws_lambda_powertools.utilities.parameters",
    "aws_lambda_powertools.utilities.parser",
    "difflib",
    "unittest",
)


def start(folder: Path, before: str = "", after: str = "", **variables: str) -> list[str]:
    """Import a function's `app` in a new process; the lines that it printed."""
    process = subprocess.run(
        [sys.executable, "-c", f"{before}\nimport app\n{after}"],
        cwd=folder,
        env={
            **environment("https://business-api.tiktok.com", "http://127.0.0.1:9"),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT / "layers" / "tiktok_pixel")]),
            "AWS_DEFAULT_REGION": "us-east-1",
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.splitlines()


def modules(folder: Path, before: str = "", after: str = "", **variables: str) -> set[str]:
    """Return the modules that are loaded after a function has started and run `after`."""
    after += "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    names: list[str] = json.loads(start(folder, before, after, **variables)[-1])
    return set(names)


def heavy(found: set[str]) -> list[str]:
    return [name for name in HEAVY if name in found]


def test_the_forward_function_imports_no_more_than_its_libraries(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(LIBRARIES)
    more = modules(FORWARD) - modules(tmp_path)
    small = {"gc", "unicodedata"}
    assert {name for name in more if name.partition(".")[0] != "tiktok_pixel"} <= small


def test_the_forward_function_imports_nothing_heavy() -> None:
    assert heavy(modules(FORWARD)) == []


def test_neither_reading_parameters_nor_parking_imports_boto3() -> None:
    """Otherwise the first parking would, in the middle of an outage."""
    after = """
from tiktok_pixel.deadline import Deadline
from tiktok_pixel.outcomes import Cause
from tiktok_pixel.tiktok.outgoing import OutgoingEvent, Parked, Route
parked = Parked(Cause.OPERATOR, "tiktok_token_invalid", 0.0)
event = OutgoingEvent(Route(None, "web"), "m", "Search", '{"event": "Search"}', parked)
assert app._destination.credentials.webhook_secrets(Deadline.after(3)) == ()
assert app._destination.queue.park([event], Deadline.after(3)) == [False]
"""
    assert heavy(modules(FORWARD, after=after, PARKED_QUEUE_URL="http://127.0.0.1:9/q")) == []


@pytest.mark.parametrize("name", ["asyncio", "boto3", "difflib", "phonenumbers"])
def test_a_heavy_import_is_detected(name: str) -> None:
    assert name in heavy(modules(FORWARD, before=f"import {name}"))


def test_the_redrive_function_imports_nothing_heavy() -> None:
    assert heavy(modules(REDRIVE)) == []


@pytest.mark.parametrize(
    ("fields", "loaded"),
    [
        ({"email": "a@example.com", "address": {"country": "US"}}, False),
        ({"phone_number": "a" * 64}, False),
        ({"phone_number": "+12065550100"}, True),
    ],
    ids=["no phone", "a hashed phone", "a phone"],
)
def test_the_phone_library_is_imported_with_the_first_phone(
    fields: dict[str, Any], *, loaded: bool
) -> None:
    after = f"""
import sys
from tiktok_pixel.tiktok.identifiers import build_user
build_user({fields!r}, "US")
print("phonenumbers" in sys.modules)
"""
    assert start(FORWARD, after=after)[-1] == str(loaded)


@pytest.mark.parametrize("folder", [FORWARD, REDRIVE], ids=["forward", "redrive"])
def test_garbage_collection_is_enabled_after_the_start(folder: Path) -> None:
    """The objects made at the start are frozen: they are not searched again."""
    after = "import gc; print(gc.isenabled(), gc.get_freeze_count() > 10_000)"
    assert start(folder, after=after)[-1] == "True True"


def test_a_function_that_cannot_start_leaves_garbage_collection_enabled() -> None:
    before = """
import gc, os, sys

def report(kind, *rest):
    print(kind.__name__, gc.isenabled(), flush=True)
    os._exit(0)

sys.excepthook = report
"""
    assert start(FORWARD, before, STAGE="production")[-1] == "SettingsError True"
