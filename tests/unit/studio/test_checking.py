"""Problems of a draft stand at the mapping and field that cause them."""

from typing import Any

from tools.studio.checking import check

GOOD: dict[str, Any] = {
    "name": "Good",
    "subscribe": 'event = "A"',
    "mapping": {"event": "Lead", "value": {"@path": "$.properties.value"}},
}


def test_a_good_mapping_is_compiled() -> None:
    (checked,) = check((GOOD,))
    assert checked.compiled is not None
    assert checked.compiled.match({"event": "A"})
    assert checked.problems == ()


def test_a_mapping_with_problems_does_not_hide_the_others() -> None:
    broken, good = check(({**GOOD, "name": "Broken", "subscribe": "event ="}, GOOD))
    assert broken.compiled is None
    assert good.compiled is not None
    assert len(broken.problems_of("subscribe")) == 1
    assert broken.problems_of("event") == ()


def test_problems_are_found_by_field() -> None:
    preset = {**GOOD, "mapping": {"event": "no spaces allowed", "currency": "XXX"}}
    (checked,) = check((preset,))
    assert "got ' '" in checked.problems_of("event")[0]
    assert "XXX" in checked.problems_of("currency")[0]


def test_problems_elsewhere_are_the_rest() -> None:
    (checked,) = check(({**GOOD, "unknown": 1},))
    (problem,) = checked.other_problems(frozenset({"name", "subscribe"}))
    assert problem.startswith("unknown:")
    assert checked.other_problems(frozenset({"unknown"})) == ()


def test_the_second_mapping_of_a_name_has_the_problem() -> None:
    first, second = check((GOOD, GOOD))
    assert first.problems == ()
    assert second.problems_of("name") == ("another mapping has this name",)
    assert second.compiled is None


def test_warnings_do_not_repeat_the_name_of_the_mapping() -> None:
    (checked,) = check(({**GOOD, "mapping": {"event": "CompletePayment"}},))
    assert checked.compiled is not None
    assert checked.warnings[0].startswith("event: CompletePayment")


def test_what_is_not_a_preset_is_a_problem() -> None:
    presets: tuple[Any, ...] = (None, 1, [], "text", {})
    for preset in presets:
        (checked,) = check((preset,))
        assert checked.problems
        assert checked.compiled is None
