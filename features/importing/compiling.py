"""Values of a mapping as columns of an Ibis table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add, mul
from typing import TYPE_CHECKING, Any

import ibis

from features.importing.macros import keyed_share
from features.importing.problems import MappingError, nearest
from features.importing.values import Plain, Product, Share, pieces

if TYPE_CHECKING:
    from features.importing.values import Kind

ARRIVAL = "arrival?"
"""A name no column of a file has: the number of a row in its source, in order of arrival."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A column, and where it could not be made of what was there (None: it always can)."""

    column: Any
    unreadable: Any = None

    def then(self, column: Any, unreadable: Any = None) -> Compiled:
        """Return a further step of it: unreadable where either step is."""
        both = [u for u in (self.unreadable, unreadable) if u is not None]
        return Compiled(column, reduce(lambda a, b: a | b, both) if both else None)


def visible(table: Any) -> list[str]:
    """Return the columns that a mapping can name and people get to see."""
    return [name for name in table.columns if name != ARRIVAL]


def column(table: Any, name: str) -> Any:
    """Return the column ``name``, or say which there are."""
    if name not in visible(table):
        raise MappingError(f"there is no column {name!r}: {nearest(name, visible(table))}")
    return table[name]


def compile_scalar(table: Any, value: str | float | bool) -> Any:  # noqa: FBT001 - a scalar of a mapping
    """Return a constant, a column (a lone ``{column}``) or a template's text; null where a part is null."""
    if not isinstance(value, str):
        return ibis.literal(value)
    parts = pieces(value)
    if parts[1:] == [("", None)] and parts[0][0] == "":
        return column(table, str(parts[0][1]))
    texts = [
        text
        for literal, name in parts
        for text in (
            [ibis.literal(literal)] * bool(literal) + ([as_text(column(table, name))] if name is not None else [])
        )
    ]
    return reduce(add, texts) if texts else ibis.literal("")


def compile_value(table: Any, value: Plain | Product | Share) -> Compiled:
    """Return the value as a column of ``table``."""
    if isinstance(value, Product):
        return _product(table, value)
    if isinstance(value, Share):
        of = as_text(compile_scalar(table, value.of))
        return Compiled(keyed_share(ibis.literal(value.key), of) < value.share)
    compiled = Compiled(compile_scalar(table, value.value))
    if value.map is not None:
        compiled = _mapped(compiled, value)
    if value.as_:
        compiled = convert(compiled, value.as_)
    if value.default is not None:
        compiled = compiled.then(_with_default(compiled.column, value.default))
    return compiled


def _product(table: Any, value: Product) -> Compiled:
    factors = [convert(Compiled(compile_scalar(table, factor)), "number") for factor in value.product]
    return reduce(lambda a, b: a.then(mul(a.column, b.column), b.unreadable), factors)


def _mapped(compiled: Compiled, value: Plain) -> Compiled:
    names = {_as_key(key): to for key, to in (value.map or {}).items()}
    text = as_text(compiled.column)
    known = text.isin(list(names))
    otherwise = ibis.null() if value.otherwise is None else ibis.literal(value.otherwise)
    found = ibis.cases(
        *((text == key, ibis.literal(to)) for key, to in names.items()),
        else_=ibis.ifelse(text.isnull(), ibis.null(), otherwise),
    )
    open_ended = "otherwise" in value.model_fields_set
    return compiled.then(found, None if open_ended else text.notnull() & ~known)


def _as_key(key: str | float | bool) -> str:  # noqa: FBT001 - a key of a YAML mapping
    return str(key).lower() if isinstance(key, bool) else str(key)


def _with_default(column: Any, default: str | float | bool) -> Any:  # noqa: FBT001 - a scalar of a mapping
    kind = column.type()
    if isinstance(default, str) or kind.is_string():
        return ibis.coalesce(as_text(column), ibis.literal(_as_key(default)))
    fits = kind.is_boolean() if isinstance(default, bool) else kind.is_numeric() or kind.is_null()
    if not fits or (kind.is_integer() and default % 1):
        raise MappingError(
            f"default {default!r} is of another kind than its column, which is {kind}: write one alike"
        )
    return ibis.coalesce(column, ibis.literal(int(default) if kind.is_integer() else default))


def as_text(column: Any) -> Any:
    """Return a column as text; a list or structure as JSON."""
    return column if column.type().is_string() else column.cast("string")


def convert(compiled: Compiled, kind: Kind) -> Compiled:
    """Return the column as ``kind``, unreadable where there was a value that does not say one."""
    column = compiled.column
    if kind == "text":
        return compiled.then(as_text(column))
    if kind == "boolean":
        return _boolean(compiled)
    read = _integer(column) if kind == "integer" else _number(column)
    return compiled.then(read, column.notnull() & read.isnull())


def _number(column: Any) -> Any:
    return column.cast("float64") if column.type().is_numeric() else as_text(column).try_cast("float64")


def _integer(column: Any) -> Any:
    """Return whole numbers, to the last digit: by way of a double only where there is a point or an exponent."""
    if column.type().is_integer():
        return column.try_cast("int64")
    number = _number(column)
    rounded = ibis.ifelse(number % 1 == 0, number, ibis.null()).try_cast("int64")
    digits = ibis.ifelse(as_text(column).re_search(r"^[+-]?[0-9]+$"), as_text(column), ibis.null())
    return ibis.ifelse(digits.notnull(), digits.try_cast("int64"), rounded)


def _boolean(compiled: Compiled) -> Compiled:
    if compiled.column.type().is_boolean():
        return compiled
    text = as_text(compiled.column).lower()
    answer = ibis.cases(
        (text.isin(["true", "t", "yes", "y", "1"]), True),
        (text.isin(["false", "f", "no", "n", "0"]), False),
        else_=ibis.null(),
    )
    return compiled.then(answer.cast("boolean"), text.notnull() & answer.isnull())
