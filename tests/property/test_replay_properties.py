"""The same inputs give the same decision, and the record alone gives it again (P4, P6)."""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.canonical import canonical
from decisions.decide import decide
from decisions.draws import uniform
from decisions.history import history_of
from decisions.records import Ask, Assignment, BudgetState, Exposure
from decisions.replay import freeze, freeze_catalogue, freeze_policy, keys_of, replay
from features.contracts import Preference
from tests.worlds.deciding import (
    CHANNELS,
    CUSTOMER,
    KEYS,
    NOON,
    catalogue,
    consent,
    customer,
    offer,
    policy,
    scores,
    sent,
    state,
)

RULES = policy(
    caps=[{"limit": 2, "window": "7d"}, {"limit": 1, "window": "day"}],
    quiet_hours=[{"from_hour": 21, "until_hour": 8}],
    blackouts=[{"start": "2026-12-24T00:00", "end": "2026-12-27T00:00"}],
    holdback={"share": 0.3},
    holdout_share=0.1,
    exploration={"loss_budget": 0.3, "floor": 0.02},
    experiments=[
        {"experiment_id": "gap", "arms": [{"name": "a"}, {"name": "b", "policy": {"min_gap_hours": 48}}]}
    ],
)
STOCK = catalogue(
    offer("tea", channels=("email", "sms"), variables={"first": "friend"}, valid_until=NOON + timedelta(days=9)),
    offer("coffee", eligibility="churn < 0.5", incentive_cost=0.1, cooldown_days=3),
)
number = st.floats(-3, 3, allow_nan=False) | st.integers(-3, 3)
moment = st.integers(-20 * 86400 * 10**6, 5 * 86400 * 10**6).map(lambda at: NOON + timedelta(microseconds=at))


@st.composite
def questions(draw):
    worth = scores(
        STOCK,
        tau={name: draw(number) for name in ("tea|email", "tea|sms", "coffee|email")},
        churn=draw(st.none() | st.floats(0, 1)),
        attributes=draw(
            st.dictionaries(
                st.sampled_from(["first", "n"]), st.none() | number | st.text(max_size=5) | st.booleans()
            )
        ),
        notes=("prior:x",),
        hourly=draw(st.dictionaries(st.sampled_from(["tea", "gone"]), st.tuples(*[number] * 24), max_size=2)),
        features_as_of=draw(st.none() | moment),
        evidence=draw(
            st.dictionaries(st.sampled_from(["tea|email"]), st.tuples(number, number, number), max_size=1)
        ),
        cadence=draw(
            st.dictionaries(
                st.sampled_from(CHANNELS), st.tuples(st.floats(1, 90) | st.integers(1, 9), number), max_size=2
            )
        ),
    )
    known = state(
        who=customer(
            time_zone=draw(st.sampled_from([None, "America/New_York"])),
            country=draw(st.sampled_from([None, "US"])),
        ),
        consents=tuple(consent(channel, at=draw(moment)) for channel in CHANNELS),
        pressure=tuple(
            sent(at, responded=draw(st.sampled_from([None, True, False])))
            for at in draw(st.lists(moment, max_size=3))
        ),
        preference=draw(st.sampled_from([None, Preference(customer_id=CUSTOMER, max_per_week=2)])),
        exposures=(Exposure(offer_id="tea", last_sent=draw(st.none() | moment)),),
        withheld=tuple(sorted(draw(st.lists(moment, max_size=2)))),
        held_back=draw(st.sampled_from([{}, {"tea": NOON + timedelta(days=1)}])),
    )
    ask = Ask(
        request_id=draw(st.text(min_size=1, max_size=8)),
        customer_id=CUSTOMER,
        purpose=draw(st.sampled_from(["marketing", "transactional"])),
        offers=draw(st.sampled_from([None, ("tea",)])),
    )
    budgets = BudgetState(
        prices={"email": draw(st.integers(0, 1))},
        exhausted=draw(st.sampled_from([frozenset(), frozenset({"sms"})])),
    )
    return ask, {
        "policy": RULES,
        "catalogue": STOCK,
        "scores": worth,
        "state": known,
        "now": draw(moment),
        "budgets": budgets,
    }


@settings(max_examples=50, deadline=None)
@given(question=questions())
def test_a_record_alone_gives_the_decision_again(question):
    ask, given = question
    decision = decide(ask, keys=KEYS, **given)
    assert decide(ask, keys=KEYS, **given) == decision
    record = freeze(ask, keys_id="k1", **given)
    assert keys_of(record) == "k1"
    assert replay(record, KEYS) == decision


def test_a_lean_record_needs_the_versions_it_names():
    worth, known, ask = scores(STOCK), state(), Ask(request_id="r", customer_id=CUSTOMER)
    given = {"policy": RULES, "catalogue": STOCK, "scores": worth, "state": known, "now": NOON}
    record = freeze(ask, keys_id="k1", whole=False, **given)
    contents = {RULES.version: freeze_policy(RULES), STOCK.version: freeze_catalogue(STOCK)}
    assert replay(record, KEYS, contents=contents) == decide(ask, keys=KEYS, **given)
    with pytest.raises(KeyError):
        replay(record, KEYS)


def test_a_record_from_before_a_key_of_the_policy_existed_keeps_its_version():
    worth, known, ask = scores(STOCK), state(), Ask(request_id="r", customer_id=CUSTOMER)
    given = {"policy": RULES, "catalogue": STOCK, "scores": worth, "state": known, "now": NOON}
    raw = orjson.loads(zlib.decompress(freeze(ask, keys_id="k1", **given)))
    content = raw["contents"].pop(RULES.version)
    del content["displacement"]
    old = zlib.compress(orjson.dumps(raw | {"policy": "old", "contents": raw["contents"] | {"old": content}}))
    decision = decide(ask, keys=KEYS, **given)
    replayed = replay(old, KEYS)
    assert replayed.policy_version == "old"
    assert replayed.history_hash != decision.history_hash  # it names the version
    same = {"policy_version": decision.policy_version, "history_hash": decision.history_hash}
    assert replace(replayed, **same) == decision


def _record_of(experiment, **more):
    worth, known, ask = scores(STOCK), state(), Ask(request_id="r", customer_id=CUSTOMER)
    rules = policy(experiments=[experiment])
    given = {"policy": rules, "catalogue": STOCK, "scores": worth, "state": known, "now": NOON}
    return decide(ask, keys=KEYS, **given, **more), freeze(ask, keys_id="k1", **given, **more)


HOURLY, CADENCE = {"tea": (2.0,) * 24}, {"email": (7.0, 0.1)}
AS_WRITTEN = {"tea": [2.0] * 24}
EMPTY = {"hourly": {}, "cadence": {}}


@pytest.mark.parametrize(
    ("scored", "written"),
    [
        ({}, {}),
        ({"hourly": HOURLY}, {"hourly": AS_WRITTEN}),
        ({"cadence": CADENCE}, {"hourly": {}, "cadence": {"email": [7.0, 0.1]}}),
        ({"evidence": {"tea|email": (1.0, 0.0, 0.0)}}, EMPTY | {"evidence": {"tea|email": [1.0, 0.0, 0.0]}}),
        ({"hourly": HOURLY, "cadence": CADENCE}, {"hourly": AS_WRITTEN, "cadence": {"email": [7.0, 0.1]}}),
    ],
)
def test_what_came_later_to_scores_is_written_only_where_it_says_something(scored, written):
    """So that H of an old record, and its hash, is what it was."""
    plain, found = (history_with(scores=replace(scores(STOCK), **each))["scores"] for each in ({}, scored))
    assert "hourly" not in plain
    assert "cadence" not in plain
    assert found == plain | written


def history_with(**changes):
    plain = {"policy": RULES, "catalogue": STOCK, "scores": scores(STOCK), "state": state(), "now": NOON}
    ask = Ask(request_id="r", customer_id=CUSTOMER)
    found = history_of(ask, **(plain | {"budgets": BudgetState()} | changes))
    return {name: orjson.loads(canonical(found[name])) for name in ("scores", "state")}


def test_a_state_in_which_nothing_was_withheld_is_written_as_before_moments_were_kept():
    plain, found = (history_with(state=state(**each))["state"] for each in ({}, {"withheld": (NOON,)}))
    assert "withheld" not in plain
    assert found == plain | {"withheld": [NOON.isoformat()]}


def test_a_record_with_moments_withheld_is_replayed_with_them():
    given = {"policy": RULES, "catalogue": STOCK, "scores": scores(STOCK), "now": NOON}
    known = replace(state(), withheld=(NOON - timedelta(days=3), NOON + timedelta(days=1)))
    ask = Ask(request_id="r", customer_id=CUSTOMER)
    decision = decide(ask, keys=KEYS, state=known, **given)
    record = freeze(ask, keys_id="k1", state=known, **given)
    assert replay(record, KEYS) == decision
    assert decision.history_hash != decide(ask, keys=KEYS, state=state(), **given).history_hash


def test_a_record_tells_the_arm_however_arms_are_drawn_now():
    arms = {"experiment_id": "gap", "arms": [{"name": "a"}, {"name": "b", "policy": {"min_gap_hours": 48}}]}
    for arm in "ab":
        decision, record = _record_of(arms, arms=(Assignment(experiment_id="gap", arm=arm),))
        assert replay(record, KEYS) == decision


def test_a_record_from_before_arms_hung_on_names_is_replayed_as_it_was_drawn():
    listed = [{"name": str(number)} for number in range(16)]
    for names in (listed, listed[::-1]):
        decision, record = _record_of({"experiment_id": "gap", "arms": names})
        raw = orjson.loads(zlib.decompress(record))
        del raw["arms"]
        again = replay(zlib.compress(orjson.dumps(raw)), KEYS)
        place = int(uniform(KEYS.assignment, "arm", "gap", CUSTOMER) * 16)
        assert again.experiments[0].arm == names[place]["name"]
        assert len(again.experiments) == len(decision.experiments) == 1


def test_the_hash_of_history_changes_with_everything_that_is_fixed_before_the_draw():
    worth, known, ask = scores(STOCK), state(), Ask(request_id="r", customer_id=CUSTOMER)
    given = {"policy": RULES, "catalogue": STOCK, "scores": worth, "state": known, "now": NOON}
    other = [
        {"policy": policy()},
        {"catalogue": catalogue(offer("tea"), offer("coffee"), offer("bread"))},
        {"scores": replace(worth, churn=0.9)},
        {"scores": replace(worth, hourly={"tea": (1.0,) * 24})},
        {"scores": replace(worth, cadence={"email": (7.0, 0.1)})},
        {"state": state(pressure=(sent(NOON),))},
        {"state": state(withheld=(NOON,))},
        {"now": NOON + timedelta(seconds=1)},
        {"budgets": BudgetState(prices={"email": 0.1})},
    ]
    hashes = [decide(ask, keys=KEYS, **(given | change)).history_hash for change in ({}, *other)]
    assert len(set(hashes)) == len(hashes)
