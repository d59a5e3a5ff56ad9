"""The template and the configuration of the SAM CLI, read once."""

from __future__ import annotations

import pytest

from tools.ops.template import Node, load_samconfig, load_template


@pytest.fixture(scope="session")
def template() -> Node:
    return load_template()


@pytest.fixture(scope="session")
def samconfig() -> Node:
    return load_samconfig()
