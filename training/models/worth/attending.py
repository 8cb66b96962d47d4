"""Who sees messages, where no orders are told: what happened after a look, and how well it was foretold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from decisions.scorers.base import FloatArray
from decisions.worth.effect import Effect

if TYPE_CHECKING:
    from decisions.scorers.worth import WorthScorer
    from decisions.worth.beliefs import Beliefs
    from decisions.worth.model import WorthModel
    from training.looks import Look
    from training.sources import TrainingSources

ORDERS = ("purchased", "converted")
_RARE = 1e-9
"""Nobody is expected to see less than that: a logarithm of nothing has no value."""


def orders_told(sources: TrainingSources) -> int:
    """Return how many events tell of an order, of whatever kind."""
    return len(sources.events(ORDERS, ["customer_id"]))


def without_orders(model: WorthModel, beliefs: Beliefs) -> WorthModel:
    """Return ``model`` with what hangs on orders as declared: that none is told does not mean that none came.

    Where opens do not show, orders would have said who saw: there the declared attention stands, moved by clicks.
    """
    lift = max(beliefs.conversion - beliefs.anyway, beliefs.least_lift * beliefs.conversion)
    offers = np.ones_like(model.effect.orders)
    level = np.where(model.watched, model.attention.level, np.array(beliefs.attention))
    return replace(
        model,
        attention=replace(model.attention, level=level),
        effect=Effect(orders=0.0 * offers, lift=lift * offers),
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Seen:
    """Messages after the look ``before`` where opens show, of those who got any: one row a customer."""

    rows: NDArray[np.int64]
    customers: pa.ChunkedArray
    met: FloatArray
    """(customers, channels): messages in full attention."""
    seen: FloatArray
    """(customers, channels): opened or clicked."""

    @classmethod
    def of(cls, before: Look, after: Look, beliefs: Beliefs) -> Seen:
        """Return what ``after`` knows and ``before`` did not, of the same customers in the same order."""
        watched = after.tally.watched
        earlier, later = (each.tally.weighed(beliefs, watched) for each in (before, after))
        met = np.maximum(0.0, (later.watched - earlier.watched).sum(axis=2))
        rows = np.flatnonzero(met.sum(axis=1) > 0)
        return cls(
            rows=rows,
            customers=before.frame["customer_id"].take(pa.array(rows)),
            met=met[rows],
            seen=np.maximum(0.0, (later.seen - earlier.seen).sum(axis=2))[rows],
        )

    def loss(self, scorer: WorthScorer, before: Look) -> FloatArray:
        """Return the Poisson loss of each customer by what ``scorer`` expects, given what was known before."""
        mine = before.seen_by(scorer)
        attention = scorer.model.personal(mine.tally, mine.life).attention[self.rows]
        place = [scorer.channels.index(name) if name in scorer.channels else -1 for name in before.channels]
        unknown = np.full((len(self.rows), 1), np.array(scorer.model.beliefs.attention).mean())
        return self._poisson(np.hstack([attention, unknown])[:, place])

    def alike(self, model: WorthModel) -> FloatArray:
        """Return the same where everybody is taken for the mean person."""
        return self._poisson(model.attention.level)

    def declared(self, beliefs: Beliefs) -> FloatArray:
        """Return the same by what is declared."""
        return self._poisson(np.array(beliefs.attention))

    def _poisson(self, attention: FloatArray) -> FloatArray:
        expected = np.maximum(self.met * attention, _RARE)
        loss: FloatArray = np.where(self.met > 0, expected - self.seen * np.log(expected), 0.0).sum(axis=1)
        return loss
