from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr

from runtime.keyfiles import kept_secret


def test_a_given_secret_is_used_and_nothing_is_written(tmp_path):
    path = tmp_path / "salt"
    assert kept_secret(path, given=SecretStr("mine")).get_secret_value() == "mine"
    assert not path.exists()


def test_a_secret_is_generated_once_and_kept(tmp_path):
    path = tmp_path / "home" / "salt"
    first = kept_secret(path)
    assert len(first.get_secret_value()) >= 43
    assert kept_secret(path) == first


def test_only_the_owner_may_read_it(tmp_path):
    kept_secret(tmp_path / "salt")
    assert stat.S_IMODE((tmp_path / "salt").stat().st_mode) == 0o600


def test_workers_that_start_together_agree_on_one_secret(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        found = {s.get_secret_value() for s in pool.map(lambda _: kept_secret(tmp_path / "salt"), range(64))}
    assert len(found) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["salt"], "no draft is left behind"


def test_an_empty_file_is_refused_by_name(tmp_path):
    (tmp_path / "salt").write_text("\n")
    with pytest.raises(ValueError, match="salt is empty"):
        kept_secret(tmp_path / "salt")


def test_a_secret_does_not_show_itself(tmp_path):
    secret = kept_secret(tmp_path / "salt")
    assert secret.get_secret_value() not in repr(secret)
