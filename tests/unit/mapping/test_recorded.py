"""All recorded results of Segment's own implementation, and where this one differs on purpose."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from tiktok_pixel.mapping.compiler import compile_fields
from tiktok_pixel.mapping.diagnostics import Diagnostics, Location
from tiktok_pixel.mapping.errors import SubscriptionError
from tiktok_pixel.mapping.subscriptions import compile_subscription

RECORDED = Path(__file__).parent / "recorded"

# Problems that Segment has with a directive only when an event reaches it. Here the file does not
# load: the directive can never work. So a branch that no event reaches is refused as well.
REFUSED_EARLIER = (
    re.compile(r'must have "(exists" or "blank|value)"'),
    re.compile(r"@merge/direction: must be one of"),
    re.compile(r"@replace/pattern: must have 1 to 10 characters; got 0"),
    re.compile(r"@replace/ignorecase: must be true or false"),
    re.compile(r"@flatten/separator: must be a string that is not empty"),
    # Segment does not validate the items of arrays.
    re.compile(r"/\d+: must have one key that starts with"),
    re.compile(r"/\d+/(@replace/value|@template): must be a string or a directive"),
)
# A directive in the place of a path or template gives something else than a string. Segment drops
# the event, here the field is left out.
INNER_DIRECTIVE = re.compile(r"@(path|template): expected string, got (?!string)")
# JavaScript writes members whose names are whole numbers first. Here members keep their order.
MEMBER_ORDER = re.compile(r'\{"a":\{"c":\{\},"0":')

# Subscriptions that Segment reads without an error as something that is never meant. Here the file
# does not load.
NEVER_MEANT = (
    r"\bis\b",  # not an operator
    r"==",
    r"'",  # Segment takes single quotes for a part of the text
    r"[<>]=[^ \t\n,)]",  # no space after the operator
    r"[A-Za-z \t]\.\d",  # a name cannot start with a digit, nor a number with a dot
    r"\.[ \t,!=<>]",  # a path that ends with a dot
    r'\\"',  # quotes cannot be escaped
    r'"[^"]*$',  # a string without end
    r"[!=][ \t]*$|=[ \t]+and\b",  # no value
    r"match\([^,]*,[ \t]*[^ \t\"']",  # a pattern that is not text
    r"\([ \t]*!?(contains|match)\((type|anonymousId)|\(\)",  # nothing to compare in parentheses
)


def recorded(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((RECORDED / name).read_text(encoding="utf-8"))
    return cases


def test_mappings_give_what_segment_gives() -> None:
    counts: Counter[str] = Counter()
    for case in recorded("mapping.json"):
        diagnostics = Diagnostics()
        evaluate = compile_fields(case["mapping"], Location(diagnostics, "case"))
        if diagnostics.problems:
            counts["refused"] += 1
            refused = case.get("validation") or all(
                any(rule.search(str(problem)) for rule in REFUSED_EARLIER)
                for problem in diagnostics.problems
            )
            assert refused, (case, diagnostics.problems)
        elif "error" in case:
            counts["left out"] += 1
            assert not case["validation"], case
            assert INNER_DIRECTIVE.search(case["error"]), case
        elif (output := evaluate(case["event"])) == case["output"]:
            counts["same"] += 1
        else:
            counts["order"] += 1
            assert MEMBER_ORDER.search(output["f0"]), (case, output)
    assert counts == {"same": 892, "refused": 190, "left out": 17, "order": 1}


def test_subscriptions_match_what_segment_matches() -> None:
    counts: Counter[str] = Counter()
    never_meant = re.compile("|".join(NEVER_MEANT))
    for case in recorded("fql.json"):
        try:
            matches = compile_subscription(case["fql"]).matches(case["event"])
        except SubscriptionError:
            counts["refused"] += 1
            if "parseError" not in case:
                assert never_meant.search(case["fql"]), case
        else:
            counts["same"] += 1
            assert matches == case["match"], case
    assert counts == {"same": 729, "refused": 171}
