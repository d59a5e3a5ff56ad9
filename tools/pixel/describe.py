"""Describe subscriptions in words, for tables that people read."""

from tiktok_pixel.mapping.fql import Condition, Node, parse_fql
from tiktok_pixel.values.javascript import to_string

_TYPES = {
    "page": "a page is viewed",
    "screen": "a screen is viewed",
    "identify": "a user is identified",
    "group": "a user joins a group",
    "alias": "a user is merged with another",
    "track": "any track event",
}
_TESTS = {
    "=": "is",
    "!=": "is not",
    "number =": "is",
    "number !=": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
    "exists": "is given",
    "not exists": "is not given",
    "is true": "is true",
    "is false": "is false",
    "not contains": "does not contain",
    "not starts with": "does not start with",
    "not ends with": "does not end with",
}


def describe_subscription(subscribe: str) -> str:
    """Describe when a subscription matches, as in `track "Order Placed" or "Order Completed"`.

    Raises:
        SubscriptionError: The text is not FQL.
    """
    return _words(parse_fql(subscribe)[0], nested=False)


def _words(node: Node, *, nested: bool) -> str:
    if isinstance(node, Condition):
        return _condition(node)
    names = [child for child in node.children if _is_event_name(child)]
    if node.operator == "or" and len(names) == len(node.children):
        return "track " + " or ".join(_quoted(child) for child in names)
    if node.operator == "and" and any(map(_names_events, node.children)):
        # `type = "track"` adds nothing to an event name.
        children = [child for child in node.children if not _is_track(child)]
    else:
        children = list(node.children)
    words = f" {node.operator} ".join(_words(child, nested=True) for child in children)
    return f"({words})" if nested and len(children) > 1 else words


def _condition(condition: Condition) -> str:
    if _is_event_name(condition):
        return f"track {_quoted(condition)}"
    if condition.keys == ("type",) and condition.test == "=":
        return _TYPES.get(str(condition.expected), f"type is {condition.expected}")
    words = f"{'.'.join(condition.keys)} {_TESTS.get(condition.test, condition.test)}"
    if condition.test in ("exists", "not exists", "is true", "is false"):
        return words
    return f"{words} {_quoted(condition)}"


def _is_event_name(node: Node) -> bool:
    return isinstance(node, Condition) and node.keys == ("event",) and node.test == "="


def _names_events(node: Node) -> bool:
    if isinstance(node, Condition):
        return _is_event_name(node)
    return node.operator == "or" and all(map(_is_event_name, node.children))


def _is_track(node: Node) -> bool:
    return isinstance(node, Condition) and (node.keys, node.test, node.expected) == (
        ("type",),
        "=",
        "track",
    )


def _quoted(node: Node) -> str:
    expected = node.expected if isinstance(node, Condition) else None
    return f'"{expected}"' if isinstance(expected, str) else to_string(expected)
