"""Whose a refused row is, by whatever block of the mapping would have said so: erasure must find it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pyarrow as pa

from features.importing.compiling import ARRIVAL, as_text, compile_value, visible
from features.importing.macros import as_written
from features.importing.mapping import Block
from features.importing.problems import MappingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from features.importing.mapping import ImportMapping, Selection

_THE_SAME = frozenset({"any", "min", "max", "most_common"})
"""Measures that give a value of the group as it stands in its rows."""
_READABLE = "_readable"


def owned(mapping: ImportMapping, name: str, broken: Any, refused: pa.Table) -> pa.Table:
    """Return ``refused`` (``rule``, ``row``) with ``customer_id`` and ``others``: whom its rows are about.

    ``broken`` are the same rows in columns, numbered alike, of the source or block called ``name``. Where two
    blocks name two customers the row has no ``customer_id``, and both stand in ``others``.
    """
    whose: defaultdict[int, set[str]] = defaultdict(set)
    for told in _told(mapping, name, broken):
        found = told.filter(told["whose"].notnull()).to_pyarrow()
        for number, customer in zip(found[ARRIVAL].to_pylist(), found["whose"].to_pylist(), strict=True):
            whose[number].add(customer)
    everyone = [sorted(whose[number]) for number in refused[ARRIVAL].to_pylist()]
    alone = [names[0] if len(names) == 1 else None for names in everyone]
    return (
        refused.drop_columns([ARRIVAL])
        .append_column("customer_id", pa.array(alone, pa.string()))
        .append_column("others", pa.array(everyone, pa.list_(pa.string())))
    )


def owned_of_file(
    connection: Any, mapping: ImportMapping, name: str, columns: Iterable[str], refused: pa.Table
) -> pa.Table:
    """Do as :func:`owned` for rows refused at a file with ``columns``, told from their JSON.

    A line that could not be taken apart is nobody's.
    """
    known = list(columns)
    numbered = refused.append_column(ARRIVAL, pa.array(np.arange(refused.num_rows)))
    rows = connection.create_table(ibis.util.gen_name("refused"), numbered, temp=True)
    rows = rows.filter(rows["rule"].isin([f"{column}{_READABLE}" for column in known]))
    members = {column: as_written(rows["row"], column) for column in known}
    return owned(mapping, name, rows.select(ARRIVAL, **members), numbered)


def _told(mapping: ImportMapping, name: str, rows: Any) -> Iterator[Any]:
    """Yield a table for each block that rows of ``name`` feed: the number of each and the customer it is about."""
    selections = mapping.selections
    if isinstance(block := selections.get(name), Block):
        yield from _said_by(block, rows)
    for reader_name, reader in selections.items():
        for view in _views(reader, name, rows):
            yield from _told(mapping, reader_name, _with_columns(view, reader))


def _said_by(block: Block, rows: Any) -> Iterator[Any]:
    try:
        yield rows.select(ARRIVAL, whose=as_text(compile_value(rows, block.customer_id).column))
    except MappingError:  # it hangs on columns that a join or a group would have brought
        return


def _views(reader: Selection, source: str, rows: Any) -> Iterator[Any]:
    """Yield the rows with the names they have for ``reader``: its own source's, or what a join calls them."""
    if reader.from_ == source:
        yield rows
    for join in reader.join:
        names = {**join.by, **join.take} if join.source == source else {}
        there = {own: rows[theirs] for own, theirs in names.items() if theirs in visible(rows)}
        if there:
            yield rows.select(ARRIVAL, **there)


def _with_columns(rows: Any, reader: Selection) -> Any:
    """Add what ``reader`` makes of the columns, as far as these are enough."""
    for name, value in reader.columns.items():
        try:
            rows = rows.mutate(**{name: compile_value(rows, value).column})
        except MappingError:
            continue
    kept = {
        name: rows[aggregate.column]
        for name, aggregate in reader.aggregate.items()
        if aggregate.measure in _THE_SAME and aggregate.column in visible(rows) and name not in visible(rows)
    }
    return rows.mutate(**kept) if kept else rows
