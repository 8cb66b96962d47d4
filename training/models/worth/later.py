"""What happened after a look, and how well it was foretold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from decisions.scorers.base import FloatArray

if TYPE_CHECKING:
    from decisions.scorers.worth import WorthScorer
    from decisions.worth.beliefs import Beliefs
    from decisions.worth.model import WorthModel
    from decisions.worth.tally import Tally
    from training.looks import Look

_RARE = 1e-9
"""Nobody is expected to order less than that: a logarithm of nothing has no value."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Later:
    """What happened after the look ``before``, to those who got messages then: one row a customer."""

    rows: NDArray[np.int64]
    customers: pa.ChunkedArray
    exposed: FloatArray
    """(customers, channels, offers): messages in full attention, shown or not."""
    ordered: FloatArray
    """Orders that name them, by customer."""

    @classmethod
    def of(cls, before: Look, after: Look) -> Later:
        """Return what ``after`` knows and ``before`` did not, of the same customers in the same order."""
        exposed = _exposed(after.tally) - _exposed(before.tally)
        ordered = _orders(after.tally) - _orders(before.tally)
        rows = np.flatnonzero(exposed.sum(axis=(1, 2)) > 0)
        return cls(
            rows=rows,
            customers=before.frame["customer_id"].take(pa.array(rows)),
            exposed=np.maximum(0.0, exposed[rows]),
            ordered=np.maximum(0.0, ordered[rows]),
        )

    def loss(self, scorer: WorthScorer, before: Look, after: Look) -> FloatArray:
        """Return the Poisson loss of each customer by what ``scorer`` expects, given what was known before."""
        mine = before.seen_by(scorer)
        exposed = _exposed(after.seen_by(scorer).tally) - _exposed(mine.tally)
        personal = scorer.model.personal(mine.tally, mine.life)
        rate = personal.lift + personal.anyway[:, None]
        seen = np.maximum(0.0, exposed) * personal.attention[:, :, None] * personal.alive[:, None, None]
        return self._poisson((seen.sum(axis=1) * rate).sum(axis=1)[self.rows])

    def alike(self, model: WorthModel) -> FloatArray:
        """Return the same where everybody is taken for the mean person."""
        seen = self.exposed * model.attention.level[:, None]
        return self._poisson((seen.sum(axis=1) * model.effect.orders).sum(axis=1))

    def declared(self, beliefs: Beliefs) -> FloatArray:
        """Return the same by what is declared."""
        seen = self.exposed.sum(axis=2) * np.array(beliefs.attention)
        return self._poisson(seen.sum(axis=1) * beliefs.conversion)

    def _poisson(self, expected: FloatArray) -> FloatArray:
        expected = np.maximum(expected, _RARE)
        loss: FloatArray = expected - self.ordered * np.log(expected)
        return loss


def _exposed(counted: Tally) -> FloatArray:
    return counted.exposed + counted.hidden


def _orders(counted: Tally) -> FloatArray:
    found: FloatArray = (counted.ordered + counted.hidden_ordered).sum(axis=(1, 2))
    return found
