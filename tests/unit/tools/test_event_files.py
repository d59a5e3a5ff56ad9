"""Event files: an event, a batch, a signed sample, and files that cannot be used."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tools.pixel.console import CommandError
from tools.pixel.event_files import read_events
from tools.sandbox import samples

EVENT = {"type": "page", "messageId": "m"}


@pytest.mark.parametrize(
    ("content", "events"),
    [
        (EVENT, [EVENT]),
        ([EVENT, EVENT], [EVENT, EVENT]),
        ({"batch": [EVENT]}, [EVENT]),
        (samples.signed(EVENT), [EVENT]),
        (samples.signed([EVENT, EVENT]), [EVENT, EVENT]),
        (
            samples.http_event(
                base64.b64encode(json.dumps(EVENT).encode()).decode(), None, base64=True
            ),
            [EVENT],
        ),
    ],
)
def test_what_segment_posts_is_read(tmp_path: Path, content: Any, events: list[Any]) -> None:
    file = tmp_path / "events.json"
    file.write_text(json.dumps(content))
    assert read_events(file) == events


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"\xff", "not UTF-8"),
        (b"", "empty"),
        (b'{\n  "type": }', "not JSON: Expecting value: line 2 column 11 (char 12)"),
        (b'{"a": NaN}', "not JSON"),
        (
            b"{}\n{}",
            (
                "not JSON: Extra data: line 2 column 1 (char 3); "
                "the name of a file with one event per line ends in .ndjson"
            ),
        ),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested too deeply"),
        (b"1", "must be a Segment event (an object) or a batch of events"),
        (b"[]", "the batch has no events"),
        (b'{"requestContext": {}, "body": 1}', "body must be a string"),
        (b'{"requestContext": {}, "body": "{"}', "body: not JSON: "),
        (
            b'{"requestContext": {}, "body": "?", "isBase64Encoded": true}',
            "body is not Base64 of UTF-8 text",
        ),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, content: bytes | None, reason: str) -> None:
    file = tmp_path / "events.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandError) as error:
        read_events(file)
    assert str(error.value).startswith(f"{file}: {reason}")
