"""A challenger's shadow: chances of what was done, and when a value cannot be told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.records import Stage
from decisions.shadow import HOLD, chances
from pipelines.jobs.shadowing import _why_not


def road(send, pairs, withheld):
    names = [f"o{number}|email" for number in range(len(pairs))]
    return (
        _stage("send_or_hold", ("send", "hold"), (send, 1 - send)),
        _stage("offer_channel", names, pairs),
        _stage("slot_block", ("morning",), (1.0,)),
        _stage("holdback", ("send", "withhold"), (1 - withheld, withheld)),
    )


def _stage(name, options, chances):
    return Stage(
        name=name, options=tuple(options), values=tuple(chances), probabilities=tuple(chances), chosen=options[0]
    )


CHANCE = st.floats(0, 1)


@given(CHANCE, st.lists(st.floats(0.01, 1), min_size=1, max_size=8), CHANCE)
def test_chances_sum_to_one_and_hold_takes_what_is_withheld(send, weights, withheld):
    pairs = (np.array(weights) / np.sum(weights)).tolist()
    found = chances(road(send, pairs, withheld))
    assert sum(found.values()) == pytest.approx(1.0)
    assert found[HOLD] == pytest.approx((1 - send) + withheld * send)
    assert found["o0|email"] == pytest.approx(send * pairs[0] * (1 - withheld))


def test_where_nobody_was_in_the_running_it_holds_for_certain():
    assert chances(()) == {HOLD: 1.0}


@pytest.mark.parametrize(
    ("effective", "unsupported", "said"),
    [(500.0, 0.0, None), (500.0, 0.2, "20% of its choices were never made"), (12.0, 0.0, "weigh as much as 12")],
)
def test_a_value_is_told_only_where_the_log_covers_it(effective, unsupported, said):
    found = _why_not(effective, 1_000, unsupported)
    assert found is None if said is None else said in found
