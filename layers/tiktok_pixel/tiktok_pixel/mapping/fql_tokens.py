r"""The tokens of FQL, the language of subscriptions.

Text is split as Segment's lexer splits it (npm package ``@segment/fql-ts``, src/lexer.ts), with its
peculiarities: ``and`` and ``or`` are conjunctions only in lower case and only before a space, comma
or closing parenthesis; ``\`` takes the next character into a name; a string ends at the next quote
of its own kind, and nothing in it can be escaped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tiktok_pixel.mapping.errors import SubscriptionError

# What may follow a conjunction, ``null``, ``!=``, ``<=`` and ``>=``.
_TERMINATORS: Final = " \t\n,])"
# What may follow a name.
_AFTER_NAME: Final = _TERMINATORS + ".(=!"

_WORD: Final = re.compile(r"(?:and|or|null|!=|<=|>=)(?=[ \t\n,\])]|\Z)")
_NAME: Final = re.compile(r"(?:[A-Za-z_]|\\.)(?:[A-Za-z0-9_-]|\\.)*", re.DOTALL)
_NUMBER: Final = re.compile(r"[-+0-9][0-9.]*")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
# What people write instead of FQL; the last ones are quotes of word processors.
_HINTS: Final = {
    "&": 'write "and" instead of "&&"',
    "|": 'write "or" instead of "||"',
    "$": 'write the field without "$.", as in: properties.price > 10',
    **dict.fromkeys(
        "\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019", 'write straight double quotes: "text"'
    ),
}
_KINDS: Final = {"and": "conditional", "or": "conditional", "null": "null"}


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        kind: ``name``, ``string``, ``number``, ``null``, ``conditional``, ``operator``, ``end``, or
            a punctuation mark itself.
        text: As written; names without backslashes, strings with quotes.
        column: Where it starts, counted in characters from 1.
    """

    kind: str
    text: str
    column: int


def tokenize(source: str) -> list[Token]:
    """Split FQL into tokens; dotted names are one token, and the last one is of kind ``end``.

    Raises:
        SubscriptionError: The text has a character or token that FQL does not have.
    """
    tokens: list[Token] = []
    position = 0
    while position < len(source):
        if source[position] in " \t\n":
            position += 1
            continue
        token, position = _read(source, position)
        if (
            token.kind == "name"
            and len(tokens) > 1
            and tokens[-1].kind == "."
            and tokens[-2].kind == "name"
        ):
            tokens.pop()
            first = tokens.pop()
            token = Token("name", f"{first.text}.{token.text}", first.column)
        tokens.append(token)
    tokens.append(Token("end", "", len(source) + 1))
    return tokens


def _read(source: str, at: int) -> tuple[Token, int]:
    char, column = source[at], at + 1
    following = source[at + 1 : at + 2]
    if char == "!" and (following == "(" or (following.isascii() and following.isalpha())):
        return Token("operator", "!", column), at + 1
    if match := _WORD.match(source, at):
        word = match[0]
        return Token(_KINDS.get(word, "operator"), word, column), match.end()
    if char in "=<>":
        return Token("operator", char, column), at + 1
    if char == "!":
        raise SubscriptionError(column, 'expected "!=" and a space, or "!" before a function')
    if match := _NAME.match(source, at):
        return _name(source, match)
    if match := _NUMBER.match(source, at):
        return _number(source, match)
    if char in "\"'":
        end = source.find(char, at + 1)
        if end < 0:
            raise SubscriptionError(column, f"expected a closing {char}")
        return Token("string", source[at : end + 1], column), end + 1
    if char in ".[],()":
        return Token(char, char, column), at + 1
    raise SubscriptionError(column, _HINTS.get(char, f"unexpected character {char!r}"))


def _name(source: str, match: re.Match[str]) -> tuple[Token, int]:
    end = match.end()
    if end < len(source) and source[end] not in _AFTER_NAME:
        raise SubscriptionError(end + 1, f'expected a space after "{match[0]}"')
    return Token("name", _ESCAPED.sub(r"\1", match[0]), match.start() + 1), end


def _number(source: str, match: re.Match[str]) -> tuple[Token, int]:
    text, end = match[0], match.end()
    stray_point = text.endswith(".") and (end == len(source) or source[end] in _TERMINATORS)
    if text.count(".") > 1 or stray_point or not text.strip("+-"):
        raise SubscriptionError(match.start() + 1, f'expected a number, got "{text}"')
    return Token("number", text, match.start() + 1), end
