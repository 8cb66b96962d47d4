"""The independent recount finds what was planted, and nothing where the promises were kept."""

import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import create_engine

from pipelines.recount import PROMISES, Rules, recount
from tests.worlds.ledger import DAY, HOUR, NOW, ada, consent, event, opened, record, send

BERLIN = ZoneInfo("Europe/Berlin")
POLICY = {
    "caps": [{"limit": 2, "window": "7d"}, {"limit": 1, "window": "day", "channel": "sms"}],
    "min_gap_hours": 24.0,
    "channel_gap_hours": {"sms": 72.0},
    "quiet_hours": [{"from_hour": 21, "until_hour": 8}],
}


@pytest.fixture
def ledger(database_url):
    with opened(database_url) as ledger:
        ledger.put_customers([ada()])
        ledger.append_consents([consent(), consent(channel="sms"), consent(purpose="service")], NOW)
        yield ledger


@pytest.fixture
def judge(database_url):
    def judged(policy=POLICY, **options):
        report = recount(database_url, Rules.of(policy, **options))
        return {promise: count for promise, count in report.counts.items() if count}

    return judged


@pytest.fixture
def plant(database_url):
    def planted(statement):
        engine = create_engine(database_url)
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    return planted


def berlin(at, **fields):
    return send(at=at, send_at_local=at.astimezone(BERLIN).isoformat(), **fields)


def test_kept_promises_count_zero(ledger, judge):
    first = record(ledger, berlin(NOW + HOUR))
    record(ledger, berlin(NOW + 2 * DAY))
    ledger.confirm(first.decision_id, first.send_at)
    record(ledger, berlin(NOW + 9 * DAY))
    assert judge() == {}


def test_every_promise_is_reported_even_when_kept(ledger, database_url):
    record(ledger, berlin(NOW + HOUR))
    report = recount(database_url, Rules.of(POLICY))
    assert report.counts == dict.fromkeys(PROMISES, 0)
    assert (report.customers, report.sends) == (1, 1)


def test_a_rolling_cap_overrun_is_found_in_either_direction_of_time(ledger, judge):
    for days in (0, 6, 3):
        record(ledger, berlin(NOW + HOUR + days * DAY))
    assert judge() == {"caps": 1}


def test_messages_exactly_a_window_apart_share_none(ledger, judge):
    for days in (0, 3, 7):
        record(ledger, berlin(NOW + HOUR + days * DAY, lasts=timedelta(seconds=1)))
    assert judge() == {}


def test_a_reservation_counts_wherever_it_may_still_go(ledger, judge):
    policy = {"caps": [{"limit": 1, "window": "7d"}]}
    record(ledger, berlin(NOW + HOUR, lasts=6 * HOUR))
    record(ledger, berlin(NOW + HOUR + 7 * DAY + 6 * HOUR, lasts=2 * HOUR))
    assert judge(policy) == {}
    record(ledger, berlin(NOW + HOUR + 14 * DAY, lasts=HOUR))
    assert judge(policy) == {"caps": 1}


def test_a_calendar_cap_follows_the_customers_own_day(ledger, judge):
    late = datetime(2026, 3, 3, 22, 30, tzinfo=UTC)  # 23:30 in Berlin
    policy = {"caps": [{"limit": 1, "window": "day"}]}
    record(ledger, berlin(late, lasts=timedelta(minutes=20)))
    record(ledger, berlin(late + HOUR, lasts=timedelta(minutes=20)))
    assert judge(policy) == {}
    record(ledger, berlin(late - 5 * HOUR, lasts=HOUR))
    assert judge(policy) == {"caps": 1}


@pytest.mark.parametrize("window", ["week", "month"])
def test_weeks_begin_on_monday_and_months_on_the_first(ledger, judge, window):
    inside, outside = {"week": (8, 9), "month": (31, 32)}[window]
    march = datetime(2026, 3, 1, 12, tzinfo=UTC) - DAY
    policy = {"caps": [{"limit": 1, "window": window}]}
    record(ledger, berlin(march + outside * DAY))
    record(ledger, berlin(march + inside * DAY))
    assert judge(policy) == {}
    record(ledger, berlin(march + (inside - 1) * DAY))
    assert judge(policy) == {"caps": 1}


def test_caps_count_only_their_scope_and_purpose(ledger, judge):
    policy = {"caps": [{"limit": 1, "window": "7d", "offer_id": "tea"}]}
    record(ledger, berlin(NOW + HOUR, offer_id="tea", purpose="service"))
    record(ledger, berlin(NOW + HOUR, offer_id="tea"))
    record(ledger, berlin(NOW + HOUR))
    assert judge(policy) == {}


def test_an_offers_own_cap_and_a_cap_of_zero_count(ledger, judge):
    record(ledger, berlin(NOW + HOUR))
    assert judge({}, offers=[{"offer_id": "coffee", "caps": [{"limit": 0, "window": "1d"}]}]) == {"caps": 1}


def test_a_place_given_back_before_the_grant_does_not_count_but_after_it_does(ledger, judge):
    policy = {"caps": [{"limit": 1, "window": "7d"}]}
    first = record(ledger, berlin(NOW + HOUR))
    ledger.release(first.decision_id, NOW)
    second = record(ledger, berlin(NOW + HOUR))
    assert judge(policy) == {}
    record(ledger, berlin(NOW + 2 * HOUR))
    ledger.release(second.decision_id, NOW)
    assert judge(policy) == {"caps": 1}


def test_a_foreign_send_known_before_the_grant_counts_and_one_known_after_does_not(ledger, judge):
    policy = {"caps": [{"limit": 1, "window": "7d"}]}
    record(ledger, berlin(NOW + HOUR))
    ledger.take_events([event("sent", channel="email")], NOW)
    assert judge(policy) == {}
    record(ledger, berlin(NOW + 6 * DAY + 12 * HOUR))
    assert judge(policy) == {"caps": 1}


def test_gaps_over_all_channels_and_on_one_are_found(ledger, judge):
    record(ledger, berlin(NOW + HOUR, channel="sms"))
    record(ledger, berlin(NOW + HOUR + 48 * HOUR, channel="sms"))
    assert judge() == {"gaps": 1}
    record(ledger, berlin(NOW + HOUR + 96 * HOUR - timedelta(seconds=1)))
    assert judge()["gaps"] == 1
    record(ledger, berlin(NOW + HOUR + 71 * HOUR))
    assert judge()["gaps"] == 2


@pytest.mark.parametrize(("hour", "lasts", "found"), [(8, 13, {}), (7, 1, {"quiet": 1}), (20, 2, {"quiet": 1})])
def test_the_whole_window_must_lie_outside_quiet_hours(ledger, judge, hour, lasts, found):
    local = datetime(2026, 3, 4, hour, tzinfo=BERLIN)
    record(ledger, berlin(local.astimezone(UTC), lasts=lasts * HOUR))
    assert judge() == found


@pytest.mark.parametrize(
    ("begins", "lasts", "found"),
    [(21 * 60, 30, {}), (21 * 60, 31, {"quiet": 1}), (7 * 60 + 44, 1, {"quiet": 1}), (7 * 60 + 45, 60, {}),
     (12 * 60, 40, {"quiet": 1}), (12 * 60 + 10, 30, {})],
)  # fmt: skip
def test_quiet_hours_are_recounted_to_the_minute(ledger, judge, begins, lasts, found):
    quiet = [{"from_hour": "21:30", "until_hour": "07:45"}, {"from_hour": "12:07", "until_hour": "12:10"}]
    local = datetime(2026, 3, 4, tzinfo=BERLIN) + timedelta(minutes=begins)
    record(ledger, berlin(local.astimezone(UTC), lasts=timedelta(minutes=lasts)))
    assert judge({"quiet_hours": quiet}) == found


@pytest.mark.parametrize(("day", "hour"), [(29, 6), (29, 19)])
def test_quiet_hours_follow_the_clock_when_it_changes(ledger, judge, day, hour):
    """On 29 March 2026 Berlin springs forward: 8 and 21 o'clock are 6 and 19 UTC, an hour earlier than before."""
    at = datetime(2026, 3, day, hour, tzinfo=UTC)
    record(ledger, berlin(at if hour == 6 else at - HOUR, lasts=HOUR))
    assert judge() == {}
    record(ledger, berlin(at - HOUR if hour == 6 else at, lasts=HOUR, channel="push", now=NOW))
    assert judge()["quiet"] == 1


def test_a_customer_of_unknown_zone_is_judged_in_every_zone_of_the_country(ledger, judge):
    ledger.put_customers([ada(time_zone=None, country="US")])
    record(ledger, send(at=datetime(2026, 3, 4, 14, tzinfo=UTC), lasts=HOUR))
    assert judge(zones={"US": ("America/New_York",)}) == {}
    assert judge(zones={"US": ("America/New_York", "America/Los_Angeles")}) == {"quiet": 1}


def test_a_zone_changed_since_is_nobodys_broken_promise(ledger, judge):
    record(ledger, berlin(datetime(2026, 3, 4, 19, tzinfo=UTC), lasts=HOUR))
    ledger.put_customers([ada(time_zone="Asia/Tokyo")])
    assert judge() == {}


def test_a_send_without_a_grant_is_found(ledger, judge):
    record(ledger, berlin(NOW + HOUR, channel="push"))
    assert judge() == {"consent": 1}


def test_a_send_decided_or_confirmed_after_the_withdrawal_is_found(ledger, judge, plant):
    first = record(ledger, berlin(NOW + HOUR))
    ledger.append_consents([consent("withdrawn", at=NOW)], NOW)
    assert judge() == {}
    plant(
        f"UPDATE decision SET state = 'confirmed', confirmed_at = send_at WHERE decision_id = '{first.decision_id}'"
    )
    assert judge()["consent"] == 1


def test_a_place_still_reserved_after_the_withdrawal_is_found(ledger, judge, plant):
    record(ledger, berlin(NOW + HOUR))
    plant("UPDATE consent SET status = 'withdrawn', after_audit = 99 WHERE channel = 'email'")
    assert judge() == {"consent": 2}


def test_a_withdrawal_after_the_confirm_breaks_nothing(ledger, judge):
    first = record(ledger, berlin(NOW + HOUR))
    ledger.confirm(first.decision_id, first.send_at)
    ledger.append_consents([consent("withdrawn", at=NOW)], first.send_at)
    assert judge() == {}


def test_a_double_confirm_is_found(ledger, judge, plant):
    first = record(ledger, berlin(NOW + HOUR))
    ledger.confirm(first.decision_id, first.send_at)
    plant(
        "INSERT INTO audit (customer_id, decision_id, what, at) SELECT customer_id, decision_id, what, at FROM audit WHERE what = 'confirmed'"
    )
    assert judge() == {"once": 1}


def test_a_confirm_of_what_was_over_is_found(ledger, judge, plant):
    first = record(ledger, berlin(NOW + HOUR))
    ledger.confirm(first.decision_id, first.send_at)
    plant("UPDATE decision SET confirmed_at = expires_at")
    assert judge() == {"window": 1}


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM pressure", "DELETE FROM record", "UPDATE decision SET state = 'released'", "DELETE FROM audit"],
)
def test_a_lost_or_leaked_place_or_record_is_found(ledger, judge, plant, statement):
    record(ledger, berlin(NOW + HOUR))
    plant(statement)
    assert judge()["whole"] == 1


def test_a_ledger_at_work_is_judged_as_it_stood_at_one_moment(ledger, judge):
    over = threading.Event()

    def work():
        for number in range(2_000):  # on a machine too slow to end the recounts first, it must end by itself
            record(ledger, send(f"c{number % 500}"))
            if over.wait(0.002):  # the recount grows with the square of one customer's messages
                break

    worker = threading.Thread(target=work)
    worker.start()
    try:
        judged = [judge({"opt_in_purposes": ()}) for _ in range(8)]
    finally:
        over.set()
        worker.join()
    assert judged == [{}] * 8


def test_the_old_spelling_of_postgresql_is_understood(postgres):
    url = postgres.fresh_url()
    assert recount(url.replace("postgresql://", "postgres://"), Rules.of({})).sends == 0
    postgres.drop(url)
