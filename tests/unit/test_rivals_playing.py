"""Rivals play in a known world: within the rules, the same every time, at the volume they are held to."""

import numpy as np
import pytest

from benchmarks.world.rivals import AXES, CAPS, WHOLE, Facts, Metered, Twin, composite, tune_cap
from benchmarks.world.rivals.features import lessons
from benchmarks.world.rivals.journal import Journal
from simulation.arena.playing import play
from tests.worlds.rivals import RULES, all_alike, asked, awake, event, facts, known_world, log, message

DAYS = 10


@pytest.fixture(scope="session")
def known():
    """A world at day 0, and its log."""
    return known_world()


def sent_by(known, strategy, days=DAYS):
    """Every message of a play, by day."""
    world, past = known
    messages = []
    played = play(world.fork(), past, strategy, RULES, days=days, watch=lambda day: messages.append(day.messages))
    assert played.account.sent == sum(len(each) for each in messages)
    return messages


def as_rows(messages):
    return [
        list(
            zip(
                each.customer.tolist(),
                each.offer.tolist(),
                each.channel.tolist(),
                each.sent_at.tolist(),
                strict=True,
            )
        )
        for each in messages
    ]


@pytest.mark.parametrize("name", WHOLE)
def test_every_rival_plays_within_the_rules_and_the_same_for_the_same_seed(known, name):
    public = Facts.of(known[0])
    first, again = (as_rows(sent_by(known, WHOLE[name](public, 7), 2)) for _ in range(2))
    assert first == again
    assert sum(map(len, sent_by(known, WHOLE[name](public, 7)))) > 100


@pytest.mark.parametrize("name", ["adobe", "thompson", "vowpal_wabbit"])
def test_a_rival_that_draws_plays_otherwise_with_another_seed(known, name):
    public = Facts.of(known[0])
    one, other = (as_rows(sent_by(known, WHOLE[name](public, seed), 2)) for seed in (1, 2))
    assert one != other


@pytest.mark.parametrize("name", ["airship", "mabwiser"])
def test_a_cap_of_ones_own_lowers_the_volume(known, name):
    public = Facts.of(known[0])
    free, capped = (sum(map(len, sent_by(known, WHOLE[name](public, 1, cap=cap), 6))) for cap in (None, 1))
    assert 0 < capped < free


def test_facts_tell_nothing_that_the_customer_table_does_not():
    world, _ = known_world(100, history=1)
    public = Facts.of(world)
    declared = world.people.zone_known
    assert (public.zone[declared] == world.people.zone[declared]).all()
    assert (public.zone[~declared] == 0).all()
    assert {"calendar", "zone", "margin", "incentive", "cost", "margin_rate"} == set(Facts.__slots__)


@pytest.mark.parametrize("name", ["first_come", "mabwiser"])
def test_a_metered_rival_sends_as_many_as_its_schedule_says(known, name):
    schedule = np.array([20, 30, 10, 25, 25, 5, 15, 20, 20, 10])
    messages = sent_by(known, Metered(WHOLE[name](Facts.of(known[0]), 1), schedule))
    sent = np.cumsum([len(each) for each in messages])
    assert (sent <= np.cumsum(schedule)).all()
    assert sent[-1] >= 0.97 * schedule.sum()  # a withdrawn permission or two stands between


class Liking:
    """Likes customer 0 best, and would keep all but the first two back."""

    def __init__(self, inner):
        self.inner = inner

    def hear(self, events, day):
        self.inner.hear(events, day)

    def answers(self, question):
        found = self.inner.answers(question)
        row = found.wanted.row
        return type(found)(found.wanted, -row.astype(float), found.tie, row < 2)


def test_a_metered_rival_sends_what_it_likes_best_and_then_what_it_would_have_kept():
    rival = Liking(WHOLE["first_come"](facts(5), 1))
    rival.hear(log(message(0, -1)), -1)
    metered = Metered(rival, [1, 2, 0])
    assert metered.choose(asked(5)).row.tolist() == [0]
    assert metered.choose(asked(5, day=1)).row.tolist() == [0, 1]
    assert metered.choose(asked(5, day=2)).row.tolist() == []


def test_a_metered_rival_fills_the_volume_with_what_it_would_have_kept():
    metered = Metered(Liking(WHOLE["first_come"](facts(5), 1)), [3])
    assert metered.choose(asked(5)).row.tolist() == [0, 1, 2]


def test_a_composite_is_made_of_the_named_rules(known):
    public = Facts.of(known[0])
    rival = composite(public, 1, timing="mautic", channel="most_used", offer="best_single", cap=1)
    same = WHOLE["mautic"](public, 1, cap=1)
    assert as_rows(sent_by(known, rival, 3)) == as_rows(sent_by(known, same, 3))


def test_a_composite_of_an_unknown_rule_is_refused():
    with pytest.raises(KeyError, match="moon"):
        composite(facts(), 1, timing="moon", channel="most_used", offer="best_single")


@pytest.mark.parametrize(
    ("axis", "name"), [(axis, name) for axis in AXES for name in AXES[axis] if name != "response_model"]
)
def test_every_rule_of_every_axis_stands_in_for_kaiross(axis, name):
    public = facts(5)
    twin = Twin({0: all_alike(5)}, public, **{axis: AXES[axis][name](public, 1)})
    twin.hear(log([message(who, -2, "clicked", "converted") for who in range(5)]), -1)
    assert twin.answers(asked(5, free=awake(5))).wanted.row.tolist() == list(range(5))


def test_the_cap_with_the_largest_value_is_taken_and_the_smaller_of_equal_ones():
    asked_for = []

    def value(factory, cap):
        asked_for.append((factory, cap))
        return {0: 0.0, 1: 1.0, 2: 3.0, 3: 3.0, 4: 2.0}[cap]

    assert tune_cap(value, WHOLE["adobe"]) == 2
    assert asked_for == [(WHOLE["adobe"], cap) for cap in CAPS]


def test_a_lesson_pays_the_margin_of_the_order_that_followed_less_its_costs():
    journal, public = Journal(), facts()
    journal.hear(log(message(0, -20, "converted", offer=1, value=40.0), message(1, -20, channel="sms")))
    taught = lessons(journal, public, public.calendar.midnight(-21), public.calendar.midnight(-14))
    assert taught.who.tolist() == [0, 1]
    assert taught.reward == pytest.approx([40 * 0.3 - 2.5 - 0.002, -0.06])


def test_a_lesson_knows_nothing_of_what_came_after_it_began():
    journal, public = Journal(), facts()
    since = public.calendar.midnight(-21)
    journal.hear(log(message(0, -20)))
    before = lessons(journal, public, since, since + 7 * 86400).known
    journal.hear(log([event("session", 0, -20, hour) for hour in (3, 4, 5)]))
    assert (lessons(journal, public, since, since + 7 * 86400).known == before).all()
