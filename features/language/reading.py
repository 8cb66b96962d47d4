"""From text to tree: sqlglot reads SQL, a whitelist lets through what both evaluations understand.

The text is never run as SQL. Every node of sqlglot's tree must have a reader here and may carry only the
arguments its reader knows; everything else is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from features.language.nodes import (
    Arithmetic,
    Between,
    Call,
    Compare,
    Comparison,
    Constant,
    ExpressionError,
    Function,
    IsNull,
    IsTruth,
    Logic,
    Name,
    Node,
    Not,
    OneOf,
    Operator,
    size,
)

MAX_LENGTH = 8_000
"""Characters of one expression."""
MAX_DEPTH = 16
"""Levels of nesting; sqlglot needs some twenty stack frames for each. Chains of and / or count as one."""
MAX_SIZE = 1_000
"""Parts of one expression, items of IN lists included."""

ALLOWED = (
    "names, numbers, 'strings', true, false, and, or, not, = <> < <= > >=, in (…), between … and …, "
    "like 'text%', is [not] null, is [not] true, + - * /, lower, abs, coalesce, starts_with, ends_with, contains"
)


def read(text: str) -> Node:
    """Return the tree of ``text``.

    Raises:
        ExpressionError: naming the piece, the rule it breaks and the way out.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"expression of {len(text)} characters: at most {MAX_LENGTH}; split it up")
    if not text.strip():
        raise ExpressionError("expression is empty: leave the field out, or write true")
    node = _node(_parsed(text), MAX_DEPTH)
    if size(node) > MAX_SIZE:
        raise ExpressionError(
            f"expression of {size(node)} parts: at most {MAX_SIZE} (arithmetic that is divided by or compared "
            "counts twice); split it up, or put the list into an attribute"
        )
    return node


def _parsed(text: str) -> exp.Expr:
    try:
        return sqlglot.parse_one(text, read="duckdb", into=exp.Condition)
    except SqlglotError as error:
        detail = getattr(error, "errors", None) or [{}]
        where = detail[0].get("highlight") or text
        raise ExpressionError(
            f"expression {_short(text)} cannot be read near {_short(str(where))}; write one condition, "
            "such as: orders_90d >= 2 and tier in ('gold', 'silver')"
        ) from error
    except RecursionError as error:
        raise _too_deep() from error


def _node(node: exp.Expr, depth: int) -> Node:
    if depth < 0:
        raise _too_deep()
    reader = _READERS.get(type(node))
    if reader is None:
        raise _refused(node, "is not part of the language", f"use only {ALLOWED}")
    read_node, allowed = reader
    extra = sorted(name for name, value in node.args.items() if value and name not in allowed)
    if extra:
        raise _refused(node, f"carries {', '.join(extra)}, which the language does not know", "leave that out")
    return read_node(node, depth - 1)


def _part(node: exp.Expr, depth: int, key: str = "this") -> Node:
    child = node.args.get(key)
    if not isinstance(child, exp.Expr):
        raise _refused(node, "lacks a part", f"use only {ALLOWED}")
    return _node(child, depth)


def _column(node: exp.Expr, _depth: int) -> Node:
    return Name(cast("exp.Column", node).name)


def _literal(node: exp.Expr, _depth: int) -> Node:
    text = str(node.this)
    if node.is_string:
        return Constant(_printable(node, text))
    number = float(text)
    if not math.isfinite(number):
        raise _refused(node, "is too large for a 64-bit number", "write a smaller one")
    return Constant(number)


def _printable(node: exp.Expr, text: str) -> str:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise _refused(node, "holds a character that is no text", "remove it")
    return text


def _boolean(node: exp.Expr, _depth: int) -> Node:
    return Constant(bool(node.this))


def _comparison(operator: Comparison) -> Callable[[exp.Expr, int], Node]:
    def reader(node: exp.Expr, depth: int) -> Node:
        return Compare(operator, _part(node, depth), _part(node, depth, "expression"))

    return reader


def _arithmetic(operator: Operator) -> Callable[[exp.Expr, int], Node]:
    def reader(node: exp.Expr, depth: int) -> Node:
        return Arithmetic(operator, _part(node, depth), _part(node, depth, "expression"))

    return reader


def _and(node: exp.Expr, depth: int) -> Node:
    return Logic("and", tuple(_node(part, depth) for part in cast("exp.And", node).flatten()))


def _or(node: exp.Expr, depth: int) -> Node:
    return Logic("or", tuple(_node(part, depth) for part in cast("exp.Or", node).flatten()))


def _call(function: Function) -> Callable[[exp.Expr, int], Node]:
    def reader(node: exp.Expr, depth: int) -> Node:
        parts = [node.this, *([second] if (second := node.args.get("expression")) else []), *node.expressions]
        return Call(function, tuple(_node(part, depth) for part in parts))

    return reader


def _in(node: exp.Expr, depth: int) -> Node:
    values = tuple(_node(item, depth) for item in node.expressions)
    if not values or not all(isinstance(value, Constant) for value in values):
        raise _refused(node, "compares with something that is no constant", "list constants: in ('a', 'b')")
    return OneOf(_part(node, depth), cast("tuple[Constant, ...]", values))


def _between(node: exp.Expr, depth: int) -> Node:
    return Between(_part(node, depth), _part(node, depth, "low"), _part(node, depth, "high"))


def _is(node: exp.Expr, depth: int) -> Node:
    part, what = _part(node, depth), node.args.get("expression")
    if isinstance(what, exp.Null):
        return IsNull(part)
    if isinstance(what, exp.Boolean):
        return IsTruth(part, bool(what.this))
    raise _refused(node, "asks IS of something else", "write is null, is not null, is true or is false")


def _not(node: exp.Expr, depth: int) -> Node:
    return Not(_part(node, depth))


def _paren(node: exp.Expr, depth: int) -> Node:
    return _part(node, depth)


def _like(node: exp.Expr, depth: int) -> Node:
    """Read LIKE with % at its ends only: other patterns can take exponential time."""
    pattern, part = node.args.get("expression"), _part(node, depth)
    if not isinstance(pattern, exp.Literal) or not pattern.is_string:
        raise _refused(node, "has a pattern that is no string", "write like 'text%'")
    text = _printable(node, str(pattern.this))
    core = text.removeprefix("%").removesuffix("%") if text != "%" else ""
    if "%" in core or "_" in core:
        raise _refused(
            node,
            "has a wildcard inside its pattern",
            "put % at its ends only, or use starts_with, ends_with, contains",
        )
    functions: dict[tuple[bool, bool], Function] = {
        (False, True): "starts_with",
        (True, False): "ends_with",
        (True, True): "contains",
    }
    function = functions.get((text.startswith("%"), text.endswith("%")))
    return Call(function, (part, Constant(core))) if function else Compare("=", part, Constant(core))


def _null(node: exp.Expr, _depth: int) -> Node:
    raise _refused(node, "compares to nothing, so the answer is always null", "write is null or is not null")


_Reader = tuple[Callable[[exp.Expr, int], Node], frozenset[str]]
_TWO = frozenset({"this", "expression"})
_READERS: dict[type[exp.Expr], _Reader] = {
    exp.Column: (_column, frozenset({"this"})),
    exp.Literal: (_literal, frozenset({"this", "is_string"})),
    exp.Boolean: (_boolean, frozenset({"this"})),
    exp.Null: (_null, frozenset()),
    exp.Paren: (_paren, frozenset({"this"})),
    exp.And: (_and, _TWO),
    exp.Or: (_or, _TWO),
    exp.Not: (_not, frozenset({"this"})),
    exp.EQ: (_comparison("="), _TWO),
    exp.NEQ: (_comparison("<>"), _TWO),
    exp.LT: (_comparison("<"), _TWO),
    exp.LTE: (_comparison("<="), _TWO),
    exp.GT: (_comparison(">"), _TWO),
    exp.GTE: (_comparison(">="), _TWO),
    exp.Add: (_arithmetic("+"), _TWO),
    exp.Sub: (_arithmetic("-"), _TWO),
    exp.Mul: (_arithmetic("*"), _TWO),
    exp.Div: (_arithmetic("/"), _TWO),
    exp.Neg: (_call("negate"), frozenset({"this"})),
    exp.Abs: (_call("abs"), frozenset({"this"})),
    exp.Lower: (_call("lower"), frozenset({"this"})),
    exp.Coalesce: (_call("coalesce"), frozenset({"this", "expressions"})),
    exp.StartsWith: (_call("starts_with"), _TWO),
    exp.EndsWith: (_call("ends_with"), _TWO),
    exp.Contains: (_call("contains"), _TWO),
    exp.In: (_in, frozenset({"this", "expressions"})),
    exp.Between: (_between, frozenset({"this", "low", "high"})),
    exp.Is: (_is, _TWO),
    exp.Like: (_like, _TWO),
}


def _refused(node: exp.Expr, rule: str, way_out: str) -> ExpressionError:
    return ExpressionError(f"expression part {_short(_written(node))} {rule}; {way_out}")


def _written(node: exp.Expr) -> str:
    try:
        return node.sql(dialect="duckdb")
    except (SqlglotError, RecursionError, ValueError):
        return type(node).__name__


def _too_deep() -> ExpressionError:
    return ExpressionError(f"expression is nested more than {MAX_DEPTH} levels deep; write it flatter")


def _short(text: str, limit: int = 60) -> str:
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")
