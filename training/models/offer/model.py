"""The offer model: effects where sends were randomised, a response model for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from decisions.scorers.artefact import Artefact
from decisions.scorers.base import Kind
from decisions.scorers.offer import DECLARED, OfferModel
from decisions.scorers.pairs import PAIR_ARRAYS, pair_features
from decisions.scoring import batch_of
from features.contracts import Offer
from features.vocabulary import WINDOWS
from training.evidence.sends import Sends, randomised_sends
from training.fitting import Boosting
from training.models import Backtest, Facts, Fitted, NoLabels, mean_score
from training.models.offer.alone import effects_alone
from training.models.offer.effects import FEWEST, Effects, learn_effects
from training.models.offer.randomised import RandomisedSends
from training.models.offer.response import (
    hit_rate,
    learn_response,
    log_losses,
    own_recent,
    popularity,
    purchases,
)
from training.sets import at_midnight, fingerprint

if TYPE_CHECKING:
    from decisions.priors import Priors
    from decisions.scorers.affinity import Affinity
    from decisions.scorers.base import FloatArray
    from training.models.offer.response import Purchases
    from training.sources import TrainingSources

_BOOSTING = Boosting(leaves=15, rounds=80, learning_rate=0.1, min_child=100, l2=10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOffer:
    """The offer model. ``days`` is how far the response model looks ahead, from ``cutoffs`` earlier moments.

    ``sends`` holds randomised sends by ``"offer|channel"``, in place of those of ledger and trials; a pair without
    any stays declared.
    """

    name: Kind = "offer"
    days: int = 28
    cutoffs: int = 3
    boosting: Boosting = _BOOSTING
    sends: Mapping[str, RandomisedSends] = field(default_factory=dict)

    def fit(self, sources: TrainingSources, *, tune: int = 0, seed: int) -> Fitted | NoLabels:
        """Learn, and backtest the response model on the latest ``days``; effects alone where there is none."""
        found = Sends(by_pair=self.sends, aside={}) if self.sends else randomised_sends(sources)
        effects = learn_effects(found.by_pair, sources.offers, sources.priors, seed=seed)
        train, test, why = self._bought(sources)
        if train is not None and test is not None:
            return self._fitted(sources, train, test, found, effects, tune=tune, seed=seed)
        reason = "; ".join([why, *found.aside.values()])
        if all(drawn.fewest < FEWEST for drawn in found.by_pair.values()):
            few = [f"{pair} has {drawn.fewest} draws in its smaller arm" for pair, drawn in found.by_pair.items()]
            more = [f"{', '.join(few)}, {FEWEST} are needed to measure an effect"] if few else []
            return NoLabels(reason="; ".join([reason, *more]))
        remarks = tuple(f"{fault}." for fault in found.aside.values())
        scorer = scorer_of(None, effects)
        return effects_alone(sources, found.by_pair, effects, scorer, why=why, remarks=remarks, seed=seed)

    def _bought(self, sources: TrainingSources) -> tuple[Purchases | None, Purchases | None, str]:
        """Return purchases to learn from and to judge by; without them, the reason."""
        if not sources.vocabulary.categories:
            return None, None, "the vocabulary names no categories: nothing could be preferred to anything"
        moments = self.moments(sources)
        if len(moments) < 2:  # noqa: PLR2004  # one to test on, one to learn from
            return None, None, self._too_short()
        found = purchases(sources, moments, days=self.days)
        train, test = found.of(found.cutoff > 0), found.of(found.cutoff == 0)
        if any(part.bought.min(initial=1.0) == part.bought.max(initial=0.0) for part in (train, test)):
            return None, None, f"within {self.days} days everybody, or nobody, bought in every category"
        return train, test, ""

    def moments(self, sources: TrainingSources) -> list[datetime]:
        """Return the cut-offs, the test's first, as far back as there is history."""
        first = sources.collect(_first_purchase)["first"].drop_null()
        if not len(first):
            return []
        window = timedelta(days=self.days)
        latest = at_midnight(sources.now) - window
        earliest = pc.min(first).as_py() + timedelta(days=max(WINDOWS))
        wanted = [latest - number * window for number in range(self.cutoffs + 1)]
        return [moment for moment in wanted if moment >= earliest]

    def _fitted(
        self,
        sources: TrainingSources,
        train: Purchases,
        test: Purchases,
        found: Sends,
        effects: Effects,
        *,
        tune: int,
        seed: int,
    ) -> Fitted:
        affinity = learn_response(
            train, sources.vocabulary, days=self.days, boosting=self.boosting, tune=tune, seed=seed
        )
        scorer = scorer_of(affinity, effects)

        def rescore(other: OfferModel) -> FloatArray:
            return log_losses(test.bought, chances(other, test, affinity.categories, sources.priors))

        model = chances(scorer, test, affinity.categories, sources.priors)
        rivals = {"popularity": popularity(train)[None, :], "own_recent": own_recent(train, test)}
        return Fitted(
            scorer=scorer,
            backtest=Backtest(
                metric="log_loss",
                direction="lower",
                statistic=mean_score,
                truth=test.bought.ravel(),
                scores={
                    "response": log_losses(test.bought, model),
                    **{name: log_losses(test.bought, chance) for name, chance in rivals.items()},
                },
                clusters=test.people,
                model="response",
                baseline="popularity",
                also_beat=("own_recent",),
                binary=False,
            ),
            rescore=rescore,
            fingerprint=fingerprint(train.frame, days=self.days, sends=sorted(found.by_pair)),
            trained_on=int(train.bought.size),
            facts=self._facts(train, test, effects, found),
            inputs=tuple(dict.fromkeys((*affinity.activity, *PAIR_ARRAYS, *learned_columns(found.by_pair)))),
            parameters={"days": self.days, **self.boosting.as_parameters()},
            metrics={
                "hit_rate_response": hit_rate(test.bought, model),
                **{f"hit_rate_{name}": hit_rate(test.bought, chance) for name, chance in rivals.items()},
                **effects.metrics,
            },
            caveat=_caveat(found, effects),
        )

    def _facts(self, train: Purchases, test: Purchases, effects: Effects, found: Sends) -> Facts:
        return Facts(
            question=f"What does an offer add? Else: who buys in which category within {self.days} days?",
            method=" ".join(
                [
                    "LightGBM from each category's own rate, calibrated out of fold.",
                    *(f"{pair}: {said}." for pair, said in effects.words.items()),
                ]
            ),
            data=f"{train.bought.size} customer-category pairs to learn from, {test.bought.size} later ones.",
            limits=(
                "The response model says who buys, not whom a message moves: it is not incremental.",
                "What is declared (conversion, incremental share) scales every value it touches.",
                *(f"{fault}." for fault in found.aside.values()),
            ),
        )

    def _too_short(self) -> str:
        return (
            f"two windows of {self.days} days, with {max(WINDOWS)} days of purchases before them, do not fit into "
            "the events"
        )


def _caveat(found: Sends, effects: Effects) -> str:
    if not found.by_pair:
        return "; ".join(["response model, not incremental: no randomised sends", *found.aside.values()])
    told = "".join(f"; {pair}: {said}" for pair, said in effects.words.items())
    return f"prediction gate only: it judges the response model, the effects have intervals of their own{told}"


def scorer_of(affinity: Affinity | None, effects: Effects) -> OfferModel:
    """Return the scorer of a response model and of effects; either may be missing."""
    response = {} if affinity is None else {"response": affinity.booster}
    return OfferModel(
        Artefact(
            kind="offer",
            facts={
                "effects": effects.facts,
                "response": None if affinity is None else affinity.as_json(),
                "why": DECLARED,
            },
            features=() if affinity is None else pair_features(affinity.activity),
            boosters={**response, **effects.boosters},
        )
    )


def learned_columns(sends: Mapping[str, RandomisedSends]) -> tuple[str, ...]:
    """Return the columns effects are learned from."""
    return tuple(sorted({name for drawn in sends.values() for name in drawn.names}))


def chances(scorer: OfferModel, test: Purchases, categories: tuple[str, ...], priors: Priors) -> FloatArray:
    """Return P(buys) of every customer and category under ``scorer``, (n, categories).

    A category it does not know has even odds: a model of other categories is judged for that.
    """
    # One offer a category: how a scorer is asked about all of them.
    asked = tuple(Offer(offer_id=name, category=name, channels=("any",), margin=0.0) for name in categories)
    known = scorer.response(batch_of(test.frame, priors=priors, offers=asked))
    even = np.full(len(test.bought), 0.5)
    return np.column_stack([known.get(name, even) for name in categories])


def _first_purchase(events: Any) -> Any:
    bought = events.filter(events["type"] == "purchased")
    return bought.aggregate(first=bought["occurred_at"].min())
