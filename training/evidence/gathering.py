"""From draws to the sample: what was predicted from what was known before each, and what came after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from decisions.worth.shrinking import rate
from training.evidence.draws import DRAWS, trials
from training.evidence.outcomes import outcomes
from training.evidence.sample import Floats, Integers, Sample
from training.looks import look, tallies
from training.sets import at_midnight

if TYPE_CHECKING:
    from decisions.scorers.worth import WorthScorer
    from training.sources import TrainingSources

DAYS = 7
"""The window after a draw: all but one in a hundred reactions to a message have come by then."""
WINDOW_DAYS = 14
"""Draws of so many days are one window: compared with each other, predicted from what was known when it began."""
WINDOWS = 13
"""Windows of a source that are read, the latest: half a year."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """All draws that are ripe, sorted, with the window of each; ``aside`` are sources that cannot be read."""

    table: pa.Table
    window: Integers
    aside: Mapping[str, str]


def drawn(sources: TrainingSources, *, days: int = DAYS) -> Drawn:
    """Return the ledger's draws and the trials' whose window of ``days`` is over."""
    imported, aside = trials(sources)
    table = pa.concat_tables([sources.draws, imported]).combine_chunks()
    over = pa.scalar(sources.now - timedelta(days=days), table.schema.field("at").type)
    table = table.filter(pc.less_equal(table["at"], over))
    table = table.sort_by([(name, "ascending") for name in DRAWS.names])
    number = np.asarray(pc.cast(table["at"], pa.int64()).to_numpy(), dtype=np.int64) // (
        WINDOW_DAYS * 86_400_000_000
    )
    late = _latest(table["source"], number)
    return Drawn(table=table.filter(pa.array(late)), window=number[late], aside=aside)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Foretold:
    """By draw, as of its window: extra ``orders`` of a message, orders a day without, and the relative basket."""

    orders: Floats
    daily: Floats
    basket: Floats

    @classmethod
    def nothing(cls, size: int) -> Foretold:
        """Return what somebody says who knows nobody."""
        return cls(orders=np.zeros(size), daily=np.zeros(size), basket=np.ones(size))


def gathered(sources: TrainingSources, found: Drawn, scorer: WorthScorer, *, days: int = DAYS) -> Sample:
    """Return ``found`` with what ``scorer`` predicts, without any ratio of its own, and what came."""
    size = found.table.num_rows
    predicted, daily, basket = (np.zeros(size) for _ in range(3))
    for window in np.unique(found.window).tolist():
        mine = np.flatnonzero(found.window == window)
        predicted[mine], daily[mine], basket[mine] = _foretold(sources, found.table.take(pa.array(mine)), scorer)
    foretold = Foretold(orders=predicted, daily=daily, basket=basket)
    return sampled(sources, found, foretold, usual=scorer.model.peers.order_revenue, days=days)


def sampled(
    sources: TrainingSources, found: Drawn, foretold: Foretold, *, usual: float = 0.0, days: int = DAYS
) -> Sample:
    """Return ``found`` with what was ``foretold`` and what came; ``usual`` is the revenue of the mean order.

    An order brings the margin of the draw's offer, the more the larger it is; ``usual`` of 0: all orders are
    alike.
    """
    table = found.table
    came = outcomes(sources, table, days=days)
    margin = _margins(sources, table["offer_id"])
    source, names = _numbered(table["source"])
    pairs, kinds = _numbered(pc.binary_join_element_wise(table["offer_id"], table["channel"], "|"))
    return Sample(
        sources=names,
        pairs=kinds,
        source=source,
        pair=pairs,
        window=found.window,
        unit=_units(sources, table["customer_id"]),
        sent=np.asarray(table["sent"].to_numpy()),
        propensity=np.asarray(table["propensity"].to_numpy()),
        predicted=foretold.orders,
        orders=came.orders,
        expected=foretold.daily * days,
        predicted_margin=foretold.orders * foretold.basket * margin,
        margin=margin * (came.revenue / usual if usual > 0 else came.orders),
        expected_margin=foretold.daily * days * foretold.basket * margin,
    )


def _margins(sources: TrainingSources, offers: pa.ChunkedArray) -> Floats:
    """Return the margin of each draw's offer, and the mean of all for one that is not in the catalogue."""
    known = {offer.offer_id: offer.margin for offer in sources.offers}
    usual = float(np.mean(list(known.values()) or [1.0]))
    return np.array([known.get(offer, usual) for offer in offers.to_pylist()])


def _foretold(sources: TrainingSources, draws: pa.Table, scorer: WorthScorer) -> tuple[Floats, Floats, Floats]:
    """Return extra orders of a message, orders a day and the basket of each draw's customer, as of its window."""
    moment = at_midnight(pc.min(draws["at"]).as_py())
    people = pc.unique(draws["customer_id"]).sort()
    seen = look(sources, pa.chunked_array([people]), moment, tallies(sources, moment)).seen_by(scorer)
    personal = scorer.model.personal(seen.tally, seen.life)
    who = np.asarray(pc.index_in(draws["customer_id"], value_set=people).to_numpy(), dtype=np.int64)
    offers, channels = draws["offer_id"].to_pylist(), draws["channel"].to_pylist()
    offer = np.array([_index(scorer.offers, name, len(scorer.offers)) for name in offers])
    channel = np.array([_index(scorer.channels, name, -1) for name in channels])
    attention = np.where(channel >= 0, personal.attention[who, channel], 0.0)
    gain = attention * personal.alive[who] * personal.lift[who, offer]
    daily = rate(seen.life.orders, seen.life.days, max(scorer.model.peers.order_rate, 1e-9))
    return gain, daily[who], personal.basket[who]


def _index(names: tuple[str, ...], name: str, otherwise: int) -> int:
    return names.index(name) if name in names else otherwise


def _latest(source: pa.ChunkedArray, window: Integers) -> np.ndarray:
    """Return which rows are of the latest windows of their source."""
    number, _ = _numbered(source)
    keep = np.zeros(len(number), dtype=np.bool_)
    for each in np.unique(number):
        mine = number == each
        keep |= mine & (window >= np.unique(window[mine])[-WINDOWS:][0])
    return keep


def _units(sources: TrainingSources, customers: pa.ChunkedArray) -> Integers:
    """Number the households, and customers of whom none is known, in the order of their names."""
    known = sources.collect_customers(
        lambda people: people.filter(people["household_id"].notnull()).select("customer_id", "household_id")
    )
    place = pc.index_in(customers, value_set=known["customer_id"].combine_chunks())
    household = pc.binary_join_element_wise("household", known["household_id"].combine_chunks().take(place), ":")
    own = pc.binary_join_element_wise("customer", customers, ":")
    return _numbered(pc.coalesce(pa.chunked_array([household]).combine_chunks(), own.combine_chunks()))[0]


def _numbered(names: pa.ChunkedArray | pa.Array) -> tuple[Integers, tuple[str, ...]]:
    """Return each name's place among all names, sorted, and those."""
    kinds = pc.unique(names).sort()
    place = pc.index_in(names, value_set=kinds)
    return np.asarray(place.to_numpy(zero_copy_only=False), dtype=np.int64), tuple(kinds.to_pylist())
