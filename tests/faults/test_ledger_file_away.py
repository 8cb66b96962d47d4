"""The ledger's file is moved away while it is in use, and comes back."""

import shutil

import pytest

from decisions.ledger import Ledger, LedgerUnavailable
from tests.worlds.ledger import fresh, record, send, url_in


@pytest.fixture
def ledger(tmp_path):
    with fresh(tmp_path) as ledger:
        record(ledger, send(decision_id="before", request_id="before"))
        yield ledger


@pytest.fixture
def away(tmp_path):
    (tmp_path / "away").mkdir()
    return tmp_path / "away"


def move(source, target):
    for each in source.glob("ledger.db*"):
        shutil.move(each, target / each.name)


def test_nothing_is_acknowledged_while_the_file_is_away_and_no_empty_one_takes_its_place(ledger, tmp_path, away):
    move(tmp_path, away)
    for _ in range(3):
        with pytest.raises(LedgerUnavailable, match="file is gone"):
            record(ledger, send())
    assert list(tmp_path.glob("ledger.db*")) == []


def test_the_same_ledger_goes_on_once_the_file_is_back(ledger, tmp_path, away):
    move(tmp_path, away)
    with pytest.raises(LedgerUnavailable):
        ledger.decision("before")
    move(away, tmp_path)
    after = record(ledger, send())
    with Ledger.open(url_in(tmp_path)) as other:
        assert other.decision("before").decision_id == "before"
        assert other.decision(after.decision_id).decision_id == after.decision_id


def test_a_file_restored_from_a_backup_is_the_one_that_is_written_to(ledger, tmp_path, away):
    with fresh(away) as backup:
        record(backup, send(decision_id="restored", request_id="restored"))
    for each in tmp_path.glob("ledger.db*"):
        each.unlink()
    move(away, tmp_path)
    assert ledger.decision("restored").decision_id == "restored"
    after = record(ledger, send())
    with Ledger.open(url_in(tmp_path)) as other:
        assert other.decision(after.decision_id).decision_id == after.decision_id
