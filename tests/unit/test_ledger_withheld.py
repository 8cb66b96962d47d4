"""Moments at which messages would have gone that were withheld at random: kept beside the places, and read back."""

from __future__ import annotations

from dataclasses import fields

import orjson
import pytest

from decisions.ledger.storage.codec import decision_from_json, decision_to_json
from decisions.ledger.storage.moving import copy
from decisions.records import Decision
from runtime.retention import WITHHELD_DAYS
from tests.worlds.ledger import DAY, HOUR, NOW, ada, fresh, hold, opened, record, recording, send, state


@pytest.fixture
def ledger(database_url):
    with opened(database_url, key=b"tombstones") as ledger:
        yield ledger


def withheld(at, customer_id="ada", **fields):
    return hold(customer_id, **{"held_back": True, "held_back_until": at + 14 * DAY, "withheld_at": at, **fields})


def test_a_moment_withheld_is_no_pressure_and_is_read_oldest_first(ledger):
    moments = [NOW + 2 * DAY, NOW - DAY, NOW - 20 * DAY]
    for at in moments:
        record(ledger, withheld(at, now=min(at, NOW)))
    found = state(ledger)
    assert found.withheld == tuple(sorted(moments))
    assert found.pressure == ()


def test_only_those_of_the_last_ninety_one_days_are_read(ledger):
    for days in (92, 91, 90):
        record(ledger, withheld(NOW - days * DAY, now=NOW - days * DAY))
    assert state(ledger).withheld == (NOW - 90 * DAY,)


def test_an_explored_hold_counts_though_nothing_is_held_back(ledger):
    record(ledger, withheld(NOW + HOUR, held_back=False, held_back_until=None))
    assert state(ledger).withheld == (NOW + HOUR,)
    assert state(ledger).held_back == {}


def test_a_block_of_decisions_leaves_what_each_alone_leaves(ledger):
    decisions = [withheld(NOW + HOUR, who) for who in ("ada", "bob")] + [hold("cleo"), send("dan")]
    people = [each.customer_id for each in decisions]
    with ledger.transaction_many(people) as transaction:
        transaction.record_many([recording(each) for each in decisions])
    found = ledger.states(people, NOW)
    assert [found[each].withheld for each in people] == [(NOW + HOUR,), (NOW + HOUR,), (), ()]
    assert [state(ledger, each).withheld for each in people] == [found[each].withheld for each in people]


def test_the_same_request_again_withholds_no_second_time(ledger):
    decision = withheld(NOW + HOUR)
    assert record(ledger, decision) == record(ledger, decision) == ledger.decision(decision.decision_id)
    assert len(state(ledger).withheld) == 1


def test_what_fails_half_way_withholds_nothing(ledger):
    def fail(transaction):
        transaction.record(withheld(NOW + HOUR), body_hash="body", frozen=b"")
        raise RuntimeError

    with pytest.raises(RuntimeError), ledger.transaction("ada") as transaction:
        fail(transaction)
    assert state(ledger).withheld == ()


def test_an_erasure_leaves_no_moment(ledger):
    record(ledger, withheld(NOW + HOUR))
    assert len(ledger.privacy.holdings("ada").rows["withheld"]) == 1
    assert ledger.privacy.erase("ada", NOW)["withheld"] == 1
    assert ledger.privacy.holdings("ada").counts["withheld"] == 0


def test_a_moment_outlives_its_decision_until_nothing_looks_at_it(ledger):
    at = NOW - 40 * DAY
    record(ledger, withheld(at, now=at, held_back_until=NOW - 30 * DAY))
    assert ledger.retaining.forget("holds", NOW - 30 * DAY, NOW) == 1
    assert ledger.retaining.forget("withheld", NOW, NOW) == 0
    assert state(ledger).withheld == (at,)
    later = at + WITHHELD_DAYS * DAY
    assert state(ledger, now=later).withheld == ()
    assert ledger.retaining.forget("withheld", later, later) == 1


def test_a_decision_recorded_before_moments_were_kept_reads_as_one_that_withheld_none():
    decision = hold()
    body = orjson.loads(decision_to_json(decision))
    later = [field.name for field in fields(Decision)][-3:]
    assert later == ["pace", "withheld_at", "grounds"]
    assert [body.pop(name) for name in later] == [None] * 3
    assert decision_from_json(orjson.dumps(body), "held") == decision


def test_a_ledger_of_the_version_before_gets_its_table(tmp_path):
    with fresh(tmp_path) as ledger:
        ledger.put_customers([ada()])
        with ledger._database.engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE withheld")
            for name in ("decision_id", "message_id", "offer_id", "automated"):
                connection.exec_driver_sql(f"ALTER TABLE inbox DROP COLUMN {name}")
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0003'")
    with opened(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        record(ledger, withheld(NOW + HOUR))
        assert state(ledger).withheld == (NOW + HOUR,)


def test_a_ledger_that_moves_takes_them_along(tmp_path, postgres):
    with fresh(tmp_path) as ledger:
        record(ledger, withheld(NOW + HOUR))
    target = postgres.blank_url()
    assert copy(f"sqlite:///{tmp_path}/ledger.db", target)["withheld"] == 1
    with opened(target) as ledger:
        assert state(ledger).withheld == (NOW + HOUR,)
    postgres.drop(target)
