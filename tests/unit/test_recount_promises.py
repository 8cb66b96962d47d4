"""A planted violation of each kind is found: confirms, rests, days, wishes, displacement, budgets, arms, versions."""

import json
import sqlite3
import zlib
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from decisions.policy import Policy
from decisions.records import Assignment
from decisions.replay import freeze_policy
from features.contracts import Preference
from pipelines.recount import Rules, recount
from pipelines.recount.history import Person
from pipelines.recount.zones import zones_of
from tests.worlds.ledger import DAY, HOUR, NOW, ada, consent, event, fresh, record, send, url_in

ONE_A_WEEK = {"caps": [{"limit": 1, "window": "7d"}]}


@pytest.fixture
def ledger(tmp_path):
    with fresh(tmp_path) as ledger:
        ledger.put_customers([ada(time_zone="UTC", country="DE")])
        channels = ("email", "sms", "push")
        purposes = ("marketing", "service")
        ledger.append_consents([consent(channel=c, purpose=p) for c in channels for p in purposes], NOW)
        yield ledger


@pytest.fixture
def judge(tmp_path):
    def judged(policy, **options):
        counts = recount(url_in(tmp_path), Rules.of(policy, **options)).counts
        return {promise: count for promise, count in counts.items() if count}

    return judged


@pytest.fixture
def plant(tmp_path):
    def planted(*statements):
        with sqlite3.connect(tmp_path / "ledger.db") as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    return planted


def told(**state):
    """A record as a decision leaves it: what it knew of its customer."""
    plain = {"customer": {"customer_id": "ada", "time_zone": "UTC", "country": "DE"}, "preference": None}
    return zlib.compress(json.dumps({"state": plain | state, "catalogue": "none"}).encode())


def confirm_behind(plant, decision, at):
    """Give a permission that no guard looked at."""
    tick = int(at.timestamp() * 1_000_000)
    plant(
        f"UPDATE decision SET state = 'confirmed', confirmed_at = {tick} WHERE decision_id = '{decision.decision_id}'",
        f"UPDATE pressure SET state = 'confirmed', at = {tick}, expires_at = NULL WHERE decision_id = '{decision.decision_id}'",
        f"INSERT INTO audit (customer_id, decision_id, what, at) VALUES ('ada', '{decision.decision_id}', 'confirmed', {tick})",
    )


# Confirms


def test_a_confirm_that_overruns_a_cap_because_of_a_foreign_send_before_it_is_found(ledger, judge, plant):
    first = record(ledger, send(at=NOW + HOUR))
    ledger.take_events([event("sent", channel="sms", at=NOW)], NOW)
    assert judge(ONE_A_WEEK) == {}  # made elsewhere, after the grant
    confirm_behind(plant, first, NOW + HOUR)
    assert judge(ONE_A_WEEK) == {"caps": 1}


def test_a_foreign_send_after_the_confirm_is_reported_and_no_violation(ledger, tmp_path):
    first = record(ledger, send(at=NOW + HOUR))
    ledger.confirm(first.decision_id, first.send_at)
    ledger.take_events([event("sent", channel="sms", at=NOW + 2 * HOUR)], NOW + 2 * HOUR)
    report = recount(url_in(tmp_path), Rules.of(ONE_A_WEEK | {"min_gap_hours": 5.0}))
    assert report.violations == ()
    assert {each.promise for each in report.overruns} == {"caps", "gaps"}
    assert report.confirms == 1


def test_a_sender_that_moves_its_message_after_another_was_confirmed_is_reported_and_no_violation(
    ledger, tmp_path
):
    """Heard of by its delivery, the first message lay a day away; its sender's own word comes only later."""
    first = record(ledger, send(at=NOW + 3 * DAY))
    ledger.take_events([event("delivered", at=NOW, decision_id=first.decision_id)], NOW)
    second = record(ledger, send(at=NOW + DAY))
    ledger.confirm(second.decision_id, NOW + DAY)
    ledger.take_events([event("sent", at=NOW + DAY, decision_id=first.decision_id)], NOW + DAY)
    report = recount(url_in(tmp_path), Rules.of({"min_gap_hours": 5.0}))
    assert report.violations == ()
    assert {each.promise for each in report.overruns} == {"gaps"}


def test_a_confirm_too_close_to_another_is_found(ledger, judge, plant):
    policy = {"min_gap_hours": 3.0}
    first = record(ledger, send(at=NOW + HOUR, lasts=HOUR))
    record(ledger, send(at=NOW + 5 * HOUR, lasts=HOUR))
    assert judge(policy) == {}
    confirm_behind(plant, first, NOW + 3 * HOUR)
    assert judge(policy) == {"gaps": 1, "window": 1}


def test_a_confirm_in_quiet_hours_is_found(ledger, judge, plant):
    policy = {"quiet_hours": [{"from_hour": 21, "until_hour": 8}]}
    first = record(ledger, send(at=NOW + HOUR))
    confirm_behind(plant, first, NOW + 13 * HOUR)
    assert judge(policy)["quiet"] == 1


def test_a_zone_changed_since_is_reported_and_no_violation(ledger, tmp_path):
    first = record(ledger, send(at=NOW + HOUR, lasts=HOUR))
    ledger.confirm(first.decision_id, first.send_at)
    ledger.put_customers([ada(time_zone="America/Los_Angeles")])
    report = recount(url_in(tmp_path), Rules.of({"quiet_hours": [{"from_hour": 21, "until_hour": 8}]}))
    assert report.violations == ()
    assert [each.promise for each in report.overruns] == ["quiet"]


# Rests


@pytest.mark.parametrize("days", [3, -3])
def test_one_offer_again_before_it_rested_is_found_in_both_directions(ledger, judge, days):
    policy = {"cooldowns": {"after_sent_days": 4}}
    record(ledger, send(at=NOW + 5 * DAY))
    record(ledger, send(at=NOW + 5 * DAY + days * DAY, offer_id="tea"))
    assert judge(policy) == {}
    record(ledger, send(at=NOW + 5 * DAY + days * DAY))
    assert judge(policy) == {"rests": 1}


def test_an_offers_own_longer_rest_holds(ledger, judge):
    for days in (1, 6):
        record(ledger, send(at=NOW + days * DAY))
    assert judge({}, offers=[{"offer_id": "coffee", "cooldown_days": 5}]) == {"rests": 1}
    assert judge({}, offers=[{"offer_id": "coffee", "cooldown_days": 4}]) == {}


def test_an_offer_just_bought_is_found(ledger, judge):
    bought = [{"offer_id": "coffee", "last_converted": "2026-03-01T12:00:00Z"}]
    record(ledger, send(at=NOW + HOUR), frozen=told(exposures=bought))
    assert judge({"cooldowns": {"after_conversion_days": 30}}) == {"rests": 1}
    assert judge({"cooldowns": {"after_conversion_days": 0.5}}) == {}


def test_rival_offers_too_close_to_each_other_are_found(ledger, judge):
    rivals = [{"offer_id": name, "exclusivity_group": "hot"} for name in ("coffee", "tea")]
    policy = {"cooldowns": {"exclusivity_days": 7}}
    record(ledger, send(at=NOW + HOUR))
    record(ledger, send(at=NOW + DAY))  # the same offer is no rival of itself
    assert judge(policy, offers=rivals) == {}
    record(ledger, send(at=NOW + 6 * DAY, offer_id="tea"))
    assert judge(policy, offers=rivals) == {"rests": 1}


# Days


@pytest.mark.parametrize("zone", ["", "+00:00"])
def test_a_message_into_a_blackout_is_found_on_either_clock(ledger, judge, zone):
    blackout = {"start": f"2026-03-02T11:07:00{zone}", "end": f"2026-03-02T11:09:00{zone}", "name": "launch"}
    record(ledger, send(at=NOW, lasts=2 * HOUR))
    assert judge({"blackouts": [blackout]}) == {}
    record(ledger, send(at=NOW + HOUR, lasts=2 * HOUR))
    assert judge({"blackouts": [blackout]}) == {"days": 1}
    assert judge({"blackouts": [blackout | {"channels": ["sms"]}]}) == {}


@pytest.mark.parametrize(("rule", "day"), [({"weekends": True}, 7), ({"public_holidays": True}, 3)])
def test_a_message_on_a_weekend_or_holiday_is_found(ledger, judge, rule, day):
    """Friday 3 April 2026 is Good Friday in Germany; Saturday 7 March 2026 is a Saturday."""
    month = 3 if day == 7 else 4
    record(ledger, send(at=datetime(2026, month, day, 12, tzinfo=UTC)))
    assert judge({"days_off": rule}) == {"days": 1}
    assert judge({"days_off": rule | {"purposes": ["service"]}}) == {}


# The customer's own wishes


@pytest.mark.parametrize(
    "wish",
    [
        {"max_per_week": 0},
        {"quiet_from": 9, "quiet_until": 12},
        {"channels_off": ("email",)},
        {"pause_until": NOW + DAY},
    ],
)
def test_a_message_against_the_customers_own_wish_is_found(ledger, judge, wish):
    own = Preference(customer_id="ada", **wish).model_dump(mode="json")
    record(ledger, send(at=NOW + HOUR), frozen=told())
    assert judge({}) == {}
    record(ledger, send(at=NOW + HOUR), frozen=told(preference=own))
    assert judge({}) == {"wishes": 1}


def test_a_wish_uttered_after_the_decision_breaks_nothing_that_was_decided_before(ledger, judge):
    record(ledger, send(at=NOW + HOUR), frozen=told())
    ledger.put_preference(Preference(customer_id="ada", max_per_week=0))
    assert judge({}) == {}


def test_transactional_messages_pass_a_pause_but_not_the_customers_night(ledger, judge):
    own = {"pause_until": "2026-04-01T00:00:00Z", "quiet_from": 9, "quiet_until": 12}
    record(ledger, send(at=NOW + HOUR, purpose="transactional"), frozen=told(preference=own))
    assert judge({}) == {"wishes": 1}
    assert judge({"transactional_in_quiet_hours": True}) == {}


# Displacement


@pytest.fixture
def displaced(ledger):
    """A place, and the decision that took it."""
    old = record(ledger, send(at=NOW + HOUR))
    return old, record(ledger, send(at=NOW + 2 * HOUR, displaces=old.decision_id))


def test_a_place_given_up_before_the_new_grant_is_well_displaced(judge, displaced):
    assert judge(ONE_A_WEEK) == {}


def test_a_place_taken_before_it_was_given_up_is_found(judge, plant, displaced):
    plant("UPDATE audit SET seq = 99 WHERE what = 'displaced'")
    assert judge(ONE_A_WEEK) == {"caps": 1, "displaced": 1}


def test_a_place_taken_twice_or_by_nobody_is_found(ledger, judge, plant, displaced):
    old, _ = displaced
    third = record(ledger, send(at=NOW + 20 * DAY))
    plant(
        f"UPDATE record SET body = '{{\"displaces\": \"{old.decision_id}\"}}' WHERE decision_id = '{third.decision_id}'"
    )
    assert judge(ONE_A_WEEK) == {"displaced": 1}
    plant("UPDATE record SET body = '{}'")
    assert judge(ONE_A_WEEK) == {"displaced": 1}


def test_a_displaced_decision_that_was_confirmed_is_found(judge, plant, displaced):
    confirm_behind(plant, displaced[0], NOW + 3 * HOUR)
    assert judge({})["once"] == 1


# Once


def test_a_request_answered_twice_is_found(ledger, judge, plant):
    record(ledger, send(at=NOW + HOUR, decision_id="first", request_id="same"))
    record(ledger, send(at=NOW + DAY, decision_id="second"))
    plant(
        "CREATE TABLE loose AS SELECT * FROM decision",
        "DROP TABLE decision",
        "ALTER TABLE loose RENAME TO decision",
        "UPDATE decision SET request_id = 'same'",
    )
    assert judge({}) == {"once": 1}


# Budgets


def test_a_day_that_sent_more_than_its_budget_is_found(ledger, judge):
    policy = {"daily_budget": {"email": 2}}
    for hours in (1, 2):
        record(ledger, send(at=NOW + hours * HOUR))
    record(ledger, send(at=NOW + HOUR, purpose="transactional"))
    record(ledger, send(at=NOW + HOUR, channel="sms"))
    record(ledger, send(at=NOW + 2 * DAY, now=NOW + DAY))
    assert judge(policy) == {}
    record(ledger, send(at=NOW + 9 * HOUR, now=NOW + 14 * HOUR))
    assert judge(policy) == {"budgets": 1}


def test_a_plan_is_paid_for_by_its_days_together(ledger, judge):
    policy = {"daily_budget": {"email": 2}}
    for number in range(4):
        record(ledger, send(at=NOW + HOUR, request_id=f"plan:2026-03-02:2:{number}"))
    assert judge(policy) == {}
    record(ledger, send(at=NOW + DAY, now=NOW + DAY))  # on the plan's second day
    assert judge(policy) == {"budgets": 1}


def test_a_decision_that_displaces_another_on_its_channel_goes_in_its_place(judge, displaced):
    assert judge({"daily_budget": {"email": 1}}) == {}


# Arms and versions


def test_each_decision_is_judged_by_the_policy_of_its_arm(ledger, judge):
    arms = [{"name": "control"}, {"name": "more", "policy": {"caps": [{"limit": 2, "window": "7d"}]}}]
    policy = ONE_A_WEEK | {"experiments": [{"experiment_id": "often", "arms": arms}]}
    mine = (Assignment(experiment_id="often", arm="more"),)
    for hours in (1, 2):
        record(ledger, send(at=NOW + hours * HOUR, experiments=mine))
    assert judge(policy) == {}
    record(ledger, send(at=NOW + 3 * HOUR, experiments=mine))
    assert judge(policy) == {"caps": 1}


def test_each_decision_is_judged_by_the_policy_version_it_was_made_under(ledger, judge):
    strict = Policy(channels=("email",), min_gap_hours=0, quiet_hours=(), caps=[{"limit": 1, "window": "7d"}])
    ledger.keep("policy", strict.version, freeze_policy(strict))
    for hours in (1, 2):
        record(ledger, send(at=NOW + hours * HOUR))
    assert judge({}) == {}
    record(ledger, send(at=NOW + 3 * HOUR, policy_version=strict.version))
    assert judge({}) == {"caps": 1}


def test_a_confirm_is_broken_only_if_both_its_own_policy_and_the_present_one_forbid_it(ledger, judge, plant):
    strict = Policy(channels=("email",), min_gap_hours=0, quiet_hours=(), caps=[{"limit": 1, "window": "7d"}])
    ledger.keep("policy", strict.version, freeze_policy(strict))
    first = record(ledger, send(at=NOW + HOUR, policy_version=strict.version))
    ledger.take_events([event("sent", channel="sms", at=NOW)], NOW)
    confirm_behind(plant, first, NOW + HOUR)
    assert judge({}) == {}
    assert judge(ONE_A_WEEK) == {"caps": 1}


def test_the_recount_knows_where_somebody_may_live_whose_zone_or_country_is_none():
    rules = Rules(anywhere=("Europe/Berlin",))
    berlin, belgrade, london = (ZoneInfo(name) for name in ("Europe/Berlin", "Europe/Belgrade", "Europe/London"))
    assert zones_of(Person(zone="localtime", country="EU"), rules, 0) == (berlin,)
    assert zones_of(Person(country="XK"), rules, 0) == (belgrade,)
    assert zones_of(Person(country="UK"), rules, 0) == (london,)
