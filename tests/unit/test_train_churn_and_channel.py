from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tests.worlds.training import BEGIN, DAYS, buyers, world
from training.fitting import Boosting
from training.models import NoLabels
from training.models.channel import TrainChannel, fit_own_rate
from training.models.churn import TrainChurn
from training.sets import numbers

TINY = Boosting(rounds=20, min_child=10)
CHURN = TrainChurn(days=28, cutoffs=3, boosting=TINY)
CHANNEL = TrainChannel(days=14, boosting=TINY, least=10)


@pytest.fixture(scope="module")
def rows():
    return buyers(customers=150)


@pytest.fixture(scope="module")
def churn(rows):
    return CHURN.fit(world(rows), seed=1)


@pytest.fixture(scope="module")
def channel(rows):
    return CHANNEL.fit(world(rows), seed=1)


def test_outcome_windows_of_training_end_before_the_test_begins_and_all_are_ripe(rows):
    sources = world(rows)
    test, *earlier = CHURN.moments(sources)
    assert test + timedelta(days=28) <= sources.now
    assert all(moment + timedelta(days=28) <= test for moment in earlier)
    assert all(moment >= BEGIN + timedelta(days=90) for moment in earlier)
    assert len(earlier) == 3


def test_what_happens_after_the_test_begins_changes_nothing_that_is_learned(rows, churn):
    test = CHURN.moments(world(rows))[0]
    later = [row for row in rows if row["occurred_at"] >= test]
    assert later
    flood = [row | {"occurred_at": test + timedelta(days=day)} for row in later[:50] for day in (1, 9)]
    known = [row for row in rows if row["occurred_at"] < test]
    again = CHURN.fit(world([*known, *flood]), seed=1)
    assert again.scorer.version == churn.scorer.version
    assert again.fingerprint == churn.fingerprint


def test_the_model_ranks_later_churners_about_as_well_as_the_best_rival(churn):
    backtest = churn.backtest
    values = {name: backtest.statistic(backtest.truth, score) for name, score in backtest.scores.items()}
    assert values["churn"] > 0.8
    assert values["churn"] > max(values.values()) - 0.05
    assert set(values) == {"churn", "recency", "everybody", "logistic", "bg_nbd"}


def test_its_probabilities_are_calibrated_on_the_whole(churn):
    assert churn.backtest.scores["churn"].mean() == pytest.approx(churn.backtest.truth.mean(), abs=0.08)


def test_another_scorer_is_asked_about_the_same_units(churn):
    assert np.array_equal(churn.rescore(churn.scorer), churn.backtest.scores["churn"])


def test_the_same_data_and_seed_give_the_same_artefact(rows, churn):
    assert CHURN.fit(world(rows), seed=1).scorer.version == churn.scorer.version


def test_a_short_history_is_learned_over_what_fits_and_says_so():
    short = [row for row in buyers(customers=60) if row["occurred_at"] < BEGIN + timedelta(days=100)]
    found = replace(CHURN, days=56).fit(world(short, days=100), seed=1)
    assert "history spans 99 days: churn is learned over 28, not 56; 30 days of history" in found.caveat
    assert found.scorer.artefact.facts["days"] == 28
    assert not [name for name in found.scorer.artefact.features if name.endswith("_90d")]


def test_too_short_a_history_has_no_labels_and_says_what_is_missing():
    short = [row for row in buyers(customers=20) if row["occurred_at"] < BEGIN + timedelta(days=20)]
    found = CHURN.fit(world(short, days=20), seed=1)
    assert isinstance(found, NoLabels)
    assert "history spans 19 days: two cut-offs 7 days apart" in found.reason
    asked = replace(CHURN, days=90, exact=True).fit(world(buyers(customers=20), days=200), seed=1)
    assert isinstance(asked, NoLabels)
    assert "two cut-offs 90 days apart" in asked.reason


def test_no_events_at_all_have_no_labels(rows):
    mail = [row for row in rows if row["type"] != "purchased"]
    assert isinstance(CHURN.fit(world(mail), seed=1), NoLabels)


def test_customers_who_never_leave_have_no_labels():
    daily = [
        {"customer_id": f"c{name}", "type": "purchased", "occurred_at": BEGIN + timedelta(days=day), "value": 1.0}
        for name in range(5)
        for day in range(DAYS)
    ]
    found = CHURN.fit(world(daily), seed=1)
    assert isinstance(found, NoLabels)
    assert "nobody" in found.reason


def test_the_channel_model_beats_the_base_rate_on_later_messages(channel):
    backtest = channel.backtest
    values = {name: backtest.statistic(backtest.truth, score) for name, score in backtest.scores.items()}
    assert values["channel"] < values["base_rate"] - 0.05
    assert values["channel"] < values["own_rate"] + 0.02
    assert channel.caveat.startswith("prediction gate only")


def test_messages_learned_from_were_ripe_when_the_later_ones_began(rows):
    from training.labels import engagements

    before, after = CHANNEL.split(engagements(world(rows), days=14))
    last, first = max(before["event_timestamp"].to_pylist()), min(after["event_timestamp"].to_pylist())
    assert last + timedelta(days=14) <= first
    assert numbers(after, "engaged").size > 0


def test_a_channel_without_messages_is_left_to_the_prior(channel):
    assert set(channel.scorer.artefact.facts["channels"]) == {"mail"}


def test_no_messages_have_no_labels():
    found = CHANNEL.fit(world(buyers(customers=10, mail=False)), seed=1)
    assert isinstance(found, NoLabels)
    assert "none" in found.reason


def test_too_few_engagements_have_no_labels_and_are_counted():
    found = TrainChannel(days=14, least=10_000).fit(world(buyers(customers=20)), seed=1)
    assert isinstance(found, NoLabels)
    assert "mail" in found.reason


def test_the_own_rate_weighs_as_much_as_it_predicts():
    rng = np.random.default_rng(6)
    rate = rng.beta(2.0, 18.0, 20_000)
    sent = rng.integers(0, 12, 20_000).astype(float)
    engaged = rng.binomial(sent.astype(int), rate).astype(float)
    labels = (rng.random(20_000) < rate).astype(float)
    base, strength = fit_own_rate(sent, engaged, labels)
    assert base == pytest.approx(0.1, abs=0.01)
    assert 14 < strength < 28  # the truth is α + β = 20
