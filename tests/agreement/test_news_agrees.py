"""Features of a midnight and what the ledger was told since say what features of a later midnight say."""

from __future__ import annotations

import random
from functools import cache

import pyarrow as pa
import pytest

from features.contracts import EVENT_SCHEMA
from features.tables.tally import tally
from features.vocabulary import TALLY_COUNTS
from runtime.news import news_of
from tests.worlds.features import Runner
from tests.worlds.ledger import opened
from tests.worlds.news import (
    BUILT,
    HEARD,
    MIDNIGHT,
    NOW,
    WATERMARK,
    added,
    as_import,
    by_pair,
    differing,
    heard,
    told_of,
)


@cache
def _runner(until):
    return Runner(lambda events: tally(events, until=until))


def _features(rows, until):
    return {who: row for (who, _), row in _runner(until)(rows).items()}


def _tell(ledger, every, seed):
    """Tell all of it, in any order within each moment of hearing, an event at a time or as an import."""
    draw = random.Random(seed)
    for at in sorted({each.at for each in every}):
        batch = draw.sample(of := [each for each in every if each.at == at], len(of))
        if draw.random() < 0.5:
            ledger.take_events([each.event for each in batch], at)
        else:
            ledger.load_events(
                pa.Table.from_pylist([as_import(each.row) for each in batch], schema=EVENT_SCHEMA), at
            )


def _frame(known, customers):
    """The tally of features as they are read online, of whom they know."""
    lists = {
        name: [known[who][name] if who in known else None for who in customers]
        for name in ("tally_pairs", *TALLY_COUNTS)
    }
    size, moment = len(customers), pa.timestamp("us", "UTC")
    return pa.table(
        {
            "customer_id": customers,
            **lists,
            "event_timestamp": pa.array([WATERMARK if who in known else None for who in customers], moment),
            "features_heard_at": pa.array([HEARD] * size, moment),
        }
    )


@pytest.mark.parametrize("seed", [31, 32])
def test_the_ledgers_difference_on_top_of_features_is_features_of_now(seed, database_url):
    every = heard(seed)
    rows = [each.row for each in every]
    known = _features([each.row for each in every if each.known_to_features], BUILT)
    wanted = {who: by_pair(row) for who, row in _features(rows, NOW).items()}
    customers = sorted({row["customer_id"] for row in rows})
    with opened(database_url) as ledger:
        _tell(ledger, every, seed)
        found = news_of(_frame(known, customers), ledger, MIDNIGHT)
    assert differing({who: by_pair(row) for who, row in known.items()}, wanted)
    assert differing(added({who: by_pair(row) for who, row in known.items()}, found, customers), wanted) == []


def test_both_databases_and_roads_give_the_same_events_in_the_same_order(database_url):
    every = heard(33)
    wanted = told_of(every)
    with opened(database_url) as ledger:
        _tell(ledger, every, 1)
        ids = {each.row["customer_id"] for each in every}
        assert ledger.told(ids, since=WATERMARK.replace(year=2017, month=10), now=MIDNIGHT) == wanted
