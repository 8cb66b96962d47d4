"""How well a score ranks: area under the ROC curve and average precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from measures.arrays import Floats, Integers, binary, columns
from measures.outcome import NotComputableError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from measures.statistic import OfWeights


def _groups(score: Floats) -> tuple[Integers, Integers]:
    """Return the order by score and where each group of equal scores begins in it."""
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])
    return order.astype(np.intp), starts.astype(np.intp)


@dataclass(frozen=True, slots=True)
class Auc:
    """P(a positive scores above a negative), ties counting half (Mann–Whitney)."""

    name: str = "auc"

    def __call__(self, y: ArrayLike, score: ArrayLike) -> float:
        """Return the area under the ROC curve of ``score`` for the 0/1 outcomes ``y``.

        Raises:
            NotComputableError: where ``y`` holds one class only.
        """
        weigh = self.prepared(y, score)
        return weigh(np.ones(np.size(score)))

    def prepared(self, y: ArrayLike, score: ArrayLike) -> OfWeights:
        """Sort once; then each reweighting takes linear time."""
        (outcome,), (points,) = binary(y=y), columns(score=score)
        columns(y=outcome, score=points)
        order, starts = _groups(points)
        positive = outcome[order]

        def weighted(weights: Floats) -> float:
            w = weights[order]
            pos = w * positive
            neg = w - pos
            if starts.size < order.size:
                pos, neg = np.add.reduceat(pos, starts), np.add.reduceat(neg, starts)
            pairs = pos.sum() * neg.sum()
            if pairs == 0:
                raise NotComputableError("AUC needs both outcomes; y holds one only")
            below = np.cumsum(neg) - neg
            return float((pos * (below + neg / 2)).sum() / pairs)

        return weighted


auc = Auc()


@dataclass(frozen=True, slots=True)
class AveragePrecision:
    """The mean precision at the positives, from the highest score down; ties share one threshold."""

    name: str = "average_precision"

    def __call__(self, y: ArrayLike, score: ArrayLike) -> float:
        """Return the average precision of ``score`` for the 0/1 outcomes ``y``.

        Raises:
            NotComputableError: where nothing is positive.
        """
        weigh = self.prepared(y, score)
        return weigh(np.ones(np.size(score)))

    def prepared(self, y: ArrayLike, score: ArrayLike) -> OfWeights:
        """Sort once; then each reweighting takes linear time."""
        (outcome,), (points,) = binary(y=y), columns(score=score)
        columns(y=outcome, score=points)
        order, starts = _groups(-points)
        positive = outcome[order]

        def weighted(weights: Floats) -> float:
            w = weights[order]
            pos, drawn = np.add.reduceat(w * positive, starts), np.add.reduceat(w, starts)
            hits, seen = np.cumsum(pos), np.cumsum(drawn)
            if hits[-1] == 0:
                raise NotComputableError("average precision needs a positive outcome; y holds none")
            precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
            return float((pos * precision).sum() / hits[-1])

        return weighted


average_precision = AveragePrecision()
