"""What a mapping's own constants are against the contracts' rules, before there is any row to judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis

from features.contracts.withdrawing import LEAVING
from features.importing.finding import find_files, reader_of
from features.importing.macros import define_macros
from features.importing.mapping import ConsentBlock, EventBlock, File
from features.importing.moments import asks_of
from features.importing.problems import MappingError
from features.importing.rules import contract_rules, first_broken
from features.importing.shaping import SCHEMAS, shape, target_of
from features.importing.values import Day, Moment, Plain, pieces
from features.lake import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from features.importing.mapping import Block, ImportMapping

_UNREADABLE = "unread?"
"""A name no column of a contract has."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What of a mapping cannot be meant, and where in it."""

    where: str
    what: str


def missing_files(mapping: ImportMapping) -> Iterator[Fault]:
    """Yield the sources whose files are not there, or of no kind that can be read."""
    files = {name: source for name, source in mapping.sources.items() if isinstance(source, File)}
    for name, file in files.items():
        try:
            reader_of(file.path, find_files(file.path, mapping.base))
        except MappingError as error:
            yield Fault(f"sources.{name}", str(error))


def hopeless_constants(mapping: ImportMapping, now: datetime) -> Iterator[Fault]:
    """Yield the constants with which no row can pass, judged as an import would judge them.

    A moment that cannot be is none where the block may hold withdrawals: these count whatever their date.
    """
    connection = connect()
    try:
        define_macros(connection)
        row = connection.create_table("one", ibis.memtable({"one": [1]}), temp=True)
        fields = [(block, name) for block in mapping.blocks for name in SCHEMAS[target_of(block)].names]
        for block, name in fields:
            for value, constant in _constants(block, name):
                if why := _why_not(row, block, name, constant, mapping=mapping, now=now):
                    yield Fault(f"{block.name}.{name}", f"no row passes with {value!r}: {why}")
    finally:
        connection.disconnect()


def constants_of(block: Block, name: str) -> list[Any]:
    """Return what stands in the mapping itself and may become the value of a field, with nothing of a row."""
    return [value for value, _ in _constants(block, name)]


def _constants(block: Block, name: str) -> Iterator[tuple[Any, Plain | Moment | Day]]:
    """Yield each constant of a field, and the field's value as if it were nothing else."""
    given = getattr(block, name)
    if isinstance(given, Plain):
        alone = {"map": None, "otherwise": None, "default": None}
        for value in dict.fromkeys(given.constants):
            if _is_constant(value) or value is not given.value:
                escaped = given.model_copy(update={**alone, "value": value})
                yield value, escaped
    elif isinstance(given, Moment | Day) and _is_constant(given.value) and not _may_leave(block, name):
        yield given.value, given


def _is_constant(value: Any) -> bool:
    return not isinstance(value, str) or all(column is None for _, column in pieces(value))


def _may_leave(block: Block, name: str) -> bool:
    if isinstance(block, ConsentBlock) and name == "at":
        told, leaving = block.status, {"withdrawn"}
    elif isinstance(block, EventBlock) and name == "occurred_at":
        told, leaving = block.type, set(LEAVING)
    else:
        return False
    return not (
        isinstance(told, Plain) and not told.map and _is_constant(told.value) and told.value not in leaving
    )


def _why_not(
    row: Any, block: Block, name: str, constant: Plain | Moment | Day, *, mapping: ImportMapping, now: datetime
) -> str | None:
    target = target_of(block)
    others = {other: None for other in SCHEMAS[target].names if other != name}
    try:
        shaped = shape(row, block.model_copy(update={**others, name: constant}))
    except MappingError as error:
        return str(error).partition(": ")[2]
    rules = contract_rules(target, now, placeholders=mapping.allow_placeholder_ids)
    own = {rule.name: rule for rule in rules if rule.name.startswith(f"{name}_")}
    unreadable = ibis.literal(False) if shaped[name].unreadable is None else shaped[name].unreadable
    made = {field: compiled.column for field, compiled in shaped.items()}
    table = row.select(**made, **{_UNREADABLE: unreadable})
    broken = [(_UNREADABLE, table[_UNREADABLE]), *((each, rule.broken(table)) for each, rule in own.items())]
    found = table.select(rule=first_broken(broken)).to_pyarrow()["rule"][0].as_py()
    if found == _UNREADABLE:
        return asks_of(constant) if isinstance(constant, Moment) else f"{name} cannot be read from it"
    return own[found].asks if found else None
