"""The order of arrival never matters, only the order of what happened: see ``tests.worlds.arrival``."""

from __future__ import annotations

import pytest

from tests.worlds import arrival
from tests.worlds.ledger import fresh_url

ORDERS = range(3)


@pytest.mark.parametrize("seed", range(16))
def test_a_history_in_any_order_and_split_over_both_roads_leaves_the_same_ledger(seed, tmp_path):
    first, *others = (arrival.ledger_outcome(seed, order, fresh_url(_folder(tmp_path, order))) for order in ORDERS)
    assert first["told again"] == []
    assert [list(arrival.differences(first, other)) for other in others] == [[], []]


@pytest.mark.parametrize("seed", [1000, 1001])
def test_and_so_it_does_on_each_database(seed, database_urls):
    first, other = (arrival.ledger_outcome(seed, order, database_urls()) for order in range(2))
    assert list(arrival.differences(first, other)) == []


@pytest.mark.parametrize("seed", [2000, 2001])
def test_and_the_same_lake_the_same_features_and_the_same_next_decision(seed):
    assert arrival.check(seed) == []


def test_the_histories_are_of_every_kind():
    told = [each for seed in range(40) for each in arrival.history(seed).told]
    events = [each for each in told if isinstance(each, arrival.Event)]
    kinds = {(each.type, bool(each.channel), bool(each.message_id), bool(each.decision_id)) for each in events}
    assert len(kinds) == len({each.type for each in events}) * 2**3


def _folder(tmp_path, order):
    folder = tmp_path / str(order)
    folder.mkdir()
    return folder
