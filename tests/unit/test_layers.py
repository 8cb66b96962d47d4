"""Assignment hangs on names: whatever comes, goes, grows or stands elsewhere, nobody moves who need not."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats

from decisions.arms import assign, assignments
from decisions.documents import DocumentError
from decisions.layers import PARTS, minus, overlap, placed, remembered, size
from decisions.policy_parts import Experiment
from decisions.records import Assignment
from runtime.build import build
from tests.worlds.deciding import KEYS, policy
from tests.worlds.service import settings_in

CUSTOMERS = [f"c{number}" for number in range(3000)]
ARMS = [{"name": "a"}, {"name": "b"}]


def experiment(name, share, *, layer="l", arms=ARMS, **more):
    return Experiment.model_validate({"experiment_id": name, "share": share, "layer": layer, "arms": arms, **more})


names = st.sampled_from(["ada", "bob", "cleo", "dan", "eve"])
tenths = st.integers(1, 7)


@st.composite
def layers(draw):
    """A layer through time: what runs with which share, in which order it is listed."""
    history = []
    for _ in range(draw(st.integers(2, 7))):
        shares, left = {}, 10
        for name in draw(st.lists(names, unique=True, max_size=4)):
            share = draw(tenths)
            if share <= left:
                shares[name], left = share / 10, left - share
        history.append([experiment(name, share) for name, share in shares.items()])
    return history


@settings(max_examples=60, deadline=None)
@given(layers())
def test_through_any_edits_of_a_layer_nobody_moves_who_need_not(history):
    before, was = {}, {}
    for experiments in history:
        taken = placed(experiments, before)
        assert taken == placed(experiments[::-1], before)  # in whatever order they are listed
        assert not overlap([part for parts in taken.values() for part in parts])
        assert {name: size(parts) for name, parts in taken.items()} == {
            each.experiment_id: each.wanted for each in experiments
        }
        free = minus([(0, PARTS)], [part for parts in was.values() for part in parts])
        gone = [part for name, parts in was.items() for part in minus(parts, taken.get(name, ()))]
        for name in taken.keys() & was.keys():
            lost, gained = minus(was[name], taken[name]), minus(taken[name], was[name])
            assert not (lost and gained)  # it shrinks, it grows, or it stays
            assert not minus(gained, [*free, *gone])  # and takes from nobody who goes on
        before, was = remembered(experiments, taken, before), taken


def test_who_grows_or_comes_takes_customers_who_were_in_no_experiment_as_long_as_there_are_any():
    first, second = experiment("first", 0.3), experiment("second", 0.3)
    before = remembered([first, second], placed([first, second]), {})
    after = remembered([second], placed([second], before), before)
    taken = placed([second, experiment("third", 0.4)], after)
    assert not minus([(600_000, PARTS)], taken["third"])


def test_an_experiment_that_comes_back_finds_its_own_customers():
    first, second = experiment("first", 0.3), experiment("second", 0.3)
    start = placed([first, second])
    before = remembered([first, second], start, {})
    before = remembered([second], placed([second], before), before)
    assert placed([first, second], before) == start


arms = st.dictionaries(st.sampled_from("abcde"), st.sampled_from([0.5, 1.0, 2.0, 3.0]), min_size=2)


def drawn(weights):
    return experiment("x", 1.0, arms=[{"name": name, "weight": weight} for name, weight in weights.items()])


@settings(max_examples=25, deadline=None)
@given(arms, st.sampled_from("abcde"), st.sampled_from([0.0, 0.25, 1.0, 4.0]), st.randoms())
def test_an_arm_that_comes_goes_grows_or_shrinks_moves_only_into_or_out_of_itself(weights, name, weight, chance):
    after = {**weights, name: weight} if weight else {each: w for each, w in weights.items() if each != name}
    if len(after) < 2:
        return
    listed = list(after.items())
    chance.shuffle(listed)
    old, new = drawn(weights), drawn(dict(listed))
    grows = weight > weights.get(name, 0.0)
    for customer in CUSTOMERS[:300]:
        was, now = (assign(customer, each, KEYS).arm for each in (old, new))
        assert was == now or (now if grows else was) == name


def test_shares_and_weights_are_kept_to_what_chance_allows():
    rules = policy(
        experiments=[
            {
                "experiment_id": "x",
                "layer": "l",
                "share": 0.3,
                "arms": [{"name": "a", "weight": 3}, {"name": "b"}],
            },
            {"experiment_id": "y", "layer": "l", "share": 0.6, "arms": ARMS},
        ]
    )
    counts = Counter(assignments(f"p{number}", rules, KEYS) for number in range(40_000))
    seen = [counts[(Assignment(experiment_id=e, arm=a),)] for e, a in ("xa", "xb", "ya", "yb")]
    seen.append(counts[()])
    assert stats.chisquare(seen, [40_000 * p for p in (0.225, 0.075, 0.3, 0.3, 0.1)]).pvalue > 0.001


def test_experiments_of_different_layers_say_nothing_about_each_other():
    rules = policy(experiments=[{"experiment_id": name, "share": 0.8, "arms": ARMS} for name in ("x", "y")])
    both = Counter(
        tuple(each.arm for each in found)
        for found in (assignments(customer, rules, KEYS) for customer in CUSTOMERS)
        if len(found) == 2
    )
    table = [[both["a", "a"], both["a", "b"]], [both["b", "a"], both["b", "b"]]]
    assert stats.chi2_contingency(table).pvalue > 0.001
    assert sum(both.values()) / len(CUSTOMERS) == pytest.approx(0.64, abs=0.04)


# --- places written down ----------------------------------------------------------------------------------------


def test_places_say_the_share_and_who_has_none_takes_what_is_free():
    written = Experiment.model_validate(
        {"experiment_id": "w", "layer": "l", "places": [[0.5, 0.7], [0.1, 0.2]], "arms": ARMS}
    )
    assert written.share == pytest.approx(0.3)
    taken = placed([experiment("a", 0.7), written])
    assert taken["a"] == ((0, 100_000), (200_000, 500_000), (700_000, PARTS))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"places": [[0.5, 0.2]]}, "a start and a later end"),
        ({"places": [[0, 0.5], [0.4, 0.6]]}, "overlap each other"),
        ({"places": [[0, 0.5]], "share": 0.4}, "leave share out"),
        ({"places": 7}, "places"),
    ],
)
def test_places_that_cannot_be_are_refused(more, message):
    with pytest.raises(ValidationError, match=message):
        Experiment.model_validate({"experiment_id": "w", "arms": ARMS, **more})


def test_two_experiments_with_the_same_places_are_refused_with_what_is_free():
    both = [{"experiment_id": name, "layer": "l", "places": [[0, 0.4]], "arms": ARMS} for name in ("x", "y")]
    with pytest.raises(ValidationError, match=r"places in common; free are \[0\.4, 1\]"):
        policy(experiments=both)


# --- what the ledger remembers ----------------------------------------------------------------------------------

HEAD = "channels: [email]\nexperiments:\n"
LINE = "  - {{experiment_id: {}, {}, layer: {}, arms: [{{name: a}}, {{name: b}}]}}\n"


def arms_under(settings, *experiments, layer="l"):
    settings.policy.write_text(HEAD + "".join(LINE.format(name, what, layer) for name, what in experiments))
    with build(settings) as kairos:
        return {
            customer: {each.experiment_id: each.arm for each in assignments(customer, kairos.policy, kairos.keys)}
            for customer in CUSTOMERS[:400]
        }


def members(found, name):
    return {customer: arms[name] for customer, arms in found.items() if name in arms}


def test_from_start_to_start_an_experiment_that_goes_on_keeps_its_customers(tmp_path):
    rules = settings_in(tmp_path)
    first, second = ("first", "share: 0.4"), ("second", "share: 0.4")
    states = [
        arms_under(rules, first, second),
        arms_under(rules, second),
        arms_under(rules, ("first", "share: 0.6"), second),
        arms_under(rules, ("new", "share: 0.2"), first, second),
        arms_under(rules, second, first),
    ]
    assert len({tuple(members(state, "second").items()) for state in states}) == 1
    assert members(states[0], "first") == members(states[3], "first") == members(states[4], "first")
    for before, after in pairwise(states):
        came = members(after, "first").keys() - members(before, "first").keys()
        assert not any("second" in before[customer] for customer in came)


def test_the_policy_of_a_start_names_the_places_so_that_its_version_says_who_is_where(tmp_path):
    rules = settings_in(tmp_path)
    arms_under(rules, ("first", "share: 0.4"), ("second", "share: 0.4"))
    arms_under(rules, ("second", "share: 0.4"))
    with build(rules) as kairos:
        assert kairos.policy.experiments[0].places == ((0.4, 0.8),)
        assert kairos.ledger.newest("layers") == "000000002"  # the same again changes nothing


@pytest.mark.parametrize(
    ("then", "message"),
    [
        ([("first", "share: 0.4"), ("new", "places: [[0.3, 0.5]]")], "experiment 'first' holds"),
        ([("first", "places: [[0.2, 0.6]]")], r"would lose \[0, 0\.2\].*a new experiment_id"),
    ],
)
def test_a_change_that_would_move_others_is_refused(tmp_path, then, message):
    rules = settings_in(tmp_path)
    arms_under(rules, ("first", "share: 0.4"))
    with pytest.raises(DocumentError, match=message):
        arms_under(rules, *then)


def test_an_experiment_that_changes_its_layer_is_asked_for_a_new_id(tmp_path):
    rules = settings_in(tmp_path)
    arms_under(rules, ("first", "share: 0.4"))
    with pytest.raises(DocumentError, match=r"ran in layer 'l' and is now in 'm'.*new experiment_id"):
        arms_under(rules, ("first", "share: 0.4"), layer="m")
