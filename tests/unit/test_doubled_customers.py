"""Customers whom an old lake keeps in two places are said, with the way out, and never silently doubled."""

from datetime import date

import pyarrow as pa
import pytest

from decisions.priors import Priors
from features.build import build_features
from features.store import FeatureStore
from features.store.errors import FeaturesUnavailable, RowsDoubled
from tests.worlds.features import WORDS, MemoryLake, customer, event, events_table, utc
from training.labels import silence
from training.sources import TrainingSources

UNTIL = date(2017, 6, 1)
NOW = utc(2017, 6, 1)


class Misfiled(MemoryLake):
    """Everybody's events but one are where they belong; one of a's and b's lies in every bucket."""

    def __init__(self):
        people = [customer(who) for who in "abc"]
        super().__init__([event(who, "purchased", utc(2017, 5, 20)) for who in "abc"], people)
        strays = [event(who, "purchased", utc(2017, 4, 20)) for who in "ab"]
        self._events = [pa.concat_tables([table, events_table(strays)]) for table in self._events]


def _spine(*customers):
    moments = pa.array([utc(2017, 5, 25)] * len(customers), pa.timestamp("us", "UTC"))
    return pa.table({"customer_id": customers, "event_timestamp": moments})


@pytest.fixture
def store(tmp_path):
    build_features(Misfiled(), tmp_path, vocabulary=WORDS, until=UNTIL)
    return FeatureStore(tmp_path, WORDS)


def test_a_training_set_over_them_is_refused_and_says_how_to_mend_the_lake(store):
    with pytest.raises(RowsDoubled, match=r"2 customers have two rows .* `kairos lake check --repair`") as refused:
        store.rhythm_at(_spine("a", "c", "b"))
    assert refused.value.customers == ("a", "b")
    assert "'a'" not in str(refused.value)


def test_they_are_not_put_online_and_what_was_stays(store, tmp_path):
    with pytest.raises(RowsDoubled, match=r"2 customers have two rows .* `kairos lake check --repair`") as refused:
        store.materialize()
    assert refused.value.customers == ("a", "b")
    assert not (tmp_path / "online" / "current.json").exists()


def test_whoever_can_do_without_features_is_told_as_ever(store):
    with pytest.raises(FeaturesUnavailable):
        store.training_set(_spine("a"))


def test_customers_who_lie_in_one_place_are_answered_for(store):
    assert store.rhythm_at(_spine("c")).null_count == 0


def test_a_label_over_them_is_refused_too():
    sources = TrainingSources(lake=Misfiled(), store=None, vocabulary=WORDS, priors=Priors(), offers=(), now=NOW)
    with pytest.raises(RuntimeError, match="lake check --repair"):
        silence(sources, [utc(2017, 5, 1)], days=30, activity=("purchased",))
