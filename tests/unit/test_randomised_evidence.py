"""Draws as one sample: what is counted, checked, and told as a ratio, against plain loops and known truths."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.priors import Priors
from decisions.worth.ratios import BELIEF, Ratios
from measures.estimate import Estimate
from tests.worlds.training import OFFERS, VOCABULARY, WorldLake, WorldStore, event_table
from training.evidence.checks import balance, check
from training.evidence.draws import trials
from training.evidence.gathering import drawn
from training.evidence.outcomes import outcomes
from training.evidence.ratio import effect, ratio
from training.evidence.ratios import weigh
from training.evidence.sample import Sample
from training.sources import TrainingSources

MOMENT = datetime(2024, 3, 1, tzinfo=UTC)


def a_sample(size: int, *, truth: float = 0.5, seed: int = 0, source: str = "ledger", **changes) -> Sample:
    """Draws held at random with 1% to 50%; ``truth`` times what was predicted comes, and people differ a lot."""
    random = np.random.default_rng(seed)
    level, gain = 0.2 * random.gamma(1.0, 1.0, size), 0.1 * random.gamma(2.0, 0.5, size)
    propensity = 1 - random.uniform(0.01, 0.5, size)
    sent = random.random(size) < propensity
    orders = random.poisson(level + sent * truth * gain).astype(float)
    past = random.poisson(level * 10)
    expected = (past + 1.5) / (10 + 1.5 / 0.2)
    columns = {
        "source": np.zeros(size, dtype=np.int64),
        "pair": random.integers(0, 2, size),
        "window": random.integers(0, 3, size),
        "unit": np.arange(size),
        "sent": sent,
        "propensity": propensity,
        "predicted": gain,
        "orders": orders,
        "expected": expected,
        "predicted_margin": 4 * gain,
        "margin": 4 * orders,
        "expected_margin": 4 * expected,
    }
    return Sample(sources=(source,), pairs=("milk|email", "milk|mail"), **columns | changes)


# The ratio


def test_the_ratio_is_what_plain_loops_make_of_it():
    sample = a_sample(300, seed=3)
    found = ratio(sample)

    def told(believed: float) -> tuple[float, float]:
        came, foretold = {}, {}
        rows = range(sample.size)
        drawn_ = [sample.expected[i] + believed * sample.propensity[i] * sample.predicted[i] for i in rows]
        for i in rows:
            came[sample.window[i]] = came.get(sample.window[i], 0) + sample.orders[i]
            foretold[sample.window[i]] = foretold.get(sample.window[i], 0) + drawn_[i]
        above = below = 0.0
        for i in rows:
            season = (came[sample.window[i]] + 5) / (foretold[sample.window[i]] + 5)
            level = drawn_[i] * season
            weight, centred = sample.predicted[i] / level, sample.sent[i] - sample.propensity[i]
            above += weight * centred * (sample.orders[i] - level)
            below += weight * centred**2 * sample.predicted[i]
        return above / below, below

    first, _ = told(1.0)
    expected, _ = told(min(max(first, 0.0), 10.0))
    assert found.mean == pytest.approx(expected)


@pytest.mark.parametrize("truth", [0.0, 0.5, 2.0])
def test_the_ratio_is_unbiased_and_its_interval_holds_the_truth(truth):
    found = [ratio(a_sample(3000, truth=truth, seed=seed)) for seed in range(300)]
    means = np.array([each.mean for each in found])
    assert means.mean() == pytest.approx(truth, abs=4 * means.std() / 300**0.5)
    held = sum(low <= truth <= high for low, high in (each.estimate.interval for each in found))
    assert 272 <= held <= 297  # 95% of 300 is 285; outside with probability 0.1%


def test_money_tells_the_same_ratio_where_every_order_brings_the_same():
    sample = a_sample(2000)
    assert ratio(sample, money=True).mean == pytest.approx(ratio(sample).mean)


def test_what_was_sent_to_more_likely_buyers_is_no_effect():
    random = np.random.default_rng(1)
    level = 0.1 * random.gamma(1.0, 1.0, 40_000)
    propensity = np.where(level > 0.1, 0.95, 0.3)
    sent = random.random(40_000) < propensity
    blind = {"expected": np.full(40_000, 0.1), "orders": random.poisson(level).astype(float)}
    sample = a_sample(40_000, propensity=propensity, sent=sent, **blind)
    low, high = ratio(sample).estimate.interval
    assert low < 0 < high
    ignoring = ratio(replace(sample, propensity=np.full(40_000, sent.mean())))
    assert ignoring.mean > 5 * ignoring.estimate.error


def test_rows_of_one_household_do_not_feign_precision():
    sample = a_sample(2000)
    twice = sample.of(np.repeat(np.arange(2000), 2))
    assert ratio(twice).robust == pytest.approx(ratio(sample).robust, rel=1e-3)


@given(st.integers(0, 50), st.integers(2, 200))
@settings(max_examples=40, deadline=None)
def test_the_order_of_rows_changes_nothing(seed, size):
    sample = a_sample(size, seed=seed)
    shuffled = sample.of(np.random.default_rng(seed).permutation(size))
    first, second = ratio(sample), ratio(shuffled)
    assert (first is None) == (second is None)
    if first:
        assert second.mean == pytest.approx(first.mean, rel=1e-6, abs=1e-9)
        assert second.estimate.error == pytest.approx(first.estimate.error, rel=1e-6)
    assert balance(sample) == pytest.approx(balance(shuffled), abs=1e-9)


def test_an_arm_without_rows_tells_no_ratio():
    sample = a_sample(50, sent=np.ones(50, dtype=bool))
    assert ratio(sample) is None
    assert effect(sample) is None


def test_the_mean_effect_is_found_whatever_the_shares():
    sample = a_sample(60_000, truth=1.0)
    low, high = effect(sample).interval
    assert low < 0.1 < high


# Checks


def test_a_source_whose_arms_have_other_shares_than_it_says_is_set_aside_by_name():
    good = a_sample(3000)
    lost = good.of(good.sent | (np.random.default_rng(0).random(3000) < 0.5))
    assert check(good).aside == {}
    found = check(replace(lost, sources=("trial:spring",)))
    assert found.sample.size == 0
    assert "trial:spring is set aside" in found.aside["trial:spring"]
    assert "were to be expected" in found.aside["trial:spring"]


def test_arms_that_are_drawn_fairly_are_seldom_set_aside():
    assert np.mean([balance(a_sample(400, seed=seed)) < 0.05 for seed in range(300)]) < 0.09


def test_a_propensity_of_one_and_a_trial_without_control_are_named():
    certain = a_sample(50, propensity=np.ones(50), sent=np.ones(50, dtype=bool))
    assert "leaves nothing to chance" in check(certain).aside["ledger"]
    everybody = a_sample(50, sent=np.ones(50, dtype=bool))
    assert "needs its control rows" in check(everybody).aside["ledger"]


# Ratios


def test_no_draws_leave_what_is_believed():
    nothing = a_sample(10).of(np.zeros(10, dtype=bool))
    assert weigh(nothing).ratios == Ratios()
    assert Ratios().grade("milk", "email") == "declared"


def test_many_draws_overrule_the_belief_and_few_do_not():
    few, many = weigh(a_sample(200, truth=0.2)).ratios, weigh(a_sample(200_000, truth=0.2)).ratios
    assert many.of("milk", "email").mean == pytest.approx(0.2, abs=0.1)
    assert many.grade("milk", "email") == "ratio"
    assert abs(few.of("milk", "email").mean - 1) < abs(many.of("milk", "email").mean - 1)
    assert few.grade("milk", "email") == "declared"
    assert Ratios.from_json(many.as_json()) == many


def test_an_offer_that_was_never_drawn_takes_its_channels_ratio_and_a_channel_that_of_everything():
    found = weigh(a_sample(50_000)).ratios
    assert found.of("other", "email") == found.channels["email"]
    assert found.of("milk", "push") == found.overall
    assert found.overall.error > found.channels["email"].error


def test_a_trial_from_elsewhere_is_believed_less_than_the_same_draws_of_our_own():
    own, trial = a_sample(100_000, truth=0.2), a_sample(100_000, truth=0.2, source="trial:a")
    ours, theirs = (weigh(each).ratios.of("milk", "email") for each in (own, trial))
    assert ours.error < theirs.error < BELIEF.error
    assert ours.mean < theirs.mean < BELIEF.mean


def test_sources_that_contradict_each_other_are_not_pooled_as_one_sample():
    own, trial = a_sample(30_000, truth=0.1), a_sample(300_000, truth=2.0, seed=1)
    columns = {name: np.concatenate([getattr(own, name), getattr(trial, name)]) for name in Sample.columns()}
    columns["source"] = np.repeat([0, 1], [own.size, trial.size])
    columns["unit"] = np.arange(own.size + trial.size)
    both = weigh(Sample(sources=("ledger", "trial:a"), pairs=own.pairs, **columns))
    assert both.ratios.of("milk", "email").mean < 0.6
    assert both.sources["trial:a"].mean == pytest.approx(2.0, abs=0.2)


# From the lake


def sources_of(rows: list[dict], now: datetime = MOMENT + timedelta(days=30)) -> TrainingSources:
    table = event_table(rows)
    lake, store = WorldLake(table), WorldStore(table)
    return TrainingSources(lake=lake, store=store, vocabulary=VOCABULARY, priors=Priors(), offers=OFFERS, now=now)


def assigned(number: int, arm: str, chance: float, **more) -> dict:
    return {
        "customer_id": f"c{number:04d}",
        "type": "assigned",
        "occurred_at": MOMENT,
        "campaign_id": "spring",
        "properties": f'{{"treatment": "{arm}", "propensity": {chance}}}',
        "channel": None if arm == "control" else "email",
        **more,
    }


def test_each_arm_of_a_trial_is_drawn_against_the_same_control_rows():
    rows = [assigned(1, "a", 0.5), assigned(2, "b", 0.25), assigned(3, "control", 0.25)]
    table, aside = trials(sources_of(rows))
    assert aside == {}
    found = sorted(
        zip(*(table[name].to_pylist() for name in ("offer_id", "customer_id", "sent", "propensity")), strict=True)
    )
    assert found == [
        ("a", "c0001", True, pytest.approx(2 / 3)),
        ("a", "c0003", False, pytest.approx(2 / 3)),
        ("b", "c0002", True, pytest.approx(0.5)),
        ("b", "c0003", False, pytest.approx(0.5)),
    ]


def test_two_arms_may_be_drawn_with_a_chance_of_each_ones_own():
    rows = [assigned(1, "a", 0.9), assigned(2, "a", 0.6), assigned(3, "control", 0.3), assigned(4, "control", 0.2)]
    table, _ = trials(sources_of(rows))
    assert sorted(table["propensity"].to_pylist()) == pytest.approx([0.6, 0.7, 0.8, 0.9])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([assigned(1, "a", 0.5)], "no control rows"),
        ([assigned(1, "control", 0.5)], "all its rows are control"),
        ([assigned(1, "a", 0.5, channel=None), assigned(2, "control", 0.5)], "channel none"),
        (
            [assigned(1, "a", 0.5), assigned(2, "b", 0.2), assigned(4, "b", 0.3), assigned(3, "control", 0.2)],
            "give shares",
        ),
    ],
)
def test_a_trial_that_cannot_be_read_is_set_aside_by_name(rows, said):
    table, aside = trials(sources_of(rows))
    assert table.num_rows == 0
    assert said in aside["trial:spring"]


def test_outcomes_are_all_orders_from_the_draw_on_as_plain_loops_count_them():
    random = np.random.default_rng(2)
    rows, draws = [], []
    for number in range(25):
        at = MOMENT + timedelta(hours=float(random.integers(0, 400)))
        draws.append((f"c{number % 20:04d}", at))
        for each in range(int(random.integers(0, 6))):
            order = f'{{"order_id": "{each // 2}"}}' if random.random() < 0.5 else "{}"
            moment = MOMENT + timedelta(hours=float(random.integers(-100, 700)))
            rows.append(
                {
                    "customer_id": f"c{number % 20:04d}", "type": "purchased", "occurred_at": moment,
                    "value": float(random.integers(1, 50)), "properties": order,
                }
            )  # fmt: skip
    asked = pa.table(
        {
            "customer_id": [who for who, _ in draws],
            "at": pa.array([at for _, at in draws], pa.timestamp("us", "UTC")),
        }
    )
    found = outcomes(sources_of(rows, MOMENT + timedelta(days=90)), asked, days=7)
    last = max(at for _, at in draws) + timedelta(days=7)
    first = min(at for _, at in draws)
    for place, (who, at) in enumerate(draws):
        orders: dict[object, list[dict]] = {}
        for number, row in enumerate(rows):
            if row["customer_id"] == who and first <= row["occurred_at"] < last:
                orders.setdefault(row["properties"] if row["properties"] != "{}" else number, []).append(row)
        mine = [
            each
            for each in orders.values()
            if at <= min(row["occurred_at"] for row in each) < at + timedelta(days=7)
        ]
        assert found.orders[place] == len(mine)
        assert found.revenue[place] == pytest.approx(sum(row["value"] for each in mine for row in each))


def test_draws_count_once_their_window_is_over_whatever_order_rows_arrived_in():
    rows = [assigned(number, "a" if number % 2 else "control", 0.5) for number in range(20)]
    rows += [assigned(30, "a", 0.5, occurred_at=MOMENT + timedelta(days=28))]
    found = drawn(sources_of(rows))
    assert found.table.num_rows == 20
    again = drawn(sources_of(rows[::-1]))
    assert again.table.equals(found.table)
    assert (again.window == found.window).all()


def test_an_estimate_keeps_its_interval():
    assert Estimate(mean=1.0, error=0.5).interval == pytest.approx((0.02, 1.98))
