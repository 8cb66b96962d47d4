"""What an offer adds: found where it differs, denied where it does not, and declared where nobody can know."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from decisions.priors import ChannelPriors, Priors
from decisions.scorers.base import Engagement
from decisions.scorers.offer import OfferModel
from decisions.scorers.uplift import LEARNERS
from decisions.scoring import batch_of
from features.contracts import EVENT_SCHEMA, Offer
from features.vocabulary import Vocabulary
from training.fitting import Boosting
from training.models import NoLabels
from training.models.offer import RandomisedSends, TrainOffer, judge
from training.models.offer.effects import Effects, learn_effects
from training.models.offer.learners import Trees, expected, learn
from training.models.offer.model import scorer_of
from training.models.offer.randomised import kappa, pooled_effect
from training.models.offer.response import hit_rate
from training.models.offer.verdict import qini_area

NOW = datetime(2024, 7, 1, tzinfo=UTC)
VOCABULARY = Vocabulary(channels=("email",), categories=("bread", "milk", "wine"))
OFFERS = tuple(
    Offer(offer_id=f"o-{name}", category=name, channels=("email",), margin=2.0) for name in VOCABULARY.categories
)
PRIORS = Priors(default=ChannelPriors(engage=0.1, conversion=0.2), incremental_share=0.5)
ENGAGEMENT = Engagement(probability={"email": np.array([0.1])})
QUICK = Trees(rounds=25, leaves=4)


def randomised(rows: int, *, differs: bool, seed: int = 0, share: float = 0.5) -> RandomisedSends:
    """A send adds 0.3 on average; where it ``differs``, to those above zero in the first column it adds 1.1."""
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(rows, 3))
    treated = rng.random(rows) < share
    effect = np.where(columns[:, 0] > 0, 1.1, -0.5) if differs else np.full(rows, 0.3)
    engaged = treated & (rng.random(rows) < 0.3)
    return RandomisedSends(
        columns=columns,
        names=("a", "b", "c"),
        treated=treated,
        propensity=np.full(rows, share),
        margin=columns[:, 1] + rng.normal(size=rows) + treated * effect,
        groups=np.arange(rows),
        engaged=engaged,
    )


def test_a_difference_between_customers_is_found_and_who_is_moved_is_told_apart():
    verdict = judge(randomised(3000, differs=True), trees=QUICK, seed=1)
    assert verdict.learner in LEARNERS
    assert verdict.policy[verdict.learner].mean > verdict.treat_all.mean
    assert verdict.ranking[verdict.learner].mean > verdict.ranking["response"].mean


def test_where_all_gain_alike_the_verdict_is_no_detectable_heterogeneity():
    verdict = judge(randomised(3000, differs=False), trees=QUICK, seed=1)
    assert verdict.learner is None
    assert verdict.words.startswith("no detectable heterogeneity")
    low, high = verdict.treat_all.interval
    assert low < 0.3 < high


def test_a_ranking_without_knowledge_claims_a_gain_as_rarely_as_its_level_says():
    rng = np.random.default_rng(2)
    scores, groups = rng.normal(1.0, 3.0, (400, 500)), np.arange(500)
    found = [qini_area(row, rng.normal(size=500), groups) for row in scores]
    claims = sum(area.mean > 2.24 * area.error for area in found)
    assert claims <= 13  # one-sided 1.25% of 400 is 5; P(more than 13) is under 0.1%


def test_a_constant_ranking_gains_exactly_nothing():
    assert qini_area(np.arange(10.0), np.zeros(10), np.arange(10)).mean == pytest.approx(0.0)


@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_tells_the_moved_from_the_unmoved(name):
    sends = randomised(3000, differs=True)
    trees = Trees(rounds=80)
    learned = learn(name, sends, expected(sends, trees=trees, seed=0), trees=trees, seed=0)
    high, low = learned.effect_of(np.array([[1.5, 0.0, 0.0], [-1.5, 0.0, 0.0]]))
    assert high - low > 0.5


def test_the_pooled_effect_is_unbiased_under_unequal_propensities():
    rng = np.random.default_rng(3)
    column = rng.normal(size=20_000)
    propensity = np.where(column > 0, 0.8, 0.2)
    treated = rng.random(20_000) < propensity
    sends = RandomisedSends(
        columns=column[:, None],
        names=("a",),
        treated=treated,
        propensity=propensity,
        margin=2 * column + 0.3 * treated,
        groups=np.arange(20_000),
    )
    low, high = pooled_effect(sends).interval
    assert low < 0.3 < high


def test_rows_of_one_customer_do_not_feign_precision():
    sends = randomised(500, differs=False)
    doubled = RandomisedSends(
        columns=np.repeat(sends.columns, 2, axis=0),
        names=sends.names,
        treated=np.repeat(sends.treated, 2),
        propensity=np.repeat(sends.propensity, 2),
        margin=np.repeat(sends.margin, 2),
        groups=np.repeat(sends.groups, 2),
    )
    assert pooled_effect(doubled).error == pytest.approx(pooled_effect(sends).error, rel=1e-6)


def test_kappa_is_the_margin_an_engagement_brings_and_meets_what_is_declared():
    sends = randomised(40_000, differs=False)
    assert kappa(sends, declared=1.0).mean == pytest.approx(1.0, abs=0.15)  # 0.3 of margin over 0.3 of engagement
    few = randomised(30, differs=False)
    assert kappa(few, declared=0.2).mean == pytest.approx(0.2, abs=0.15)


def test_what_was_not_drawn_is_refused():
    with pytest.raises(ValueError, match="propensity of 0 or 1"):
        randomised(10, differs=False, share=1.0)


def frame(customers: int = 2, **columns) -> pa.Table:
    return pa.table({"customer_id": [f"c{i}" for i in range(customers)], **columns})


def batch(table: pa.Table):
    return batch_of(table, priors=PRIORS, offers=OFFERS[:1])


def test_with_few_randomised_sends_tau_is_engagement_times_kappa():
    effects = learn_effects({"o-bread|email": randomised(300, differs=False)}, OFFERS, PRIORS, seed=0)
    effect = scorer_of(None, effects).predict(batch(frame(a=[0.0, 1.0])), ENGAGEMENT)
    known = effects.facts["o-bread|email"]
    assert known["grade"] == "ratio"
    np.testing.assert_allclose(effect.tau["o-bread|email"], 0.1 * known["kappa"])
    assert effect.incremental


def test_with_many_randomised_sends_the_learner_answers_and_is_incremental(tmp_path):
    sends = {"o-bread|email": randomised(4000, differs=True)}
    before = scorer_of(None, learn_effects(sends, OFFERS, PRIORS, seed=0, trees=QUICK))
    before.save(tmp_path)
    columns = {"a": [2.0, -2.0], "b": [0.0, 0.0], "c": [0.0, 0.0]}
    effect = OfferModel.load(tmp_path).predict(batch(frame(**columns)), ENGAGEMENT)
    moved, unmoved = effect.tau["o-bread|email"]
    assert moved > 0.5
    assert unmoved < 0.3
    assert effect.incremental
    assert effect.notes == ()


def test_no_heterogeneity_gives_everybody_the_pooled_effect_and_says_so():
    sends = {"o-bread|email": randomised(4000, differs=False)}
    effect = scorer_of(None, learn_effects(sends, OFFERS, PRIORS, seed=0, trees=QUICK)).predict(
        batch(frame(a=[0.0, 1.0])), ENGAGEMENT
    )
    assert effect.tau["o-bread|email"].shape == (1,)
    assert effect.notes == ("offer:o-bread|email:no_detectable_heterogeneity",)


def test_without_data_tau_is_what_is_declared_and_not_incremental():
    effect = OfferModel.prior("no_champion").predict(batch(frame(a=[0.0, 1.0])), ENGAGEMENT)
    np.testing.assert_allclose(effect.tau["o-bread|email"], 0.1 * 0.2 * 0.5 * 2.0)
    np.testing.assert_allclose(effect.redeem["o-bread"], 0.1 * 0.2)
    assert not effect.incremental
    assert effect.notes == ("prior:offer:o-bread|email:no_champion",)


def test_one_offer_without_an_effect_makes_the_whole_answer_not_incremental():
    effects = learn_effects({"o-bread|email": randomised(300, differs=False)}, OFFERS, PRIORS, seed=0)
    asked = batch_of(frame(a=[0.0, 1.0]), priors=PRIORS, offers=OFFERS)
    assert not scorer_of(None, effects).predict(asked, ENGAGEMENT).incremental


class ShopWorld:
    """Purchases by category, and a store that counts them."""

    buckets = 1

    def __init__(self, customers: int = 150, *, seed: int = 0) -> None:
        rng, rows = np.random.default_rng(seed), []
        for number in range(customers):
            for day in range(2, 240, 4):
                # Each has one favourite; wine is rare for all others.
                category = VOCABULARY.categories[number % 3] if rng.random() < 0.7 else "bread"
                if rng.random() < 0.3:
                    rows.append((f"c{number}", category, NOW - timedelta(days=day, hours=-5)))
        self.rows = rows
        self.table = pa.Table.from_pylist(
            [
                {
                    **dict.fromkeys(EVENT_SCHEMA.names),
                    "event_id": f"e{i}",
                    "customer_id": name,
                    "type": "purchased",
                    "occurred_at": at,
                    "automated": False,
                    "properties": f'{{"category": "{category}"}}',
                }
                for i, (name, category, at) in enumerate(rows)
            ],
            schema=EVENT_SCHEMA,
        )

    def events(self, connection, _bucket):
        return connection.create_table("events", self.table, overwrite=True)

    def training_set(self, spine: pa.Table) -> pa.Table:
        asked = list(zip(spine["customer_id"].to_pylist(), spine["event_timestamp"].to_pylist(), strict=True))
        for name in VOCABULARY.activity:
            spine = spine.append_column(name, pa.nulls(len(asked), pa.float64()))
        found = [self._arrays(who, moment) for who, moment in asked]
        for position, name in enumerate(VOCABULARY.category_arrays):
            spine = spine.append_column(name, pa.array([row[position] for row in found], pa.list_(pa.float64())))
        return spine.take(np.random.default_rng(0).permutation(len(asked)))

    def _arrays(self, who: str, moment: datetime) -> tuple[list, list, list]:
        ages = [(moment - at, category) for name, category, at in self.rows if name == who and at < moment]
        recent = [[age for age, kind in ages if kind == c] for c in VOCABULARY.categories]
        orders = [float(sum(age < timedelta(days=90) for age in own)) for own in recent]
        recency = [min(own) / timedelta(days=1) if own else None for own in recent]
        return [count / max(sum(orders), 1) for count in orders], orders, recency


def sources(world: ShopWorld, now: datetime = NOW, vocabulary: Vocabulary = VOCABULARY):
    from training.sources import TrainingSources

    return TrainingSources(lake=world, store=world, vocabulary=vocabulary, priors=PRIORS, offers=OFFERS, now=now)


MODEL = TrainOffer(boosting=Boosting(leaves=4, rounds=60, learning_rate=0.1, min_child=20, l2=1.0))


@pytest.fixture(scope="module")
def fitted():
    return MODEL.fit(sources(ShopWorld()), seed=1)


def test_the_response_model_beats_popularity_on_later_purchases_and_is_called_not_incremental(fitted):
    scores = fitted.backtest.scores
    assert scores["response"].mean() < scores["popularity"].mean()
    assert fitted.caveat == "response model, not incremental: no randomised sends"
    assert fitted.metrics["hit_rate_response"] > fitted.metrics["hit_rate_popularity"]
    np.testing.assert_array_equal(fitted.rescore(fitted.scorer), scores["response"])


def test_affinity_averages_one_over_customers_and_prefers_their_favourite(fitted):
    world = ShopWorld()
    names = sorted({name for name, _, _ in world.rows}, key=lambda name: int(name[1:]))
    table = world.training_set(
        pa.table(
            {"customer_id": names, "event_timestamp": pa.array([NOW] * len(names), pa.timestamp("us", "UTC"))}
        )
    ).sort_by("customer_id")
    effect = fitted.scorer.predict(batch_of(table, priors=PRIORS, offers=OFFERS), ENGAGEMENT)
    wine = effect.tau["o-wine|email"] / (0.1 * 0.2 * 0.5 * 2.0)
    favourite = np.array([int(name[1:]) % 3 == 2 for name in table["customer_id"].to_pylist()])
    assert wine.mean() == pytest.approx(1.0, abs=0.1)
    assert wine[favourite].mean() > 2 * wine[~favourite].mean()
    assert not effect.incremental


def test_a_customer_without_features_has_the_peers_affinity(fitted):
    nothing = {name: pa.nulls(1, pa.float64()) for name in VOCABULARY.activity}
    arrays = {name: pa.nulls(1, pa.list_(pa.float64())) for name in VOCABULARY.category_arrays}
    effect = fitted.scorer.predict(
        batch_of(frame(1, **nothing, **arrays), priors=PRIORS, offers=OFFERS), ENGAGEMENT
    )
    np.testing.assert_allclose(effect.tau["o-wine|email"], 0.1 * 0.2 * 0.5 * 2.0)


def test_an_offer_in_a_category_unknown_to_the_model_is_treated_alike(fitted):
    cheese = Offer(offer_id="o-cheese", category="cheese", channels=("email",), margin=2.0)
    nothing = {name: pa.array([1.0]) for name in VOCABULARY.activity}
    effect = fitted.scorer.predict(batch_of(frame(1, **nothing), priors=PRIORS, offers=(cheese,)), ENGAGEMENT)
    np.testing.assert_allclose(effect.tau["o-cheese|email"], 0.1 * 0.2 * 0.5 * 2.0)


def test_too_short_a_history_and_no_categories_are_no_labels_with_the_reason():
    early = MODEL.fit(sources(ShopWorld(20), now=NOW - timedelta(days=150)), seed=1)
    assert isinstance(early, NoLabels)
    assert "history spans 87 days: two windows of 7 days, with 90 days" in early.reason
    none = MODEL.fit(sources(ShopWorld(20), vocabulary=Vocabulary(channels=(), categories=())), seed=1)
    assert "no categories" in none.reason


def test_effects_without_enough_of_either_arm_are_left_out():
    lopsided = randomised(50, differs=False, share=0.999)
    assert learn_effects({"o-bread|email": lopsided}, OFFERS, PRIORS, seed=0) == Effects()


def test_hit_rate_asks_only_those_whom_a_choice_could_serve():
    bought = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [0.0, 1.0]])
    assert hit_rate(bought, np.array([[0.9, 0.1]])) == 0.5
    assert np.isnan(hit_rate(np.ones((2, 2)), np.array([[0.9, 0.1]])))
