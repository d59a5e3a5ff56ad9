"""Object literals of a mapping, compiled to one pass over the event.

Nearly every field of a real mapping is a path, or a chain of paths ("the first of these that is
there", nested `@if`s), and most of those lead to nothing in any one event. Asking for each of them
would cost more than all the rest. So it is done the other way around: every object of the event
that some path leads through is looked up once, and each of its members is handed to the fields
that want it; where several want to fill the same field, the earlier one in its chain wins.
"""

from collections.abc import Callable
from typing import Any, Final

from .place import Place
from .values import UNDEFINED, Evaluator, has_content, split_path, view

CompileValue = Callable[[Any, Place], Evaluator]

# What a value must be to fill a field: anything, `exists`, or `blank` (Segment's name for the test
# that something is there).
_ANY: Final = 0
_EXISTS: Final = 1
_BLANK: Final = 2

# A field that wants a member: its name, its place in the chain of paths, the test.
_Want = tuple[str, int, int]
# A plain path has no rivals, so nobody needs to remember its place.
_ALONE: Final = -1
_LAST: Final = 1_000_000

# Reads the fields of one object literal: takes the looked-up objects and the event.
_Reader = Callable[[list[Any], Any], dict[str, Any]]


def compile_object(fields: dict[str, Any], place: Place, compile_value: CompileValue) -> Evaluator:
    """Compile an object literal; `compile_value` compiles what is neither path nor chain."""
    if place.raw:
        return _compile_raw(fields, place, compile_value)
    lookups = _Lookups()
    read = _compile_reader(fields, place, compile_value, lookups)
    steps = tuple(lookups.steps)

    def evaluate(data: Any) -> dict[str, Any]:
        found = [data if data.__class__ is dict else view(data)]
        for source, key in steps:
            value = found[source].get(key, UNDEFINED)
            found.append(value if value.__class__ is dict else view(value))
        return read(found, data)

    return evaluate


def has_directive(value: Any) -> bool:
    """Tell whether a value of a mapping depends on the event."""
    if isinstance(value, dict):
        return any(key.startswith("@") or has_directive(item) for key, item in value.items())
    return isinstance(value, list) and any(map(has_directive, value))


def _compile_raw(fields: dict[str, Any], place: Place, compile_value: CompileValue) -> Evaluator:
    members = [(name, compile_value(value, place.at(name))) for name, value in fields.items()]

    def evaluate(data: Any) -> dict[str, Any]:
        return {name: member(data) for name, member in members}

    return evaluate


class _Lookups:
    """The objects of the event to look up: number 0 is the event, others are found on the way."""

    __slots__ = ("numbers", "steps")

    def __init__(self) -> None:
        self.numbers: dict[tuple[str, ...], int] = {(): 0}
        self.steps: list[tuple[int, str]] = []

    def number(self, keys: tuple[str, ...]) -> int:
        """Give the number of the object that keys lead to, adding the steps that lead there."""
        known = self.numbers.get(keys)
        if known is None:
            self.steps.append((self.number(keys[:-1]), keys[-1]))
            known = self.numbers[keys] = len(self.steps)
        return known


def _compile_reader(
    fields: dict[str, Any], place: Place, compile_value: CompileValue, lookups: _Lookups
) -> _Reader:
    constants: dict[str, Any] = {}
    wants: dict[int, dict[str, list[_Want]]] = {}
    nested: list[tuple[str, _Reader]] = []
    # What a chain ends in when that is no path: tried when nothing filled the field.
    ends: list[tuple[str, Evaluator]] = []

    def want(name: str, keys: tuple[str, ...], rank: int, test: int) -> None:
        members = wants.setdefault(lookups.number(keys[:-1]), {})
        members.setdefault(keys[-1], []).append((name, rank, test))

    for name, value in fields.items():
        here = place.at(name)
        if not has_directive(value):
            constants[name] = value
        elif keys := _path_keys(value):
            want(name, keys, _ALONE, _ANY)
        elif isinstance(value, dict) and not any(key.startswith("@") for key in value):
            nested.append((name, _compile_reader(value, here, compile_value, lookups)))
        else:
            rank = 0
            while link := _chain_link(value):
                keys, test, value = link  # noqa: PLW2901 - walks down the chain
                want(name, keys, rank, test)
                rank += 1
                here = here.at("@if", "else")
            if rank and (keys := _path_keys(value)):
                want(name, keys, _LAST, _ANY)
            # `else` counts only when JavaScript takes it for true.
            elif not rank or not (value is None or value is False or value == "" or value == 0):
                ends.append((name, compile_value(value, here)))
    return _reader(constants, wants, nested, ends)


def _reader(
    constants: dict[str, Any],
    wants: dict[int, dict[str, list[_Want]]],
    nested: list[tuple[str, _Reader]],
    ends: list[tuple[str, Evaluator]],
) -> _Reader:
    reads = tuple((number, members, len(members)) for number, members in wants.items())

    def read(found: list[Any], data: Any) -> dict[str, Any]:
        mapped = constants.copy()
        ranks: dict[str, int] = {}
        for number, wanted, count in reads:
            members = found[number]
            # The smaller of the two is gone through: what the event has, or what is wanted.
            few = members.__class__ is dict and len(members) < count
            for key in members if few else wanted:
                if key not in wanted:
                    continue
                value = members.get(key, UNDEFINED)
                if value is UNDEFINED:
                    continue
                for name, rank, test in wanted[key]:
                    if rank == _ALONE:
                        mapped[name] = value
                        continue
                    # What Python takes for true is neither null nor blank, lists apart; the
                    # rest, which is rare, is told apart by the exact rules.
                    if test and not value and (value is None or test == _BLANK):
                        if value.__class__ is not dict:
                            continue
                    elif test == _BLANK and value.__class__ is list and not has_content(value):
                        continue
                    if rank <= ranks.get(name, _LAST):
                        ranks[name] = rank
                        mapped[name] = value
        for name, read_nested in nested:
            mapped[name] = read_nested(found, data)
        for name, evaluate in ends:
            if name not in ranks:
                value = evaluate(data)
                if value is not UNDEFINED:
                    mapped[name] = value
        return mapped

    return read


def _path_keys(value: Any) -> tuple[str, ...] | None:
    """Give the keys of a plain `@path`; nothing for all else, and for the event itself."""
    if not isinstance(value, dict):
        return None
    path = value.get("@path")
    if not isinstance(path, str) or not value.keys() <= {"@path", "_metadata"}:
        return None
    return split_path(path)


def _chain_link(value: Any) -> tuple[tuple[str, ...], int, Any] | None:
    """Read `@if P then P else rest` as (keys of P, its test, rest)."""
    if not isinstance(value, dict) or not value.keys() <= {"@if", "_metadata"}:
        return None
    options = value.get("@if")
    if not isinstance(options, dict) or len(options.keys() & {"exists", "blank"}) != 1:
        return None
    test, key = (_EXISTS, "exists") if "exists" in options else (_BLANK, "blank")
    keys = _path_keys(options[key])
    if not keys or _path_keys(options.get("then")) != keys:
        return None
    if not options.keys() <= {key, "then", "else"}:
        return None
    return keys, test, options.get("else")
