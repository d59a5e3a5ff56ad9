"""Parse FQL subscriptions, which decide which events a mapping is for.

The grammar of Segment (packages/destination-subscriptions/src/parse-fql.ts in its
action-destinations repository)::

    query := term (("and" | "or") term)*
    term  := field op value | func | "!" func | "(" query ")"
    field := type | event | name | userId | properties.<path> | traits.<path> | context.<path>
    op    := = | != | < | <= | > | >=
    value := "string" | number | true | false | null
    func  := contains(field, "s") | match(field, "s*") | match(field, "*s")

Segment's parser is lenient in unexpected ways: there is no precedence (the last conjunction of a
query applies to all of it), AND and OR in capitals are ignored, and so are unknown fields. This
parser reads such queries the same way, and reports each of them as a warning. What Segment cannot
read would never match; here it is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tiktok_pixel.mapping.errors import SubscriptionError
from tiktok_pixel.mapping.fql_tokens import Token, tokenize
from tiktok_pixel.values.javascript import to_number, to_string

_FIELDS: Final = frozenset({"type", "event", "name", "userId", "context", "properties", "traits"})
_FUNCTION_FIELDS: Final = frozenset({"event", "name", "userId"})
_OBJECTS: Final = ("properties", "traits", "context")
_COMPARISONS: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})
_VALUE_KINDS: Final = frozenset({"string", "number", "name", "null"})
_PATH_KEYS: Final = re.compile(r"[^\[.\]]+")

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison.

    Attributes:
        keys: The keys of the event's member.
        test: One of Segment's tests: ``=``, ``!=`` (strict, with text), ``number =``,
            ``number !=``, ``<``, ``<=``, ``>``, ``>=``, ``exists``, ``not exists``, ``is true``,
            ``is false``, and ``contains``, ``starts with``, ``ends with`` with their negations
            (``not contains``…).
        expected: What the member is compared with.
    """

    keys: tuple[str, ...]
    test: str
    expected: str | float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions of which all (``and``) or any (``or``) must be true."""

    operator: str
    children: tuple[Condition | Group, ...]


Node = Condition | Group


def parse_fql(source: str) -> tuple[Node, tuple[str, ...]]:
    """Parse a subscription.

    Returns:
        Its condition, and warnings about it.

    Raises:
        SubscriptionError: Segment cannot read it, or reads something that is never meant. The
            error has the column and what is expected there.
    """
    tokens = tokenize(source)
    parser = _Parser(tokens)
    node = parser.query()
    if node is None:
        expected = f"expected a condition on one of {', '.join(sorted(_FIELDS))}"
        raise SubscriptionError(1, expected + _got(tokens[0]))
    return node, tuple(parser.warnings)


class _Parser:
    """Parses one list of tokens; what is in parentheses gets a parser of its own."""

    __slots__ = ("position", "tokens", "warnings")

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.warnings: list[str] = []

    def query(self) -> Node | None:
        nodes: list[Node] = []
        conjunctions: list[str] = []
        unknown = False  # between an unknown field and the next conjunction
        while (token := self._next()).kind != "end":
            if token.kind == "conditional":
                conjunctions.append(token.text)
                unknown = False
            elif token.kind == "(":
                nodes.append(self._parentheses(token))
            elif token.kind == "name" and token.text.partition(".")[0] in _FIELDS:
                nodes.append(self._comparison(token))
            elif token.kind == "name" and token.text in ("contains", "match"):
                nodes.extend(self._function(token, negated=False))
            elif token.text == "!" and self._peek().text in ("contains", "match"):
                nodes.extend(self._function(self._next(), negated=True))
            elif not unknown:
                unknown = token.kind == "name"
                self._warn(token, _why_ignored(token))
        if len(set(conjunctions)) > 1:
            meaning = "all" if conjunctions[-1] == "and" else "any"
            self.warnings.append(
                f'"and" and "or" are mixed without parentheses: the last one applies, so {meaning} '
                "of the conditions must be true"
            )
        if len(nodes) > 1:
            return Group(conjunctions[-1] if conjunctions else "and", tuple(nodes))
        return nodes[0] if nodes else None

    def _parentheses(self, opening: Token) -> Node:
        # Segment ends them at the first ")", even when it belongs to a function.
        inner: list[Token] = []
        depth = 0
        while (token := self._next()).kind != ")":
            if token.kind == "end":
                raise SubscriptionError(token.column, 'expected ")"')
            if token.kind == "(" and (not inner or inner[-1].text not in ("contains", "match")):
                raise SubscriptionError(
                    token.column, "parentheses inside parentheses are not supported"
                )
            depth += token.kind == "("
            inner.append(token)
        if depth and self._peek().kind != ")":
            self._warn(
                token,
                "ends the parentheses although it belongs to a function; put the function last",
            )
        elif depth:
            self._next()
        inner.append(Token("end", "", token.column))
        parser = _Parser(inner)
        node = parser.query()
        self.warnings += parser.warnings
        if node is None:
            message = "expected a condition inside the parentheses"
            raise SubscriptionError(opening.column + 1, message)
        return node

    def _comparison(self, field: Token) -> Condition:
        operator = self._next()
        if operator.text not in _COMPARISONS:
            raise SubscriptionError(
                operator.column, "expected one of = != < <= > >=" + _got(operator)
            )
        value = self._next()
        if value.text == "=":
            equals = operator.text == "="
            message = 'write one "="' if equals else f'expected a space after "{operator.text}="'
            raise SubscriptionError(value.column, message)
        if value.kind not in _VALUE_KINDS:
            raise SubscriptionError(
                value.column, 'expected a value: "text", a number, true, false or null'
            )
        literal = self._literal(value)
        keys = _keys(field)
        in_object = keys[0] in _OBJECTS
        if (
            value.kind == "null"
            and keys[0] not in ("type", "event")
            and operator.text in ("=", "!=")
        ):
            return Condition(keys, "exists" if operator.text == "!=" else "not exists")
        if (
            isinstance(literal, bool)
            and operator.text == "="
            and (in_object or keys[0] == "userId")
        ):
            return Condition(keys, "is true" if literal else "is false")
        if operator.text not in ("=", "!="):
            return self._order(keys, operator, literal)
        if isinstance(literal, int | float) and not isinstance(literal, bool) and in_object:
            return Condition(keys, f"number {operator.text}", literal)
        if not isinstance(literal, str):
            self._warn(value, f'is compared as the text "{to_string(literal)}"')
        return Condition(keys, operator.text, to_string(literal))

    def _order(self, keys: tuple[str, ...], operator: Token, literal: Scalar) -> Condition:
        limit: float | None = None
        if isinstance(literal, str):
            limit = to_number(literal) if literal.strip() else 0
        elif literal is not None and not (isinstance(literal, bool) and keys[0] not in _OBJECTS):
            limit = float(literal)
        if limit is None:
            self._warn(operator, "compares with a value that is not a number; this is never true")
        return Condition(keys, operator.text, limit)

    def _function(self, function: Token, *, negated: bool) -> list[Condition]:
        self._expect("(")
        field = self._expect("name")
        self._expect(",")
        value = self._next()
        allowed = _VALUE_KINDS if function.text == "contains" else {"string"}
        if value.kind not in allowed:
            raise SubscriptionError(value.column, 'expected "text"')
        if self._peek().kind != "end":  # parentheses may have taken the closing one
            self._expect(")")
        text = to_string(self._literal(value))
        test = "contains"
        if function.text == "match":
            test = "starts with" if value.text.endswith('*"') else "ends with"
            if not value.text.endswith('*"') and not text.startswith("*"):
                self._warn(
                    value, 'has no "*": Segment drops the first character and matches an ending'
                )
            text = text[:-1] if test == "starts with" else text[1:]
            if "*" in text:
                self._warn(value, 'has a second "*", which stands for itself')
        if field.text not in _FUNCTION_FIELDS and not field.text.startswith(_OBJECTS):
            self._warn(field, "cannot be used in a function; Segment ignores the function")
            return []
        return [Condition(_keys(field), f"not {test}" if negated else test, text)]

    def _literal(self, value: Token) -> Scalar:
        if value.kind == "string":
            if value.text.startswith("'"):
                # Segment takes them for a part of the text, which then never matches.
                message = f'write double quotes: "{value.text[1:-1]}"'
                raise SubscriptionError(value.column, message)
            return value.text[1:-1]
        if value.kind == "number":
            return to_number(value.text)
        if value.text in ("true", "false"):
            return value.text == "true"
        if value.kind == "null":
            return None
        self._warn(value, f'has no quotes; write "{value.text}"')
        return value.text

    def _expect(self, kind: str) -> Token:
        token = self._next()
        if token.kind != kind:
            expected = "a field" if kind == "name" else f'"{kind}"'
            raise SubscriptionError(token.column, f"expected {expected}{_got(token)}")
        return token

    def _peek(self) -> Token:
        return self.tokens[min(self.position, len(self.tokens) - 1)]

    def _next(self) -> Token:
        token = self._peek()
        self.position += 1
        return token

    def _warn(self, token: Token, text: str) -> None:
        self.warnings.append(f"column {token.column}: {token.text} {text}")


def _keys(field: Token) -> tuple[str, ...]:
    head, _, path = field.text.partition(".")
    if not field.text.startswith(_OBJECTS):
        return (head,)
    container = next(name for name in _OBJECTS if field.text.startswith(name))
    # Without a path, Segment looks for a member with the name of the object itself.
    keys = _PATH_KEYS.findall(path if head == container and path else field.text)
    if not keys:
        raise SubscriptionError(field.column, f"expected a path after {head}")
    return (container, *keys)


def _got(token: Token) -> str:
    return "" if token.kind == "end" else f"; got {token.text}"


def _why_ignored(token: Token) -> str:
    if token.text in ("and", "or"):
        return "needs a space after it; Segment ignores it"
    if token.text.lower() in ("and", "or"):
        return "must be in lower case; Segment ignores it"
    if token.kind == "name":
        return "is not a field of subscriptions; Segment ignores it"
    return "is not valid here; Segment ignores it"
