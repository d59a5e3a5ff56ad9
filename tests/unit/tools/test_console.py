"""Widths of tables, and text that must not control the terminal."""

from __future__ import annotations

import pytest

from tools.pixel.console import column_widths, counted, print_marked, print_table, printable


@pytest.mark.parametrize(
    ("cells", "available", "widths"),
    [
        ([["a", "bb"], ["ccc", "d"]], 80, [3, 2]),
        ([["one two three", "x"]], 10, [7, 1]),
        ([["one two three", "four five six"]], 20, [9, 9]),
        # A word is broken only when whole words do not fit.
        ([["unbreakable", "a b c d e f"]], 16, [11, 3]),
        ([["unbreakable", "unbreakable"]], 16, [7, 7]),
        ([["東京 東京", "x"]], 8, [5, 1]),
        ([["", ""]], 80, [1, 1]),
    ],
)
def test_column_widths(cells: list[list[str]], available: int, widths: list[int]) -> None:
    assert column_widths(cells, available) == widths


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zürich 東京", "Zürich 東京"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb\nc", "a\\u202eb\\nc"),
        ("\ud83d", "\\ud83d"),
    ],
)
def test_control_characters_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 events"), (1, "1 event"), (1.0, "1 event"), (1234, "1,234 events")]
)
def test_a_count_agrees_with_its_noun(count: float, text: str) -> None:
    assert counted(count, "event") == text


def test_marked_paragraphs_are_wrapped_at_words_and_indented(
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = "https://a-long-host-name.execute-api.eu-west-1.amazonaws.com/a-path-of-some-length"
    print_marked("FAIL", "word " * 30 + url, "Second paragraph.")

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("FAIL word word")
    assert all(line.startswith("     ") for line in lines[1:])
    assert url in [line.strip() for line in lines]
    assert max(len(line) for line in lines if url not in line) <= 80
    assert lines[-1] == "     Second paragraph."


def test_numbers_are_aligned_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["name", "count"], [["a", "1,000"], ["b", "7"], ["[red]c", ""]])
    assert capsys.readouterr().out.splitlines()[2:] == ["a       1,000", "b           7", "[red]c"]
