"""Whether levels turned lately: against plain arithmetic, and where the truth is known."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from scipy.stats import nbinom

from decisions.scorers.artefact import Artefact
from decisions.scorers.worth import WorthScorer
from decisions.worth.attention import ALMOST_SURE, Attention
from decisions.worth.model import Personal
from decisions.worth.shifts import WEEKS, Sent, Shift, shift, turned
from tests.worlds.training import BEGIN, DAYS, world
from training.models.worth import TrainWorth

PEOPLE, OFFERS = 200, 3
EXPECTED = np.full((WEEKS, OFFERS), 40.0)


def personal(alive: float = 1.0) -> Personal:
    ones = np.ones(PEOPLE)
    return Personal(
        attention=np.full((PEOPLE, 2), 0.3),
        lift=np.full((PEOPLE, OFFERS), 0.1),
        anyway=0.02 * ones,
        basket=ones,
        spend=ones,
        alive=alive * ones,
    )


ATTENTION = Attention(level=np.full(2, 0.3), click=np.full(2, 0.05), shape=np.full(2, 1.3))


def sent(
    seed: int = 1,
    *,
    sees=lambda weeks, channel: 0.3,
    buys=lambda weeks, offer: 0.12,
    each: int = 600,
    silent: bool = False,
) -> Sent:
    """So many messages a week, of every channel (opens show on the first alone) and offer, to anybody."""
    dice, size = np.random.default_rng(seed), WEEKS * each
    weeks, channel = np.repeat(np.arange(WEEKS), each), dice.integers(0, 2, size)
    offer = dice.integers(0, OFFERS, size)
    seen = dice.random(size) < np.vectorize(sees, otypes=[float])(weeks, channel)
    ordered = seen & (dice.random(size) < np.vectorize(buys, otypes=[float])(weeks, offer))
    return Sent(
        who=dice.integers(0, PEOPLE, size),
        channel=channel,
        offer=offer,
        weeks=weeks,
        exposed=np.ones(size),
        shows=channel == 0,
        seen=seen.astype(float),
        clicked=(seen & (dice.random(size) < 0.05 / 0.3)).astype(float),
        ordered=ordered.astype(float),
        silent=np.full(size, silent),
    )


APART = np.zeros(OFFERS, dtype=bool)


def by_hand(events: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, float]:
    """Every moment by itself, with scipy's negative binomial."""
    whole = (events.sum(axis=0) + 20) / (expected.sum(axis=0) + 20)
    weights, factors = [0.98], [np.ones(events.shape[1])]
    for since in range(1, len(events)):
        odds, now = 0.02 / (len(events) - 1), []
        for late, early, hoped, before, mean in zip(
            events[:since].sum(axis=0),
            events[since:].sum(axis=0),
            expected[:since].sum(axis=0),
            expected[since:].sum(axis=0),
            whole,
            strict=True,
        ):
            level = (early + 20) / (before + 20)
            wide, narrow = 1 / (1 / (early + 20) + 1 / 4), early + 20
            odds *= nbinom.pmf(late, wide, wide / (wide + hoped * level))
            odds /= nbinom.pmf(late, narrow, narrow / (narrow + hoped * level))
            now.append(level * (4 + late) / (4 + hoped * level) / mean)
        weights.append(odds)
        factors.append(np.array(now))
    weight = np.array(weights) / sum(weights)
    return weight @ np.stack(factors), 1 - weight[0]


def test_levels_are_those_that_plain_arithmetic_finds():
    events = np.random.default_rng(3).poisson(EXPECTED[:8] * np.where(np.arange(8) < 3, 0.6, 1.0)[:, None])
    found, chance, _ = turned(events.astype(float), EXPECTED[:8], APART)
    factors, by_arithmetic = by_hand(events.astype(float), EXPECTED[:8])
    assert found == pytest.approx(factors)
    assert chance == pytest.approx(by_arithmetic)


def test_where_nothing_turned_hardly_a_world_moves_a_level():
    dice = np.random.default_rng(5)
    found = [turned(dice.poisson(EXPECTED).astype(float), EXPECTED, APART) for _ in range(200)]
    assert np.mean([chance > 0.5 for _, chance, _ in found]) < 0.03
    assert np.quantile([np.abs(factors - 1).max() for factors, _, _ in found], 0.95) < 0.05


def test_of_levels_together_only_what_leaves_the_middle_one_turned():
    events = EXPECTED.copy()
    events[:4] *= [2, 2, 0.5]
    alone, _, _ = turned(events, EXPECTED, APART)
    together, chance, weeks = turned(events, EXPECTED, ~APART)
    assert (chance > 0.99, weeks) == (True, 4)
    assert alone == pytest.approx([1.7, 1.7, 0.53], rel=0.1)
    assert together == pytest.approx([0.87, 0.87, 0.27], rel=0.1)


def test_one_week_alone_says_of_nothing_that_it_turned():
    factors, chance, weeks = turned(np.full((1, 2), 90.0), np.full((1, 2), 10.0), APART[:2])
    assert (factors.tolist(), chance, weeks) == ([1.0, 1.0], pytest.approx(0.0), 0)


def test_of_an_offer_that_never_went_before_nothing_turned():
    events, expected = EXPECTED.copy(), EXPECTED.copy()
    events[2:, 0], expected[2:, 0] = 0, 0
    events[:2, 0] *= 3
    factors, _, _ = turned(events, expected, APART)
    assert factors[0] == pytest.approx(1.0, abs=0.01)


def test_an_offer_that_leads_to_a_third_of_the_orders_for_four_weeks_is_found():
    found = shift(
        sent(buys=lambda weeks, offer: 0.04 if offer == 1 and weeks < 4 else 0.12, each=1800),
        personal(),
        ATTENTION,
    )
    assert found.chance > 0.95
    assert abs(found.weeks - 4) <= 1
    assert found.lift[1] / found.lift[[0, 2]].mean() == pytest.approx(0.3, abs=0.1)
    assert found.attention[0] == pytest.approx(1.0, abs=0.08)


def test_a_channel_that_is_looked_at_less_is_found():
    found = shift(
        sent(sees=lambda weeks, channel: 0.15 if channel == 0 and weeks < 3 else 0.3), personal(), ATTENTION
    )
    assert (found.chance > 0.95, found.weeks) == (True, 3)
    assert found.attention[0] == pytest.approx(0.5, abs=0.1)


def test_a_season_in_which_people_order_more_after_every_message_turns_no_offer():
    found = shift(sent(buys=lambda weeks, offer: 0.24 if weeks < 4 else 0.12), personal(), ATTENTION)
    assert found.lift == pytest.approx(np.ones(OFFERS), abs=0.12)


def test_who_may_be_gone_is_expected_to_look_less():
    """Of those silent since, half are gone: they look half as often, and nothing turned."""
    late = sent(sees=lambda weeks, channel: 0.15 if weeks < 4 else 0.3)
    gone = replace(late, silent=late.weeks < 4)
    assert shift(late, personal(alive=0.5), ATTENTION).chance > 0.95
    assert shift(gone, personal(alive=0.5), ATTENTION).attention[0] == pytest.approx(1.0, abs=0.08)


def test_no_message_turns_nothing():
    found = sent(each=0)
    assert shift(found, personal(), ATTENTION).attention.tolist() == [1.0, 1.0]


def test_people_keep_what_tells_them_apart_when_levels_turn():
    before = replace(personal(), lift=np.linspace(0, 0.5, PEOPLE * OFFERS).reshape(PEOPLE, OFFERS))
    after = before.turned(Shift(attention=np.array([0.5, 9.0]), lift=np.array([0.3, 1.0, 1.1])))
    assert after.lift == pytest.approx(before.lift * [0.3, 1.0, 1.1])
    assert after.attention[0].tolist() == pytest.approx([0.15, ALMOST_SURE])
    assert after.anyway is before.anyway


def test_training_finds_that_mail_is_opened_less_and_says_so():
    dice, rows = random.Random(4), []
    for number in range(120):
        name = f"c{number:04d}"
        for day in range(150 + number % 7, DAYS, 7):
            at = BEGIN + timedelta(days=day, hours=9)
            mail = {"customer_id": name, "channel": "email", "offer_id": "milk", "message_id": f"m{number}.{day}"}
            rows.append({**mail, "type": "sent", "occurred_at": at})
            if dice.random() < (0.2 if day >= DAYS - 35 else 0.5):
                rows.append({**mail, "type": "opened", "occurred_at": at + timedelta(hours=1)})
                if dice.random() < 0.2:
                    rows.append({**mail, "type": "converted", "occurred_at": at + timedelta(hours=2)})
            if dice.random() < 0.3:
                rows.append({"customer_id": name, "type": "session", "occurred_at": at + timedelta(hours=3)})
    found = TrainWorth().fit(world(rows), seed=1)
    turn = found.scorer.model.shift
    assert turn.chance > 0.95
    assert abs(turn.weeks - 5) <= 1
    assert turn.attention[0] == pytest.approx(0.2 / 0.44, abs=0.12)
    assert "Levels turned about" in found.facts.data
    assert "email ×0." in found.facts.data
    facts = {name: each for name, each in found.scorer.artefact.facts.items() if name != "shift"}
    older = WorthScorer(Artefact(kind="worth", facts=facts))
    assert older.model.shift.attention.tolist() == [1.0, 1.0]
    assert older.model.attention.level.tolist() == found.scorer.model.attention.level.tolist()
