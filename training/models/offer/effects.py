"""From randomised sends to what the scorer keeps of them: a learner, a pooled effect, or a ratio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from training.models.offer.learners import Trees, expected, learn
from training.models.offer.randomised import kappa
from training.models.offer.verdict import judge

if TYPE_CHECKING:
    from decisions.priors import Priors
    from features.contracts import Offer
    from training.models.offer.randomised import RandomisedSends

FEWEST = 1000
"""Randomised decisions in the smaller arm below which an effect on margin is noise, and a ratio does better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What was learned: ``facts`` and ``boosters`` of the artefact, ``words`` and ``metrics`` of the run."""

    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    boosters: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


def learn_effects(
    sends: Mapping[str, RandomisedSends],
    offers: tuple[Offer, ...],
    priors: Priors,
    *,
    seed: int,
    trees: Trees | None = None,
) -> Effects:
    """Return the best that each set of randomised sends supports; an empty one is left out."""
    parts = [
        _ratio(pair, drawn, offers, priors)
        if drawn.fewest < FEWEST
        else _measured(pair, drawn, trees, number, seed)
        for number, (pair, drawn) in enumerate(sorted(sends.items()))
        if drawn.fewest > 1 and (drawn.fewest >= FEWEST or drawn.engaged is not None)
    ]
    return Effects(
        facts=_together(part.facts for part in parts),
        boosters=_together(part.boosters for part in parts),
        words=_together(part.words for part in parts),
        metrics=_together(part.metrics for part in parts),
    )


def _ratio(pair: str, drawn: RandomisedSends, offers: tuple[Offer, ...], priors: Priors) -> Effects:
    offer_id, channel = pair.rsplit("|", 1)
    margin = next((offer.margin for offer in offers if offer.offer_id == offer_id), 0.0)
    found = kappa(drawn, declared=priors.of(channel).conversion * priors.incremental_share * margin)
    low, high = found.interval
    return Effects(
        facts={pair: {"grade": "ratio", "kappa": found.mean}},
        words={pair: f"an engagement brings {found.mean:.4g} (95%: {low:.4g} to {high:.4g}), from few sends"},
        metrics={_metric("kappa", pair): found.mean},
    )


def _measured(pair: str, drawn: RandomisedSends, trees: Trees | None, number: int, seed: int) -> Effects:
    grown = trees or Trees()
    verdict = judge(drawn, trees=grown, seed=seed)
    learner: dict[str, Any] | None = None
    boosters: dict[str, str] = {}
    if verdict.learner is not None:
        nuisance = expected(drawn, trees=grown, seed=seed)
        fitted = learn(verdict.learner, drawn, nuisance, trees=grown, seed=seed)
        learner, boosters = fitted.as_json(prefix=f"effect-{number}")
    return Effects(
        facts={pair: {"grade": "measured", "pooled": verdict.treat_all.mean, "learner": learner}},
        boosters=boosters,
        words={pair: verdict.words},
        metrics={_metric("treat_all", pair): verdict.treat_all.mean}
        | {_metric(f"qini_area_{name}", pair): area.mean for name, area in verdict.ranking.items()},
    )


def _together(parts: Any) -> dict[str, Any]:
    return {name: value for part in parts for name, value in part.items()}


def _metric(name: str, pair: str) -> str:
    return f"{name}/{pair.replace('|', '/')}"  # MLflow's names hold no bar
