"""Places of a shared budget: lent in blocks, spent with what is recorded, given back once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from decisions.ledger import LeaseLost
from decisions.ledger.places import budgets
from decisions.ledger.places.budgets import LARGEST, block_of
from tests.worlds.budgets import TODAY, standing
from tests.worlds.ledger import DAY, NOW, opened, recording, send

TTL = timedelta(minutes=3)
LATER = NOW + TTL
TOMORROW = TODAY + DAY


@pytest.fixture
def ledger(database_url):
    with opened(database_url) as ledger:
        yield ledger


def lease(ledger, *, limit=80, now=NOW, days=(TODAY,), channel="email"):
    return ledger.budgets.lease(channel, days, limit=limit, now=now, ttl=TTL)


def spend(ledger, held, places=1, *, now=NOW):
    with ledger.transaction("ada") as transaction:
        transaction.spend(held, places, now)


def numbers(ledger, *, limit=80, now=NOW):
    found = standing(ledger, limit, now=now)
    return found.spent, found.leased, found.left


def test_a_lease_is_a_small_part_of_what_is_left(ledger):
    first, second = lease(ledger), lease(ledger)
    assert (first.places, second.places) == (10, 8)
    assert numbers(ledger) == (0, 18, 62)


@given(st.integers(1, 100_000))
def test_a_block_is_never_empty_nor_more_than_is_left(left):
    assert 1 <= block_of(left) <= min(left, LARGEST)


def test_every_place_is_lent_and_not_one_more(ledger):
    lent = 0
    while held := lease(ledger, limit=100):
        lent += held.places
    assert lent == 100


def test_a_limit_of_zero_lends_nothing(ledger):
    assert lease(ledger, limit=0) is None


def test_spent_places_stay_spent_when_the_rest_goes_back(ledger):
    held = lease(ledger)
    spend(ledger, held, 3)
    assert ledger.budgets.release([held.lease_id]) == 7
    assert numbers(ledger) == (3, 0, 77)


def test_a_lease_goes_back_once_however_often_it_is_released(ledger):
    held, other = lease(ledger), lease(ledger)
    assert ledger.budgets.release([held.lease_id]) == 10
    assert ledger.budgets.release([held.lease_id]) == 0
    assert ledger.budgets.release([]) == 0
    assert numbers(ledger) == (0, other.places, 72)


def test_what_has_run_out_is_left_again_and_lent_again(ledger):
    held = lease(ledger, limit=1)
    assert lease(ledger, limit=1) is None
    assert numbers(ledger, limit=1, now=LATER) == (0, 0, 1)
    again = lease(ledger, limit=1, now=LATER)
    assert (again.places, again.lease_id != held.lease_id) == (1, True)


def test_a_lease_that_ran_out_cannot_be_spent_though_nobody_took_it_back(ledger):
    held = lease(ledger)
    with pytest.raises(LeaseLost, match="email"):
        spend(ledger, held, now=LATER)


def test_a_lease_taken_back_by_a_clock_ahead_cannot_be_spent(ledger):
    held = lease(ledger, limit=1)
    assert lease(ledger, limit=1, now=LATER)
    with pytest.raises(LeaseLost):
        spend(ledger, held)
    assert numbers(ledger, limit=1) == (0, 1, 0)


def test_no_more_can_be_spent_than_was_lent(ledger):
    held = lease(ledger)
    with pytest.raises(LeaseLost):
        spend(ledger, held, held.places + 1)
    spend(ledger, held, held.places)
    with pytest.raises(LeaseLost):
        spend(ledger, held)
    assert numbers(ledger)[0] == held.places


def spend_record_and_fail(ledger, held):
    with ledger.transaction("ada") as transaction:
        transaction.spend(held, 1, NOW)
        transaction.record_many([recording(send())])
        raise ZeroDivisionError


def test_a_place_is_spent_with_the_record_or_not_at_all(ledger):
    held = lease(ledger)
    with pytest.raises(ZeroDivisionError):
        spend_record_and_fail(ledger, held)
    assert numbers(ledger)[0] == 0
    assert ledger.decisions_table().num_rows == 0


def test_a_limit_lowered_meanwhile_lends_nothing_more(ledger):
    held = lease(ledger, limit=80)
    spend(ledger, held, 10)
    assert lease(ledger, limit=10) is None
    assert numbers(ledger, limit=5) == (10, 0, 0)


def test_days_and_channels_do_not_touch_each_other(ledger):
    lease(ledger), lease(ledger, channel="sms"), lease(ledger, days=[TOMORROW])
    assert [numbers(ledger)[1], standing(ledger, 80, days=[TOMORROW]).leased] == [10, 10]
    assert standing(ledger, 80, days=[TODAY, TOMORROW]).left == 140


def test_a_lease_over_several_days_comes_from_the_day_with_most_left(ledger):
    days = [TODAY, TOMORROW]
    assert [lease(ledger, days=days).day for _ in range(4)] == [TODAY, TOMORROW, TODAY, TOMORROW]


def test_the_last_places_of_any_day_are_found(ledger):
    days, lent = [TODAY, TOMORROW], 0
    while held := lease(ledger, limit=3, days=days):
        lent += held.places
    assert lent == 6


def test_a_block_shrinks_where_others_were_quicker(ledger):
    wanted = lease(ledger, limit=80)
    assert ledger.budgets._lend(replace(wanted, lease_id="slow", places=8), 13, 0).places == 2


def test_on_postgresql_what_is_being_spent_is_passed_over_rather_than_waited_for():
    assert str(budgets._RUN_OUT.compile(dialect=postgresql.dialect())).endswith("FOR UPDATE SKIP LOCKED")
    assert "FOR UPDATE" not in str(budgets._RUN_OUT.compile(dialect=sqlite.dialect()))
