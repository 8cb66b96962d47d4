"""A displaced decision: how it ends in the ledger, on every road by which a better one is recorded."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from random import Random
from threading import Barrier

import orjson
import pytest

from decisions.choosing.displacing import lifted
from decisions.ledger import Ledger, PlaceGone
from decisions.ledger.places.state import Reading, read_one
from decisions.records import Ask
from decisions.replay import freeze_catalogue, freeze_policy, replay
from pipelines.recount import Rules, recount
from pipelines.views.decisions import card
from runtime.clock import FixedClock
from runtime.decider import Decider
from runtime.guard import guard_of
from runtime.purse import Purse
from serving.answers import DecisionOut, shown
from tests.worlds.deciding import KEYS, catalogue, offer, policy, scores
from tests.worlds.ledger import (
    DAY,
    HOUR,
    NOW,
    ada,
    consent,
    event,
    fresh,
    hold,
    record,
    recording,
    send,
    state,
    url_in,
)

STOCK = catalogue(offer("coffee"), offer("tea"))
RULES = policy(caps=[{"limit": 1, "window": "7d"}])


class Worth:
    """What the models say: a coffee is worth little and a tea ten times as much."""

    def of(self, customer_ids, *, now):
        worth = scores(STOCK, tau={"coffee|email": 0.1, "tea|email": 1.0})
        return {each: replace(worth, customer_id=each) for each in customer_ids}


CLOCK = FixedClock(NOW)


def decider_of(ledger, *, rules=RULES, scored=None) -> Decider:
    return Decider(
        ledger=ledger,
        scored=scored or Worth(),
        policy=rules,
        catalogue=STOCK,
        keys=KEYS,
        keys_id="k",
        clock=CLOCK,
        purse=Purse(ledger.budgets, {}, clock=CLOCK),
    )


def question(request_id, offer_id, customer_id="ada"):
    return Ask(request_id=request_id, customer_id=customer_id, offers=(offer_id,))


def one_by_one(decider, ask):
    return decider.decide([ask])[0]


def in_a_block(decider, ask):
    return decider.decide_block([ask], purse=decider._purse)[0]


@pytest.fixture
def ledger(tmp_path):
    with fresh(tmp_path, guard=guard_of(RULES, STOCK)) as ledger:
        for who in ("ada", "bob"):
            ledger.put_customers([ada(customer_id=who)])
            ledger.append_consents([consent(customer_id=who)], NOW)
        yield ledger


@pytest.fixture(params=[one_by_one, in_a_block])
def pair(request, ledger):
    """A reserved coffee, and the tea that took its place."""
    decider = decider_of(ledger)
    coffee = one_by_one(decider, question("first", "coffee"))
    return coffee, request.param(decider, question("second", "tea"))


def entries(folder):
    with closing(sqlite3.connect(folder / "ledger.db")) as database:
        return database.execute(
            "SELECT decision_id, what, detail FROM audit WHERE decision_id IS NOT NULL ORDER BY seq"
        ).fetchall()


def test_the_place_changes_hands_in_one_transaction(ledger, pair, tmp_path):
    coffee, tea = pair
    assert tea.displaces == coffee.decision_id
    assert ledger.decision(coffee.decision_id).state == "displaced"
    assert ledger.decision(tea.decision_id) == tea
    assert [each.decision_id for each in state(ledger).pressure] == [tea.decision_id]
    due = ledger.lease(9, tea.send_at + DAY, HOUR) + ledger.lease(9, max(coffee.send_at, tea.send_at), HOUR)
    assert {each.decision.decision_id for each in due} <= {tea.decision_id}


def test_the_audit_frees_the_place_before_it_is_given_and_names_who_took_it(pair, tmp_path):
    coffee, tea = (each.decision_id for each in pair)
    assert entries(tmp_path) == [
        (coffee, "reserved", None),
        (coffee, "displaced", tea),
        (tea, "reserved", None),
    ]


def test_a_displaced_decision_gets_no_permission(ledger, pair):
    coffee, tea = pair
    verdict = ledger.confirm(coffee.decision_id, coffee.send_at)
    assert (verdict.code, verdict.state) == ("displaced", "displaced")
    assert ledger.confirm(tea.decision_id, tea.send_at).status == "confirmed"


@pytest.mark.parametrize("deed", ["release", "expire", "withdraw", "confirm"])
def test_nothing_resurrects_or_ends_a_displaced_decision_again(ledger, pair, deed):
    coffee, _ = pair
    if deed == "release":
        assert ledger.release(coffee.decision_id, NOW).code == "displaced"
    elif deed == "expire":
        ledger.expire(NOW + 30 * DAY)
    elif deed == "withdraw":
        ledger.append_consents([consent("withdrawn", at=NOW)], NOW)
    else:
        ledger.confirm_many([coffee.decision_id] * 2, coffee.send_at)
    assert ledger.decision(coffee.decision_id).state == "displaced"


def test_a_displaced_message_that_went_all_the_same_counts(ledger, pair):
    coffee, tea = pair
    at = max(coffee.send_at, NOW)
    ledger.take_events([event("sent", at=at, decision_id=coffee.decision_id, channel="email")], at)
    assert ledger.decision(coffee.decision_id).state == "displaced"
    assert len(state(ledger).pressure) == 2
    assert ledger.confirm(tea.decision_id, tea.send_at + timedelta(minutes=1)).code == "cap"


def test_the_same_request_again_gives_the_same_decision_and_displaces_nothing_more(ledger, pair, tmp_path):
    _, tea = pair
    before = entries(tmp_path)
    assert one_by_one(decider_of(ledger), question("second", "tea")) == tea
    assert in_a_block(decider_of(ledger), question("second", "tea")) == tea
    assert entries(tmp_path) == before


def test_the_record_replays_what_was_displaced(ledger, pair):
    _, tea = pair
    contents = {RULES.version: freeze_policy(RULES), STOCK.version: freeze_catalogue(STOCK)}
    assert replay(ledger.record(tea.decision_id), KEYS, contents=contents) == tea


def test_what_was_confirmed_keeps_its_place(ledger):
    decider = decider_of(ledger)
    coffee = one_by_one(decider, question("first", "coffee"))
    ledger.confirm(coffee.decision_id, coffee.send_at)
    tea = decider.decide([question("second", "tea")], now=coffee.send_at)[0]
    assert (tea.action, tea.displaces) == ("hold", None)


def displace(ledger, displaces, customer_id="ada", *, many=False, crash=False):
    better = send(customer_id, displaces=displaces)
    with ledger.transaction(customer_id) as tx:
        if many:
            tx.record_many([recording(hold(customer_id)), recording(better)])
        else:
            tx.record(better, body_hash="b", frozen=b"")
        if crash:
            raise ZeroDivisionError


@pytest.mark.parametrize("many", [False, True])
def test_a_decision_that_takes_a_place_which_is_gone_is_refused_whole(ledger, tmp_path, many):
    gone = record(ledger, send())
    ledger.release(gone.decision_id, NOW)
    somebody_elses = record(ledger, send("bob"))
    before = entries(tmp_path)
    for displaces in (gone.decision_id, somebody_elses.decision_id, "no-such"):
        with pytest.raises(PlaceGone, match=displaces):
            displace(ledger, displaces, many=many)
    assert entries(tmp_path) == before
    assert ledger.decision(somebody_elses.decision_id).state == "reserved"


def test_a_crash_before_the_end_leaves_the_place_where_it_was(ledger):
    coffee = record(ledger, send())
    with pytest.raises(ZeroDivisionError):
        displace(ledger, coffee.decision_id, crash=True)
    assert ledger.decision(coffee.decision_id).state == "reserved"
    assert [each.decision_id for each in state(ledger).pressure] == [coffee.decision_id]


@pytest.mark.parametrize("repetition", range(3))
def test_one_place_changes_hands_once_under_four_workers(ledger, tmp_path, repetition):
    coffee = one_by_one(decider_of(ledger), question("first", "coffee"))
    ready = Barrier(4)

    def ask(number):
        with Ledger.open(url_in(tmp_path)) as mine:
            ready.wait()
            return one_by_one(decider_of(mine), question(f"better-{number}", "tea"))

    with ThreadPoolExecutor(4) as workers:
        answers = list(workers.map(ask, range(4)))
    (winner,) = [each for each in answers if each.action == "send"]
    assert winner.displaces == coffee.decision_id
    assert [each.decision_id for each in state(ledger).pressure] == [winner.decision_id]


def test_lifting_a_place_gives_the_state_the_ledger_reads_without_it(ledger):
    places = [record(ledger, send(offer_id=name, at=NOW + HOUR * at)) for at, name in enumerate(("tea", "tea"), 1)]
    ledger.take_events([event("sent", at=NOW - DAY, channel="email", offer_id="coffee", message_id="m")], NOW)
    with ledger.transaction("ada") as tx:
        known = tx.state("ada", NOW)
        for place in places:
            (found,) = [each for each in known.pressure if each.decision_id == place.decision_id]
            read = read_one(tx._session, "ada", NOW, Reading(), without=place.decision_id).state
            assert lifted(known, found) == read


def test_the_answer_and_the_card_name_the_decision_that_gives_way(ledger, pair):
    coffee, tea = pair
    assert DecisionOut.model_validate_json(orjson.dumps(shown(tea))).displaces == coffee.decision_id
    assert f"takes the place of decision {coffee.decision_id}" in "\n".join(card(tea, "EUR").lines)


class Rising(Worth):
    """Every question finds something of another worth."""

    def __init__(self, random):
        self.random = random

    def of(self, customer_ids, *, now):
        tau = {"coffee|email": self.random.random() ** 3, "tea|email": self.random.random() ** 3}
        return {each: replace(scores(STOCK, tau=tau), customer_id=each) for each in customer_ids}


@pytest.mark.parametrize("seed", range(3))
def test_whatever_displaces_whatever_the_recount_finds_no_cap_and_no_gap_overrun(tmp_path, seed):
    random = Random(seed)  # not a secret
    caps = [{"limit": 1, "window": "day"}, {"limit": 3, "window": "7d"}]
    rules = policy(caps=caps, min_gap_hours=10, exploration={"loss_budget": 0.5})
    with fresh(tmp_path, guard=guard_of(rules, STOCK)) as ledger:
        ledger.put_customers([ada()])
        ledger.append_consents([consent()], NOW)
        decider, now, displaced = decider_of(ledger, rules=rules, scored=Rising(random)), NOW, 0
        for number in range(60):
            now += random.random() * 6 * HOUR
            ask = Ask(request_id=f"r{number}", customer_id="ada", horizon_hours=72)
            displaced += decider.decide([ask], now=now)[0].displaces is not None
            for leased in ledger.lease(9, now, HOUR):
                ledger.confirm(leased.decision.decision_id, now)
        counts = recount(url_in(tmp_path), Rules.of({"caps": caps, "min_gap_hours": 10})).counts
    assert displaced > 3  # the test is about something
    assert not any(counts.values())
