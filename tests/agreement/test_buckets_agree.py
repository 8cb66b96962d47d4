"""A bucket is the same number wherever it is computed."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from features.lake import bucket_of, connect

_SQL = connect().con


@settings(max_examples=60, deadline=None)
@given(key=st.text(min_size=1, max_size=50), buckets=st.integers(1, 4096))
def test_python_and_duckdb_name_the_same_bucket(key, buckets):
    (there,) = _SQL.execute("SELECT bucket_of($key, $buckets)", {"key": key, "buckets": buckets}).fetchone()
    assert there == bucket_of(key, buckets)


def test_buckets_never_move_between_releases():
    assert [bucket_of(key, 16) for key in ("1", "2469", "ü", "household-7")] == [8, 12, 5, 10]
