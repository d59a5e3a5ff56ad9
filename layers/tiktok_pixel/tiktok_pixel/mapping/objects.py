"""Object literals of a mapping, compiled to one Python function each.

Nearly every field of a real mapping is a path or a chain of paths ("the first of these that
exists", nested ``@if``s), and a function call for each would cost more than everything else. So the
source of one function is generated and compiled: it looks up every object of the event once,
however many paths lead through it, and then reads the fields one after the other::

    def bind(c0):
        def evaluate(data):
            o0 = data if data.__class__ is dict else DictView(data)
            if 'properties' not in o0: o1 = EMPTY
            elif (o1 := o0['properties']).__class__ is not dict: o1 = DictView(o1)
            m = {}
            m['event'] = c0
            if 'order_id' in o1: m['order_id'] = o1['order_id']
            if (
                'ttp' in o1 and (v if (v := o1['ttp']).__class__ is str else has_content(v))
                or 'anonymousId' in o0 and (v := o0['anonymousId']) is not UNDEFINED
            ): m['ttp'] = v
            return m
        return evaluate

Most fields are absent, and ``in`` is the fastest way to find that out. The objects that it looks
into have no undefined members: JSON has none, and built objects leave them out.

Nothing of the mapping gets into the source but keys, as string literals; constants and the
functions of other directives are arguments of ``bind``. So presets that differ in those alone, as
all do that take the default fields, share one source, which is compiled once. They share its global
names as well: Python remembers where it found a global name, for one set of names only. The source
is registered with ``linecache``, so that tracebacks show it.
"""

from __future__ import annotations

import itertools
import linecache
from functools import lru_cache
from types import CodeType
from typing import TYPE_CHECKING, Any, Final, cast

from tiktok_pixel.mapping.directives import DIRECTIVES
from tiktok_pixel.mapping.directives.conditions import path_keys
from tiktok_pixel.mapping.directives.directive import (
    Chain,
    CompileValue,
    Link,
    has_directive,
    is_directive,
    truthy,
)
from tiktok_pixel.mapping.paths import EMPTY, UNDEFINED, DictView, Evaluator

if TYPE_CHECKING:
    from tiktok_pixel.mapping.diagnostics import Location

# The global names of all generated functions.
_NAMES: Final[dict[str, Any]] = {"DictView": DictView, "EMPTY": EMPTY, "UNDEFINED": UNDEFINED}
for _directive in DIRECTIVES.values():
    _NAMES.update(_directive.names)
_CHAINS: Final = [(name, found.chain) for name, found in DIRECTIVES.items() if found.chain]
_numbers: Final = itertools.count(1)


def compile_object(
    fields: dict[str, Any], location: Location, compile_value: CompileValue
) -> Evaluator:
    """Compile an object literal.

    Args:
        fields: The members of the object.
        location: Where it stands.
        compile_value: Compiles members that are neither paths nor chains.
    """
    if location.keeps_undefined:
        return _compile_with_undefined(fields, location, compile_value)
    source = _Source(compile_value)
    source.write_object("m", fields, location)
    defined: dict[str, Any] = {}
    exec(_compiled(source.text()), _NAMES, defined)  # noqa: S102  # generated, keys are literals
    return cast("Evaluator", defined["bind"](**source.names))


def _compile_with_undefined(
    fields: dict[str, Any], location: Location, compile_value: CompileValue
) -> Evaluator:
    members = [(name, compile_value(value, location.at(name))) for name, value in fields.items()]

    def evaluate(data: Any) -> dict[str, Any]:
        return {name: member(data) for name, member in members}

    return evaluate


@lru_cache(maxsize=64)
def _compiled(source: str) -> CodeType:
    file = f"<mapping {next(_numbers)}>"
    # The same form as linecache's own entries; without a time stamp it is never checked.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    return compile(source, file, "exec")


class _Source:
    """The source of one function, and the values of its names."""

    __slots__ = ("_compile_value", "_fields", "_lookups", "_objects", "names")

    def __init__(self, compile_value: CompileValue) -> None:
        self._compile_value = compile_value
        # Keys that lead to an object of the event -> the variable that holds it.
        self._objects: dict[tuple[str, ...], str] = {(): "o0"}
        self._lookups: list[str] = []
        self._fields: list[str] = []
        self.names: dict[str, Any] = {}

    def text(self) -> str:
        """Return the whole function."""
        lines = [
            f"def bind({', '.join(self.names)}):",
            " def evaluate(data):",
            "  o0 = data if data.__class__ is dict else DictView(data)",
            *(f"  {line}" for line in (*self._lookups, *self._fields)),
            "  return m",
            " return evaluate",
        ]
        return "\n".join(lines) + "\n"

    def write_object(self, target: str, fields: dict[str, Any], location: Location) -> None:
        """Write the lines that assign the members of an object literal, in order, to a variable."""
        self._fields.append(f"{target} = {{}}")
        for name, value in fields.items():
            if keys := path_keys(value):
                found, key = self._member(keys)
                line = f"if {key} in {found}: {target}[{name!r}] = {found}[{key}]"
            elif not has_directive(value):
                line = f"{target}[{name!r}] = {self._bind('c', value)}"
            elif isinstance(value, dict) and not is_directive(value):
                variable = f"m{len(self._fields)}"
                self.write_object(variable, value, location.at(name))
                line = f"{target}[{name!r}] = {variable}"
            else:
                line = f"if {self._condition(value, location.at(name))}: {target}[{name!r}] = v"
            self._fields.append(line)

    def _condition(self, value: Any, location: Location) -> str:
        """Return the condition that a field is not undefined; it assigns the value to ``v``."""
        conditions: list[str] = []
        path: tuple[str, ...] = ()
        while read := _read_chain(value):
            name, chain = read
            path += (name,)
            conditions += [self._link(link, location, path) for link in chain.links]
            value = chain.rest
            path += chain.rest_path
        if conditions and (keys := path_keys(value) or ()):
            found, key = self._member(keys)
            conditions.append(f"{key} in {found} and (v := {found}[{key}]) is not UNDEFINED")
        elif not conditions or truthy(value):
            if has_directive(value):
                evaluate = self._compile_value(value, location.at(*path))
                rest = self._bind("f", evaluate) + "(data)"
            else:
                rest = self._bind("c", value)
            conditions.append(f"(v := {rest}) is not UNDEFINED")
        return " or ".join(conditions)

    def _link(self, link: Link, location: Location, path: tuple[str, ...]) -> str:
        """Return the condition that a chain ends with a candidate."""
        keys = path_keys(link.value)
        if keys:
            found, key = self._member(keys)
            condition = link.condition.replace("{value}", f"(v := {found}[{key}])")
            return f"{key} in {found} and {condition}"
        evaluate = self._bind("f", self._compile_value(link.value, location.at(*path, *link.path)))
        return link.condition.replace("{value}", f"(v := {evaluate}(data))")

    def _member(self, keys: tuple[str, ...]) -> tuple[str, str]:
        """Return the variable of the object that a path leads to, and the key in it."""
        return self._object(keys[:-1]), repr(keys[-1])

    def _object(self, keys: tuple[str, ...]) -> str:
        """Return the variable of the object that keys lead to; write the look-ups for it."""
        known = self._objects.get(keys)
        if known is None:
            parent, key = self._member(keys)
            known = self._objects[keys] = f"o{len(self._objects)}"
            value = f"({known} := {parent}[{key}])"
            self._lookups += [
                f"if {key} not in {parent}: {known} = EMPTY",
                f"elif {value}.__class__ is not dict: {known} = DictView({known})",
            ]
        return known

    def _bind(self, kind: str, value: Any) -> str:
        name = f"{kind}{len(self.names)}"
        self.names[name] = value
        return name


def _read_chain(value: Any) -> tuple[str, Chain] | None:
    """Read a directive as a chain; return its name as well."""
    if not isinstance(value, dict):
        return None
    for name, read in _CHAINS:
        if name in value and len(value) - ("_metadata" in value) == 1:
            chain = read(value[name])
            return (name, chain) if chain else None
    return None
