"""The example's documents say what the known worlds are, and nothing that is not written there."""

import pytest

from decisions.catalogue import load_catalogue
from decisions.policy import load_policy
from pipelines.options import ROOT
from simulation.arena.opportunity import Opportunity
from simulation.shop import CHANNELS, OFFERS, ZONES

EXAMPLE = ROOT / "examples" / "simulated_shop"


@pytest.fixture(scope="module")
def policy():
    return load_policy(EXAMPLE / "policy.yaml")


def test_the_catalogue_offers_what_the_shop_has():
    assert load_catalogue(EXAMPLE / "catalogue.yaml").offers == OFFERS


def test_the_rules_are_those_everybody_plays_under(policy):
    rules = Opportunity()
    assert policy.channels == CHANNELS
    assert policy.time_zones == ZONES
    assert policy.horizon_hours == rules.hours
    assert policy.min_gap_hours == rules.gap_hours
    assert [(cap.limit, cap.window, cap.purposes) for cap in policy.caps] == [
        (rules.cap, f"{rules.cap_days}d", ("marketing",))
    ]
    assert [(each.from_hour, each.until_hour, each.channels) for each in policy.quiet_hours] == [
        (*rules.quiet, ())
    ]


def test_no_other_rule_keeps_a_message_back(policy):
    rests = policy.cooldowns
    assert rests.after_sent_days == rests.after_conversion_days == rests.exclusivity_days == 0
    assert policy.smart_pause is None
    assert not policy.days_off.weekends
    assert not policy.days_off.public_holidays
    assert not policy.blackouts
    assert not policy.channel_gap_hours
    assert not policy.daily_budget
    assert policy.holdout_share == 0
