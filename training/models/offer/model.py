"""The offer model: effects where sends were randomised, a response model for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from decisions.scorers.artefact import Artefact
from decisions.scorers.base import Kind
from decisions.scorers.offer import DECLARED, OfferModel
from decisions.scorers.pairs import PAIR_ARRAYS, pair_features
from decisions.scoring import batch_of
from features.contracts import Offer
from features.vocabulary import WINDOWS
from training.evidence.sends import Sends, randomised_sends
from training.fitting import Boosting
from training.models import Backtest, Facts, Fitted, NoLabels, Simpler, mean_score
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
from training.spans import first_of, horizons, shortened, spanned

if TYPE_CHECKING:
    from decisions.priors import Priors
    from decisions.scorers.affinity import Affinity
    from decisions.scorers.base import FloatArray
    from training.models.offer.response import Purchases
    from training.sources import TrainingSources

_NO_ORDERS = (
    "there is no purchased event: who prefers what is told by orders with a category of the catalogue "
    "(properties.category), and what an offer adds by randomised sends"
)
_BOOSTING = Boosting(leaves=15, rounds=80, learning_rate=0.1, min_child=100, l2=10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOffer:
    """The offer model. ``days`` is how far the response model looks ahead, from ``cutoffs`` earlier moments.

    ``sends`` holds randomised sends by ``"offer|channel"``, in place of those of ledger and trials; a pair without
    any stays declared. Where ``days`` do not fit and are not ``exact``, fewer are taken.
    """

    name: Kind = "offer"
    days: int = 28
    exact: bool = False
    cutoffs: int = 3
    boosting: Boosting = _BOOSTING
    sends: Mapping[str, RandomisedSends] = field(default_factory=dict)

    def fit(self, sources: TrainingSources, *, tune: int = 0, seed: int) -> Fitted | NoLabels:
        """Learn, and backtest the response model on the latest ``days``; effects alone where there is none."""
        found = Sends(by_pair=self.sends, aside={}) if self.sends else randomised_sends(sources)
        effects = learn_effects(found.by_pair, sources.offers, sources.priors, seed=seed)
        first = first_of(sources, ("purchased",))
        fitting = self._fitting(sources, first)
        bought = fitting if isinstance(fitting, str) else fitting.bought(sources)
        if isinstance(fitting, str) or isinstance(bought, str) or first is None:
            return _alone(sources, found, effects, why=str(bought), seed=seed)
        fitted = fitting.learned(sources, *bought, found, effects, tune=tune, seed=seed)
        said = shortened(first, sources.now, "the response to offers", days=fitting.days, wanted=self.days)
        return replace(fitted, caveat="; ".join(filter(None, [fitted.caveat, said])))

    def _fitting(self, sources: TrainingSources, first: datetime | None) -> TrainOffer | str:
        """Return this with the days that fit, the first order being at ``first``; else why none do."""
        if not sources.vocabulary.categories:
            return "the vocabulary names no categories: nothing could be preferred to anything"
        if first is None:
            return _NO_ORDERS
        tried = (replace(self, days=days) for days in horizons(self.days, exact=self.exact))
        fitting = next((each for each in tried if len(each.cutoffs_from(first, sources.now)) > 1), None)
        return fitting or self._too_short(first, sources.now)

    def bought(self, sources: TrainingSources) -> tuple[Purchases, Purchases] | str:
        """Return purchases to learn from and to judge by; else what they lack."""
        found = purchases(sources, self.moments(sources), days=self.days)
        train, test = found.of(found.cutoff > 0), found.of(found.cutoff == 0)
        if any(part.bought.min(initial=1.0) == part.bought.max(initial=0.0) for part in (train, test)):
            return (
                f"within {self.days} days everybody, or nobody, bought in every category of the catalogue: "
                "orders name theirs as properties.category"
            )
        return train, test

    def moments(self, sources: TrainingSources) -> list[datetime]:
        """Return the cut-offs, the test's first, as far back as there is history."""
        first = first_of(sources, ("purchased",))
        return [] if first is None else self.cutoffs_from(first, sources.now)

    def cutoffs_from(self, first: datetime, now: datetime) -> list[datetime]:
        """Return :meth:`moments`, where the first order was at ``first`` and it is ``now``."""
        window = timedelta(days=self.days)
        latest = at_midnight(now) - window
        earliest = first + timedelta(days=max(WINDOWS))
        wanted = [latest - number * window for number in range(self.cutoffs + 1)]
        return [moment for moment in wanted if moment >= earliest]

    def learned(
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
        """Learn from ``train`` who buys what, and judge by ``test``; ``effects`` are what draws ``found`` told."""
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
            simpler=_alike(effects),
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

    def _too_short(self, first: datetime, now: datetime) -> str:
        shortest = horizons(self.days, exact=self.exact)[-1]
        return (
            f"{spanned(first, now)}: two windows of {shortest} days, with {max(WINDOWS)} days of purchases before "
            "them, do not fit; wait, or import older orders"
        )


def _alike(effects: Effects) -> tuple[Simpler, ...]:
    """Return the scorer of measured effects without a response model: what they measured does not hang on it."""
    if not effects.facts:
        return ()
    return (Simpler("popularity", scorer_of(None, effects), "measured effects, everybody's taste alike"),)


def _caveat(found: Sends, effects: Effects) -> str:
    if not found.by_pair:
        return "; ".join(["response model, not incremental: no randomised sends", *found.aside.values()])
    told = "".join(f"; {pair}: {said}" for pair, said in effects.words.items())
    return f"prediction gate only: it judges the response model, the effects have intervals of their own{told}"


def _alone(sources: TrainingSources, found: Sends, effects: Effects, *, why: str, seed: int) -> Fitted | NoLabels:
    """Return what draws alone tell of effects, there being no response model for the reason ``why``."""
    if all(drawn.fewest < FEWEST for drawn in found.by_pair.values()):
        few = [f"{pair} has {drawn.fewest} draws in its smaller arm" for pair, drawn in found.by_pair.items()]
        more = [f"{', '.join(few)}, {FEWEST} are needed to measure an effect"] if few else []
        return NoLabels(reason="; ".join([why, *found.aside.values(), *more]))
    remarks = tuple(f"{fault}." for fault in found.aside.values())
    scorer = scorer_of(None, effects)
    return effects_alone(sources, found.by_pair, effects, scorer, why=why, remarks=remarks, seed=seed)


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
