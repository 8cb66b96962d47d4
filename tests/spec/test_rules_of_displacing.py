"""Whose place it is: the slot of a cap goes to the most valuable message, as long as the other is not confirmed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from decisions.records import BudgetState
from tests.worlds.deciding import NOON, answer, catalogue, codes, offer, policy, scores, sent, state

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
STOCK = catalogue(offer("tea"), offer("coffee"))
RULES = {"caps": [{"limit": 1, "window": "7d"}]}
ALWAYS_KEPT = {"exploration": {"loss_budget": 1, "floor": 0.5}, "displacement": {"ratio": 1}}


def reserved(value=0.2, name="r1", at=NOON + HOUR, **fields):
    return sent(at, until=at + HOUR, value=value, decision_id=name, offer_id="tea", **fields)


def asked(*places, stock=STOCK, tau=None, rules=None, **ask):
    worth = scores(stock, tau=tau or {"tea|email": 0.5, "coffee|email": 1.0})
    return answer(policy(**(RULES | (rules or {}))), stock, known=state(pressure=places), worth=worth, **ask)


def stages(decision):
    return [stage.name for stage in decision.stages]


def test_a_much_better_message_takes_the_place_of_one_that_is_reserved():
    decision = asked(reserved())
    assert (decision.action, decision.offer_id, decision.displaces) == ("send", "coffee", "r1")
    assert codes(decision) == ["best_value", "displaces"]
    assert stages(decision) == ["keep_or_displace", "offer_channel", "slot_block"]


def test_it_must_be_worth_one_and_a_half_times_as_much():
    assert asked(reserved(1 / 1.5)).displaces == "r1"
    assert asked(reserved(1 / 1.5 + 0.001)).displaces is None


def test_the_ratio_is_the_policys():
    assert asked(reserved(0.4), rules={"displacement": {"ratio": 3}}).displaces is None
    assert asked(reserved(0.3), rules={"displacement": {"ratio": 3}}).displaces == "r1"


def test_a_policy_may_leave_every_place_where_it_is():
    decision = asked(reserved(), rules={"displacement": {"enabled": False}})
    assert (decision.action, decision.displaces, codes(decision)) == ("hold", None, ["cap"])


def test_a_place_worth_nothing_is_not_given_up_for_next_to_nothing():
    next_to_nothing = {"tea|email": 0.004, "coffee|email": 0.009}
    assert asked(reserved(-1.0), tau=next_to_nothing).action == "hold"
    assert asked(reserved(-1.0), tau={"coffee|email": 0.011, "tea|email": 0.0}).displaces == "r1"


def test_what_may_go_beside_the_place_counts_for_keeping_it():
    sms_too = catalogue(offer("tea", channels=("email", "sms")), offer("coffee"))
    rules = {"caps": [{"limit": 1, "window": "7d", "channel": "email"}]}
    for beside, displaces in ((0.4, "r1"), (0.5, None)):
        tau = {"tea|email": 0.1, "tea|sms": beside, "coffee|email": 1.0}
        decision = asked(reserved(0.2), stock=sms_too, tau=tau, rules=rules)
        assert decision.displaces == displaces
        assert decision.channel == ("email" if displaces else "sms")


def test_where_there_is_room_nothing_is_displaced():
    decision = asked(reserved(), rules={"caps": [{"limit": 2, "window": "7d"}]})
    assert (decision.action, decision.displaces) == ("send", None)


@pytest.mark.parametrize(
    "place",
    [
        sent(NOON - HOUR, value=0.2, decision_id="r1"),
        reserved(purpose="service"),
        reserved(None),
        reserved(name=None),
        reserved(at=NOON - 2 * HOUR),
    ],
    ids=["confirmed", "a service message", "of unknown worth", "another system's", "lapsed"],
)
def test_only_a_marketing_message_still_unconfirmed_gives_way(place):
    rules = {"caps": [{"limit": 1, "window": "7d", "purposes": ["marketing", "service"]}]}
    assert asked(place, rules=rules).displaces is None


@pytest.mark.parametrize("purpose", ["service", "transactional"])
def test_only_marketing_displaces(purpose):
    rules = {"caps": [{"limit": 1, "window": "7d", "purposes": ["marketing", "service", "transactional"]}]}
    assert asked(reserved(), rules=rules, purpose=purpose).action == "hold"


def test_the_least_valuable_place_gives_way_first():
    both = (reserved(0.3, "r1"), reserved(0.2, "r2", at=NOON + 4 * HOUR))
    assert asked(*both, rules={"caps": [{"limit": 2, "window": "7d"}]}).displaces == "r2"


def test_a_place_whose_going_helps_nobody_stays():
    """The cheaper reservation is on another channel: to lift it would not let the email through."""
    on_sms = sent(NOON + HOUR, "sms", until=NOON + 2 * HOUR, value=0.1, decision_id="r1")
    rules = {"caps": [{"limit": 1, "window": "7d", "channel": "email"}]}
    assert asked(on_sms, reserved(0.2, "r2"), rules=rules).displaces == "r2"


@pytest.mark.parametrize(
    "rules",
    [
        {"min_gap_hours": 24},
        {"caps": [{"limit": 1, "window": "day"}]},
        {"caps": [], "channel_gap_hours": {"email": 24}},
    ],
)
def test_gaps_and_calendar_caps_make_room_as_well(rules):
    assert asked(reserved(), rules={"caps": []} | rules, horizon_hours=8).displaces == "r1"


def test_a_cooldown_or_a_rival_offer_makes_room_as_well():
    again = {"caps": [], "cooldowns": {"after_sent_days": 7, "exclusivity_days": 7}}
    tea = {"tea|email": 1.0, "coffee|email": 0.0}
    assert asked(reserved(), rules=again, tau=tea, offers=("tea",)).displaces == "r1"
    rivals = catalogue(offer("tea", exclusivity_group="hot"), offer("coffee", exclusivity_group="hot"))
    assert asked(reserved(), stock=rivals, rules=again, offers=("coffee",)).displaces == "r1"


def test_what_would_be_forbidden_anyway_stays_forbidden():
    known = (sent(NOON - HOUR), reserved())
    assert asked(*known, horizon_hours=100).action == "hold"
    night = {"quiet_hours": [{"from_hour": 0, "until_hour": 24}]}
    assert asked(reserved(), rules=night).action == "hold"


def test_to_keep_is_among_the_choices_and_says_so():
    """Equal values are drawn with equal chances: some requests keep the place."""
    rules = ALWAYS_KEPT | {"displacement": {"ratio": 1}}
    drawn = [asked(reserved(1.0), rules=rules, request_id=str(number)) for number in range(20)]
    kept = next(each for each in drawn if each.displaces is None)
    assert (kept.action, kept.propensity, stages(kept)) == ("hold", 0.5, ["keep_or_displace"])
    assert codes(kept) == ["kept", "cap"]
    assert (kept.reasons[0].detail, kept.alternatives[0].offer_id) == ("r1", "coffee")


def test_a_message_that_displaces_is_never_held_back():
    rules = {"holdback": {"share": 0.9}}
    assert all(asked(reserved(), rules=rules, request_id=str(number)).displaces for number in range(20))


def test_a_holdout_displaces_nothing():
    assert asked(reserved(), rules={"holdout_share": 0.999999}).action == "hold"


def test_a_spent_budget_is_not_opened_by_displacing():
    spent = BudgetState(exhausted=frozenset({"email"}))
    assert asked(reserved(), budgets=spent).action == "hold"


def test_an_arm_may_displace_where_the_other_does_not():
    arms = [{"name": "still", "policy": {"displacement": {"enabled": False}}}, {"name": "usual"}]
    decision = asked(reserved(), rules={"experiments": [{"experiment_id": "x", "arms": arms}]})
    (given,) = decision.experiments
    assert (decision.displaces == "r1") is (given.arm == "usual")


def test_the_moment_of_the_message_is_one_that_the_place_kept_from_it():
    """A day's cap leaves the other days free: what is won is the reserved day alone."""
    early_in_the_week = tuple(1.0 if slot < 24 * 3 else 0.1 for slot in range(168))  # Monday to Wednesday
    worth = scores(STOCK, tau={"coffee|email": 1.0, "tea|email": 0.0}, multiplier={"email": early_in_the_week})
    place = reserved(0.1, at=NOON + HOUR)
    decision = answer(
        policy(caps=[{"limit": 1, "window": "day"}]),
        STOCK,
        known=state(pressure=(place,)),
        worth=worth,
        horizon_hours=72,
    )
    assert decision.displaces == "r1"
    assert decision.send_at is not None
    assert decision.send_at.date() == NOON.date()
