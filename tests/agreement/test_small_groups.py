"""Tables, labels and training sets on lakes of many small customers, through the lake, against plain Python."""

import pytest

from tests.worlds.small_groups import check, check_store


@pytest.mark.parametrize("seed", [0, 4])
def test_every_table_and_label_says_what_plain_python_says(seed, tmp_path):
    assert check(seed, tmp_path) > 500


def test_every_row_of_a_training_set_is_what_was_known_at_its_moment(tmp_path):
    assert check_store(1, tmp_path) == 150
