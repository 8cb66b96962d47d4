"""Single rules of the feature tables, by hand."""

from datetime import date, timedelta

import ibis
import pyarrow as pa
import pytest

from features.rhythm import rhythm, signs_of_life
from features.tables import activity, contact, pressure
from tests.worlds.features import customer, customers_table, event, events_table, run, utc

JUNE = date(2017, 6, 1)
JUNE_BEGINS = utc(2017, 6, 1)


def _activity(rows, until=JUNE):
    return run(lambda events: activity(events, until=until), rows)


def _last(found, who="a"):
    return found[who, JUNE_BEGINS]


def test_a_basket_in_several_events_is_one_order_with_all_its_spend():
    at = utc(2017, 5, 30, 10)
    rows = [
        event("a", "purchased", at, value=v, order_id="b1", category=c) for v, c in ((2.0, "milk"), (3.0, "tea"))
    ]
    row = _last(_activity(rows))
    assert (row["orders_7d"], row["spend_7d"], row["active_days_7d"]) == (1, 5.0, 1)


def test_purchases_without_an_order_are_orders_of_their_own():
    at = utc(2017, 5, 30, 10)
    assert _last(_activity([event("a", "purchased", at), event("a", "purchased", at)]))["orders_7d"] == 2


def test_an_order_id_is_one_customers_own():
    at = utc(2017, 5, 30, 10)
    found = _activity([event(who, "purchased", at, order_id="b1") for who in ("a", "b")])
    assert [_last(found, who)["orders_7d"] for who in ("a", "b")] == [1, 1]


def test_an_order_that_runs_past_midnight_happens_when_it_begins():
    rows = [event("a", "purchased", utc(2017, 5, d), order_id="b1", value=1.0) for d in (24, 25)]
    found = _activity(rows, until=JUNE)
    assert _last(found)["orders_7d"] == 0
    assert _last(found)["spend_7d"] == 1.0


def test_what_cannot_be_computed_is_null_and_what_did_not_happen_is_zero():
    row = _last(_activity([event("a", "session", utc(2017, 5, 30))]))
    assert (row["recency_days"], row["gap_mean_days"], row["overdue"]) == (None, None, None)
    assert (row["orders_365d"], row["spend_7d"], row["sessions_7d"]) == (0, 0, 1)


def test_the_session_zone_of_a_connection_changes_nothing():
    rows = [event("a", "purchased", utc(2017, 5, 30, 23, 30), value=1.0)]
    connection = ibis.duckdb.connect()
    connection.raw_sql("SET TimeZone = 'Pacific/Kiritimati'")
    table = activity(connection.create_table("events", events_table(rows)), until=JUNE)
    moments = connection.to_pyarrow(table)["event_timestamp"].cast(pa.timestamp("us", "UTC")).to_pylist()
    assert sorted(moments) == [utc(2017, 5, 31), utc(2017, 6, 1)]


def test_recency_ranks_like_the_days_since_the_last_basket():
    baskets = {"a": utc(2017, 5, 30, 8), "b": utc(2017, 5, 30, 9), "c": utc(2017, 5, 1)}
    found = _activity([event(who, "purchased", at) for who, at in baskets.items()])
    recency = {who: _last(found, who)["recency_days"] for who in baskets}
    assert recency == {who: (utc(2017, 6, 1) - at) / timedelta(days=1) for who, at in baskets.items()}


def test_one_send_reported_by_two_sources_is_one_send():
    rows = [
        event("a", "sent", utc(2017, 5, 29), channel="mail", decision="d1"),
        event("a", "sent", utc(2017, 5, 30), channel="mail", decision="d1", message="m1"),
        event("a", "sent", utc(2017, 5, 31), channel="mail", message="m2"),
    ]
    row = _last(run(lambda events: pressure(events, until=JUNE, channel="mail"), rows))
    assert row["mail_sent_7d"] == 2
    assert row["mail_days_since_sent"] == 1


def test_machine_opens_and_other_channels_are_no_response():
    rows = [
        event("a", "opened", utc(2017, 5, 30), channel="mail", automated=True),
        event("a", "opened", utc(2017, 5, 30), channel="email"),
        event("a", "bounced", utc(2017, 5, 30), channel="mail", automated=True),
    ]
    row = _last(run(lambda events: pressure(events, until=JUNE, channel="mail"), rows))
    assert (row["mail_opened_7d"], row["mail_bounced_7d"]) == (0, 1)


def _states(rows, people):
    channels = ("email", "sms")
    table = run(lambda events, customers: contact(events, customers, as_of=JUNE, channels=channels), rows, people)
    return {who: (row["email_contact"], row["sms_contact"]) for (who, _), row in table.items()}


def _bounce(who, day, **properties):
    return event(who, "bounced", utc(2017, 5, day), channel="email", **properties)


def test_the_more_cautious_of_declared_state_and_bounces_wins():
    people = [customer(who, email="valid") for who in ("fine", "soft", "hard", "late")]
    rows = [
        _bounce("soft", 3),
        _bounce("hard", 3, bounce="hard"),
        event("late", "bounced", utc(2017, 6, 1), channel="email"),
    ]
    assert _states(rows, people) == {
        "fine": ("valid", "absent"),
        "soft": ("soft_bounced", "absent"),
        "hard": ("hard_bounced", "absent"),
        "late": ("valid", "absent"),
    }


def test_a_delivery_ends_a_soft_bounce_but_never_a_hard_one():
    delivered = [event(who, "delivered", utc(2017, 5, 9), channel="email") for who in ("soft", "hard")]
    rows = [_bounce("soft", 3), _bounce("hard", 3, bounce="hard"), *delivered]
    people = [customer(who, email="valid") for who in ("soft", "hard")]
    assert _states(rows, people) == {"soft": ("valid", "absent"), "hard": ("hard_bounced", "absent")}


def test_a_tie_told_after_the_snapshot_places_no_bounce():
    rows = [
        event("a", "sent", utc(2017, 5, 1), channel="email", message="m"),
        event("a", "bounced", utc(2017, 5, 1), decision="d", bounce="hard"),
        event("a", "sent", utc(2017, 6, 1), channel="email", message="m", decision="d"),
    ]
    assert _states(rows, [customer("a", email="valid")]) == {"a": ("valid", "absent")}


def test_a_declared_absence_stands_and_the_unheard_of_have_no_contact():
    rows = [_bounce("gone", 3), event("stranger", "session", utc(2017, 5, 3))]
    found = _states(rows, [customer("gone", sms="hard_bounced")])
    assert found == {"gone": ("absent", "hard_bounced"), "stranger": ("absent", "absent")}


def _hours(rows, people=(), **options):
    build = lambda events, customers: signs_of_life(events, customers, until=date(2018, 1, 1), **options)  # noqa: E731 - named for the reader
    connection = ibis.duckdb.connect()
    tables = [
        connection.create_table(n, t)
        for n, t in (("events", events_table(rows)), ("customers", customers_table(people)))
    ]
    found = connection.to_pyarrow(build(*tables).order_by("customer_id", "occurred_at"))
    return found["hour"].to_pylist()


@pytest.mark.parametrize(
    ("at", "hour"),
    [
        (utc(2017, 3, 12, 6, 59), 6 * 24 + 1),  # Sunday 01:59 EST, a minute before the clock jumps
        (utc(2017, 3, 12, 7, 0), 6 * 24 + 3),  # 03:00 EDT: hour 2 does not exist that day
        (utc(2017, 11, 5, 5, 30), 6 * 24 + 1),  # 01:30 EDT …
        (utc(2017, 11, 5, 6, 30), 6 * 24 + 1),  # … and 01:30 EST, an hour later
        (utc(2017, 11, 6, 4, 59), 6 * 24 + 23),  # still Sunday in New York, already Monday in UTC
    ],
)
def test_hours_are_local_on_the_days_the_clock_changes(at, hour):
    assert _hours([event("a", "session", at)], [customer("a", zone="America/New_York")]) == [hour]


def test_an_offset_of_three_quarters_of_an_hour_is_kept():
    assert _hours([event("a", "session", utc(2017, 5, 1, 0, 20))], [customer("a", zone="Asia/Kathmandu")]) == [6]


def test_an_unknown_zone_falls_back_to_the_country_then_the_policy_then_utc():
    at = utc(2017, 5, 1, 12)  # a Monday
    rows = [event(who, "session", at) for who in ("a", "b", "c")]
    people = [customer("a", country="DE"), customer("b", country="JP")]
    zones = {"DE": "Europe/Berlin"}
    assert _hours(rows, people, country_zones=zones, default_zone="America/New_York") == [14, 8, 8]
    assert _hours(rows, people) == [12, 12, 12]


def test_only_signs_of_a_persons_life_are_kept():
    at = utc(2017, 5, 1, 12)
    ours = ("sent", "delivered", "bounced", "opened", "clicked", "converted")
    rows = [event("a", kind, at) for kind in (*ours, "cart_abandoned", "viewed")]
    rows += [event("a", "session", at, automated=True)]
    rows += [event("a", "purchased", at, order_id="b1") for _ in range(3)]
    rows += [event("a", kind, at) for kind in ("session", "cart_added")]
    assert len(_hours(rows)) == 3


def test_a_sign_of_life_weighs_half_after_a_half_life_and_nothing_at_its_own_moment():
    cutoff = utc(2017, 5, 11, 12)
    rows = [event("a", "session", at) for at in (utc(2017, 5, 1, 12), utc(2017, 5, 6, 12), cutoff)]
    connection = ibis.duckdb.connect()
    events, people = (
        connection.create_table(n, t) for n, t in (("e", events_table(rows)), ("c", customers_table([])))
    )
    signs = signs_of_life(events, people, until=date(2018, 1, 1))
    spine = pa.table(
        {"customer_id": ["b", "a"], "event_timestamp": pa.array([cutoff] * 2, pa.timestamp("us", "UTC"))}
    )
    nobody, week = rhythm(signs, spine, connection, half_life_days=10).to_pylist()
    assert nobody == [0.0] * 168
    assert {hour: weight for hour, weight in enumerate(week) if weight} == pytest.approx(
        {12: 0.5, 5 * 24 + 12: 0.5**0.5}
    )


def test_one_customers_zone_that_is_none_stops_nobody():
    rows = [event(who, "session", utc(2017, 5, 1, 12)) for who in ("a", "b", "c")]
    people = [
        customer("a", zone="localtime"),
        customer("b", zone="Mars", country="DE"),
        customer("c", zone="Asia/Tokyo"),
    ]
    assert _hours(rows, people, country_zones={"DE": "Europe/Berlin"}, default_zone="UTC") == [12, 14, 21]


def test_what_is_dated_before_1990_makes_no_row_for_every_day_since():
    rows = [
        event("a", "session", utc(1970, 1, 20)),
        event("b", "session", utc(1970, 1, 20)),
        event("b", "session", utc(2017, 5, 1)),
    ]
    assert _hours(rows) == [0]
