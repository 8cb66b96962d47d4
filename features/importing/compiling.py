"""Values of a mapping as columns of an Ibis table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add, mul
from typing import TYPE_CHECKING, Any

import ibis

from features.importing.macros import blob_text, keyed_share
from features.importing.problems import MappingError
from features.importing.values import Decimal, Plain, Product, Share, pieces
from features.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from features.importing.values import Kind

ARRIVAL = "arrival?"
"""A name no column of a file has: the number of a row in its source, in order of arrival."""


EXACT = 2**53 - 1
"""Up to here a double stands for one whole number alone: 2^53 is also what becomes of 2^53 + 1."""
_EXACT_SINGLE = 2**24 - 1
_BLANKS = "\u0020\u00a0\u2009\u202f'\u2019"  # what parts thousands, besides a point or comma


@dataclass(frozen=True, slots=True)
class Compiled:
    """A column, and where it could not be made of what was there (None: it always can).

    ``decimal`` parts the fraction from its numbers, where they are text.
    """

    column: Any
    unreadable: Any = None
    decimal: Decimal | None = None

    def then(self, column: Any, unreadable: Any = None) -> Compiled:
        """Return a further step of it: unreadable where either step is."""
        both = [u for u in (self.unreadable, unreadable) if u is not None]
        return Compiled(column, reduce(lambda a, b: a | b, both) if both else None, self.decimal)


def visible(table: Any) -> list[str]:
    """Return the columns that a mapping can name and people get to see."""
    return [name for name in table.columns if name != ARRIVAL]


def distinct(names: Iterable[str], columns: Iterable[str]) -> None:
    """Refuse new names for columns that differ by case only from one another or from one of ``columns``.

    DuckDB takes the two for one.
    """
    known = {name.lower(): name for name in columns}
    for name in names:
        other = known.setdefault(name.lower(), name)
        if other != name:
            raise MappingError(f"the names {other!r} and {name!r} differ by case only: name one of them otherwise")


def column(table: Any, name: str) -> Any:
    """Return the column ``name``, or say which there are."""
    columns = visible(table)
    # A second column whose name differs by case only has a number behind it: DuckDB takes the two for one.
    found = (
        name if name in columns else next((c for c in columns if c.startswith(f"{name}?") and _marked(c)), None)
    )
    if found is None:
        raise MappingError(f"there is no column {name!r}: {nearest(name, columns)}")
    return table[found]


def _marked(name: str) -> bool:
    return name.rpartition("?")[2].isdigit()


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
    compiled = Compiled(compile_scalar(table, value.value), decimal=value.decimal)
    if value.map is not None:
        compiled = _mapped(compiled, value)
    if value.as_:
        compiled = convert(compiled, value.as_)
    if value.default is not None:
        compiled = compiled.then(_with_default(compiled, value.default))
    return compiled


def _product(table: Any, value: Product) -> Compiled:
    factors = [
        convert(Compiled(compile_scalar(table, factor), decimal=value.decimal), "number")
        for factor in value.product
    ]
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


def _with_default(compiled: Compiled, default: str | float | bool) -> Any:  # noqa: FBT001 - a scalar of a mapping
    column = compiled.column
    kind = column.type()
    if compiled.decimal and kind.is_string() and isinstance(default, float):
        default = str(default).replace(".", compiled.decimal)
    if isinstance(default, str) or kind.is_string():
        return ibis.coalesce(as_text(column), ibis.literal(_as_key(default)))
    fits = kind.is_boolean() if isinstance(default, bool) else kind.is_numeric() or kind.is_null()
    if not fits or (kind.is_integer() and default % 1):
        raise MappingError(
            f"default {default!r} is of another kind than its column, which is {kind}: write one alike"
        )
    return ibis.coalesce(column, ibis.literal(int(default) if kind.is_integer() else default))


def as_text(column: Any) -> Any:
    """Return a column as text: a whole number as its digits whatever its type, NaN as null, bytes as UTF-8."""
    kind = column.type()
    if kind.is_string():
        return column
    if kind.is_binary():
        return blob_text(column)
    if kind.is_floating():
        digits = column.try_cast("int64").cast("string")
        text = ibis.ifelse(column.isnan(), ibis.null(), column.cast("string"))
        return ibis.ifelse(_is_whole(column), digits, text)
    text = column.cast("string")
    return text.re_replace(r"\.0+$", "") if kind.is_decimal() and kind.scale else text


def _is_whole(column: Any) -> Any:
    exact = _EXACT_SINGLE if column.type().is_float32() else EXACT
    return column.between(-exact, exact) & (column % 1 == 0)


def inexact(column: Any) -> Any:
    """Return where a column's text would not be what was meant; None where it always is.

    A float is one of several whole numbers from 2^53 on (32 bits: 2^24), and bytes need not be UTF-8.
    """
    kind = column.type()
    if kind.is_binary():
        return column.notnull() & blob_text(column).isnull()
    if kind.is_floating():
        exact = _EXACT_SINGLE if kind.is_float32() else EXACT
        return column.notnull() & ~column.isnan() & ~column.between(-exact, exact)
    return None


def _no_id(column: Any) -> Any:
    """Return where a column's value can be nobody's id for certain: also a fraction."""
    kind = column.type()
    if kind.is_floating():
        return column.notnull() & ~column.isnan() & ~_is_whole(column)
    if kind.is_decimal() and kind.scale:
        return as_text(column).contains(".").fill_null(False)
    return inexact(column)


def _check_id(parts: list[Any]) -> None:
    """Refuse what nobody is numbered by. A time may tell apart what another column names: the sales of a day."""
    nobodys = [part for part in parts if _is_nobodys(part.type())]
    for part in parts:
        if part.type().is_nested() or len(nobodys) == len(parts):
            raise MappingError(
                f"{part.get_name()!r} is {part.type()}, which is nobody's id: name another column, or store this "
                "one as text, or as whole numbers, if it is one"
            )


def _is_nobodys(kind: Any) -> bool:
    return bool(kind.is_boolean() or kind.is_temporal() or kind.is_interval() or kind.is_nested())


def compile_id(table: Any, value: Plain | Product | Share) -> Compiled:
    """Return the value as the text of an id, unreadable where it or a part of it is no id for certain.

    Raises:
        MappingError: where it or a part of it is of a kind that nobody numbers people or events by.
    """
    compiled = compile_value(table, value)
    text = convert(compiled, "text")
    template = isinstance(value, Plain) and isinstance(value.value, str) and value.map is None
    named = [name for _, name in pieces(str(value.value)) if name] if template else []  # type: ignore[union-attr]
    parts = [column(table, name) for name in named]
    _check_id(parts or [compiled.column])
    for part in [compiled.column, *parts]:
        text = text.then(text.column, _no_id(part))
    return text


def convert(compiled: Compiled, kind: Kind) -> Compiled:
    """Return the column as ``kind``, unreadable where there was a value that does not say one."""
    column = compiled.column
    if kind == "text":
        return compiled.then(as_text(column), inexact(column))
    if kind == "boolean":
        return _boolean(compiled)
    plain = _plain_number(column, compiled.decimal)
    read = _integer(plain) if kind == "integer" else _number(plain)
    return compiled.then(read, column.notnull() & read.isnull())


def _plain_number(column: Any, decimal: Decimal | None) -> Any:
    """Return a number in text as a mapping would write it, null where it is none; other columns as they are.

    With a decimal sign, thousands may be parted by the other one, a blank or an apostrophe, three digits each, and
    begin with no zero. Nothing parts them with a line below: SQL's literals do, and no file of numbers.
    """
    if not column.type().is_string():
        return column
    if decimal is None:
        return ibis.ifelse(column.contains("_"), ibis.null("string"), column)
    sign, other = (",", ".") if decimal == "," else (r"\.", ",")
    parted = f"[{other}{_BLANKS}]"
    # Thousands begin with no zero: 0.500 beside a decimal comma is a fraction that somebody wrote otherwise.
    form = rf"^\s*[+-]?([1-9][0-9]{{0,2}}({parted}[0-9]{{3}})+|[0-9]+)?({sign}[0-9]+)?([eE][+-]?[0-9]+)?\s*$"
    digits = column.strip().re_replace(parted, "").replace(decimal, ".")
    return ibis.ifelse(column.re_search(form), digits, ibis.null("string"))


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
