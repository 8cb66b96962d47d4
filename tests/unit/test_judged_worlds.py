"""The judged run: which seeds it plays, how looks are counted, what bars are made of, which floors are honest."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from benchmarks.world.agreeing import agreed
from benchmarks.world.barring import barred
from benchmarks.world.bars import LEAST, bars
from benchmarks.world.floors import of_history
from benchmarks.world.judging import judge
from benchmarks.world.looks import FILE, look
from benchmarks.world.panel import Panel
from benchmarks.world.plan import JUDGED, Plan
from benchmarks.world.tuning import best_for_all
from measures import stratified
from pipelines.options import ROOT
from simulation.families import CORE, FAMILIES
from simulation.oracles import Static
from tests.worlds.bench import record
from tests.worlds.rivals import known_world, log, message

SEEDS = range(1, 5)
WORTH = {"kairos": 0.3, "composite": 0.15, "best_static": 0.18, "static_after_looking": 0.2}


def records(families=("clusters", "low_effects", "priors_high"), *, worth=WORTH, noise=0.01):
    """Worlds in which everybody's worth is known but for noise of their own."""
    tables = dict.fromkeys(worth, "whole") | {"kairos": "kairos", "static_after_looking": "looked"}
    policies = {name: (tables[name], None, "free", value) for name, value in worth.items()}
    found = [record(family, seed, policies=policies, noise=noise) for family in families for seed in SEEDS]
    for each in found:
        if each["family"].startswith("priors"):
            each["policies"]["kairos_right_priors"] = {**each["policies"]["kairos"], "table": "told"}
            each["policies"]["kairos_right_priors"]["value"] += 0.05
        for name in ("kairos", "composite"):
            each["policies"][name]["own_value"] = each["policies"][name]["value"] + 0.1
    return found


@pytest.mark.parametrize("wrong", [{"seeds": (101,)}, {"loop_seeds": 4}, {"seeds": ()}, {"seeds": (0,)}])
def test_judged_seeds_are_not_played_by_the_way_and_a_plan_is_possible(wrong):
    with pytest.raises(ValueError, match=r"give --judged|on 0 to 3 of these seeds|the least"):
        Plan(**wrong)


@pytest.mark.parametrize("name", ["world", "arena"])
def test_the_command_refuses_a_judged_seed_and_says_the_way_out(name):
    asked = [sys.executable, "-m", f"benchmarks.{name}", "--seeds", "7,104", "--json"]
    refused = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=ROOT)
    assert refused.returncode == 2
    assert "seed 104 is one of those that are judged" in refused.stderr


def test_the_product_plays_small_worlds_of_the_core_on_the_first_seeds():
    plan = Plan(seeds=JUDGED, judged=True, loop_seeds=2, days=180)
    assert {unit.seed for unit in plan.loops} == {101, 102}
    assert {unit.family for unit in plan.loops} == set(CORE)
    assert {(unit.customers, unit.days) for unit in plan.loops} == {(800, 60)}
    assert {unit.family for unit in plan.units} == set(FAMILIES)
    assert {unit.seed for unit in plan.tuned}.isdisjoint(plan.seeds)


def test_floors_are_tuned_in_all_of_the_core_whatever_is_played():
    assert {unit.family for unit in Plan(families=("peak_season",)).tuned} == {*CORE, "peak_season"}


def test_a_look_is_one_state_of_the_code_at_one_length_however_often_it_is_run(tmp_path):
    plan, long = Plan(seeds=JUDGED, judged=True), Plan(seeds=JUDGED, judged=True, days=180)
    numbers = [
        look(each, code, tmp_path)["number"] for each, code in ((plan, "a"), (plan, "a"), (long, "a"), (plan, "b"))
    ]
    assert numbers == [1, 1, 2, 3]
    assert len((tmp_path / FILE).read_text().splitlines()) == 3


def test_bars_are_over_the_core_and_the_others_stand_by_themselves():
    found = bars(Panel(records()))
    assert found["value"]["value"] == pytest.approx(0.3, abs=0.02)
    assert found["ahead_of"]["composite"]["value"] == pytest.approx(0.15, abs=0.03)
    assert found["ahead_of"]["static_after_looking"]["p_adjusted"] is None
    assert found["own_hand"].keys() == {"kairos", "composite"}
    assert found["own_hand"]["kairos"]["value"] == pytest.approx(found["value"]["value"] + 0.1)
    assert found["by_family"].keys() == {"clusters", "low_effects", "priors_high"}
    assert found["above_silence"].keys() == {"low_effects"}
    assert found["wrong_priors"]["priors_high"]["price"]["value"] == pytest.approx(0.05)
    assert found["unsubscribes"]["kairos"] == {
        "per_message": pytest.approx(0.005),
        "per_customer": pytest.approx(0.025),
    }
    assert found["share_of_exact"]["value"] == pytest.approx(0.3 / 0.9, abs=0.03)
    without = bars(Panel([each for each in records() if each["family"] in CORE]))
    assert without["ahead_of"] == found["ahead_of"]
    assert {name: found["by_family"][name] for name in without["by_family"]} == without["by_family"]


def test_a_bound_of_a_family_is_one_sided_and_pays_for_being_one_of_several():
    panel = Panel(records())
    row = bars(panel)["by_family"]
    alone = panel.of("priors_high")
    apart = alone.column("kairos") - alone.column("composite")
    error = apart.std(ddof=1) / np.sqrt(len(apart))
    plain, halved = (apart.mean() - t.ppf(level, len(apart) - 1) * error for level in (0.95, 0.975))
    assert halved <= row["priors_high"]["composite"]["bound"] + 1e-12 <= plain + 2e-12
    assert all(each["bound"] < each["value"] for found in row.values() for each in found.values())


@given(st.lists(st.floats(-0.3, 0.3), min_size=3, max_size=12), st.floats(0.9, 0.99))
def test_a_bound_lies_above_a_value_exactly_where_the_one_sided_test_rejects_it(values, level):
    found = stratified.mean(values, ["one"] * len(values))
    if found.error > 1e-9:
        assert (found.bound(level) > LEAST) == (found.p_above(LEAST) < 1 - level)
        assert found.bound(level) < found.interval(2 * level - 1).low + 1e-9


def test_one_world_a_family_has_values_and_no_bound():
    found = bars(Panel([each for each in records() if each["seed"] == 1]))
    assert found["by_family"]["clusters"]["composite"]["bound"] is None
    assert found["ahead_of"]["composite"]["interval"] is None


def test_slopes_are_of_families_in_which_people_differ():
    units = records(("clusters", "no_heterogeneity"))
    for each in units:
        each["slope"] = {"email": {"slope": 1.0 if each["family"] == "clusters" else 9.0}}
    assert bars(Panel(units))["slopes"]["email"]["value"] == 1.0


def test_bars_and_the_answer_are_shown_to_people_and_the_product_beside():
    answer = {**judge(records()), "loop": None}
    overall, families, static = barred(answer, answer["bars"])
    assert [row[0] for row in families[2]] == ["clusters", "low_effects", "(priors_high)"]
    assert ("the whole product", "not played", "–") in overall[2]
    assert {row[0] for row in static[2]} == {"best_static", "static_after_looking"}
    rows = [
        {"family": family, "seed": 1, "value": 0.27, "arena_value": 0.3, "sent": 9.0, "arena_sent": 9.0}
        for family in CORE
    ]
    loop = agreed(rows)
    assert loop["share"] == pytest.approx(0.9)
    assert loop["seeds"] == [1]
    assert agreed([]) is None
    (*_, share) = next(barred({**answer, "loop": loop}, answer["bars"]))[2]
    assert share[:2] == ("the product's share of it", pytest.approx(0.9))


def test_the_rule_for_all_is_the_best_mean_and_not_the_best_of_any_family():
    rules = [Static(every_days=7), Static(every_days=14), Static(every_days=28)]
    surveys = [{"values": [0.5, 0.3, 0.0]}, {"values": [-0.3, 0.2, 0.1]}]
    assert best_for_all(rules, surveys) == rules[1]


def staged(*events):
    """What a rule that is read off history looks at."""
    world, _ = known_world()
    return SimpleNamespace(world=world, past=log(*events))


def test_a_rule_is_read_off_history_at_its_word():
    dull = [message(who, -9, hour=9, channel="push") for who in range(200)]
    bought = [message(who, -5, "opened", "converted", offer=1, hour=11, value=60.0) for who in range(120)]
    rule = of_history(staged(dull, bought))
    assert (rule.channel, rule.offer, rule.every_days) == (0, 1, 7)
    assert of_history(staged(dull)) == Static()
    few = [message(who, -5, "converted", channel="sms", offer=2, value=900.0) for who in range(9)]
    assert of_history(staged(dull, bought, few)).channel == 0
