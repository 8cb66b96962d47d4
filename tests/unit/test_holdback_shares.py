"""The share that is held back follows what could still be learned, and falls to its floor."""

from __future__ import annotations

import numpy as np
import pytest

from measures.estimate import Estimate
from tests.unit.test_randomised_evidence import a_sample
from training.evidence.shares import FLOOR, SHARES, proposed, suggested

GAIN = 0.1 * np.random.default_rng(1).gamma(2.0, 0.5, 4000)


def told(error: float = 0.5, *, cost: float = 0.1, windows: float = 26.0, draw_error: float = 10.0, **changes):
    known = Estimate(mean=1.0, error=error)
    return proposed(known, GAIN, np.full(4000, cost), draw_error=draw_error, windows=windows, **changes)


def test_the_more_is_known_the_less_is_held_and_in_the_end_the_floor():
    shares = [told(error).share for error in (1.0, 0.5, 0.2, 0.05, 0.01)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > FLOOR
    assert shares[-1] == FLOOR


def test_nothing_is_held_for_what_would_change_no_decision():
    assert told(0.1, cost=0.0001).share == FLOOR
    assert told(0.1, cost=0.0001).worth == pytest.approx(0.0, abs=1e-5)


def test_what_is_used_but_once_is_not_worth_what_is_used_for_a_year():
    assert told(windows=1).share <= told(windows=26).share


def test_the_floor_can_be_set():
    assert told(0.001, floor=0.03).share == 0.03


def test_information_is_never_worth_less_than_nothing():
    for error in (0.01, 0.3, 2.0):
        assert told(error).worth >= -1e-9
        assert told(error).share in (*SHARES, FLOOR)


def test_the_value_of_information_is_what_a_simulation_of_the_next_window_earns():
    known, cost, share = Estimate(mean=1.0, error=0.6), 0.1, told(0.6).share
    random = np.random.default_rng(2)
    noise = 10.0 / (4000 * share * (1 - share)) ** 0.5
    truth = random.normal(known.mean, known.error, 4000)
    seen = truth + noise * random.normal(size=4000)
    believed = (known.mean / known.error**2 + seen / noise**2) / (known.error**-2 + noise**-2)
    sends = believed[:, None] * GAIN[:400] > cost
    later = (sends * (truth[:, None] * GAIN[:400] - cost)).mean()
    now = np.maximum(0.0, GAIN[:400] - cost).mean()
    found = proposed(known, GAIN[:400], np.full(400, cost), draw_error=10.0 * 0.1**0.5, windows=26.0)
    assert found.share == share
    assert found.worth / 26.0 == pytest.approx(later - now, rel=0.15)


def test_the_proposal_is_of_our_own_draws_alone():
    sample = a_sample(3000)
    cost = {"milk|email": 0.3, "milk|mail": 0.3}
    known = Estimate(mean=1.0, error=0.5)
    found = suggested(sample, known, 0.5, cost)
    assert found is not None
    assert found.share >= FLOOR
    assert suggested(a_sample(3000, source="trial:a"), known, 0.5, cost) is None
