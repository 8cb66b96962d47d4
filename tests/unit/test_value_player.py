"""The value model in the arena: it counts what plain Python counts, keeps the rules, and beats what learns nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields
from itertools import pairwise
from math import exp

import numpy as np
import orjson
import pytest

from benchmarks import arena
from benchmarks.world.player import BELIEFS, Candidates, Player, declared
from benchmarks.world.player.counting import Counting
from benchmarks.world.player.sends import Pressure
from benchmarks.world.rivals import Facts
from decisions.worth.tally import Tally
from simulation.arena.playing import Asked, play
from simulation.calendar import DAY
from simulation.messages import Messages
from simulation.shop import CHANNELS, OFFERS
from tests.worlds.rivals import RULES, asked, event, facts, known_world, log, message

HALF_LIFE = 7.0


@pytest.fixture(scope="module")
def known():
    """A world at day 0, and its log."""
    return known_world()


def plainly(events, size: int, now: int) -> Tally:
    """The tally in plain Python, an event at a time."""
    counted = {each.name: np.zeros((size, len(CHANNELS), len(OFFERS))) for each in fields(Tally)}
    rows = sorted(events.to_pylist(), key=lambda row: row["occurred_at"])
    told = defaultdict(set)
    for row in rows:
        if row["message_id"]:
            kind = f"{row['type']}.machine" if row["automated"] else row["type"]
            told[row["message_id"]].add(kind)
    sent = defaultdict(list)
    offers = [offer.offer_id for offer in OFFERS]
    for row in rows:
        if row["type"] != "sent":
            continue
        who, at = int(row["customer_id"][1:]), row["occurred_at"].timestamp()
        pressure = sum(0.5 ** ((at - other) / DAY / HALF_LIFE) for other in sent[who])
        sent[who].append(at)
        kinds, place = (
            told[row["message_id"]],
            (who, CHANNELS.index(row["channel"]), offers.index(row["offer_id"])),
        )
        hidden = "opened.machine" in kinds
        ripe = 0.0 if "bounced" in kinds else 1 - exp(-(((now - at) / DAY / 0.5) ** 0.6))
        counted["hidden" if hidden else "exposed"][place] += ripe
        counted["hidden_pressed" if hidden else "pressed"][place] += ripe * pressure
        for kind, name in (("clicked", "clicked"), ("converted", "ordered")):
            counted[f"hidden_{name}" if hidden else name][place] += kind in kinds
        if not hidden:
            counted["opened"][place] += "opened" in kinds
            counted["seen"][place] += bool(kinds & {"opened", "clicked", "converted"})
    return Tally(**counted)


def test_it_counts_what_plain_python_counts_however_the_log_is_cut(known):
    world, past = known
    size, now = world.state.size, world.calendar.midnight(0)
    counting = Counting(Facts.of(world), HALF_LIFE)
    cuts = [0, 1, past.num_rows // 3, past.num_rows // 2, past.num_rows]
    for begin, end in pairwise(cuts):
        counting.hear(past.slice(begin, end - begin))
    mine, theirs = counting.tally(now), plainly(past, size, now)
    for each in fields(Tally):
        assert np.allclose(getattr(mine, each.name), getattr(theirs, each.name)), each.name
    assert counting.sent().sum() == sum(row == "sent" for row in past["type"].to_pylist())


def test_an_order_that_a_message_brought_is_no_order_of_ones_own():
    counting = Counting(facts(), HALF_LIFE)
    counting.hear(
        log(
            event("purchased", 0, 0, 9, value=30.0),
            message(0, 1, "converted", value=30.0),
            event("purchased", 0, 1, 11, value=30.0),
            event("session", 1, 2, 9),
        )
    )
    life = counting.life(facts().calendar.midnight(10))
    assert life.orders.tolist() == [1, 0, 0]
    assert life.revenue.tolist() == [30, 0, 0]
    assert life.signs.tolist() == [2, 1, 0]
    assert life.silent_days[2] == pytest.approx(10 - 9 / 24)


def test_channels_are_lost_by_leaving_complaining_and_dead_addresses():
    counting = Counting(facts(), HALF_LIFE)
    counting.hear(
        log(
            message(0, 0, "unsubscribed"),
            message(1, 0, "complained", channel="sms"),
            message(2, 0, "bounced", properties=orjson.dumps({"bounce": "hard"}).decode()),
            message(2, 1, "bounced", properties=orjson.dumps({"bounce": "soft"}).decode()),
        )
    )
    assert counting.lost.tolist() == [2, 0, 1]


def test_pressure_is_the_same_whether_messages_are_told_at_once_or_one_by_one():
    who, at = np.array([0, 0, 1, 0]), np.array([0, 1, 1, 9]) * DAY
    at_once, one_by_one = Pressure(2, HALF_LIFE), Pressure(2, HALF_LIFE)
    met = at_once.weigh(who, at)
    single = np.concatenate([one_by_one.weigh(who[[row]], at[[row]]) for row in range(4)])
    assert met.tolist() == single.tolist()
    assert met[3] == pytest.approx((1 + 0.5 ** (1 / 7)) * 0.5 ** (8 / 7))
    assert at_once.at(np.array([1]), np.array([8 * DAY]))[0] == pytest.approx(0.5)


def test_it_plays_the_same_for_the_same_seed_and_with_or_without_candidates_beside(known):
    world, past = known
    totals = []
    for watched in (True, True, False):
        fork = world.fork()
        player = Player(Facts.of(world), 3)
        asked = Candidates(player, fork, 3) if watched else player
        played = play(fork, past, asked, RULES, days=6)
        totals.append((played.account.sent, played.account.value))
        assert not watched or sum(found["messages"] for found in asked.slopes().values()) > 20
    assert totals[0] == totals[1] == totals[2]
    assert totals[0][0] > 0


def test_an_answer_does_not_depend_on_who_else_is_asked(known):
    world, past = known
    player = Player(Facts.of(world), 3)
    player.hear(past, -1)
    everybody = asked(world.state.size)
    some = np.arange(0, world.state.size, 3)
    whole = player.choose(everybody)
    fewer = player.choose(Asked(0, some, everybody.free[some], everybody.reachable[some]))
    hour_of = dict(zip(whole.row.tolist(), whole.hour.tolist(), strict=True))
    assert {int(some[row]): hour for row, hour in zip(fewer.row, fewer.hour, strict=True)} == {
        who: hour_of[who] for who in some.tolist() if who in hour_of
    }
    assert len(set(whole.hour.tolist())) > 1


def test_candidates_are_what_the_rules_leave_and_are_priced_as_the_world_prices_them(known):
    world, past = known
    fork = world.fork()
    candidates = Candidates(Player(Facts.of(world), 3), fork, 3)
    candidates.hear(past, -1)
    question = asked(world.state.size, free=np.broadcast_to(np.arange(72) == 30, (world.state.size, 72)))
    question = Asked(0, question.who, question.free, question.reachable & (np.arange(3) == 2))
    drawn = candidates._drawn(question)
    assert set(drawn.channel.tolist()) == {2}
    assert set((drawn.sent_at - world.calendar.midnight(0)).tolist()) == {30 * 3600 + 1800}
    assert 0 < len(drawn) < world.state.size / 2
    candidates.choose(question)
    (pairs,) = candidates._pairs
    _, euros = world.expected(drawn)
    active = world.state.active[drawn.customer]
    assert pairs.true == pytest.approx(np.where(active, euros.net, -euros.cost))


def test_messages_to_who_orders_after_them_are_expected_to_be_worth_more(known):
    world, past = known
    told = past.to_pylist()
    extra = [
        row | {"type": "converted", "event_id": f"more.{row['event_id']}", "value": 30.0}
        for row in told
        if row["type"] == "sent" and int(row["customer_id"][1:]) % 2
    ]
    player = Player(Facts.of(world), 3)
    player.hear(log(told, extra), -1)
    who, none = np.arange(world.state.size), np.zeros(world.state.size, dtype=np.int64)
    value = player.expect(Messages.of(who, none, none, none + world.calendar.midnight(0) + 12 * 3600))
    assert value[who % 2 == 1].mean() > 2 * value[who % 2 == 0].mean() > 0


def test_wrong_beliefs_are_declared_only_where_they_are_the_point():
    assert declared("clusters") == BELIEFS
    high, low = declared("priors_high"), declared("priors_low")
    assert high.anyway == 2 * BELIEFS.anyway == 4 * low.anyway
    assert high.attention == tuple(2 * each for each in BELIEFS.attention)


def records():
    """Two families, two seeds each."""
    worth = {"clusters": (0.3, 0.28), "low_effects": (0.01, 0.0)}
    slope = {"email": {"slope": 1.0}, "push": {"slope": None}, "sms": {"slope": 0.5}}
    return [
        {
            "family": family,
            "seed": seed,
            "customers": 200,
            "policies": {
                "kairos": {"value": total, "sent": 2000, "unsubscribed": 4},
                "best_static": {"value": 0.1},
                "composite": {"value": 0.05},
            },
            "slope": slope,
            "seconds": {"play": 2.0},
        }
        for family, totals in worth.items()
        for seed, total in enumerate(totals)
    ]


def test_families_count_alike_and_differences_have_intervals():
    found = arena.judged(records())
    assert found["policies"] == {
        "kairos": pytest.approx(0.1475),
        "silence": 0.0,
        "static": pytest.approx(0.1),
        "composite": pytest.approx(0.05),
    }
    above = found["differences"]["static"]
    assert above["value"] == pytest.approx(0.0475)
    assert above["interval"][0] < above["value"] < above["interval"][1]
    row = found["by_family"]["clusters"]
    assert row["slope"] == {"email": 1.0, "push": None, "sms": 0.5}
    assert (row["sent"], row["lost"]) == (10.0, 0.02)


def test_of_one_seed_a_family_no_interval_is_claimed_and_of_none_nothing_is():
    one = arena.judged(records()[::2])
    assert one["differences"]["composite"]["interval"] is None
    assert "two are the least" in one["differences"]["composite"]["why"]
    assert arena.judged([])["worlds"] == 0
