"""The saved queries and the log widgets of the dashboards read fields that real log rows have."""

from __future__ import annotations

import copy
import re
from typing import Any, Final

import pytest

from tests.integration.harness import Forward, Output
from tools.ops import cloudwatch
from tools.ops.template import load_template
from tools.sandbox import samples

TEMPLATE: Final = load_template()
QUERIES: Final = [
    *((query.name, query.text) for query in cloudwatch.queries(TEMPLATE)),
    *cloudwatch.log_queries(TEMPLATE),
]


@pytest.fixture
def rows(application: Forward, output: Output) -> list[dict[str, Any]]:
    """The log rows of a batch, of a purchase that lost its value, and of an unsigned request."""
    output.clear()
    application.send([samples.read(name) for name in samples.names()])
    purchase = copy.deepcopy(samples.read("place-an-order"))
    purchase["messageId"] = "without-value"
    purchase["properties"]["currency"] = "XXX"
    application.send(purchase)
    unsigned = samples.signed(samples.read("search"))
    del unsigned["headers"]["x-signature"]
    application.post(unsigned)
    return output.logs


@pytest.mark.parametrize(("name", "query"), QUERIES, ids=[name for name, _ in QUERIES])
def test_fields_of_a_query_exist(rows: list[dict[str, Any]], name: str, query: str) -> None:
    del name
    chosen = re.search(r"message (?:= '([^']+)'|in \[([^\]]+)\])", query)
    wanted = chosen and (chosen[1] or chosen[2])
    found = [row for row in rows if not wanted or row["message"] in wanted]
    assert found
    assert cloudwatch.query_fields(query) <= {key for row in found for key in row}


def test_purchases_without_value_finds_the_purchase(rows: list[dict[str, Any]]) -> None:
    query = dict(QUERIES)["purchases-without-value"]
    pattern = re.search(r"problems like /([^/]+)/", query)
    assert pattern is not None
    names = re.findall(r"'(\w+)'", query.partition("event in [")[2].partition("]")[0])

    found = [
        row["message_id"]
        for row in rows
        if row["message"] == "event"
        and row["event"] in names
        and re.search(pattern[1], row["problems"])
    ]

    assert "without-value" in found
