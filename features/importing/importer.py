"""An import: every row of every block to a contract or to the quarantine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from features.importing.compiling import Compiled, as_text, compile_value
from features.importing.macros import define_macros, to_json
from features.importing.mapping import File
from features.importing.problems import ImportRefusedError, MappingError
from features.importing.quarantine import Quarantine
from features.importing.report import BlockReport, Tally
from features.importing.rules import contract_rules, first_broken
from features.importing.selecting import RULE, repeated_keys, select
from features.importing.shaping import SCHEMAS, shape, target_of
from features.importing.sources import open_file
from features.lake import Appended, connect
from features.lake.progress import quiet

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from features.importing.mapping import Block, ImportMapping, Selection
    from features.importing.report import ImportReport
    from features.importing.rules import Target
    from features.importing.selecting import Selected
    from features.importing.sink import ImportSink
    from features.lake import Progress

PIECE = 1_000_000
"""Rows handed to the sink at a time."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """A block whose rows have been judged: the good ones wait in a table."""

    block: Block
    target: Target
    good: Any
    read: int


def run_import(
    mapping: ImportMapping,
    sink: ImportSink,
    *,
    quarantine_root: Path,
    now: datetime,
    strict: bool = False,
    progress: Progress | None = None,
    memory_limit: str = "2GB",
) -> ImportReport:
    """Import everything ``mapping`` names into ``sink``.

    All rows of all blocks are judged before the first goes to the sink. A row that breaks a rule goes to
    ``quarantine_root`` with the rule's name; its neighbours get through. Running the same import again changes
    nothing. What does not fit into ``memory_limit`` spills to disk.

    Args:
        mapping: what the files mean (:func:`load_mapping`).
        sink: where the rows go.
        quarantine_root: the folder for refused rows; a lake offers its own.
        now: the clock; what happened more than a day after it is refused.
        strict: refuse the whole import if one row is refused.
        progress: told of every step.
        memory_limit: what DuckDB may use, such as ``2GB``.

    Raises:
        MappingError: the mapping does not fit the files.
        ImportRefusedError: ``strict``, and rows break a rule; nothing was imported.
    """
    connection = connect(memory_limit=memory_limit, temp=quarantine_root / ".spill")
    try:
        run = _Run(mapping, connection, Quarantine(quarantine_root, now), progress or quiet)
        ready = run.judge(now)
        if strict and run.quarantine.files:
            raise ImportRefusedError(_refusal(run.quarantine, quarantine_root))
        return run.hand_over(ready, sink)
    finally:
        connection.disconnect()


def _refusal(quarantine: Quarantine, root: Path) -> str:
    rules = ", ".join(f"{rule} ({count})" for rule, count in sorted(quarantine.by_rule.items()))
    return f"strict import refused: rows break {rules}; nothing was imported, the rows are in {root}"


class _Run:
    """One import on one connection."""

    def __init__(
        self, mapping: ImportMapping, connection: Any, quarantine: Quarantine, progress: Progress
    ) -> None:
        self.quarantine = quarantine
        self._mapping = mapping
        self._connection = connection
        self._progress = progress
        self._tables: dict[str, Any] = {}
        define_macros(connection)

    def judge(self, now: datetime) -> list[_Ready]:
        """Open the sources and judge every row of every block."""
        names = self._mapping.order_of_sources()
        steps = len(names) + len(self._mapping.blocks)
        self._progress("judge", 0, steps)
        for done, name in enumerate(names, start=1):
            self._open(name)
            self._progress("judge", done, steps)
        ready = []
        for done, block in enumerate(self._mapping.blocks, start=len(names) + 1):
            ready.append(self._judge_block(block, now))
            self._progress("judge", done, steps)
        return ready

    def _open(self, name: str) -> None:
        source = self._mapping.sources[name]
        if isinstance(source, File):
            try:
                opened = open_file(self._connection, name, source, self._mapping.base)
            except MappingError as error:
                raise MappingError(f"sources.{name}: {error}") from error
            self._tables[name] = opened.table
            if opened.refused is not None:
                asks = {
                    "line_readable": "the line can be read",
                    **{f"{c}_readable": f"{c} is {t}" for c, t in source.types.items()},
                }
                refused = opened.refused.mutate(customer_id=ibis.null("string"))
                self.quarantine.keep(refused.to_pyarrow(), block=name, source=name, asks=asks)
        else:
            selected = self._select(name, source)
            self._refuse_unmet(name, source, selected, customer_id=None)
            self._tables[name] = self._connection.create_table(f"{name}:rows", selected.rows, temp=True)

    def _select(self, name: str, selection: Selection) -> Selected:
        selected = select(name, selection, self._tables)
        for join in selection.join:
            if not join.many and (count := repeated_keys(join, self._tables[join.source]).count().execute()):
                raise MappingError(
                    f"{name}: join {join.source} would multiply rows: {count} keys occur there more than once; "
                    "join a source grouped by the key, or say many: true"
                )
        return selected

    def _refuse_unmet(self, name: str, selection: Selection, selected: Selected, customer_id: Any) -> None:
        """Send the rows that break a rule of the mapping to quarantine."""
        if selected.required is None:
            return
        broken = selected.required.filter(selected.required[RULE].notnull())
        row = to_json(ibis.struct({c: broken[c] for c in broken.columns if c != RULE}))
        whose = ibis.null("string") if customer_id is None else _whose(broken, customer_id)
        rows = broken.select(rule=broken[RULE], row=row, customer_id=whose)
        asks = {**{f"{c}_readable": f"{c} can be read" for c in selection.columns}, **selection.require}
        self.quarantine.keep(rows.to_pyarrow(), block=name, source=selection.from_, asks=asks)

    def _judge_block(self, block: Block, now: datetime) -> _Ready:
        selected = self._select(block.name, block)
        self._refuse_unmet(block.name, block, selected, customer_id=block.customer_id)
        target = target_of(block)
        judged = self._judged(block, target, selected.rows, now)
        bad = judged.filter(judged[RULE].notnull())
        refused = bad.select(rule=bad[RULE], row=bad["row?"], customer_id=bad["customer_id"])
        self.quarantine.keep(refused.to_pyarrow(), block=block.name, source=block.from_, asks=_asks(target, now))
        good = judged.filter(judged[RULE].isnull()).select(*SCHEMAS[target].names)
        return _Ready(block, target, good, int(selected.wanted.count().execute()))

    def _judged(self, block: Block, target: Target, rows: Any, now: datetime) -> Any:
        """Return a table of the block's rows in their contract's shape, with the rule each breaks, if any."""
        shaped = shape(rows, block)
        source = ibis.struct({name: rows[name] for name in rows.columns})
        unread = first_broken(
            [(f"{n}_readable", c.unreadable) for n, c in shaped.items() if c.unreadable is not None]
        )
        table = rows.select(**{n: c.column for n, c in shaped.items()}, **{"unread?": unread, "source?": source})
        broken = first_broken([(rule.name, rule.broken(table)) for rule in contract_rules(target, now)])
        table = table.mutate(**{RULE: ibis.coalesce(table["unread?"], broken)})
        row = ibis.ifelse(table[RULE].notnull(), to_json(table["source?"]), ibis.null("string"))
        whole = table.mutate(**{"row?": row}).drop("unread?", "source?")
        return self._connection.create_table(f"{block.name}:judged", whole, temp=True)

    def hand_over(self, ready: list[_Ready], sink: ImportSink) -> ImportReport:
        """Give the good rows of every block to the sink, in pieces."""
        tally = Tally()
        self._progress("write", 0, len(ready))
        for done, one in enumerate(ready, start=1):
            self._hand_over_block(one, sink, tally)
            self._progress("write", done, len(ready))
        return tally.report(self.quarantine.by_rule, tuple(self.quarantine.files))

    def _hand_over_block(self, one: _Ready, sink: ImportSink, tally: Tally) -> None:
        mapped = duplicates = 0
        for batch in one.good.to_pyarrow_batches(chunk_size=PIECE):
            table = pa.Table.from_batches([batch]).cast(SCHEMAS[one.target])
            appended = getattr(sink, one.target)(table)
            mapped += table.num_rows
            duplicates += appended.duplicates if isinstance(appended, Appended) else 0
            _count(tally, one.target, table)
        tally.blocks.append(
            BlockReport(
                name=one.block.name,
                target=one.target,
                read=one.read,
                mapped=mapped,
                duplicates=duplicates,
                quarantined=dict(self.quarantine.counts.get(one.block.name, {})),
            )
        )


def _whose(table: Any, customer_id: Any) -> Any:
    """Return the customer of ungrouped rows, where they say it already."""
    try:
        return as_text(compile_value(table, customer_id).column)
    except MappingError:
        return ibis.null("string")


def _asks(target: Target, now: datetime) -> dict[str, str]:
    readable = {f"{name}_readable": f"{name} can be read" for name in SCHEMAS[target].names}
    return {**readable, **{rule.name: rule.asks for rule in contract_rules(target, now)}}


def _count(tally: Tally, target: Target, table: pa.Table) -> None:
    tally.rows[target] += table.num_rows
    if target == "events" and table.num_rows:
        for counted in pc.value_counts(table["type"]).to_pylist():
            tally.events[counted["values"]] += counted["counts"]
        bounds = pc.min_max(table["occurred_at"]).as_py()
        tally.moments += [bounds["min"], bounds["max"]]
