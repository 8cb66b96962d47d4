"""How files write their numbers (``1.234,50``): carried from a file to the values that read its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow.compute as pc

from features.importing.mapping import File, ImportMapping
from features.importing.problems import MappingError
from features.importing.values import Decimal, Plain, Product, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from features.importing.mapping import Selection

_MANY = 1000  # refused rows that are looked at for a hint
_COMMA = re.compile(r"[+-]?([1-9][0-9]{0,2}(\.[0-9]{3})+|[0-9]+),[0-9]+")
_GROUPS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class _Numerals:
    """The decimal sign of each column of a source; most have that of its file."""

    most: Decimal | None
    others: Mapping[str, Decimal | None]

    def of(self, column: str) -> Decimal | None:
        return self.others.get(column, self.most)


def with_numerals(mapping: ImportMapping) -> ImportMapping:
    """Return the mapping with the decimal sign of each file at every value that reads its columns.

    Raises:
        MappingError: a product takes its factors from files that write numbers differently.
    """
    known: dict[str, _Numerals] = {}
    sources = dict(mapping.sources)
    for name in mapping.order_of_sources():
        source = sources[name]
        if isinstance(source, File):
            known[name] = _Numerals(source.decimal, {})
        else:
            sources[name], known[name] = _told(name, source, known)
    if not any(known[name].most or any(known[name].others.values()) for name in known):
        return mapping
    groups = {group: getattr(mapping, group) for group in ("customers", "events", "consents", "preferences")}
    blocks = {group: tuple(_told(b.name, b, known)[0] for b in each) for group, each in groups.items()}
    return mapping.model_copy(update={"sources": sources, **blocks})


def _told(name: str, selection: Selection, known: Mapping[str, _Numerals]) -> tuple[Any, _Numerals]:
    base = known[selection.from_]
    others = dict(base.others)
    for join in selection.join:
        others |= {own: known[join.source].of(theirs) for own, theirs in join.take.items()}
    try:
        columns = {}
        for column, value in selection.columns.items():
            columns[column] = _with(value, _Numerals(base.most, others))
            others[column] = getattr(columns[column], "decimal", None)
        before = _Numerals(base.most, dict(others))
        others |= {column: before.of(aggregate.column) for column, aggregate in selection.aggregate.items()}
        numerals = _Numerals(base.most, others)
        fields = {field: _with(getattr(selection, field), numerals) for field in type(selection).model_fields}
    except MappingError as error:
        raise MappingError(f"{name}: {error}") from error
    return selection.model_copy(update={**fields, "columns": columns}), numerals


def _with(value: Any, numerals: _Numerals) -> Any:
    """Return a value, or values by key, with the decimal sign of the columns they read."""
    if isinstance(value, dict):
        return {key: _with(each, numerals) for key, each in value.items()}
    if not isinstance(value, Plain | Product) or value.decimal:
        return value
    signs = {numerals.of(column) for column in columns_in(value)}
    if isinstance(value, Product) and len(signs) > 1:
        raise MappingError(
            f"the factors {list(value.product)} come from files that write numbers differently: "
            "convert them with types, in their sources"
        )
    return value.model_copy(update={"decimal": signs.pop()}) if len(signs) == 1 else value


def columns_in(value: Any) -> list[str]:
    """Return the columns that a value reads."""
    texts = value.product if isinstance(value, Product) else (getattr(value, "value", None),)
    return [name for text in texts if isinstance(text, str) for _, name in pieces(text) if name is not None]


def with_hints(asks: Mapping[str, str], refused: pa.Table, columns: Mapping[str, list[str]]) -> dict[str, str]:
    """Return ``asks`` with the decimal sign that would read what was no number, where one would.

    ``columns`` are those that what must become a number is made of.
    """
    hinted = dict(asks)
    for name, read in columns.items():
        rows = refused.filter(pc.equal(refused["rule"], f"{name}_readable"))["row"]
        hints = (_hint(orjson.loads(row.as_py()), read) for row in rows.slice(0, _MANY))
        hinted[f"{name}_readable"] += next(filter(None, hints), "")
    return hinted


def numbers(values: Mapping[str, Any], *, all_are: bool = False) -> dict[str, list[str]]:
    """Return the columns of those ``values`` that become numbers and whose decimal sign nobody has said."""
    return {
        name: columns_in(value)
        for name, value in values.items()
        if isinstance(value, Plain | Product)
        and not value.decimal
        and (all_are or isinstance(value, Product) or value.as_ in ("number", "integer"))
    }


def _hint(cells: Mapping[str, object], columns: Iterable[str]) -> str:
    for text in map(cells.get, columns):
        if isinstance(text, str) and (signs := _signs(text.strip())):
            return f"; {text!r} can be read with {' or '.join(signs)} in its source"
    return ""


def _signs(text: str) -> list[str]:
    return [f'decimal: "{sign}"' for sign, form in ((",", _COMMA), (".", _GROUPS)) if form.fullmatch(text)]
