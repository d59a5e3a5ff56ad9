"""The sample events are complete, and the signed ones are up to date."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tiktok_pixel.mapping import load_mapping_set
from tiktok_pixel.tiktok import schema
from tools.sandbox import samples


@pytest.mark.parametrize("name", samples.http_samples())
def test_a_signed_sample_is_up_to_date(name: str) -> None:
    """`make events` writes them again after a change to a sample."""
    assert samples.read(name) == samples.http_samples()[name]


def test_there_are_no_other_files() -> None:
    files = {path.stem for path in Path(samples.EVENTS).glob("*.json")}

    assert files == {*samples.names(), *samples.http_samples(), "env"}


def test_every_default_mapping_has_a_sample() -> None:
    mappings = load_mapping_set(schema.shipped("default"), schema).mappings

    assert {mapping.event_name for mapping in mappings} == set(samples.MAPPED.values())
    assert all(mapping.enabled for mapping in mappings)


@pytest.mark.parametrize(("name", "event"), samples.MAPPED.items())
def test_a_sample_is_matched_by_its_own_mapping(name: str, event: str) -> None:
    matching = load_mapping_set(schema.shipped("default"), schema).match(samples.read(name))

    assert [mapping.event_name for mapping in matching] == [event]


@pytest.mark.parametrize("name", samples.names())
def test_samples_have_no_timestamp_and_never_become_too_old(name: str) -> None:
    sample = samples.read(name)

    assert ("timestamp" in sample) == (name == "rejected-too-old")
    assert "originalTimestamp" not in sample
    assert sample["messageId"] == f"sample-{name}"


def test_the_sample_that_is_too_old_is_too_old() -> None:
    moment = time.strptime(samples.read("rejected-too-old")["timestamp"][:10], "%Y-%m-%d")

    assert time.mktime(moment) < time.time() - 28 * 86_400


def test_the_body_of_a_signed_sample_is_compact_json() -> None:
    body = samples.read("signed-search")["body"]

    assert body == json.dumps(samples.read("search"), separators=(",", ":"))
