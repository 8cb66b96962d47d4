"""What a worker has in hand of the shared budgets: leased before a decision, spent with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from runtime.purse import LASTS, MARGIN, Purse, takes_a_place
from tests.worlds.budgets import TODAY, Watch, purse_of, sends, standing, take_all, take_one
from tests.worlds.ledger import DAY, HOUR, NOW, hold, opened, record, send, state


@pytest.fixture
def ledger(database_url):
    with opened(database_url) as ledger:
        yield ledger


def test_a_purse_gives_every_place_and_not_one_more(ledger):
    assert take_all(ledger, purse_of(ledger, 20)) == 20 == sends(ledger)
    assert standing(ledger, 20).left == 0


def test_a_budget_of_zero_is_exhausted_and_no_entry_is_no_limit(ledger):
    assert not take_one(ledger, purse_of(ledger, 0))
    unlimited = Purse(ledger.budgets, {}, clock=Watch())
    assert take_one(ledger, unlimited)
    assert unlimited.standing(NOW) == {}


def test_two_workers_share_the_places(ledger):
    one, two = purse_of(ledger, 30), purse_of(ledger, 30)
    for _ in range(5):
        assert take_one(ledger, one)
        assert take_one(ledger, two)
    one.close()
    assert take_all(ledger, two) == 20


def test_what_is_in_hand_at_the_end_goes_back(ledger):
    purse = purse_of(ledger, 80)
    take_one(ledger, purse)
    assert standing(ledger, 80).leased == 9
    purse.close()
    purse.close()
    assert (standing(ledger, 80).leased, standing(ledger, 80).left) == (0, 79)
    assert take_one(ledger, purse)  # a closed purse may be opened again


def test_the_places_of_a_worker_that_died_come_back_when_its_lease_runs_out(ledger):
    take_one(ledger, purse_of(ledger, 16))
    watch = Watch()
    heir = purse_of(ledger, 16, clock=watch)
    assert take_all(ledger, heir) == 14
    watch.turn(LASTS)
    assert take_all(ledger, heir) == 1
    assert sends(ledger) == 16


def test_two_threads_never_draw_for_one_last_place(ledger):
    """Who came second would be decided anew because of its own draw, and have a wrong propensity."""
    purse = purse_of(ledger, 1)
    with purse.open(NOW) as first, purse.open(NOW) as second:
        assert (first.state.exhausted, second.state.exhausted) == (frozenset(), frozenset({"email"}))
    with purse.open(NOW) as later:
        assert later.state.exhausted == frozenset()  # what was not taken is there again
    purse.close()
    assert standing(ledger, 1).left == 1


def test_a_tab_open_while_the_next_lease_is_taken_spends_of_its_own(ledger):
    purse, decision = purse_of(ledger, 2), send("bob")
    with purse.open(NOW) as tab:
        assert take_one(ledger, purse)
        with ledger.transaction("bob") as transaction:
            tab.take(decision, transaction.state("bob", NOW))
            tab.settle(transaction)
            transaction.record(decision, body_hash="body", frozen=b"")
    assert not take_one(ledger, purse)
    assert (standing(ledger, 2).spent, standing(ledger, 2).leased) == (2, 0)


def test_a_lease_that_runs_out_between_the_draw_and_its_spending_is_never_spent(ledger):
    watch = Watch()
    purse = purse_of(ledger, 3, clock=watch)
    assert take_one(ledger, purse, meanwhile=lambda: watch.turn(LASTS))
    assert sends(ledger) == 1 == standing(ledger, 3, now=watch.now()).spent
    assert take_all(ledger, purse) == 2


def test_a_lease_near_its_end_is_exchanged_before_it_is_used(ledger):
    watch = Watch()
    purse = purse_of(ledger, 8, clock=watch)
    with purse.open(NOW) as tab:
        first = tab.leases["email"]
    watch.turn(LASTS - MARGIN)
    with purse.open(NOW) as tab:
        assert tab.leases["email"].until == first.until + LASTS - MARGIN
    assert standing(ledger, 8).leased == 1


def test_a_new_day_has_places_of_its_own_and_leaves_yesterdays_alone(ledger):
    purse = purse_of(ledger, 2)
    assert take_all(ledger, purse) == 2
    assert take_all(ledger, purse, now=NOW + DAY) == 2
    assert standing(ledger, 2, days=[TODAY, TODAY + DAY]).spent == 4


def test_the_day_of_a_decision_is_its_day_in_utc(ledger):
    tomorrow_in_tokyo = (NOW + 14 * HOUR).astimezone(ZoneInfo("Asia/Tokyo"))
    assert take_one(ledger, purse_of(ledger, 1), now=tomorrow_in_tokyo)
    assert standing(ledger, 1).spent == 1


def test_a_purse_over_several_days_spends_them_all(ledger):
    days = [TODAY + number * DAY for number in range(3)]
    assert take_all(ledger, purse_of(ledger, 5, days=days)) == 15


def test_a_look_tells_what_is_exhausted_and_leases_nothing(ledger):
    purse = purse_of(ledger, 1, prices={"email": 0.5})
    assert purse.look(NOW).exhausted == frozenset()
    assert standing(ledger, 1).leased == 0
    take_one(ledger, purse)
    assert (purse.look(NOW).exhausted, purse.look(NOW).prices) == ({"email"}, {"email": 0.5})


def test_places_in_hand_are_not_exhausted_to_a_look(ledger):
    purse = purse_of(ledger, 1)
    with purse.open(NOW):
        pass
    assert purse.look(NOW).exhausted == frozenset()
    assert purse_of(ledger, 1).look(NOW).exhausted == {"email"}


def test_a_tab_says_when_its_places_are_used_up(ledger):
    with purse_of(ledger, 8).open(NOW) as tab:
        assert not tab.used_up
        tab.take(send(), state(ledger))
        assert tab.used_up


def fail():
    raise ZeroDivisionError


def test_a_decision_that_is_undone_leaves_its_place_in_hand(ledger):
    purse = purse_of(ledger, 1)
    with pytest.raises(ZeroDivisionError):
        take_one(ledger, purse, then=fail)
    assert take_one(ledger, purse)


def test_many_threads_share_one_purse(ledger):
    purse = purse_of(ledger, 60)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: take_one(ledger, purse), range(100)))
    assert sum(taken) == 60 == sends(ledger)


def test_only_a_message_that_is_sent_for_marketing_or_service_takes_a_place(ledger):
    known = state(ledger)
    assert [takes_a_place(send(purpose=each), known) for each in ("marketing", "service", "transactional")] == [
        True,
        True,
        False,
    ]
    assert not takes_a_place(hold(channel="email", held_back=True), known)


@pytest.mark.parametrize(("channel", "takes"), [("email", False), ("sms", True)])
def test_a_message_that_displaces_another_on_its_channel_goes_in_its_place(ledger, channel, takes):
    first = record(ledger, send(channel=channel))
    record(ledger, send(at=NOW + timedelta(days=2)))
    better = send(displaces=first.decision_id)
    assert takes_a_place(better, state(ledger)) is takes
