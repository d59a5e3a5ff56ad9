"""Object literals of a mapping, compiled to one Python function each.

Nearly every field of a real mapping is a path, or a chain of paths ("the first of these that is
there", nested `@if`s), and calling a function for each would cost more than all the rest. So the
text of one function is written and compiled: it looks every object of the event up once, however
many paths lead through it, and then reads the fields one after the other::

    def evaluate(data):
        o0 = data if data.__class__ is dict else View(data)
        if 'properties' not in o0: o1 = NOTHING
        elif (o1 := o0['properties']).__class__ is not dict: o1 = View(o1)
        m = {'event': c0}
        if 'order_id' in o1: m['order_id'] = o1['order_id']
        if (
            'ttp' in o1 and (v if (v := o1['ttp']).__class__ is str else has(v))
            or 'anonymousId' in o0 and (v := o0['anonymousId']) is not U
        ): m['ttp'] = v
        return m

Most of what is looked for is not there, and `in` is the fastest way to learn that. No object that
it looks into has undefined members: JSON has none, and who builds objects takes them out.

Nothing of the mapping gets into the text but keys, as string literals; constants and the functions
of other directives are bound by name. So presets that differ in those alone, as all do that take
the default fields, share one text, which is compiled once.
"""

from functools import lru_cache
from types import CodeType
from typing import Any, cast

from tiktok_pixel.mapping.arguments import CompileValue, has_directive, is_directive, truthy
from tiktok_pixel.mapping.diagnostics import Place
from tiktok_pixel.mapping.paths import NOTHING, UNDEFINED, Evaluator, View, has_content, split_path

# What the written text calls these.
_NAMES = {"U": UNDEFINED, "NOTHING": NOTHING, "View": View, "has": has_content}


def compile_object(fields: dict[str, Any], place: Place, compile_value: CompileValue) -> Evaluator:
    """Compile an object literal; `compile_value` compiles what is neither path nor chain."""
    if place.raw:
        return _compile_raw(fields, place, compile_value)
    text = _Text(compile_value)
    text.write_object("m", fields, place)
    names = {**_NAMES, **text.names}
    exec(_compiled(text.whole()), names)  # noqa: S102 - written above, keys are string literals
    return cast("Evaluator", names["evaluate"])


def _compile_raw(fields: dict[str, Any], place: Place, compile_value: CompileValue) -> Evaluator:
    members = [(name, compile_value(value, place.at(name))) for name, value in fields.items()]

    def evaluate(data: Any) -> dict[str, Any]:
        return {name: member(data) for name, member in members}

    return evaluate


@lru_cache(maxsize=64)
def _compiled(text: str) -> CodeType:
    return compile(text, "<mapping>", "exec")


class _Text:
    """The text of one function, and what its names stand for."""

    __slots__ = ("_compile_value", "_fields", "_lookups", "_objects", "names")

    def __init__(self, compile_value: CompileValue) -> None:
        self._compile_value = compile_value
        # Keys that lead to an object of the event -> the variable that holds it.
        self._objects: dict[tuple[str, ...], str] = {(): "o0"}
        self._lookups: list[str] = []
        self._fields: list[str] = []
        self.names: dict[str, Any] = {}

    def whole(self) -> str:
        """The function, once all is written."""
        head = "o0 = data if data.__class__ is dict else View(data)"
        lines = [head, *self._lookups, *self._fields, "return m"]
        return "def evaluate(data):\n  " + "\n  ".join(lines)

    def write_object(self, target: str, fields: dict[str, Any], place: Place) -> None:
        """Write what fills the variable `target` with the members of an object literal."""
        constants: dict[str, str] = {}
        plain: list[tuple[str, str, str]] = []
        others: list[tuple[str, str]] = []
        nested: list[tuple[str, dict[str, Any], Place]] = []
        for name, value in fields.items():
            here = place.at(name)
            if not has_directive(value):
                constants[name] = self._bound("c", value)
            elif keys := _path_keys(value):
                plain.append((name, *self._member(keys)))
            elif isinstance(value, dict) and not is_directive(value):
                nested.append((name, value, here))
            else:
                others.append((name, self._chain(value, here)))
        members = ", ".join(f"{name!r}: {bound}" for name, bound in constants.items())
        self._fields.append(f"{target} = {{{members}}}")
        for name, found, key in plain:
            self._fields.append(f"if {key} in {found}: {target}[{name!r}] = {found}[{key}]")
        for name, condition in others:
            self._fields.append(f"if {condition}: {target}[{name!r}] = v")
        for name, value, here in nested:
            variable = f"m{len(self._fields)}"
            self.write_object(variable, value, here)
            self._fields.append(f"{target}[{name!r}] = {variable}")

    def _chain(self, value: Any, place: Place) -> str:
        """Write the condition that a field is there; it leaves the field's value in `v`."""
        tries: list[str] = []
        while link := _chain_link(value):
            keys, blank, value = link
            found, key = self._member(keys)
            member = f"(v := {found}[{key}])"
            # Most of what is not blank is text.
            is_wanted = (
                f"(v if {member}.__class__ is str else has(v))"
                if blank
                else f"{member} is not None"
            )
            tries.append(f"{key} in {found} and {is_wanted}")
            place = place.at("@if", "else")
        if tries and (keys := _path_keys(value) or ()):
            found, key = self._member(keys)
            tries.append(f"{key} in {found} and (v := {found}[{key}]) is not U")
        elif not tries or truthy(value):
            if has_directive(value):
                end = self._bound("f", self._compile_value(value, place)) + "(data)"
            else:
                end = self._bound("c", value)
            tries.append(f"(v := {end}) is not U")
        return " or ".join(tries)

    def _member(self, keys: tuple[str, ...]) -> tuple[str, str]:
        """Give what a path leads to: the variable of the object, and the key in it as a literal."""
        return self._object(keys[:-1]), repr(keys[-1])

    def _object(self, keys: tuple[str, ...]) -> str:
        """Give the variable of the object that keys lead to, writing the look-ups that it needs."""
        known = self._objects.get(keys)
        if known is None:
            parent, key = self._member(keys)
            known = self._objects[keys] = f"o{len(self._objects)}"
            self._lookups += [
                f"if {key} not in {parent}: {known} = NOTHING",
                f"elif ({known} := {parent}[{key}]).__class__ is not dict: {known} = View({known})",
            ]
        return known

    def _bound(self, kind: str, value: Any) -> str:
        name = f"{kind}{len(self.names)}"
        self.names[name] = value
        return name


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
    if options.get("then") != options[key] or not options.keys() <= {key, "then", "else"}:
        return None
    keys = _path_keys(options[key])
    return (keys, key == "blank", options.get("else")) if keys else None
