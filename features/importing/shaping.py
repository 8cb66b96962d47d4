"""A block's rows in the shape of their contract, and what could not be read on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ibis

from features.contracts import CONSENT_SCHEMA, CUSTOMER_SCHEMA, EVENT_SCHEMA, PREFERENCE_SCHEMA
from features.importing.compiling import Compiled, as_text, column, compile_id, compile_value, convert
from features.importing.macros import json_object, plain_json, without_nulls
from features.importing.mapping import ConsentBlock, CustomerBlock, EventBlock
from features.importing.moments import MOMENT, compile_day, compile_moment
from features.importing.problems import MappingError
from features.importing.values import Plain, pieces

if TYPE_CHECKING:
    import pyarrow as pa

    from features.importing.mapping import Block
    from features.importing.rules import Target

SCHEMAS: dict[Target, pa.Schema] = {
    "customers": CUSTOMER_SCHEMA,
    "events": EVENT_SCHEMA,
    "consents": CONSENT_SCHEMA,
    "preferences": PREFERENCE_SCHEMA,
}

_KINDS = {
    "string": "text",
    "double": "number",
    "int64": "integer",
    "bool": "boolean",
    "timestamp[us, tz=UTC]": "moment",
    "date32[day]": "day",
    "list<item: string>": "words",
}
_IDS = tuple(
    f"{what}_id" for what in ("customer", "event", "household", "decision", "message", "campaign", "offer")
)
ID_ASKS = {
    f"{name}_readable": f"{name} can be read exactly: text or whole numbers (floats below 2^53); store it as text"
    for name in _IDS
}
"""What is asked of ids that stand in a file as numbers or bytes."""
_OBJECTS = ("properties", "attributes", "contacts")
_EMPTY = {"properties": "{}", "attributes": "{}", "contacts": "{}", "automated": False}


def target_of(block: Block) -> Target:
    """Return what the rows of ``block`` become."""
    if isinstance(block, CustomerBlock):
        return "customers"
    if isinstance(block, EventBlock):
        return "events"
    return "consents" if isinstance(block, ConsentBlock) else "preferences"


def shape(table: Any, block: Block) -> dict[str, Compiled]:
    """Return every column of the block's contract, made of ``table``.

    Raises:
        MappingError: naming the block and the key whose value cannot be made.
    """
    return {field.name: _field(table, block, field) for field in SCHEMAS[target_of(block)]}


def _field(table: Any, block: Block, field: pa.Field) -> Compiled:
    kind = "object" if field.name in _OBJECTS else _KINDS[str(field.type)]
    given = getattr(block, field.name)
    try:
        return _absent(field.name, kind) if given is None else _given(table, given, field.name, kind)
    except MappingError as error:
        raise MappingError(f"{block.name}.{field.name}: {error}") from error


def _absent(name: str, kind: str) -> Compiled:
    if kind == "words":
        return Compiled(ibis.literal([], type="array<string>"))
    types = {"number": "float64", "integer": "int64", "moment": MOMENT, "day": "date"}
    constant = _EMPTY.get(name)
    return Compiled(ibis.literal(constant) if name in _EMPTY else ibis.null(types.get(kind, "string")))


def _given(table: Any, given: Any, name: str, kind: str) -> Compiled:
    if kind == "moment":
        return compile_moment(table, given)
    if kind == "day":
        return compile_day(table, given)
    if kind == "words":
        return _channels_off(table, given)
    if kind == "object":
        return _object(table, given, name)
    if kind == "text" and isinstance(given, Plain):
        _check_text(given)
    if name in _IDS:
        return compile_id(table, given)
    compiled = convert(compile_value(table, given), kind)  # type: ignore[arg-type]  # the four left
    return compiled.then(ibis.coalesce(compiled.column, False)) if name == "automated" else compiled


def _check_text(given: Plain) -> None:
    """Refuse a constant that may have another text than the mapping shows: ``1.10`` is 1.1."""
    for constant in given.constants:
        if isinstance(constant, bool | float):
            raise MappingError(
                f"{constant!r} is no text: write it in quotes (without, 1.10 is 1.1, and true a truth value)"
            )


def _object(table: Any, given: Any, name: str) -> Compiled:
    if isinstance(given, str):
        return _json_column(table, given)
    members = {key: compile_value(table, value) for key, value in given.items()}
    if not members:
        return Compiled(ibis.literal("{}"))
    columns = {key: _member(key, member.column, name) for key, member in members.items()}
    whole = Compiled(without_nulls(json_object(columns)))
    for member in members.values():
        whole = whole.then(whole.column, member.unreadable)
    return whole


def _member(key: str, value: Any, name: str) -> Any:
    if value.type().is_nested():
        raise MappingError(f"{key} is a list or a structure; {name} holds single values")
    return ibis.coalesce(as_text(value), "absent") if name == "contacts" else value


def _json_column(table: Any, given: str) -> Compiled:
    parts = pieces(given)
    if len(parts) != 2 or parts[0][0] or parts[1][0]:  # noqa: PLR2004 - a lone placeholder has an end, and that is all
        raise MappingError(
            f'{given!r} is not one column: write "{{column}}" for a column of JSON objects, or keys'
        )
    return Compiled(ibis.coalesce(plain_json(as_text(column(table, str(parts[0][1])))), "{}"))


def _channels_off(table: Any, given: Any) -> Compiled:
    flags = {channel: convert(compile_value(table, value), "boolean") for channel, value in given.items()}
    words = ibis.array([ibis.ifelse(flag.column, channel, ibis.null()) for channel, flag in flags.items()])
    whole = Compiled(words.filter(lambda word: word.notnull()))
    for flag in flags.values():
        whole = whole.then(whole.column, flag.unreadable)
    return whole
