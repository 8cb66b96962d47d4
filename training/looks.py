"""What was known of everybody at one moment: their tallies and how they live."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from decisions.scorers.tallies import life_of, tally_of
from features.tables.tally import counts
from features.vocabulary import TALLY, TALLY_COUNTS
from training.sets import spine, with_features

if TYPE_CHECKING:
    from datetime import datetime

    import ibis.expr.types as ir

    from decisions.scorers.worth import WorthScorer
    from decisions.worth.life import Life
    from decisions.worth.tally import Tally
    from training.sources import TrainingSources


@dataclass(frozen=True, eq=False, kw_only=True)
class Look:
    """Everybody who was ever sent a message, as known at one moment: a row a customer, in one order."""

    frame: pa.Table
    channels: tuple[str, ...]
    offers: tuple[str, ...]

    @cached_property
    def tally(self) -> Tally:
        """What messages did, by the channels and offers of the look."""
        return tally_of(self.frame, self.channels, self.offers)

    @cached_property
    def life(self) -> Life:
        """How they live."""
        return life_of(self.frame)

    def seen_by(self, scorer: WorthScorer) -> Look:
        """Return the same customers, counted by the channels and offers that ``scorer`` knows."""
        if (scorer.channels, scorer.offers) == (self.channels, self.offers):
            return self
        return Look(frame=self.frame, channels=scorer.channels, offers=scorer.offers)


def look(sources: TrainingSources, people: pa.ChunkedArray, moment: datetime, told: pa.Table) -> Look:
    """Return what was known of ``people`` at ``moment``, whose tallies are ``told``."""
    asked = spine(people, pa.array([moment] * len(people), pa.timestamp("us", "UTC")))
    return Look(
        frame=_with_tally(with_features(sources.store, asked), told),
        channels=sources.vocabulary.channels,
        offers=tuple(sorted(offer.offer_id for offer in sources.offers)),
    )


def tallies(sources: TrainingSources, moment: datetime) -> pa.Table:
    """Return everybody's tally as arrays, one row a customer."""
    counted = sources.collect(lambda events: _by_pair(counts(events, until=moment.date())))
    # One row a customer and pair, sorted by both: a customer's rows are a run.
    runs = pc.run_end_encode(counted["customer_id"].combine_chunks())
    ends = runs.run_ends.cast(pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    arrays = {name: pa.ListArray.from_arrays(offsets, counted[name].combine_chunks()) for name in TALLY}
    return pa.table({"customer_id": runs.values, **arrays})


def _by_pair(counted: ir.Table) -> ir.Table:
    return counted.select("customer_id", *TALLY_COUNTS, tally_pairs="pair").relocate("customer_id", "tally_pairs")


def _with_tally(frame: pa.Table, tallies: pa.Table) -> pa.Table:
    """Return ``frame`` with the tallies of its customers; who has none has null."""
    place = pc.index_in(frame["customer_id"], value_set=tallies["customer_id"].combine_chunks())
    others = frame.drop_columns([name for name in TALLY if name in frame.column_names])
    for name in TALLY:
        others = others.append_column(name, tallies[name].combine_chunks().take(place))
    return others
