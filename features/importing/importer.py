"""An import: every row of every block to its contract or to the quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from features.importing.judging import Judge
from features.importing.problems import ImportRefusedError
from features.importing.quarantine import Quarantine
from features.importing.report import BlockReport, Tally
from features.importing.shaping import SCHEMAS
from features.importing.standing import standing
from features.lake import Appended, connect
from features.progress import Progress, quiet
from features.whose import Tombstones, nobody

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from features.importing.judging import Judged
    from features.importing.mapping import ImportMapping
    from features.importing.report import ImportReport
    from features.importing.rules import Target
    from features.importing.sink import ImportSink

PIECE = 1_000_000
"""Rows handed to the sink at a time."""


def run_import(  # noqa: PLR0913 - all that an import is told, by name
    mapping: ImportMapping,
    sink: ImportSink,
    *,
    quarantine_root: Path,
    now: datetime,
    strict: bool = False,
    erased: Tombstones = nobody,
    progress: Progress = quiet,
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
        erased: tells who was erased; their rows are counted and go nowhere, not even into quarantine.
        progress: told of every step, in the stages ``judge`` and ``write``.
        memory_limit: what DuckDB may use, such as ``2GB``.

    Raises:
        MappingError: the mapping does not fit the files.
        ImportRefusedError: ``strict``, and rows break a rule; nothing was imported.
    """
    quarantine = Quarantine(quarantine_root, now, erased=erased)
    connection = connect(memory_limit=memory_limit, temp=quarantine_root / ".spill")
    try:
        judge = Judge(mapping, connection, quarantine, now)
        judged = judge.judge(progress)
        if strict and quarantine.files:
            raise ImportRefusedError(_refusal(quarantine, quarantine_root))
        return _hand_over(judged, sink, quarantine, Tally(warnings=tuple(judge.warnings)), progress)
    finally:
        connection.disconnect()


def _refusal(quarantine: Quarantine, root: Path) -> str:
    rules = ", ".join(f"{rule} ({count})" for rule, count in sorted(quarantine.by_rule.items()))
    return f"strict import refused: rows break {rules}; nothing was imported, the rows are in {root}"


def _hand_over(
    blocks: list[Judged], sink: ImportSink, quarantine: Quarantine, tally: Tally, progress: Progress
) -> ImportReport:
    progress("write", 0, len(blocks))
    for done, judged in enumerate(blocks, start=1):
        tally.blocks.append(_write(judged, sink, quarantine, tally))
        progress("write", done, len(blocks))
    tally.erased += quarantine.left_out
    return tally.report(quarantine.by_rule, tuple(quarantine.files))


def _write(judged: Judged, sink: ImportSink, quarantine: Quarantine, tally: Tally) -> BlockReport:
    mapped = duplicates = 0
    for batch in judged.good.to_pyarrow_batches(chunk_size=PIECE):
        schema = SCHEMAS[judged.target]
        table = pa.Table.from_batches([batch]).select(schema.names).cast(schema)
        kept = standing(table, quarantine.erased)
        tally.erased += table.num_rows - kept.num_rows
        appended = getattr(sink, judged.target)(kept)
        if isinstance(appended, Appended):
            duplicates += appended.duplicates
            tally.conflicts += appended.conflicts
        mapped += kept.num_rows
        _count(tally, judged.target, kept)
    return BlockReport(
        name=judged.block.name,
        target=judged.target,
        read=judged.read,
        mapped=mapped,
        duplicates=duplicates,
        quarantined=dict(quarantine.counts.get(judged.block.name, {})),
    )


def _count(tally: Tally, target: Target, table: pa.Table) -> None:
    tally.rows[target] += table.num_rows
    if target == "events" and table.num_rows:
        for counted in pc.value_counts(table["type"]).to_pylist():
            tally.events[counted["values"]] += counted["counts"]
        bounds = pc.min_max(table["occurred_at"]).as_py()
        tally.moments += [bounds["min"], bounds["max"]]
