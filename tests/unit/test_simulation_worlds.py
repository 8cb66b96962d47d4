"""What a world promises whoever plays in it."""

import hashlib
import io
from dataclasses import replace

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.contracts import Consent, Customer, Event
from simulation.arena.playing import moments_of, numbers
from simulation.calendar import DAY
from simulation.facts import consents, customers
from simulation.families import FAMILIES, named
from simulation.family import Change, Rhythm
from simulation.messages import Messages
from simulation.world import World
from tests.worlds.simulated import live_on, lived, to_everybody


def fingerprint(table):
    written = io.BytesIO()
    with pa.ipc.new_stream(written, table.schema) as stream:
        stream.write_table(table.combine_chunks())
    return hashlib.sha256(written.getvalue()).hexdigest()


def of(table, kind):
    return table.filter(pc.equal(table["type"], kind))


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_the_same_family_seed_and_messages_give_the_same_bytes(family):
    def days():
        world = World.of(FAMILIES[family], customers=60, seed=5, history=5)
        return [fingerprint(day.events) for day in [*world.past(), *live_on(world, 4)]]

    assert days() == days()


def test_another_seed_is_another_world():
    one, other = (World.of(FAMILIES["clusters"], customers=60, seed=seed, history=3) for seed in (1, 2))
    assert [fingerprint(day.events) for day in one.past()] != [fingerprint(day.events) for day in other.past()]


def test_forks_do_not_touch_each_other():
    world, _ = lived()
    alone = [fingerprint(day.events) for day in live_on(world.fork(), 5)]
    quiet, busy = world.fork(), world.fork()
    for _ in range(5):
        quiet.live(Messages.none())
        busy.live(to_everybody(busy, every=1))
    again = world.fork()
    assert [fingerprint(day.events) for day in live_on(again, 5)] == alone
    assert world.today == 0


def test_a_message_to_one_changes_nothing_for_the_others():
    world, _ = lived()
    one, other = world.fork(), world.fork()
    for _ in range(10):
        messages = to_everybody(one)
        left, right = one.live(messages), other.live(messages.take(messages.customer != 7))
        assert others(left.events, 7).equals(others(right.events, 7))
    assert one.state.last_sent[7] != other.state.last_sent[7]


def others(events, who):
    return events.filter(pc.not_equal(events["customer_id"], f"c{who}")).combine_chunks()


def test_a_message_later_in_the_day_meets_the_same_draws():
    world = World.of(FAMILIES["no_send_time"], customers=300, seed=1, history=0)  # under no pressure yet
    early, late = (world.fork().live(to_everybody(world, hour=hour, every=1)) for hour in (9, 15))
    counts = ("sent", "seen", "bought", "redeemed", "unsubscribed", "bounced")
    assert [getattr(early.account, name) for name in counts] == [getattr(late.account, name) for name in counts]


def test_events_satisfy_the_contract():
    world, past = lived()
    for table in (past, world.fork().live(to_everybody(world, every=1)).events):
        for row in table.slice(0, 4000).to_pylist()[::7]:
            Event(**{**row, "properties": orjson.loads(row["properties"])})


def test_every_kind_of_event_is_logged_and_every_id_once():
    _, past = lived(customers=1500, history=60, seed=3)
    kinds = {"session", "purchased", "converted", "sent", "delivered", "bounced", "opened", "clicked"}
    assert kinds | {"unsubscribed", "complained"} == set(past["type"].unique().to_pylist())
    assert len(past["event_id"].unique()) == past.num_rows


def test_customers_and_consents_satisfy_their_contracts():
    world, _ = lived()
    for row in customers(world).to_pylist()[:50]:
        Customer(**{**row, **{name: orjson.loads(row[name]) for name in ("attributes", "contacts")}})
    for row in consents(world).to_pylist()[:50]:
        Consent(**row)


def test_nothing_is_sent_without_consent():
    world, past = lived(customers=1500, history=60, seed=3)
    played = world.fork()
    log = pa.concat_tables([past, *(day.events for day in live_on(played, 12, greedy))])
    sent, ended = of(log, "sent"), first_ends(log)
    permitted = {
        (f"c{who}", ("email", "push", "sms")[channel]) for who, channel in np.argwhere(world.people.consent)
    }
    to = list(zip(sent["customer_id"].to_pylist(), sent["channel"].to_pylist(), strict=True))
    assert set(to) <= permitted
    assert len(ended) > 50
    assert all(moment <= ended.get(key, moment) for key, moment in zip(to, moments_of(sent), strict=True))


def greedy(world):
    return to_everybody(world, every=1, channel=world.today % 3)


def first_ends(log):
    hard = pc.and_(pc.equal(log["type"], "bounced"), pc.match_substring(log["properties"], "hard"))
    ends = log.filter(pc.or_(pc.is_in(log["type"], pa.array(("unsubscribed", "complained"))), hard))
    found = {}
    for who, channel, moment in zip(
        ends["customer_id"].to_pylist(), ends["channel"].to_pylist(), moments_of(ends), strict=True
    ):
        found[who, channel] = min(moment, found.get((who, channel), moment))
    return found


def test_who_is_behind_a_proxy_never_shows_an_open_of_their_own():
    world, past = lived()
    opened = of(past, "opened")
    automated = opened["automated"].to_numpy()
    assert np.array_equal(world.people.proxy[numbers(opened)], automated)
    assert 0 < automated.sum() < len(automated)


def test_only_mail_is_opened_and_only_bots_click_at_once():
    world, past = lived(customers=1500, history=60, seed=3)
    assert of(past, "opened")["channel"].unique().to_pylist() == ["email"]
    clicked = of(past, "clicked")
    robots = clicked.filter(clicked["automated"])
    assert robots.num_rows > 20
    assert world.people.bot[numbers(robots)].all()


def test_who_has_gone_still_takes_mail_and_does_nothing():
    world = lived()[0].fork()
    world.state.active[:] = False
    days = live_on(world, 4, lambda world: to_everybody(world, every=1))
    happened = days[-1].events.filter(pc.starts_with(days[-1].events["message_id"], "m3."))
    assert set(happened["type"].to_pylist()) - {"opened", "clicked"} <= {"sent", "delivered", "bounced"}
    assert all(of(happened, kind)["automated"].to_numpy().all() for kind in ("opened", "clicked"))
    assert of(happened, "delivered").num_rows > 200
    assert days[-1].account.margin == 0


def test_late_events_come_days_late_and_what_bears_on_permission_never_does():
    world = World.of(FAMILIES["clusters"], customers=800, seed=2, history=30)
    punctual, late = {"sent", "bounced", "unsubscribed", "complained"}, []
    for day in world.past():
        days = world.calendar.day_of(moments_of(day.events))
        missed = day.number - days
        assert missed.min(initial=0) >= 0
        assert missed.max(initial=0) <= 3
        behind = day.events.filter(pa.array(missed > 0))
        assert not punctual & set(behind["type"].to_pylist())
        late.append(of(behind, "session").num_rows / max(1, of(day.events, "session").num_rows))
    assert np.mean(late[5:]) == pytest.approx(world.family.noise.late, rel=0.25)


def test_as_many_events_are_lost_as_declared():
    def sessions(lost):
        noise = replace(FAMILIES["clusters"].noise, lost=lost, late=0.0)
        world = World.of(replace(FAMILIES["clusters"], noise=noise), customers=600, seed=2, history=30)
        log = pa.concat_tables([day.events for day in world.past()])
        return {kind: of(log, kind).num_rows for kind in ("session", "sent", "unsubscribed", "purchased")}

    whole, heard = sessions(0.0), sessions(0.05)
    assert 1 - heard["session"] / whole["session"] == pytest.approx(0.05, rel=0.2)
    assert {**whole, "session": 0} == {**heard, "session": 0}


def test_events_of_the_last_days_of_history_arrive_after_it():
    world, past = lived(customers=1500, history=60, seed=3)
    first = world.fork().live(Messages.none()).events
    before = moments_of(first) < world.calendar.epoch
    assert 0 < before.sum() < len(before)
    assert not set(first["event_id"].to_pylist()) & set(past["event_id"].to_pylist())


def test_visits_fall_into_the_day_they_are_logged_for():
    world, past = lived()
    days = world.calendar.day_of(moments_of(past))
    visits = [int(name[1:].split(".")[0]) for name in of(past, "session")["event_id"].to_pylist()]
    assert np.array_equal(days[pc.equal(past["type"], "session").to_numpy()], visits)


def test_a_family_that_does_not_exist_is_refused_by_name():
    with pytest.raises(ValueError, match="there is no family of worlds 'seasons': choose among clusters"):
        named("seasons")
    assert named("low_effects").name == "low_effects"


@pytest.mark.parametrize("wrong", [{"pull": 1.5}, {"pull": -0.1}, {"own": 2}, {"clusters": -1}, {"drift_days": 0}])
def test_habits_that_cannot_be_drawn_are_refused(wrong):
    with pytest.raises(ValueError, match="shares"):
        Rhythm(**wrong)


def test_a_change_names_every_channel_once():
    with pytest.raises(ValueError, match="each of 0, 1 and 2 once"):
        Change(day=3, hours=1, channels=(0, 0, 2), lift=(1, 1, 1, 1))


def test_a_world_without_people_is_refused():
    with pytest.raises(ValueError, match="0 customers"):
        World.of(FAMILIES["clusters"], customers=0, seed=1)


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("customer", 300, "to nobody"),
        ("customer", -1, "to nobody"),
        ("channel", 3, "on no channel"),
        ("channel", -1, "on no channel"),
        ("offer", 4, "about no offer"),
        ("sent_at", DAY, "not sent on day 0"),
    ],
)
def test_a_message_about_what_does_not_exist_is_refused(column, value, says):
    world = lived()[0].fork()
    given = {"customer": 1, "offer": 0, "channel": 0, "sent_at": world.calendar.epoch, column: value}
    with pytest.raises(ValueError, match=says):
        world.live(Messages.of(*(np.array([each]) for each in given.values())))
