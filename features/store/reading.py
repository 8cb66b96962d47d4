"""Online reads: the feature frame of a few customers. Nothing heavy is imported for them."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.layout import Layout
from features.store.errors import FeaturesUnavailable
from features.store.online import Reader
from features.views import views
from features.vocabulary import CUSTOMER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from features.vocabulary import Vocabulary

TTL = timedelta(days=2)
"""How old a snapshot may be and still stand for its customer: a day between snapshots, and one missed build."""

FEATURES_AS_OF = "features_as_of"
FEATURES_HEARD_AT = "features_heard_at"


class OnlineStore:
    """The last materialization of one vocabulary. Safe to use from many threads."""

    def __init__(self, root: Path, vocabulary: Vocabulary, *, ttl: timedelta = TTL) -> None:
        self._views = views(vocabulary)
        self._ttl = ttl
        self._reader = Reader(Layout(Path(root).absolute()), vocabulary)

    def online(self, customer_ids: Sequence[str], *, now: datetime | None = None) -> pa.Table:
        """Return the feature frame of ``customer_ids``, in their order, as of the last materialization.

        Columns: ``customer_id``, every column of the vocabulary with rhythm, contact and tally, then
        ``features_as_of`` (null for a customer the store does not know) and ``features_heard_at``: what the ledger
        was told by then was in the lake that was built from, null where nobody can say. With ``now``, values older
        than ttl or from after it are null too; ``features_as_of`` still tells of when they were.

        Raises:
            FeaturesUnavailable: where there is nothing that can be read.
        """
        ids = list(dict.fromkeys(customer_ids))
        with unavailable("reading online features"):
            rows = self._reader.read(ids or [""], self._views)
            fresh = _fresh(rows.as_of, now, self._ttl)
            known = valid(rows.packed["activity"]) & fresh
            usable = pa.array(fresh)
            columns = {CUSTOMER: pa.array(ids or [""])}
            for view in self._views:
                packed = pc.if_else(usable, rows.packed[view.name], pa.scalar(None, rows.packed[view.name].type))
                columns |= view.unpack(packed, known)
        heard_at = pa.repeat(pa.scalar(rows.heard_at, rows.as_of.type), len(rows.as_of))
        frame = pa.table(columns | {FEATURES_AS_OF: rows.as_of, FEATURES_HEARD_AT: heard_at})
        return frame.take(pc.index_in(pa.array(customer_ids, pa.string()), value_set=pa.array(ids, pa.string())))


@contextmanager
def unavailable(doing: str) -> Iterator[None]:
    """Raise whatever goes wrong as the one error of the feature store."""
    try:
        yield
    except FeaturesUnavailable:
        raise
    except Exception as error:
        raise FeaturesUnavailable(f"{doing} failed: {error}") from error


def valid(packed: pa.Array) -> np.ndarray[Any, Any]:
    """Return where an array holds something."""
    return np.asarray(packed.is_valid().to_numpy(zero_copy_only=False))


def _fresh(as_of: pa.Array, now: datetime | None, ttl: timedelta) -> np.ndarray[Any, Any]:
    if now is None:
        return valid(as_of)
    moment, oldest = pa.scalar(now, as_of.type), pa.scalar(now - ttl, as_of.type)
    within = pc.and_(pc.less_equal(as_of, moment), pc.greater_equal(as_of, oldest))
    return np.asarray(pc.fill_null(within, False).to_numpy(zero_copy_only=False))
