"""The deployments of samconfig.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CONFIG: dict[str, Any] = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))


def missing_mapping_files(config: dict[str, Any], folder: Path) -> list[str]:
    """Return the mapping files that a deployment needs and the folder does not have."""
    missing = []
    for environment in config.values():
        deploy = environment.get("deploy", {}) if isinstance(environment, dict) else {}
        overrides = deploy.get("parameters", {}).get("parameter_overrides", [])
        parameters = dict(override.split("=", 1) for override in overrides)
        file = f"{parameters.get('Stage', 'dev')}.json"
        if parameters.get("MappingSet") == "custom" and not (folder / file).is_file():
            missing.append(file)
    return missing


def test_every_stage_with_its_own_mappings_has_the_file() -> None:
    assert missing_mapping_files(CONFIG, ROOT / "layers" / "tiktok_pixel" / "mappings") == []


@pytest.mark.parametrize(("files", "missing"), [((), ["prod.json"]), (("prod.json",), [])])
def test_a_missing_file_is_found(
    tmp_path: Path, files: tuple[str, ...], missing: list[str]
) -> None:
    for file in files:
        (tmp_path / file).write_text("[]")
    text = """
        version = 0.1
        [prod.deploy.parameters]
        parameter_overrides = ["Stage=prod", "MappingSet=custom"]
        [staging.deploy.parameters]
        parameter_overrides = ["Stage=staging"]
    """
    assert missing_mapping_files(tomllib.loads(text), tmp_path) == missing


def test_builds_are_not_cached() -> None:
    """A cached build does not check the mapping files."""
    assert "cached" not in CONFIG["default"]["build"]["parameters"]
