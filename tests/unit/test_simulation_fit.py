"""Every family's history looks like the log it is matched to, and for the stated reasons."""

from itertools import pairwise

import numpy as np
import pytest

from benchmarks import world_fit
from simulation.account import Account
from simulation.arena.opportunity import Opportunity
from simulation.arena.playing import moments_of
from simulation.calendar import DAY, HOUR
from simulation.families import FAMILIES
from simulation.fit.figures import send_time_reach
from simulation.fit.logs import LOGS, targets
from simulation.world import World
from tests.worlds.simulated import fit, live_on, lived, to_everybody


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_family_lies_within_its_tolerances_of_the_log_it_is_matched_to(family):
    found, wanted = fit(family), targets(FAMILIES[family])
    off = {
        name: (found[name], target)
        for name, target in wanted.items()
        if abs(found[name].value - target) > FAMILIES[family].tolerances[name] * target + 3 * found[name].error
    }
    assert not off


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_family_states_a_tolerance_for_every_figure_of_its_own_log(family):
    chosen = FAMILIES[family]
    missing = set(LOGS[chosen.matched_to]) - set(chosen.tolerances)
    assert missing == ({name for name in missing if "gap" in name} if chosen.alike else set())
    assert max(chosen.tolerances.values()) <= 0.5


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_two_to_twelve_percent_are_reachable_by_send_time_except_where_it_does_nothing(family):
    world = World.of(FAMILIES[family], customers=150, seed=0, history=0)
    reach = send_time_reach(world, Opportunity(), np.arange(150)).mean()
    if family == "no_send_time":
        assert reach == pytest.approx(0, abs=1e-12)
    else:
        assert 0.02 <= reach <= 0.12


def test_the_raw_curve_of_opens_by_gap_falls_although_pressure_never_helps():
    found = fit("clusters")
    quick, slow = found["opened_gap_0_1"], found["opened_gap_7_up"]
    assert quick.value - slow.value > 3 * np.hypot(quick.error, slow.error)
    world, _ = lived(customers=1500, history=60, seed=3)
    messages = to_everybody(world, every=1)
    truth = [
        world.expected(messages, pressure=np.full(len(messages), pressure))[0] for pressure in (0.0, 0.5, 1.0, 3.0)
    ]
    for less, more in pairwise(truth):
        assert (more.seen < less.seen).all()
        assert (more.left >= less.left).all()
        assert (more.driven_off >= less.driven_off).all()


def test_the_sender_before_aims_its_second_message_at_those_who_open_anyway():
    world, log = lived(customers=1500, history=60, seed=3)
    sent = log.filter(np.char.startswith(log["event_id"].to_numpy().astype(str), "m"))
    sent = sent.filter(np.equal(sent["type"].to_numpy(), "sent"))
    again = np.array([name.split(".")[1] == "1" for name in sent["message_id"].to_pylist()])
    who = np.array([int(name[1:]) for name in sent["customer_id"].to_pylist()])
    assert world.people.seen[who[again], 0].mean() > 1.5 * world.people.seen[who[~again], 0].mean()
    assert world.people.vip[who[again]].mean() > 1.3 * world.people.vip[who[~again]].mean()
    hours = moments_of(sent)[~again] % DAY // HOUR
    assert (hours.min(), hours.max()) == (8, 15)


def test_a_mail_every_three_days_is_worth_something_where_offers_move_people():
    world = lived(customers=1500, history=60, seed=3)[0].fork()
    account = sum((day.account for day in live_on(world, 60, about_refills)), Account())
    assert 0.1 < account.value / world.state.size < 0.6
    assert 0.1 * account.margin < account.churn < 0.6 * account.margin


def test_where_messages_move_almost_nobody_the_same_mail_loses():
    world = lived("low_effects", customers=1500, history=60, seed=3)[0].fork()
    assert sum(day.account.value for day in live_on(world, 60, about_refills)) < 0


def about_refills(world):
    return to_everybody(world, hour=12, offer=2)


def test_people_are_alike_where_the_family_says_so():
    people = World.of(FAMILIES["no_heterogeneity"], customers=50, seed=1, history=0).people
    for trait in (people.seen, people.click, people.lift, people.redeem, people.worn, people.left, people.pushed):
        assert np.ptp(trait, axis=0) == pytest.approx(0)
    assert np.ptp(people.mix) == pytest.approx(0)
    assert people.habits(77, 240.0, np.arange(50)) == pytest.approx(people.mix)


def test_the_benchmark_sets_every_figure_beside_its_target(monkeypatch):
    monkeypatch.setattr(world_fit, "STATIC_DAYS", 3)
    found = world_fit.run(["clusters", "no_heterogeneity"], customers=100, days=30, seeds=2)
    for name, family in found["families"].items():
        assert family["matched_to"] == "messages"
        assert {figure for figure, shown in family["figures"].items() if shown["target"]} == set(
            targets(FAMILIES[name])
        )
        low, high = family["figures"]["send_time_reach"]["interval"]
        assert low <= family["figures"]["send_time_reach"]["value"] <= high
    assert "opened_gap_0_1" in world_fit.table(found)
    assert "target 0.1870 ± 12%" in world_fit.table(found)
