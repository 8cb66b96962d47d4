"""Kinds before use: numbers, strings and booleans do not mix, and a wrong name is found at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from features.language.nodes import (
    Arithmetic,
    Between,
    Call,
    Compare,
    Constant,
    ExpressionError,
    IsNull,
    IsTruth,
    Kind,
    Logic,
    Name,
    Node,
    Not,
    OneOf,
)
from features.nearest import nearest

_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("string", "str", "varchar", "text", "utf8", "large_string"), "string"),
    **dict.fromkeys(("boolean", "bool"), "boolean"),
    **dict.fromkeys(("number", "int", "integer", "bigint", "smallint", "tinyint", "float", "double"), "number"),
    **{f"{sign}int{bits}": "number" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **{f"float{bits}": "number" for bits in (16, 32, 64)},
}


def kind_of(type_name: str) -> Kind | None:
    """Return the kind of a column type as Arrow, Ibis, DuckDB or Python call it; None where it has none."""
    return _KINDS.get(type_name.removeprefix("!").lower())


@dataclass(frozen=True, slots=True)
class Checker:
    """Finds the kind of every part. Without ``types`` a name may be of any kind (None)."""

    types: Mapping[str, str] | None = None

    def predicate(self, node: Node) -> None:
        """Refuse ``node`` unless it is, or may be, a condition."""
        self._expect(node, "boolean", "a condition")

    def kind(self, node: Node) -> Kind | None:
        """Return the kind of ``node``, checking its parts on the way."""
        match node:
            case Constant(value):
                return "boolean" if isinstance(value, bool) else "string" if isinstance(value, str) else "number"
            case Name(name):
                return self._named(name)
            case Arithmetic(operator, left, right):
                self._expect(left, "number", f"the left side of {operator}")
                self._expect(right, "number", f"the right side of {operator}")
                return "number"
            case Call():
                return self._called(node)
            case _:
                self._condition(node)
                return "boolean"

    def _condition(self, node: Node) -> None:
        match node:
            case Compare(operator, left, right):
                kind = self._same((left, right), operator)
                _ordered(kind, operator, allowed=operator in ("=", "<>"))
            case Between(part, low, high):
                _ordered(self._same((part, low, high), "between"), "between", allowed=False)
            case OneOf(part, values):
                self._same((part, *values), "in")
            case Logic(operator, parts):
                for part in parts:
                    self._expect(part, "boolean", f"a side of {operator}")
            case Not(part) | IsTruth(part, _):
                self._expect(part, "boolean", "what not and is true ask of")
            case IsNull(part):
                self.kind(part)
            case _:
                raise AssertionError(node)

    def _called(self, call: Call) -> Kind | None:
        match call.function:
            case "coalesce":
                return self._same(call.arguments, "coalesce")
            case "abs" | "negate":
                self._expect(call.arguments[0], "number", f"the argument of {call.function}")
                return "number"
            case "lower":
                self._expect(call.arguments[0], "string", "the argument of lower")
                return "string"
            case function:
                for argument in call.arguments:
                    self._expect(argument, "string", f"an argument of {function}")
                return "boolean"

    def _named(self, name: str) -> Kind | None:
        if self.types is None:
            return None
        if name not in self.types:
            raise ExpressionError(f"name {name!r} is not known; {nearest(name, sorted(self.types))}")
        kind = kind_of(self.types[name])
        if kind is None:
            raise ExpressionError(
                f"name {name!r} is a {self.types[name]}; expressions read numbers, strings and booleans only"
            )
        return kind

    def _expect(self, node: Node, wanted: Kind, place: str) -> None:
        found = self.kind(node)
        if found not in (None, wanted):
            raise ExpressionError(f"{place} is a {found} where a {wanted} is needed ({_described(node)})")

    def _same(self, parts: tuple[Node, ...], operator: str) -> Kind | None:
        kinds = [(kind, part) for part in parts if (kind := self.kind(part)) is not None]
        for kind, part in kinds[1:]:
            if kind != kinds[0][0]:
                raise ExpressionError(
                    f"{operator!r} compares a {kinds[0][0]} ({_described(kinds[0][1])}) with a {kind} "
                    f"({_described(part)}); both must be of one kind"
                )
        return kinds[0][0] if kinds else None


def _ordered(kind: Kind | None, operator: str, *, allowed: bool) -> None:
    if kind == "boolean" and not allowed:
        raise ExpressionError(f"{operator!r} orders booleans, which have no order; use =, <>, and, or, not")


def _described(node: Node) -> str:
    match node:
        case Name(name):
            return name
        case Constant(value):
            return repr(value)
        case Call(function, _):
            return f"{function}(…)"
        case _:
            return type(node).__name__.lower()
