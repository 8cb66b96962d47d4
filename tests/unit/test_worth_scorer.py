"""The value model as a scorer: what it reads off a frame, what it says of offers and channels, and how it is trained."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import fields, replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from decisions.catalogue import Catalogue
from decisions.choosing.value import terms
from decisions.priors import ChannelPriors, Priors
from decisions.records import BudgetState
from decisions.scorers.base import Counted, Effect
from decisions.scorers.tallies import LIFE, life_of, tally_of
from decisions.scorers.worth import WorthScorer
from decisions.scoring import batch_of
from decisions.worth.beliefs import Beliefs
from decisions.worth.cadence import INTERVALS
from decisions.worth.dayparts import HOURS
from decisions.worth.model import WorthModel
from decisions.worth.tally import Tally
from features.contracts import Offer
from features.vocabulary import TALLY_COUNTS
from tests.worlds.deciding import scores
from tests.worlds.training import BEGIN, DAYS, world
from training.gates import judge
from training.models import NoLabels
from training.models.worth import TrainWorth, beliefs_of

CHANNELS = ("email", "mail")
KNOWN = ("a|b", "milk")
OFFERS = (
    Offer(offer_id="milk", category="grocery", channels=CHANNELS, margin=2.0, incentive_cost=0.5),
    Offer(offer_id="new", category="grocery", channels=("mail",), margin=2.0),
)
LIVES = {
    "orders_365d": 6.0,
    "spend_365d": 60.0,
    "sessions_365d": 20.0,
    "tenure_days": 300.0,
    "recency_days": 12.0,
    "sessions_7d": 0.0,
    "sessions_30d": 2.0,
    "sessions_90d": 5.0,
}


def a_frame(*tallies: dict[str, dict[str, float]] | None, **lives: float) -> pa.Table:
    """A frame of one row each: by pair, what was counted; None for who was never sent a message."""
    columns = {"customer_id": [f"c{number}" for number in range(len(tallies))]}
    columns |= {name: [value] * len(tallies) for name, value in {**LIVES, **lives}.items()}
    ordered = [None if each is None else sorted(each.items()) for each in tallies]
    lists = {"tally_pairs": [None if each is None else [pair for pair, _ in each] for each in ordered]}
    for name in TALLY_COUNTS:
        of = name.removeprefix("tally_")
        lists[name] = [None if each is None else [counts.get(of, 0.0) for _, counts in each] for each in ordered]
    types = {name: pa.list_(pa.string() if name == "tally_pairs" else pa.float64()) for name in lists}
    return pa.table({**columns, **{name: pa.array(lists[name], types[name]) for name in lists}})


def a_scorer(**changes) -> WorthScorer:
    beliefs = Beliefs(attention=(0.2, 0.1), loss=(0.002, 0.002))
    counted = {each.name: np.zeros((50, 2, 3)) for each in fields(Tally)}
    counted["exposed"][:, 0], counted["opened"][:, 0], counted["seen"][:, 0] = 10, 2, 2
    counted["ordered"][::5, 0, 1] = 1
    life = life_of(a_frame(*[None] * 50))
    model = WorthModel.learn(Tally(**counted | changes), life, beliefs, lost=np.ones(2), sent=np.full(2, 500.0))
    return WorthScorer.of(model, CHANNELS, KNOWN)


def said(frame: pa.Table, scorer: WorthScorer | None = None) -> Counted:
    return (scorer or a_scorer()).predict(batch_of(frame, priors=Priors(), offers=OFFERS))


def test_a_tally_is_read_as_plain_python_reads_it():
    random.seed(4)
    pairs = ["a|b|email", "milk|email", "milk|mail", "|email", "gone|mail", "milk|fax", "ünïcode|email"]
    rows = [
        None if random.random() < 0.3 else {
            pair: {name.removeprefix("tally_"): random.randrange(9) for name in TALLY_COUNTS}
            for pair in random.sample(pairs, random.randrange(1, 6))
        }
        for _ in range(40)
    ]  # fmt: skip
    found = tally_of(a_frame(*rows), CHANNELS, KNOWN)
    for each in fields(Tally):
        expected = np.zeros((40, 2, 3))
        for number, row in enumerate(rows):
            for pair, counts in (row or {}).items():
                offer, channel = pair.rsplit("|", 1)
                if channel in CHANNELS:
                    place = KNOWN.index(offer) if offer in KNOWN else 2
                    expected[number, CHANNELS.index(channel), place] += counts[each.name]
        assert getattr(found, each.name).tolist() == expected.tolist(), each.name


def test_a_frame_without_the_tally_is_refused_by_name():
    with pytest.raises(ValueError, match="tally_exposed"):
        tally_of(a_frame(None).drop_columns(["tally_exposed"]), CHANNELS, KNOWN)


def test_a_part_of_a_frame_is_read_like_the_whole():
    whole = a_frame({"milk|email": {"exposed": 3.0}}, None, {"milk|mail": {"exposed": 5.0}})
    part = tally_of(whole.slice(1), CHANNELS, KNOWN)
    assert part.exposed.tolist() == tally_of(whole, CHANNELS, KNOWN).exposed[1:].tolist()


def test_a_life_is_read_off_the_last_year_less_what_messages_are_credited_with():
    frame = a_frame(None, {"milk|email": {"ordered": 1.0}, "|mail": {"hidden_ordered": 1.0}})
    life = life_of(frame)
    assert life.orders.tolist() == [6, 4]
    assert life.revenue.tolist() == [60, pytest.approx(40)]
    assert life.days.tolist() == [300, 300]
    assert life.signs.tolist() == [26, 26]


@pytest.mark.parametrize(
    ("lives", "silent"),
    [
        ({}, 7),
        ({"sessions_7d": 1.0}, 0),
        ({"sessions_30d": 0.0}, 12),
        ({"sessions_30d": 0.0, "sessions_90d": 0.0}, 12),
        ({"sessions_30d": 0.0, "sessions_90d": 0.0, "recency_days": float("nan")}, 300),
    ],
)
def test_silence_is_taken_as_short_as_the_windows_allow(lives, silent):
    assert life_of(a_frame(None, **lives)).silent_days.tolist() == [silent]


def test_who_is_not_known_at_all_is_the_mean_person():
    empty = a_frame(None)
    empty = pa.table(
        {name: pa.nulls(1, column.type) for name, column in zip(empty.column_names, empty.columns, strict=True)}
    )
    assert set(LIFE) <= set(empty.column_names)
    found, scorer = said(empty), a_scorer()
    level, lift = scorer.model.attention.level[0], scorer.model.effect.lift[1]
    assert found.tau["milk|email"] == pytest.approx(level * 2.0 * lift, rel=0.02)


def test_only_what_is_offered_and_was_learned_is_said():
    found = said(a_frame(None))
    assert set(found.tau) == set(found.redeem) == {"milk|email", "milk|mail", "new|mail"}
    assert set(said(a_frame(None), WorthScorer.prior("no_champion")).tau) == set()


def test_a_message_is_worth_more_to_who_orders_after_them_and_who_opens_but_never_orders_is_moved_least():
    found = said(
        a_frame(
            {"milk|email": {"exposed": 20.0, "opened": 4.0, "seen": 4.0, "ordered": 2.0}},
            {"milk|email": {"exposed": 5.0, "opened": 1.0, "seen": 1.0}},
            {"milk|email": {"exposed": 80.0, "opened": 16.0, "seen": 16.0}},
        )
    ).tau["milk|email"]
    assert found[0] > found[1] > found[2] > 0


def test_a_scorer_that_was_saved_answers_the_same(tmp_path):
    scorer, frame = a_scorer(), a_frame({"milk|email": {"exposed": 20.0, "seen": 4.0, "ordered": 2.0}}, None)
    scorer.save(tmp_path)
    again = WorthScorer.load(tmp_path)
    assert again.version == scorer.version != "prior"
    assert {name: each.tolist() for name, each in said(frame, again).tau.items()} == {
        name: each.tolist() for name, each in said(frame, scorer).tau.items()
    }
    assert WorthScorer.prior("no_champion").version == "prior"


def test_what_is_counted_supersedes_what_is_declared_and_not_what_was_measured():
    one = np.ones(1)
    effect = Effect(
        tau={"milk|email": one, "milk|mail": one},
        redeem={"milk": one * 0.3},
        incremental=True,
        notes=("prior:offer:milk|email:no_randomised_sends", "prior:offer:milk|mail:x", "offer:other"),
        measured=frozenset({"milk|mail"}),
    )
    counted = Counted(
        tau={"milk|email": one * 5, "milk|mail": one * 7}, redeem={"milk|email": one / 8, "milk|mail": one}
    )
    found = effect.counting(counted)
    assert found.tau == {"milk|email": one * 5, "milk|mail": one}
    assert found.redeem == {"milk": one * 0.3, "milk|email": one / 8}
    assert found.notes == ("prior:offer:milk|mail:x", "offer:other", "offer:milk|mail:measured")
    assert not found.incremental
    assert effect.counting(Counted(tau={}, redeem={})) == effect


def test_an_incentive_costs_what_is_redeemed_on_the_messages_own_channel():
    told = replace(scores(Catalogue(offers=OFFERS)), redeem={"milk": 0.5, "milk|email": 0.1})
    costs = {name: terms(OFFERS[0], name, scores=told, budgets=BudgetState()).incentive for name in CHANNELS}
    assert costs == {"email": 0.05, "mail": 0.25}


# How often

KEEN = {"milk|email": {"exposed": 40.0, "opened": 20.0, "seen": 20.0, "ordered": 8.0}}
IDLE = {"milk|email": {"exposed": 80.0}}
DEAR = [offer.model_copy(update={"send_cost": {"email": 0.004, "mail": 0.6}}) for offer in OFFERS]


def test_who_orders_after_messages_is_written_to_more_often_than_the_mean_person():
    found = a_scorer().predict(batch_of(a_frame(KEEN, None), priors=Priors(), offers=DEAR))
    days, earned = found.cadence["email"].T
    assert days[0] < days[1]
    assert earned[0] > earned[1] > 0


def test_the_best_interval_is_the_one_at_which_what_is_earned_a_day_is_most():
    """Against the sum itself, interval by interval, of the best message there is."""
    scorer = a_scorer()
    found = scorer.predict(batch_of(a_frame(KEEN, None, IDLE), priors=Priors(), offers=DEAR))
    personal = scorer.personal(batch_of(a_frame(KEEN, None, IDLE), priors=Priors(), offers=DEAR))
    for channel, place in (("email", 0), ("mail", 1)):
        fitting = [offer for offer in DEAR if channel in offer.channels]
        for who in range(3):
            each = [
                (
                    float(found.tau[pair][who] - offer.incentive_cost * found.redeem[pair][who]),
                    offer.send_cost[channel],
                )
                for offer in fitting
                for pair in [f"{offer.offer_id}|{channel}"]
            ]
            gain, cost = max(each, key=lambda both: both[0] - both[1])
            best = max(INTERVALS, key=lambda days: earned_a_day(days, gain, cost, place, scorer, personal, who))
            most = earned_a_day(best, gain, cost, place, scorer, personal, who)
            assert found.cadence[channel][who] == pytest.approx((best, most))


def earned_a_day(days, gain, cost, place, scorer, personal, who):
    beliefs, loss = scorer.model.beliefs, scorer.model.loss[place]

    def kept(every):
        pressure = 1 / (2 ** (every / beliefs.half_life_days) - 1)
        driven_off = beliefs.churn_cost * personal.spend[who] * pressure
        return pressure, gain * math.exp(-beliefs.drop * pressure) - cost - driven_off

    ahead = max(0.0, *(kept(every)[1] / every for every in INTERVALS)) * beliefs.reach_days * beliefs.reach_share
    pressure, earned = kept(days)
    return (earned - min(0.5, loss * beliefs.loss_growth**pressure) * ahead) / days


def test_an_offer_that_no_learned_channel_carries_has_no_interval():
    only = (Offer(offer_id="new", category="grocery", channels=("carrier_pigeon",), margin=2.0),)
    assert a_scorer().predict(batch_of(a_frame(None), priors=Priors(), offers=only)).cadence == {}
    assert said(a_frame(None), WorthScorer.prior("no_champion")).cadence == {}


# Training


def history(*, keen: float = 0.5, others: float = 0.02, attributed: bool = True) -> list[dict]:
    """Everybody gets an e-mail a week and orders each month; one in four orders after many of the e-mails."""
    dice, rows = random.Random(1), []
    for number in range(120):
        name, chance = f"c{number:04d}", keen if number % 4 == 0 else others
        rows += [
            {"customer_id": name, "type": "purchased", "value": 10.0, "occurred_at": BEGIN + timedelta(days=day)}
            for day in range(number % 30, DAYS, 30)
        ]
        for day in range(number % 7, DAYS, 7):
            at = BEGIN + timedelta(days=day, hours=9)
            sent = {
                "customer_id": name,
                "channel": "email",
                "offer_id": "milk",
                "message_id": f"m{number}.{day}",
            }
            rows.append({**sent, "type": "sent", "occurred_at": at})
            if dice.random() < 0.4:
                rows.append({**sent, "type": "opened", "occurred_at": at + timedelta(hours=1)})
                if attributed and dice.random() < chance:
                    rows.append({**sent, "type": "converted", "occurred_at": at + timedelta(hours=2)})
    return rows


@pytest.fixture(scope="module")
def fitted():
    return TrainWorth().fit(world(history()), seed=1)


def test_it_learns_who_sees_and_what_follows_and_passes_without_having_to_win(fitted):
    model = fitted.scorer.model
    assert model.watched.tolist() == [True, False]
    assert model.attention.level[0] == pytest.approx(0.4, abs=0.07)
    assert model.effect.orders[fitted.scorer.offers.index("milk")] == pytest.approx(0.14, abs=0.03)
    verdict = judge(fitted.backtest, seed=1, caveat=fitted.caveat)
    assert verdict.passed
    assert "better than declared" in verdict.reason
    assert "prediction gate only" in verdict.reason


def test_people_who_differ_are_told_apart_better_than_by_the_mean(fitted):
    losses = {name: float(np.mean(each)) for name, each in fitted.backtest.scores.items()}
    assert losses["worth"] < losses["everybody_alike"] < losses["declared"]


def test_a_champion_of_other_offers_is_asked_by_its_own(fitted):
    other = TrainWorth().fit(world(history()), seed=1).scorer
    assert fitted.rescore(other).tolist() != fitted.backtest.scores["worth"].tolist()
    facts = {**other.artefact.facts, "offers": [], "orders": [0.1], "lift": [0.08]}
    less = WorthScorer(type(other.artefact)(kind="worth", facts=facts))
    assert np.isfinite(fitted.rescore(less)).all()
    assert fitted.rescore(WorthScorer.prior("x")).tolist() == fitted.backtest.scores["declared"].tolist()


def test_the_same_history_gives_the_same_model_in_whatever_order_it_lies(fitted):
    rows = history()
    numbered = [row | {"event_id": f"e{number}"} for number, row in enumerate(rows)]
    random.Random(2).shuffle(numbered)
    again = TrainWorth().fit(world(numbered), seed=7)
    assert again.scorer.version == fitted.scorer.version
    assert again.fingerprint == fitted.fingerprint


def test_the_hours_at_which_an_offer_does_better_are_learned_on_the_receivers_clock():
    """Mail goes at 8 and at 18 o'clock UTC; orders follow that of the evening: 19 or 20 o'clock in Berlin."""
    rows, dice = [], random.Random(3)
    for number, day in itertools.product(range(150), range(200, DAYS, 3)):
        evening = dice.random() < 0.5
        at = BEGIN + timedelta(days=day, hours=18 if evening else 8, minutes=30)
        sent = {
            "customer_id": f"c{number:04d}",
            "channel": "email",
            "offer_id": "milk",
            "message_id": f"m{number}.{day}",
        }
        rows.append({**sent, "type": "sent", "occurred_at": at})
        rows.append({**sent, "type": "opened", "occurred_at": at + timedelta(hours=1)})
        if dice.random() < (0.15 if evening else 0.05):
            rows.append({**sent, "type": "converted", "occurred_at": at + timedelta(hours=2)})
    found = TrainWorth().fit(world(rows), seed=1)
    hourly = found.scorer.artefact.facts["hourly"]["milk"]
    assert min(hourly[19:21]) > 1.3
    assert max(hourly[9:11]) < 0.8
    assert "hours differ for milk" in found.facts.data
    batch = batch_of(a_frame(None), priors=Priors(), offers=OFFERS)
    assert found.scorer.predict(batch).hourly["milk"].shape == (1, HOURS)


def test_where_no_hour_is_better_an_offers_hours_hardly_differ(fitted):
    hours = fitted.scorer.artefact.facts["hourly"].values()
    assert all(abs(each - 1) < 0.06 for row in hours for each in row)


def test_of_very_many_customers_some_are_drawn_the_same_for_the_same_seed(fitted):
    few = [TrainWorth(most=60).fit(world(history()), seed=seed) for seed in (1, 1, 2)]
    assert {each.trained_on for each in few} == {60} != {fitted.trained_on}
    assert few[0].scorer.version == few[1].scorer.version != few[2].scorer.version


def test_without_messages_or_orders_that_name_them_it_says_what_is_missing():
    silent = [row for row in history() if row["type"] == "purchased"]
    found = TrainWorth().fit(world(silent), seed=1)
    assert isinstance(found, NoLabels)
    assert "no message" in found.reason
    unnamed = TrainWorth().fit(world(history(attributed=False)), seed=1)
    assert isinstance(unnamed, NoLabels)
    assert "'converted' events with the message's id" in unnamed.reason


def test_beliefs_are_the_policys():
    priors = Priors(
        channels={"email": ChannelPriors(engage=0.2, conversion=0.04, hazard=0.01)}, anyway=0.01, response_drop=0.2
    )
    found = beliefs_of(priors, CHANNELS)
    assert found.attention == (0.2, 0.03)
    assert found.loss == (0.01, 0.002)
    assert found.conversion == pytest.approx(0.07)
    assert found.anyway == 0.01
    assert np.exp(-found.drop) == pytest.approx(0.8)
