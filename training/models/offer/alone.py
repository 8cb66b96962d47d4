"""Effects without a response model: where draws say what offers add, and too few purchases say who buys what.

They are judged by the loss of the weighted-centred regression (Nie & Wager 2021): (Y − g − (A − p) τ)², which an
effect of nought leaves as it is. The effect that each row is foretold comes from folds that hold none of its unit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from decisions.scorers.base import Engagement
from decisions.scoring import batch_of
from training.fitting import fold_of
from training.models import Backtest, Facts, Fitted, mean_score
from training.models.offer.effects import FEWEST
from training.models.offer.learners import Trees, expected
from training.models.offer.randomised import pooled_effect
from training.sets import fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from decisions.scorers.base import FloatArray
    from decisions.scorers.offer import OfferModel
    from training.models.offer.effects import Effects
    from training.models.offer.randomised import RandomisedSends
    from training.sources import TrainingSources

_FOLDS = 5


def effects_alone(
    sources: TrainingSources,
    sends: Mapping[str, RandomisedSends],
    effects: Effects,
    scorer: OfferModel,
    *,
    why: str,
    remarks: Sequence[str] = (),
    seed: int,
) -> Fitted:
    """Return ``scorer``, which knows nothing but ``effects``; ``why`` says what kept the response model away."""
    judged = {pair: drawn for pair, drawn in sends.items() if drawn.fewest >= FEWEST}
    levels = {pair: _level(drawn, seed) for pair, drawn in judged.items()}

    def losses(foretold: Mapping[str, FloatArray]) -> FloatArray:
        return np.concatenate([_loss(drawn, levels[pair], foretold[pair]) for pair, drawn in judged.items()])

    def rescore(other: OfferModel) -> FloatArray:
        return losses({pair: _said(other, pair, drawn, sources) for pair, drawn in judged.items()})

    return Fitted(
        scorer=scorer,
        backtest=Backtest(
            metric="effect_loss",
            direction="lower",
            statistic=mean_score,
            truth=np.concatenate([drawn.margin for drawn in judged.values()]),
            scores={
                "effects": losses({pair: _foretold(drawn, seed) for pair, drawn in judged.items()}),
                "no_effect": losses({pair: np.zeros(len(drawn.margin)) for pair, drawn in judged.items()}),
            },
            clusters=np.concatenate([drawn.groups for drawn in judged.values()]),
            model="effects",
            baseline="no_effect",
            binary=False,
        ),
        rescore=rescore,
        fingerprint=_fingerprint(judged),
        trained_on=sum(len(drawn.margin) for drawn in sends.values()),
        facts=Facts(
            question="What does an offer add, compared with no message?",
            method=" ".join(f"{pair}: {said}." for pair, said in effects.words.items()),
            data=f"{sum(len(drawn.margin) for drawn in sends.values())} randomised draws.",
            limits=(f"Nothing is known of who buys what: {why}.", *remarks),
        ),
        inputs=tuple(sorted({name for drawn in sends.values() for name in drawn.names})),
        metrics=effects.metrics,
        caveat="; ".join(f"{pair}: {said}" for pair, said in effects.words.items()),
    )


def _level(sends: RandomisedSends, seed: int) -> FloatArray:
    """Return E[margin] before the draw, out of fold."""
    nuisance = expected(sends, trees=Trees(), seed=seed)
    level: FloatArray = sends.propensity * nuisance.send + (1 - sends.propensity) * nuisance.hold
    return level


def _foretold(sends: RandomisedSends, seed: int) -> FloatArray:
    """Return for each row the mean effect on the others."""
    fold = fold_of(sends.groups, folds=_FOLDS, seed=seed)
    found = np.array([pooled_effect(sends.of(fold != number)).mean for number in range(_FOLDS)])
    foretold: FloatArray = found[fold]
    return foretold


def _loss(sends: RandomisedSends, level: FloatArray, effect: FloatArray) -> FloatArray:
    loss: FloatArray = (sends.margin - level - (sends.treated - sends.propensity) * effect) ** 2
    return loss


def _said(other: OfferModel, pair: str, sends: RandomisedSends, sources: TrainingSources) -> FloatArray:
    """Return the effect that another scorer foretells each row; it is told nothing of who engages."""
    offer_id, _, channel = pair.rpartition("|")
    asked = tuple(each for each in sources.offers if each.offer_id == offer_id)
    if not asked or channel not in asked[0].channels:
        return np.zeros(len(sends.margin))
    names = [f"{number}" for number in range(len(sends.margin))]
    frame = pa.table({"customer_id": names, **dict(zip(sends.names, sends.columns.T, strict=True))})
    batch = batch_of(frame, priors=sources.priors, offers=asked)
    engage = {name: np.array([sources.priors.of(name).engage]) for name in batch.channels}
    tau = other.predict(batch, Engagement(probability=engage)).tau[pair]
    return np.broadcast_to(tau, sends.margin.shape)


def _fingerprint(sends: Mapping[str, RandomisedSends]) -> str:
    columns = {
        f"{pair}:{name}": pa.array(np.asarray(values))
        for pair, drawn in sends.items()
        for name, values in (("margin", drawn.margin), ("treated", drawn.treated), ("p", drawn.propensity))
    }
    longest = max(len(each) for each in columns.values())
    padded = {
        name: pa.concat_arrays([each, pa.nulls(longest - len(each), each.type)]) for name, each in columns.items()
    }
    return fingerprint(pa.table(padded))
