"""A selection as Ibis tables: the rows that go on, and the rows that break one of its named rules.

No operator keeps the order of rows. So each carries its number (:data:`ARRIVAL`) through joins and conditions, and
no number is there twice: a group has that of its latest row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis

from features.expressions import ExpressionError, parse
from features.importing.compiling import ARRIVAL, as_text, column, compile_value, distinct
from features.importing.macros import most_common_text, steady_sum
from features.importing.problems import MappingError
from features.importing.rules import first_broken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from features.importing.mapping import Aggregate, Join, Selection


RULE = "rule?"
"""A name no column has: where a row's first broken rule stands."""


@dataclass(frozen=True, slots=True)
class Selected:
    """What became of a source's rows.

    ``wanted`` are those that ``where`` and inner joins left; ``required`` the same with the rule each breaks
    (:data:`RULE`), or None where the selection requires nothing; ``rows`` the good ones, grouped where asked for.
    """

    rows: Any
    wanted: Any
    required: Any = None


def select(name: str, selection: Selection, tables: Mapping[str, Any]) -> Selected:
    """Compile ``selection`` over the source ``tables``.

    Raises:
        MappingError: naming the selection and the key that does not fit its sources.
    """
    try:
        return _select(selection, tables)
    except (MappingError, ExpressionError) as error:
        raise MappingError(f"{name}: {error}") from error


def _select(selection: Selection, tables: Mapping[str, Any]) -> Selected:
    table = tables[selection.from_]
    for join in selection.join:
        table = _joined(table, join, tables[join.source])
    table, flags = _with_columns(table, selection)
    if selection.where:
        table = table.filter(parse(selection.where).ibis(table))
    broken = [(name, table[flag]) for flag, name in flags.items()]
    broken += [(rule, _unmet(text, table)) for rule, text in selection.require.items()]
    wanted = table.drop(*flags)
    if not broken:
        return Selected(_grouped(wanted, selection), wanted)
    required = table.mutate(**{RULE: first_broken(broken)}).drop(*flags)
    good = required.filter(required[RULE].isnull()).drop(RULE)
    return Selected(_grouped(good, selection), wanted, required)


def _unmet(text: str, table: Any) -> Any:
    """Return where a required condition is not true: an answer that cannot be given is not a yes."""
    return ~parse(text).ibis(table).fill_null(False)


def _with_columns(table: Any, selection: Selection) -> tuple[Any, dict[str, str]]:
    """Add the named columns, each seeing those before it; and flags of the rows where one cannot be read."""
    distinct(selection.columns, table.columns)
    flags = {}
    for name, value in selection.columns.items():
        compiled = compile_value(table, value)
        table = table.mutate(**{_free(name): compiled.column})
        if compiled.unreadable is not None:
            flags[f"{name}?"] = f"{name}_readable"
            table = table.mutate(**{f"{name}?": compiled.unreadable})
    return table, flags


def _free(name: str) -> str:
    if name.lower() == ARRIVAL:
        raise MappingError(f"the column name {name!r} is Kairos' own; name it otherwise")
    return name


def _joined(table: Any, join: Join, other: Any) -> Any:
    distinct(join.take, table.columns)
    keys = {f"{join.source}:{own}": column(other, theirs) for own, theirs in join.by.items()}
    taken = {name: column(other, theirs) for name, theirs in join.take.items()}
    for name in taken:
        if _free(name) in table.columns:
            raise MappingError(
                f"join {join.source}: there is a column {name!r} already; rename it: take: {{other_name: {name}}}"
            )
    theirs = {f"{join.source}:{ARRIVAL}": other[ARRIVAL]} if join.many else {}
    right = other.select(**keys, **taken, **theirs)
    on = [_equal(join, column(table, own), right[f"{join.source}:{own}"]) for own in join.by]
    joined = table.join(right, on, how=join.how).drop(*keys)
    return _numbered_anew(joined, *theirs) if join.many else joined


def _numbered_anew(table: Any, theirs: str) -> Any:
    """Number rows that a join has multiplied: as ours came, and of one of ours as theirs came."""
    number = ibis.row_number().over(order_by=[table[ARRIVAL], table[theirs]])
    return table.mutate(**{ARRIVAL: number}).drop(theirs)


def _equal(join: Join, ours: Any, theirs: Any) -> Any:
    if ours.type().is_string() != theirs.type().is_string():
        raise MappingError(
            f"join {join.source}: {ours.get_name()!r} is {ours.type()} here and {theirs.type()} there; "
            "convert one with types, in its source"
        )
    return ours == theirs


def repeated_keys(join: Join, other: Any) -> Any:
    """Return a table of the keys that occur more than once in the source a join looks into."""
    keys = [column(other, theirs) for theirs in join.by.values()]
    there = other.filter([key.notnull() for key in keys])
    return there.group_by([key.get_name() for key in keys]).having(there.count() > 1).aggregate()


def _grouped(table: Any, selection: Selection) -> Any:
    if not selection.group_by:
        return table
    distinct(selection.aggregate, selection.group_by)
    keys = [column(table, name).get_name() for name in selection.group_by]
    measures = {_free(name): _measure(table, aggregate) for name, aggregate in selection.aggregate.items()}
    return table.group_by(keys).aggregate(**measures, **{ARRIVAL: table[ARRIVAL].max()})


def _measure(table: Any, aggregate: Aggregate) -> Any:
    if aggregate.measure == "count" and aggregate.column == "*":
        return table.count()
    values = column(table, aggregate.column)
    if aggregate.measure == "sum" and not values.type().is_numeric():
        raise MappingError(
            f"sum of {aggregate.column!r}, which is {values.type()}: convert it with types, in its source"
        )
    return _MEASURES[aggregate.measure](values)


# "any" takes the smallest: any one would do, but the same one each time.
_MEASURES: dict[str, Callable[[Any], Any]] = {
    "sum": lambda values: steady_sum(values) if values.type().is_floating() else values.sum(),
    "min": lambda values: values.min(),
    "max": lambda values: values.max(),
    "any": lambda values: values.min(),
    "count": lambda values: values.count(),
    "count_distinct": lambda values: values.nunique(),
    "most_common": lambda values: most_common_text(as_text(values)),
}
