"""A ledger that moved to another database is the same ledger."""

import pytest

from decisions.ledger import LedgerUnavailable
from decisions.ledger.storage.moving import copy
from pipelines.recount import Rules, recount
from tests.worlds.ledger import DAY, HOUR, NOW, ada, consent, event, hold, opened, record, send, state


@pytest.fixture
def target(postgres):
    url = postgres.blank_url()
    yield url
    postgres.drop(url)


def live(ledger):
    ledger.put_customers([ada(), ada(customer_id="bob")])
    ledger.append_consents([consent(), consent("withdrawn", "bob")], NOW)
    first, second = record(ledger, send(at=NOW + HOUR)), record(ledger, send())
    record(ledger, hold(held_back=True, held_back_until=NOW + DAY))
    ledger.confirm(first.decision_id, first.send_at)
    ledger.release(second.decision_id, NOW)
    record(ledger, send("eve"))
    ledger.take_events([event("sent", channel="sms", message_id="m")], NOW)  # knows of eve's entry in the audit
    ledger.erase("eve", NOW)
    return first


@pytest.fixture
def moved(database_url, target):
    with opened(database_url) as ledger:
        decision = live(ledger)
        told = ledger.timeline("ada"), state(ledger), ledger.decisions_table()
    counts = copy(database_url, target)
    assert counts["decision"] == 3
    with opened(target) as ledger:
        yield ledger, decision, told


def test_it_answers_as_before(moved):
    ledger, decision, told = moved
    assert (ledger.timeline("ada"), state(ledger), ledger.decisions_table()) == told
    assert ledger.confirm(decision.decision_id, decision.send_at).code == "already_confirmed"


def test_what_happens_next_comes_after_all_that_happened(moved, target):
    ledger, *_ = moved
    later = record(ledger, send(at=NOW + DAY))
    rules = Rules.of({"caps": [{"limit": 2, "window": "7d", "channel": None}]})
    (broken,) = recount(target, rules).violations  # the third message: it must know of the second
    assert broken.decision_id == later.decision_id


def test_a_target_that_holds_something_is_left_alone(database_url, target):
    with opened(target) as ledger:
        ledger.put_customers([ada()])
    with pytest.raises(LedgerUnavailable, match=r"holds rows of '\w+' already.*empty"):
        copy(database_url, target)
    with opened(target) as ledger:
        assert ledger.customer_ids() == ["ada"]


def test_it_moves_nowhere_but_into_postgresql(database_url, tmp_path):
    with pytest.raises(LedgerUnavailable, match="postgresql://"):
        copy(database_url, f"sqlite:///{tmp_path}/other.db")
