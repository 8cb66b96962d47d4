"""Every row of every block judged: good, or refused by the name of the rule it breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis

from features.importing.compiling import ARRIVAL, visible
from features.importing.macros import define_macros, to_json
from features.importing.mapping import Block, File
from features.importing.moments import asks_of
from features.importing.numerals import numbers, with_hints, with_numerals
from features.importing.oddities import oddities
from features.importing.owners import owned, owned_of_file
from features.importing.problems import MappingError
from features.importing.rules import Target, contract_rules, first_broken
from features.importing.selecting import RULE, repeated_keys, select
from features.importing.shaping import ID_ASKS, SCHEMAS, shape, target_of
from features.importing.sources import open_file
from features.importing.values import Moment, Plain
from features.importing.withdrawals import whatever_its_date

if TYPE_CHECKING:
    from datetime import datetime

    from features.importing.mapping import ImportMapping, Selection
    from features.importing.oddities import Oddity
    from features.importing.quarantine import Quarantine
    from features.importing.selecting import Selected
    from features.progress import Progress


@dataclass(frozen=True, slots=True)
class Judged:
    """A block and its ``good`` rows, out of ``read`` rows of the source.

    They have their contract's columns and come in order of arrival (:data:`ARRIVAL`): the sink goes by it.
    """

    block: Block
    target: Target
    good: Any
    read: int


class Judge:
    """Judges the rows of a mapping on one connection; refused rows go to ``quarantine``."""

    def __init__(self, mapping: ImportMapping, connection: Any, quarantine: Quarantine, now: datetime) -> None:
        self._mapping = with_numerals(mapping)
        self._connection = connection
        self._quarantine = quarantine
        self._now = now
        self._tables: dict[str, Any] = {}
        self.warnings: list[Oddity] = []
        define_macros(connection)

    def judge(self, progress: Progress) -> list[Judged]:
        """Open the sources and judge every row of every block, in the order of import.

        Raises:
            MappingError: naming the source or block, and the key, that does not fit the files.
        """
        names = self._mapping.order_of_sources()
        steps = len(names) + len(self._mapping.blocks)
        for done, name in enumerate(names):
            progress("judge", done, steps)
            self._open(name)
        judged = []
        for done, block in enumerate(self._mapping.blocks, start=len(names)):
            progress("judge", done, steps)
            judged.append(self._judge(block))
        progress("judge", steps, steps)
        return judged

    def _open(self, name: str) -> None:
        source = self._mapping.sources[name]
        if isinstance(source, File):
            self._open_file(name, source)
        else:
            selected = self._select(name, source)
            self._refuse_unmet(name, source, selected)
            self._tables[name] = self._connection.create_table(f"{name}:rows", selected.rows, temp=True)

    def _open_file(self, name: str, file: File) -> None:
        try:
            opened = open_file(self._connection, name, file, self._mapping.base)
        except MappingError as error:
            raise MappingError(f"sources.{name}: {error}") from error
        self._tables[name] = opened.table
        if opened.refused is not None:
            names = visible(opened.table)
            refused = owned_of_file(self._connection, self._mapping, name, names, opened.refused)
            self._quarantine.keep(refused, block=name, source=name, asks=opened.asks)

    def _select(self, name: str, selection: Selection) -> Selected:
        selected = select(name, selection, self._tables)
        for join in selection.join:
            repeated = (
                0 if join.many else repeated_keys(join, self._tables[join.source]).count().to_pyarrow().as_py()
            )
            if repeated:
                raise MappingError(
                    f"{name}: join {join.source} would multiply rows: {repeated} keys occur there more than once; "
                    "join a source grouped by the key, or say many: true"
                )
        return selected

    def _refuse_unmet(self, name: str, selection: Selection, selected: Selected) -> None:
        """Send the rows that break a rule of the mapping itself to quarantine."""
        if selected.required is None:
            return
        broken = selected.required.filter(selected.required[RULE].notnull())
        row = to_json(ibis.struct({c: broken[c] for c in visible(broken) if c != RULE}))
        rows = broken.select(ARRIVAL, rule=broken[RULE], row=row).to_pyarrow()
        asks = {**{f"{c}_readable": f"{c} can be read" for c in selection.columns}, **selection.require}
        asks = with_hints(asks, rows, numbers(selection.columns))
        rows = owned(self._mapping, name, broken, rows)
        self._quarantine.keep(rows, block=name, source=selection.from_, asks=asks)

    def _judge(self, block: Block) -> Judged:
        selected = self._select(block.name, block)
        self._refuse_unmet(block.name, block, selected)
        target = target_of(block)
        rules = contract_rules(target, self._now, placeholders=self._mapping.allow_placeholder_ids)
        table = self._shaped(block, selected.rows, [(rule.name, rule.broken) for rule in rules])
        bad = table.filter(table[RULE].notnull())
        refused = bad.select(rule=bad[RULE], row=bad["row?"], customer_id=bad["customer_id"]).to_pyarrow()
        readable = {f"{name}_readable": _asks(block, name) for name in SCHEMAS[target].names}
        asks = {**readable, **{rule.name: rule.asks for rule in rules}}
        asks = with_hints({**asks, **ID_ASKS}, refused, _numbers(block, target))
        self._quarantine.keep(refused, block=block.name, source=block.from_, asks=asks)
        self.warnings += oddities(block, table, self._now)
        good = table.filter(table[RULE].isnull()).select(*SCHEMAS[target].names, ARRIVAL).order_by(ARRIVAL)
        return Judged(block, target, good, selected.wanted.count().to_pyarrow().as_py())

    def _shaped(self, block: Block, rows: Any, rules: list[tuple[str, Any]]) -> Any:
        """Return a table of the rows in their contract's shape, with the rule each breaks and what it was."""
        columns = whatever_its_date(rows, block, shape(rows, block), self._now)
        unread = [(f"{n}_readable", c.unreadable) for n, c in columns.items() if c.unreadable is not None]
        source = ibis.struct({name: rows[name] for name in visible(rows)})
        made = {name: compiled.column for name, compiled in columns.items()} | {ARRIVAL: rows[ARRIVAL]}
        table = rows.select(**made, **{"unread?": first_broken(unread), "source?": source})
        broken = first_broken([(name, condition(table)) for name, condition in rules])
        table = table.mutate(**{RULE: ibis.coalesce(table["unread?"], broken)})
        row = ibis.ifelse(table[RULE].notnull(), to_json(table["source?"]), ibis.null("string"))
        whole = table.mutate(**{"row?": row}).drop("unread?", "source?")
        return self._connection.create_table(f"{block.name}:judged", whole, temp=True)


def _numbers(block: Block, target: Target) -> dict[str, Any]:
    fields = {f.name: getattr(block, f.name) for f in SCHEMAS[target] if str(f.type) in ("double", "int64")}
    return numbers(fields, all_are=True)


def _asks(block: Block, name: str) -> str:
    given = getattr(block, name)
    if isinstance(given, Moment):
        return f"{name} is {asks_of(given)}"
    if isinstance(given, Plain) and given.map and "otherwise" not in given.model_fields_set:
        return f"{name} can be read: its map names {', '.join(map(repr, given.map))}, and has no otherwise"
    return f"{name} can be read"
