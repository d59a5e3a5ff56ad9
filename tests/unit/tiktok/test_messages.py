"""Only words of a closed vocabulary of TikTok's messages are logged."""

from __future__ import annotations

import base64
import urllib.parse
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_pixel.tiktok.messages import cleaned

EMAIL = "Jane.Doe@Example.com"
HASH = "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514"
PERSONAL = [
    EMAIL,
    HASH,
    "+12065550100",
    "8.8.8.8",
    "2001:db8::1",
    "C4ABCDEF",
    "Möller",
    "4f-s3cr3t",
]
CHANGES: Final[dict[str, Callable[[str], str]]] = {
    "whole": str,
    "lower case": str.lower,
    "upper case": str.upper,
    "cut at its start": lambda value: value[2:],
    "cut at its end": lambda value: value[:-3],
    "quoted": urllib.parse.quote,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "escaped": lambda value: value.encode("unicode_escape").decode(),
    "spaced": " ".join,
}


@pytest.mark.parametrize(
    "message",
    [
        "OK",
        "Invalid value for event_id: not a valid string.",
        "Batch.0.properties.contents.0.content_id: Not a valid string",
        "data[12].user.email is not hashed",
        "data: length must be between",
    ],
)
def test_known_words_and_indexes_stay(message: str) -> None:
    assert cleaned(message) == message


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("value", PERSONAL)
@pytest.mark.parametrize("message", ["Invalid value: {}", "{} is not valid", "user.ip={}", "'{}'"])
def test_no_part_of_a_quoted_value_stays(
    message: str, value: str, change: Callable[[str], str]
) -> None:
    quoted = change(value)

    found = cleaned(message.format(quoted))

    fragments = {quoted[start : start + 4] for start in range(len(quoted) - 3)}
    assert not any(fragment in found and not fragment.isspace() for fragment in fragments)
    assert "…" in found


@given(st.text(max_size=2000))
def test_a_message_is_short_and_printable(message: str) -> None:
    found = cleaned(message)

    assert len(found) <= 200
    assert found.replace("…", "").isascii()
    assert found.isprintable()
