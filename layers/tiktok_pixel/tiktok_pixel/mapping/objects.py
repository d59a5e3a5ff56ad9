"""Object literals of a mapping, compiled to one pass over the event.

Nearly every field of a real mapping is a path, or a chain of paths ("the first of these that is
there", nested `@if`s). Calling a function for each path would cost more than all the rest. So the
paths of all fields are put together: every object of the event that some path leads through is
looked up once, then the fields are read out of those objects in plain loops. (A function generated
as Python text would be twice as fast, 4 µs less an event, but some milliseconds slower to load.)
"""

from collections.abc import Callable
from typing import Any

from .arguments import CompileValue, has_directive, is_directive, truthy
from .place import Place, nothing
from .values import UNDEFINED, Evaluator, has_content, split_path, view

# One try of a chain: the number of the object to look in, the key, whether the test is `blank`.
_Try = tuple[int, str, bool]
# Reads the fields of one object literal: takes the looked-up objects, and the event.
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
    paths: dict[int, list[tuple[str, str]]] = {}
    # A chain ends in a path (an object's number and a key) or in a function.
    chains: list[tuple[str, tuple[_Try, ...], int, str, Evaluator | None]] = []
    others: list[tuple[str, Evaluator]] = []
    nested: list[tuple[str, _Reader]] = []
    for name, value in fields.items():
        here = place.at(name)
        if not has_directive(value):
            constants[name] = value
        elif keys := _path_keys(value):
            paths.setdefault(lookups.number(keys[:-1]), []).append((name, keys[-1]))
        elif isinstance(value, dict) and not is_directive(value):
            nested.append((name, _compile_reader(value, here, compile_value, lookups)))
        else:
            tries: list[_Try] = []
            rest = value
            while link := _chain_link(rest):
                keys, blank, rest = link
                tries.append((lookups.number(keys[:-1]), keys[-1], blank))
                here = here.at("@if", "else")
            if not tries:
                others.append((name, compile_value(value, here)))
            elif keys := _path_keys(rest):
                chains.append((name, tuple(tries), lookups.number(keys[:-1]), keys[-1], None))
            else:
                # `else` counts only when JavaScript takes it for true.
                end = compile_value(rest, here) if truthy(rest) else nothing
                chains.append((name, tuple(tries), 0, "", end))
    reads = tuple((number, tuple(pairs)) for number, pairs in paths.items())
    if len(reads) == 1 and reads[0][0] == 0 and not (constants or chains or others or nested):
        return _flat_reader(reads[0][1])
    return _reader(constants, reads, tuple(chains), (*nested,), (*others,))


def _reader(  # noqa: C901 - the function in it
    constants: dict[str, Any],
    reads: tuple[tuple[int, tuple[tuple[str, str], ...]], ...],
    chains: tuple[tuple[str, tuple[_Try, ...], int, str, Evaluator | None], ...],
    nested: tuple[tuple[str, _Reader], ...],
    others: tuple[tuple[str, Evaluator], ...],
) -> _Reader:
    # One function, long as it is: a call costs as much as reading three fields.
    def read(found: list[Any], data: Any) -> dict[str, Any]:  # noqa: C901, PLR0912
        mapped = constants.copy()
        for number, pairs in reads:
            get = found[number].get
            for name, key in pairs:
                value = get(key, UNDEFINED)
                if value is not UNDEFINED:
                    mapped[name] = value
        for name, tries, number, key, end in chains:
            for try_number, try_key, blank in tries:
                # To both tests, null and undefined are one. What Python takes for true passes
                # them, lists apart; the exact rules are for the few values that remain.
                value = found[try_number].get(try_key, None)
                if value:
                    if value.__class__ is not list or not blank or has_content(value):
                        break
                elif value is None or value is UNDEFINED:
                    continue
                elif not blank or value.__class__ is dict:
                    break
            else:
                value = found[number].get(key, UNDEFINED) if end is None else end(data)
                if value is UNDEFINED:
                    continue
            mapped[name] = value
        for name, read_nested in nested:
            mapped[name] = read_nested(found, data)
        for name, evaluate in others:
            value = evaluate(data)
            if value is not UNDEFINED:
                mapped[name] = value
        return mapped

    return read


def _flat_reader(pairs: tuple[tuple[str, str], ...]) -> _Reader:
    """Read all fields out of one object: the usual shape of an `@arrayPath` item."""

    def read(found: list[Any], _data: Any) -> dict[str, Any]:
        get = found[0].get
        return {
            name: value for name, key in pairs if (value := get(key, UNDEFINED)) is not UNDEFINED
        }

    return read


def _path_keys(value: Any) -> tuple[str, ...] | None:
    """Give the keys of a plain `@path`; nothing for all else, and for the event itself."""
    if not isinstance(value, dict):
        return None
    path = value.get("@path")
    if not isinstance(path, str) or not value.keys() <= {"@path", "_metadata"}:
        return None
    return split_path(path)


def _chain_link(value: Any) -> tuple[tuple[str, ...], bool, Any] | None:
    """Read `@if P then P else rest` as (keys of P, whether the test is `blank`, rest)."""
    if not isinstance(value, dict) or not value.keys() <= {"@if", "_metadata"}:
        return None
    options = value.get("@if")
    if not isinstance(options, dict) or len(options.keys() & {"exists", "blank"}) != 1:
        return None
    key = "exists" if "exists" in options else "blank"
    keys = _path_keys(options[key])
    if not keys or _path_keys(options.get("then")) != keys:
        return None
    if not options.keys() <= {key, "then", "else"}:
        return None
    return keys, key == "blank", options.get("else")
