import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.scorers.base import array_matrix, matrix


def test_columns_come_in_the_order_asked_for_whatever_the_frame_has():
    frame = pa.table({"b": [3.0, 4.0], "a": [1, 2], "other": ["x", "y"]})
    assert matrix(frame, ["a", "b"]).tolist() == [[1.0, 3.0], [2.0, 4.0]]


@given(st.permutations(["a", "b", "c", "d"]))
def test_the_frames_own_order_never_matters(order):
    frame = pa.table({"a": [1.0], "b": [2.0], "c": [3.0], "d": [4.0]})
    assert matrix(frame.select(order), ["a", "b", "c", "d"]).tolist() == [[1.0, 2.0, 3.0, 4.0]]


def test_null_is_missing_and_not_zero():
    assert np.isnan(matrix(pa.table({"a": pa.array([None], pa.float64())}), ["a"])[0, 0])


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="overdue"):
        matrix(pa.table({"a": [1.0]}), ["a", "overdue"])


def test_lists_become_rows_and_a_null_list_a_row_of_missing_values():
    frame = pa.table({"r": pa.array([[1.0, 2.0], None, [3.0, None]], pa.list_(pa.float64()))})
    found = array_matrix(frame, "r", 2)
    assert found[0].tolist() == [1.0, 2.0]
    assert np.isnan(found[1]).all()
    assert found[2, 0] == 3.0
    assert np.isnan(found[2, 1])


def test_chunked_and_sliced_lists_are_read_alike():
    column = pa.chunked_array([[[0.0, 0.0], [1.0, 2.0]], [[3.0, 4.0]]], pa.list_(pa.float64()))
    frame = pa.table({"r": column}).slice(1)
    assert array_matrix(frame, "r", 2).tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_lists_of_another_length_are_refused():
    frame = pa.table({"r": pa.array([[1.0, 2.0, 3.0]], pa.list_(pa.float64()))})
    with pytest.raises(ValueError, match="not 2 long"):
        array_matrix(frame, "r", 2)


def test_a_missing_array_is_named():
    with pytest.raises(ValueError, match="rhythm"):
        array_matrix(pa.table({"a": [1.0]}), "rhythm", 168)
