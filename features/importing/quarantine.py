"""Rows an import refused, kept with the rule they broke until somebody has looked."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from features.files import write_parquet
from features.importing.standing import refused_standing
from features.whose import Tombstones, nobody

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

QUARANTINE_SCHEMA = pa.schema(
    [
        pa.field("imported_at", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("block", pa.string(), nullable=False),  # the block, or the source, whose rule it is
        pa.field("source", pa.string(), nullable=False),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),  # what the rule asks for
        pa.field("customer_id", pa.string()),  # where the row says whose it is; erasure goes by it
        pa.field("row", pa.string(), nullable=False),  # JSON
    ]
)
"""A refused row. It holds what the company's file held: treat it as personal data."""

_PIECE = 65_536


class Quarantine:
    """Refused rows below ``root``, counted by rule.

    A file is named by its block and by what is in it: the same rows refused again are there already.
    """

    def __init__(self, root: Path, imported_at: datetime, *, erased: Tombstones = nobody) -> None:
        self._root = root
        self._imported_at = imported_at
        self.erased = erased
        self.files: list[str] = []
        self.counts: dict[str, Counter[str]] = {}
        self.left_out = 0

    @property
    def by_rule(self) -> Counter[str]:
        """How many rows broke each rule."""
        return sum(self.counts.values(), Counter())

    def keep(self, rows: pa.Table, *, block: str, source: str, asks: Mapping[str, str]) -> None:
        """Keep ``rows`` (``rule``, ``row``, ``customer_id``); ``asks`` says of each rule what it asks for.

        Those of customers who were erased are not kept, only counted.
        """
        given = rows.num_rows
        rows = refused_standing(rows, self.erased)
        self.left_out += given - rows.num_rows
        if not rows.num_rows:
            return
        counted = pc.value_counts(rows["rule"]).to_pylist()
        self.counts.setdefault(block, Counter()).update({c["values"]: c["counts"] for c in counted})
        rows = rows.sort_by([("rule", "ascending"), ("row", "ascending")])
        path = self._root / f"{block}-{_fingerprint(rows)}.parquet"
        if not path.exists():
            write_parquet(self._labelled(rows, block, source, asks), path)
        self.files.append(path.name)

    def _labelled(self, rows: pa.Table, block: str, source: str, asks: Mapping[str, str]) -> pa.Table:
        details = pa.array(list(asks.values()), pa.string())
        columns = {
            "imported_at": _repeated(self._imported_at, rows),
            "block": _repeated(block, rows),
            "source": _repeated(source, rows),
            "rule": rows["rule"],
            "detail": details.take(pc.index_in(rows["rule"], value_set=pa.array(list(asks), pa.string()))),
            "customer_id": rows["customer_id"],
            "row": rows["row"],
        }
        return pa.table(columns).cast(QUARANTINE_SCHEMA)


def _repeated(value: object, rows: pa.Table) -> pa.Array:
    return pa.repeat(pa.scalar(value), rows.num_rows)


def _fingerprint(rows: pa.Table) -> str:
    digest = hashlib.sha256()
    for piece in rows.combine_chunks().to_batches(max_chunksize=_PIECE):
        for name in ("rule", "row"):
            together = pa.ListArray.from_arrays([0, piece.num_rows], piece[name])
            digest.update(pc.binary_join(together, "\n")[0].as_buffer())
    return digest.hexdigest()[:16]
