"""Every confirm keeps P1 to P3: what came between reservation and sending is seen under the customer's lock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from decisions.ledger import Ledger
from features.contracts import Preference
from runtime.guard import guard_of
from tests.worlds.deciding import catalogue, offer, policy
from tests.worlds.ledger import DAY, HOUR, NOW, ada, consent, event, fresh, record, send, url_in

STOCK = catalogue(offer("coffee"), offer("tea"))


def ledger_with(folder, stock=STOCK, **rules) -> Ledger:
    ledger = fresh(folder, guard=guard_of(policy(**rules), stock))
    ledger.put_customers([ada()])
    ledger.append_consents([consent()], NOW)
    return ledger


def place(ledger, **fields):
    return record(ledger, send(**{"campaign_id": None, **fields}))


def confirm(ledger, decision, after=timedelta(0)):
    return ledger.confirm(decision.decision_id, decision.send_at + after)


def foreign(ledger, at, **fields):
    ledger.take_events([event("sent", channel="email", at=at, message_id=f"m{at.timestamp()}", **fields)], at)


def test_with_nothing_between_permission_is_given(tmp_path):
    with ledger_with(tmp_path, caps=[{"limit": 1, "window": "7d"}], min_gap_hours=24) as ledger:
        assert confirm(ledger, place(ledger)).code == "confirmed"


def test_a_foreign_send_between_reservation_and_confirm_fills_the_cap(tmp_path):
    with ledger_with(tmp_path, caps=[{"limit": 1, "window": "7d"}]) as ledger:
        decision = place(ledger)
        foreign(ledger, NOW)
        verdict = confirm(ledger, decision)
        assert (verdict.status, verdict.code, verdict.state) == ("refused", "cap", "withdrawn")
        assert "1 per 7d" in verdict.message
        assert type(verdict.code) is str
        assert confirm(ledger, decision).code == "withdrawn"
        (change,) = [each for each in ledger.timeline("ada") if each.kind == "change"]
        assert (change.what, change.detail) == ("withdrawn", "cap")


def test_what_may_go_later_in_its_window_stays_reserved_and_goes_then(tmp_path):
    with ledger_with(tmp_path, min_gap_hours=2) as ledger:
        decision = place(ledger)
        foreign(ledger, NOW)
        verdict = confirm(ledger, decision)
        assert (verdict.code, verdict.state) == ("min_gap", "reserved")
        assert "ask again at 2026-03-02T11:00:00+00:00" in verdict.message
        assert confirm(ledger, decision, HOUR).code == "confirmed"


def test_a_zone_that_changed_puts_it_into_the_night(tmp_path):
    with ledger_with(tmp_path, quiet_hours=[{"from_hour": 21, "until_hour": 8}]) as ledger:
        decision = place(ledger, at=NOW + 6 * HOUR)
        ledger.put_customers([ada(time_zone="Asia/Tokyo")])
        assert confirm(ledger, decision).code == "quiet_hours"


def test_a_zone_that_changed_puts_two_days_into_one(tmp_path):
    late, early = (NOW.replace(hour=hour) for hour in (21, 23))
    with ledger_with(tmp_path, caps=[{"limit": 1, "window": "day"}]) as ledger:
        first, second = place(ledger, at=late, lasts=HOUR), place(ledger, at=early, lasts=HOUR)
        ledger.put_customers([ada(time_zone="UTC")])
        assert [confirm(ledger, each).code for each in (first, second)] == ["cap", "confirmed"]


@pytest.mark.parametrize(("late", "code"), [(0, "preference_quiet_hours"), (-1, "confirmed")])
def test_quiet_hours_that_began_stop_a_late_sender(tmp_path, late, code):
    with ledger_with(tmp_path) as ledger:
        decision = place(ledger)  # for 11 o'clock in Berlin
        ledger.put_preference(Preference(customer_id="ada", quiet_from=12, quiet_until=24))
        assert confirm(ledger, decision, HOUR + timedelta(seconds=late)).code == code


def test_a_customers_own_limit_lowered_meanwhile_counts(tmp_path):
    with ledger_with(tmp_path) as ledger:
        decision = place(ledger)
        foreign(ledger, NOW)
        ledger.put_preference(Preference(customer_id="ada", max_per_week=1))
        assert confirm(ledger, decision).code == "preference_cap"


def test_a_withdrawal_that_arrives_late_stops_it(tmp_path):
    with ledger_with(tmp_path) as ledger:
        decision = place(ledger)
        ledger.append_consents([consent("withdrawn", at=NOW - HOUR)], NOW + HOUR)
        assert confirm(ledger, decision).status == "refused"
        again = place(ledger)
        assert (confirm(ledger, again).code, confirm(ledger, again).state) == ("consent_withdrawn", "withdrawn")


def test_the_decisions_own_place_does_not_stand_in_its_way(tmp_path):
    rules = {"caps": [{"limit": 1, "window": "7d"}], "min_gap_hours": 24, "cooldowns": {"after_sent_days": 9}}
    with ledger_with(tmp_path, **rules) as ledger:
        assert confirm(ledger, place(ledger), 3 * HOUR).code == "confirmed"


def test_places_that_lapsed_no_longer_count(tmp_path):
    with ledger_with(tmp_path, caps=[{"limit": 1, "window": "7d"}]) as ledger:
        lapsed = place(ledger, lasts=HOUR)
        decision = place(ledger, at=NOW + DAY)
        assert confirm(ledger, decision).code == "confirmed"
        assert ledger.decision(lapsed.decision_id).state == "expired"


def test_in_one_bulk_confirm_each_sees_those_before_it(tmp_path):
    with ledger_with(tmp_path, min_gap_hours=24) as ledger:
        ids = [place(ledger, offer_id=name).decision_id for name in ("coffee", "tea", "coffee")]
        codes = [each.code for each in ledger.confirm_many(ids, NOW + HOUR)]
        assert codes == ["min_gap", "min_gap", "confirmed"]


@pytest.mark.parametrize("repetition", range(5))
def test_a_cap_of_one_sends_one_under_two_workers(tmp_path, repetition):
    """Two places that no cap allows together, as a policy made stricter leaves them; two workers ask at once."""
    rules = {"caps": [{"limit": 1, "window": "7d"}]}
    with ledger_with(tmp_path, **rules) as ledger:
        both = [place(ledger, offer_id=name).decision_id for name in ("coffee", "tea")]
    ready = Barrier(2)

    def ask(key):
        with Ledger.open(url_in(tmp_path), guard=guard_of(policy(**rules), STOCK)) as mine:
            ready.wait()
            return mine.confirm(key, NOW + HOUR).status

    with ThreadPoolExecutor(2) as workers:
        assert sorted(workers.map(ask, both)) == ["confirmed", "refused"]


def test_a_message_taken_out_of_the_catalogue_is_withdrawn_and_says_so(tmp_path):
    with ledger_with(tmp_path, catalogue(offer("tea"))) as ledger:
        verdict = confirm(ledger, place(ledger))
        assert (verdict.code, verdict.state) == ("not_in_catalogue", "withdrawn")
        assert "no longer has the offer" in verdict.message
