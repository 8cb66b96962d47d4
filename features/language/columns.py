"""Whole columns: the tree becomes an Ibis expression that gives each row what :mod:`features.language.rows` gives.

Numbers are cast to 64-bit floats and kept finite where they are used. Inside +, −, × and abs an infinite value
or NaN can stay, since nothing finite comes of it again; only a divisor must be finite before it divides.
"""

from __future__ import annotations

import operator
from functools import reduce
from typing import TYPE_CHECKING, Any

import ibis

from features.language.kinds import Checker, kind_of
from features.language.nodes import (
    Arithmetic,
    Between,
    Call,
    Compare,
    Constant,
    IsNull,
    IsTruth,
    Logic,
    Name,
    Node,
    Not,
    OneOf,
    may_overflow,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def as_column(node: Node, table: Any) -> Any:
    """Return ``node`` as a boolean column of ``table``.

    Raises:
        ExpressionError: for a name the table does not have, or one of another kind.
    """
    Checker(types_of(table)).predicate(node)
    return _column(node, table)


def types_of(table: Any) -> dict[str, str]:
    """Return the column types of an Ibis table by name, without their nullability."""
    return {name: str(kind).removeprefix("!") for name, kind in table.schema().items()}


def _column(node: Node, table: Any) -> Any:  # noqa: PLR0911 - one line a kind of node
    match node:
        case Name(name):
            return _named(name, table)
        case Constant(value):
            return _literal(value)
        case Compare(sign, left, right):
            return _OPERATORS[sign](_used(left, table), _used(right, table))
        case Between(part, low, high):
            return _used(part, table).between(_used(low, table), _used(high, table))
        case OneOf(part, values):
            return _used(part, table).isin([_literal(constant.value) for constant in values])
        case Logic(word, parts):
            return _all(operator.or_ if word == "or" else operator.and_, [_column(p, table) for p in parts])
        case Arithmetic(sign, left, right):
            divisor = _used(right, table) if sign == "/" else _column(right, table)
            return _OPERATORS[sign](_column(left, table), divisor)
        case Call(function, arguments):
            return _call(function, arguments, table)
        case _:
            return _unary(node, table)


def _named(name: str, table: Any) -> Any:
    column = table[name]
    if kind_of(str(column.type())) != "number":
        return column
    number = column.cast("float64")
    return _finite(number) if column.type().is_floating() else number


def _used(node: Node, table: Any) -> Any:
    """Return the part as an operand: arithmetic that is not finite is null, a condition stands in brackets."""
    column = _column(node, table)
    if may_overflow(node):
        return _finite(column)
    # Ibis 12 writes (not b) = c and (x in (…)) is null without their brackets; a function call keeps them.
    return column if isinstance(node, Name | Constant | Call) else ibis.coalesce(column)


def _finite(number: Any) -> Any:
    # NaN orders above infinity in DuckDB, so one comparison finds both.
    return (number.abs() < ibis.literal("inf").cast("float64")).ifelse(number, ibis.null("float64"))


def _literal(value: float | str | bool) -> Any:  # noqa: FBT001 - a value of the language, not an option
    if isinstance(value, bool | str):
        return ibis.literal(value)
    # As text: DuckDB reads 0.1 as a decimal, whose cast can miss the nearest float by one place.
    return ibis.literal(repr(value)).cast("float64")


def _all(combine: Callable[[Any, Any], Any], parts: list[Any]) -> Any:
    """Combine in pairs, so that a chain of hundreds stays some ten levels deep."""
    while len(parts) > 1:
        parts = [reduce(combine, parts[i : i + 2]) for i in range(0, len(parts), 2)]
    return parts[0]


def _unary(node: Node, table: Any) -> Any:
    match node:
        case Not(part):
            return ~_column(part, table)
        case IsNull(part):
            return _used(part, table).isnull()
        case IsTruth(part, truth):
            column = _column(part, table)
            return (column if truth else ~column).fill_null(False)
        case _:
            raise AssertionError(node)


def _call(function: str, arguments: tuple[Node, ...], table: Any) -> Any:
    if function == "coalesce":
        return ibis.coalesce(*(_used(argument, table) for argument in arguments))
    first, *rest = (_column(argument, table) for argument in arguments)
    if function in ("abs", "lower", "negate"):
        return getattr(first, function)()
    return getattr(first, function.replace("_", ""))(rest[0])
