"""Names and ids are reported short, printable and without personal data."""

from __future__ import annotations

import pytest

from tools.pixel.audit.scrubbing import scrubbed

HASH = "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514"


@pytest.mark.parametrize(
    "personal",
    [
        "jane.doe@example.com",
        "Jane+tag@Example.COM",
        HASH,
        HASH.upper(),
        HASH[:32],
        "+12065550100",
        "(206) 555-0100",
        "206-555-0100",
        "8.8.8.8",
        "203.0.113.77",
        "2001:4860:4860::8888",
    ],
)
@pytest.mark.parametrize("name", ["Mail to {}", "{}", "'{}' is '{}'", "a={}&b"])
def test_personal_data_is_removed(name: str, personal: str) -> None:
    text = scrubbed(name.format(personal, personal))

    assert personal not in text
    assert "…" in text


@pytest.mark.parametrize("name", ["Order Completed", "checkout_step.2", "Plan: 12 months", "v2.0"])
def test_a_name_without_personal_data_is_unchanged(name: str) -> None:
    assert scrubbed(name) == name


def test_a_name_is_short_and_printable() -> None:
    text = scrubbed("\x1b[31mNo\n\u2028\ud83d" + "x y " * 10_000)

    assert text.startswith("?[31mNo???x y ")
    assert len(text) == 200


def test_personal_data_at_the_end_is_removed() -> None:
    assert HASH[:16] not in scrubbed("x " * 90 + HASH + " " + HASH)
