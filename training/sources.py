"""What a model is trained from: events, features as they stood at any moment, and what was declared."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import ibis
import pyarrow as pa

from decisions.priors import Priors
from features.contracts import CUSTOMER_SCHEMA, EVENT_SCHEMA, Offer
from features.contracts.words import FIRST_PLAUSIBLE
from features.lake import CustomerSource, connect
from features.vocabulary import Vocabulary
from training.evidence.draws import DRAWS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


_BUCKET = "bucket_rows"


class PointInTime(Protocol):
    """Features as they were known at given moments: nothing later, nothing that arrived later."""

    def training_set(self, spine: pa.Table) -> pa.Table:
        """Return one row per row of ``spine`` with the vocabulary's feature columns added.

        ``spine`` has ``customer_id``, ``event_timestamp`` (UTC, µs) and columns of its own, which come back
        unchanged. The order of rows is not promised.
        """
        ...

    def rhythm_at(self, spine: pa.Table) -> pa.Array:
        """Return the rhythm (168 weighted counts over local hours) at each row of ``spine``, in its order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSources:
    """Everything a model may look at. Nothing at or after ``now`` has happened yet."""

    lake: CustomerSource
    store: PointInTime
    vocabulary: Vocabulary
    priors: Priors
    offers: tuple[Offer, ...]
    now: datetime
    memory_limit: str = "2GB"
    draws: pa.Table = field(default_factory=DRAWS.empty_table)
    """The ledger's own randomised decisions (:data:`training.evidence.draws.DRAWS`)."""

    def collect(self, build: Callable[[Any], Any]) -> pa.Table:
        """Run ``build`` over each bucket's events before ``now`` and return the parts as one Arrow table.

        ``build`` takes and returns an ibis table; what it returns must be small enough to hold for all buckets.
        Rows are sorted by their columns, the first one first: what is drawn, split and summed later must not hang
        on how many buckets there are, nor on the order in which rows arrived or a thread was done.
        """
        return self._each_bucket(build, EVENT_SCHEMA, self._past)

    def collect_customers(self, build: Callable[[Any], Any]) -> pa.Table:
        """Run ``build`` over each bucket's customers and return the parts as :meth:`collect` does."""
        return self._each_bucket(build, CUSTOMER_SCHEMA, self.lake.customers)

    def events(self, types: Sequence[str], columns: Sequence[str]) -> pa.Table:
        """Return ``columns`` of the events of ``types`` that happened before ``now``."""
        return self.collect(lambda events: events.filter(events["type"].isin(list(types))).select(*columns))

    def _past(self, connection: Any, bucket: int) -> Any:
        # One event dated before 1990 (a clock at zero) must not let a young lake pass for an old one.
        events = self.lake.events(connection, bucket)
        return events.filter(events["occurred_at"] < self.now, events["occurred_at"] >= FIRST_PLAUSIBLE)

    def _each_bucket(
        self, build: Callable[[Any], Any], schema: pa.Schema, rows: Callable[[Any, int], Any]
    ) -> pa.Table:
        # Compiled once, not once a bucket: Ibis takes longer than DuckDB does for a bucket.
        nullable = pa.schema([field.with_nullable(True) for field in schema])
        asked = build(ibis.table(ibis.Schema.from_pyarrow(nullable), name=_BUCKET))
        sql, found = str(ibis.to_sql(asked, dialect="duckdb")), asked.schema().to_pyarrow()
        connection = connect(memory_limit=self.memory_limit)
        try:
            parts = []
            for bucket in range(self.lake.buckets):
                connection.create_view(_BUCKET, rows(connection, bucket), overwrite=True)
                parts.append(connection.raw_sql(sql).to_arrow_table().cast(found))
        finally:
            connection.disconnect()
        together = pa.concat_tables(parts).combine_chunks()
        return together.sort_by([(name, "ascending") for name in together.column_names])
