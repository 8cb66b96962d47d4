from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest

from features.faults import CustomerFault
from training.sets import MOMENT, at_least, at_midnight, clusters, fingerprint, spine, with_features

DAY = datetime(2024, 3, 1, tzinfo=UTC)


class Store:
    """Answers with whatever ``change`` makes of the spine."""

    def __init__(self, change):
        self.change = change

    def training_set(self, asked):
        return self.change(asked.append_column("recency_days", pa.array(np.arange(asked.num_rows) * 1.0)))


def questions():
    return spine(
        pa.array(["b", "a", "b"]), pa.array([DAY, DAY, DAY + timedelta(days=1)], MOMENT), label=pa.array([1, 0, 1])
    )


def test_features_come_back_in_the_order_of_the_questions():
    found = with_features(Store(lambda table: table.take([2, 0, 1])), questions())
    assert found.select(questions().column_names).equals(questions())
    assert found["recency_days"].to_pylist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("take", [[0, 1], [0, 1, 2, 2], [0, 1, 1]])
def test_a_store_that_loses_or_doubles_rows_is_refused(take):
    with pytest.raises(ValueError, match="lost or"):
        with_features(Store(lambda table: table.take(take)), questions())


def test_the_fingerprint_follows_content_and_settings_and_not_chunks():
    whole = questions()
    cut = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    assert fingerprint(cut, days=5) == fingerprint(whole, days=5)
    assert fingerprint(whole.slice(1), days=5) != fingerprint(whole, days=5)
    assert fingerprint(whole, days=6) != fingerprint(whole, days=5)


def test_rows_of_one_customer_share_a_cluster():
    found = clusters(questions()["customer_id"])
    assert found[0] == found[2] != found[1]


def test_a_snapshot_moment_is_midnight_in_utc():
    east = timezone(timedelta(hours=5))
    assert at_midnight(datetime(2024, 3, 2, 3, tzinfo=east)) == datetime(2024, 3, 1, tzinfo=UTC)


def test_one_infinite_feature_is_unknown_and_leaves_the_others_as_they_are():
    def spoil(table):
        return table.set_column(3, "recency_days", pa.array([float("inf"), 1.0, None]))

    found = with_features(
        Store(lambda table: spoil(table.drop_columns(["label"])).select([0, 1, 3, 2])), questions()
    )
    assert found["recency_days"].to_pylist() == [None, 1.0, None]


def test_a_feature_out_of_its_range_is_named_and_its_customers_are_not():
    table = questions().append_column("tenure_days", pa.array([-1.0, 2.0, -3.0]))
    with pytest.raises(CustomerFault, match="1 customers have tenure_days below 0") as fault:
        at_least(table, "tenure_days", 0.0)
    assert (fault.value.feature, fault.value.customers) == ("tenure_days", ("b",))
    assert fault.value.named == "1 customers, such as 'b'"
