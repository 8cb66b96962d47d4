"""Imported events that bear on no decision: all that is kept of them is that their ids are taken.

There are many, and a row of the inbox for each would cost an import half as much again. So they are kept as
numbers: keyed digests that name nobody, which is why erasure need not find them.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql

from decisions.ledger.events.digests import COLUMNS
from decisions.ledger.storage import schema
from decisions.ledger.storage.codec import micros
from decisions.ledger.storage.session import Among, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pyarrow as pa

    from decisions.ledger.storage.session import Session
    from features.contracts import Event

_BYTES, _KEY_BYTES = 8, 64
_NOTHING, _BETWEEN = "\x00", "\x1f"
"""Ids and words hold neither, so that no two contents are written alike."""

_PLUS_ZERO = 0.0
"""Added to a number, it makes one zero of the two there are."""
_FLOAT, _BITS = struct.Struct("<d"), struct.Struct("<q")

_passed = schema.passed.c
_SAID = select(_passed.id_digest, _passed.digest).where(Among(_passed.id_digest, "ids"))
_PASS = (
    postgresql.insert(schema.passed).values({c.name: bindparam(c.name) for c in _passed}).on_conflict_do_nothing()
)


def of_table(table: pa.Table, key: bytes | None) -> list[tuple[str, int, int]]:
    """Return of each event (``EVENT_SCHEMA``) its id and the two numbers, digested under ``key`` where one is."""
    import pyarrow as pa  # noqa: PLC0415  # only the bulk road needs columns
    import pyarrow.compute as pc  # noqa: PLC0415

    columns = {name: table[name].combine_chunks() for name in COLUMNS}
    columns["occurred_at"] = columns["occurred_at"].view(pa.int64())
    columns["value"] = pc.add(columns["value"], _PLUS_ZERO).view(pa.int64())
    fields = [each.cast(pa.string()) for each in columns.values()]
    told = pc.binary_join_element_wise(*fields, _BETWEEN, null_handling="replace", null_replacement=_NOTHING)
    ids = table["event_id"].combine_chunks()
    return [*zip(ids.to_pylist(), _numbers(ids, key), _numbers(told, key), strict=True)]


def _numbers(texts: pa.Array, key: bytes | None) -> tuple[int, ...]:
    """Return what :func:`_number` would of each: a million of them are read off at once."""
    import pyarrow as pa  # noqa: PLC0415  # as above

    secret, blake2b = _secret(key), hashlib.blake2b
    digests = [
        blake2b(each, digest_size=_BYTES, key=secret).digest() for each in texts.cast(pa.binary()).to_pylist()
    ]
    return struct.unpack(f">{len(digests)}q", b"".join(digests))


def digest(event: Event, key: bytes | None) -> int:
    """Return the number of what one event says but for its properties."""
    return _number(_BETWEEN.join(_written(event, name) for name in COLUMNS), key)


def _written(event: Event, name: str) -> str:
    value = getattr(event, name)
    if value is None:
        return _NOTHING
    if name == "occurred_at":
        return str(micros(value))
    if name == "value":
        return str(_BITS.unpack(_FLOAT.pack(value + _PLUS_ZERO))[0])
    return str(value).lower() if name == "automated" else str(value)


def _number(said: str, key: bytes | None) -> int:
    return int.from_bytes(
        hashlib.blake2b(said.encode(), digest_size=_BYTES, key=_secret(key)).digest(), signed=True
    )


def _secret(key: bytes | None) -> bytes:
    return (key or b"")[:_KEY_BYTES]


def known(session: Session, event_ids: Collection[str], key: bytes | None) -> dict[str, int]:
    """Return those of the ids that have passed, each with the number of what the event said."""
    numbers = {_number(each, key): each for each in event_ids}
    return {numbers[found]: what for found, what in said(session, numbers).items()}


def said(session: Session, id_digests: Collection[int]) -> dict[int, int]:
    """Return the same by the numbers of the ids."""
    return {row[0]: row[1] for row in session.rows(_SAID, ids=listed(id_digests))}


def keep(session: Session, numbers: Mapping[int, int]) -> int:
    """Keep that these have passed; return how many were new."""
    return session.many(_PASS, [{"id_digest": each, "digest": what} for each, what in sorted(numbers.items())])
