"""A machine that does anything in any order to a ledger, and a model beside it that must always agree."""

from __future__ import annotations

import itertools
import zlib
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import HealthCheck, Phase, settings, target
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import create_engine, text

from decisions.decide import decide
from decisions.ledger import RequestConflict
from decisions.records import Ask
from decisions.replay import freeze, freeze_catalogue, freeze_policy
from features.contracts import Consent, Event, Preference
from pipelines.recount import Rules, recount
from runtime.guard import guard_of
from tests.worlds.deciding import KEYS, catalogue, offer, policy, scores
from tests.worlds.effort import SOAKING, effort
from tests.worlds.ledger import opened, send
from tests.worlds.model import CHANNELS, GAPS, LIMITS, QUIET, REST, Person, Place
from tests.worlds.oracle import Message

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EVES = (  # of days on which clocks change in one of the zones, and of a month's end
    datetime(2026, 3, 27, 10, tzinfo=UTC),
    datetime(2026, 4, 3, 20, tzinfo=UTC),
    datetime(2026, 10, 23, 15, tzinfo=UTC),
    datetime(2026, 10, 31, 9, tzinfo=UTC),
    datetime(2026, 6, 29, 6, tzinfo=UTC),
)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", None)
POLICY = policy(
    channels=CHANNELS,
    caps=LIMITS,
    min_gap_hours=GAPS[None],
    channel_gap_hours={"sms": GAPS["sms"]},
    quiet_hours=[{"from_hour": QUIET[0], "until_hour": QUIET[1]}],
    cooldowns={"after_sent_days": REST / 24, "after_conversion_days": 0, "exclusivity_days": 0},
    exploration={"loss_budget": 0.5, "floor": 0.1},
    holdback={"share": 0.05, "outcome_days": 1, "blocks": "offer"},
    opt_in_purposes=("marketing", "service"),
    horizon_hours=72,
)
STOCK = catalogue(
    offer("tea", channels=CHANNELS),
    offer("coffee", channels=("email",)),
    offer("bread", channels=CHANNELS, category="food"),
)
OFFERS = {each.offer_id: each for each in STOCK.offers}
FREE = "free"
"""The version under which decisions made by hand go: a policy without rules, so that the recount lets them be."""

people = st.integers(0, 1)
any_place = st.integers(0, 30)
worths = st.tuples(*[st.sampled_from([0.2, 1.0, 6.0])] * 3)  # of the three offers
purposes = st.sampled_from(["marketing"] * 5 + ["transactional"])
waits = st.sampled_from([0, 0, 0, 2, 9])  # hours
lates = st.sampled_from([0, 0, 30, 200])  # minutes
questions = st.lists(st.tuples(worths, purposes, waits), min_size=1, max_size=4)
channels = st.sampled_from(CHANNELS)


class Machine(RuleBasedStateMachine):
    """Everything that may be done to a ledger, each deed with what it must come to."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.ledger = opened(url, key=b"tombstones", guard=guard_of(POLICY, STOCK))
        self.engine = create_engine(url)
        self.now = EVES[0]
        self.names = itertools.count(1)  # of each run anew: the same deeds are the same draws
        self.people: list[Person] = []
        self.requests: list[tuple[Ask, str]] = []
        self.events: list[Event] = []
        for kind, version, content in (
            ("policy", POLICY.version, freeze_policy(POLICY)),
            ("catalogue", STOCK.version, freeze_catalogue(STOCK)),
            ("policy", FREE, zlib.compress(orjson.dumps({"opt_in_purposes": []}))),
        ):
            self.ledger.keep(kind, version, content)

    def teardown(self) -> None:
        self.ledger.close()
        self.engine.dispose()
        if self.people:
            report = recount(self.url, Rules.of(POLICY.model_dump(), [each.model_dump() for each in STOCK.offers]))
            assert report.violations == ()
            target(float(report.sends), label="sends")

    # Who is there

    @initialize(
        eve=st.sampled_from(EVES),
        zones=st.tuples(st.sampled_from(ZONES), st.sampled_from(ZONES)),
        asks=st.lists(questions, min_size=2, max_size=2),
    )
    def begin(self, eve, zones, asks):
        self.now = eve
        for zone in zones:
            person = Person(f"c{next(self.names)}", zone)
            self.people.append(person)
            self.ledger.put_customers([person.customer()])
            for channel in CHANNELS:
                self._say(person, channel, "granted")
        for who, some in enumerate(asks):
            self._questions(who, some)

    def _person(self, number) -> Person | None:
        person = self.people[number]
        return None if person.erased else person

    def _place(self, number) -> tuple[Person, str, Place] | None:
        found = [(who, key, place) for who in self.people if not who.erased for key, place in who.places.items()]
        return found[number % len(found)] if found else None

    def _say(self, person, channel, status, purpose="marketing"):
        entry = Consent(
            customer_id=person.customer_id,
            channel=channel,
            purpose=purpose,
            status=status,
            at=self.now,
            source="test",
        )
        self.ledger.append_consents([entry], self.now)
        person.journal.setdefault((channel, purpose), []).append((self.now, status))
        if person.consent(channel, purpose) == "withdrawn":
            for key, place in person.places.items():
                if (place.message.channel, place.message.purpose) == (channel, purpose):
                    person.end(key, "withdrawn")

    # Deciding

    def _questions(self, who, asks):
        """Some questions about one customer, with time going on between them."""
        for worth, purpose, wait in asks:
            if person := self._person(who):
                self._ask(person, worth, purpose)
            self.now += wait * HOUR

    # Every run leaves some of the rules out: what matters most stands here more than once.
    ask = rule(who=people, asks=questions)(_questions)
    ask_more = rule(who=people, asks=questions)(_questions)
    ask_once_more = rule(who=people, asks=questions)(_questions)

    def _ask(self, person, worth, purpose):
        ask = Ask(request_id=f"ask{next(self.names)}", customer_id=person.customer_id, purpose=purpose)
        tau = {
            f"{name}|{channel}": worth[at] for at, name in enumerate(OFFERS) for channel in OFFERS[name].channels
        }
        given = {
            "policy": POLICY,
            "catalogue": STOCK,
            "scores": scores(STOCK, tau=tau, customer_id=person.customer_id),
            "now": self.now,
        }
        with self.ledger.transaction(person.customer_id) as transaction:
            given["state"] = transaction.state(person.customer_id, self.now)
            decision = decide(ask, keys=KEYS, **given)
            frozen = freeze(ask, keys_id="test", whole=False, **given)
            transaction.record(decision, body_hash=ask.purpose, frozen=frozen)
        person.lapse(self.now)
        self.requests.append((ask, decision.decision_id))
        if decision.displaces:
            assert person.places[decision.displaces].state == "reserved"
            person.end(decision.displaces, "displaced")
        if decision.action == "send":
            self._check(person, decision)
            self._take(person, decision)

    def _check(self, person, decision):
        """P1 to P3 at every moment at which the message may go, tried one by one."""
        consent = person.consent(decision.channel, decision.purpose)
        assert consent == "granted" or (consent is None and decision.purpose == "transactional")
        mine, others = _message(decision), person.messages()
        every = (decision.expires_at - decision.send_at) / 12
        assert self.now <= decision.send_at < decision.expires_at
        for part in range(13):
            assert not person.forbids(mine, decision.send_at + every * part, others), (decision.send_at, part)

    def _take(self, person, decision):
        person.places[decision.decision_id] = Place(
            _message(decision), promised=_message(decision), decided=decision.now
        )

    @rule(number=any_place, same=st.booleans())
    def ask_again(self, number, same):
        """P4: the same request has the same answer, in its present state; with another body it is refused."""
        living = [
            each
            for each in self.requests
            if any(not p.erased and p.customer_id == each[0].customer_id for p in self.people)
        ]
        if not living:
            return
        ask, decision_id = living[number % len(living)]
        known = self.ledger.decision(decision_id)
        other = send(ask.customer_id, request_id=ask.request_id, now=self.now)
        with self.ledger.transaction(ask.customer_id) as transaction:
            assert transaction.find_request(ask.request_id) == (known, ask.purpose)
            if same:
                assert transaction.record(other, body_hash=ask.purpose, frozen=b"") == known
                return
        with pytest.raises(RequestConflict), self.ledger.transaction(ask.customer_id) as transaction:
            transaction.record(other, body_hash="another", frozen=b"")

    @rule(
        who=people,
        channel=channels,
        ahead=st.integers(0, 100),
        lasts=st.integers(1, 9),
        name=st.sampled_from(sorted(OFFERS)),
    )
    def record_by_hand(self, who, channel, ahead, lasts, name):
        """A decision that no rule was asked about: it takes its place all the same."""
        person = self._person(who)
        if (
            person is None
            or channel not in OFFERS[name].channels
            or person.consent(channel, "marketing") != "granted"
        ):
            return
        key = f"hand{next(self.names)}"
        decision = send(
            person.customer_id,
            decision_id=key,
            request_id=key,
            at=self.now + ahead * HOUR,
            lasts=lasts * HOUR,
            now=self.now,
            channel=channel,
            offer_id=name,
            category=OFFERS[name].category,
            campaign_id=None,
            policy_version=FREE,
        )
        with self.ledger.transaction(person.customer_id) as transaction:
            transaction.record(decision, body_hash="hand", frozen=b"")
        self._take(person, decision)

    def _keys(self):
        return (key for who in self.people if not who.erased for key in who.places)

    # The send protocol

    @rule(number=any_place)
    def confirm(self, number):
        found = self._place(number)
        if found is None:
            return
        person, key, place = found
        expected, before = person.may_confirm(key, self.now), place.state
        verdict = self.ledger.confirm(key, self.now)
        assert verdict.state == expected, verdict
        assert (verdict.status == "confirmed") == (expected == "confirmed" and before == "reserved")
        if expected == "confirmed":
            person.permit(key, self.now)
        else:
            person.end(key, expected) if expected != "reserved" else None

    def _due(self, late, most):
        """Most confirms come when the message is due: time goes on until then, or a little longer."""
        for _ in range(most):
            open_ = [
                (place.message.at, number)
                for number, _ in enumerate(self._keys())
                if (place := self._place(number)[2]).state == "reserved"
            ]
            if open_:
                at, number = min(open_)
                self.now = max(self.now, at + late * MINUTE)
                self.confirm(number)

    messages_are_due = rule(late=lates, most=st.integers(1, 4))(_due)
    more_messages_are_due = rule(late=lates, most=st.integers(1, 4))(_due)

    @rule(number=any_place)
    def release(self, number):
        found = self._place(number)
        if found is None:
            return
        person, key, place = found
        verdict = self.ledger.release(key, self.now)
        assert (verdict.status == "released") == (place.state in {"reserved", "released"})
        person.end(key, "released")

    @rule()
    def expire(self):
        self.ledger.expire(self.now)
        for person in self.people:
            person.lapse(self.now)

    @rule(minutes=st.sampled_from([1, 7, 59, 180, 600, 1_440, 4_000]))
    def time_goes_on(self, minutes):
        self.now += minutes * MINUTE

    @rule(limit=st.integers(1, 4), minutes=st.sampled_from([5, 90]))
    def lease(self, limit, minutes):
        """Nothing is lent before its time, after it, twice at once, or before the customer's earlier message."""
        leased = self.ledger.lease(limit, self.now, minutes * MINUTE)
        for person in self.people:
            for place in person.places.values():
                place.waits &= place.promised.until > self.now  # what is over leaves the outbox
        for each in leased:
            key = each.decision.decision_id
            person = next(who for who in self.people if key in who.places)
            place = person.places[key]
            assert place.waits
            assert not place.is_lent(self.now)
            assert place.state == "reserved" or (place.state == "confirmed" and place.lent)
            assert place.promised.at <= self.now < place.promised.until
            before = [other for other in person.places.values() if other.promised.at < place.promised.at]
            assert not any(other.is_lent(self.now) for other in before)
        for each in leased:
            self._holder(each.decision.decision_id).lent = each.leased_until

    def _holder(self, key) -> Place:
        return next(who.places[key] for who in self.people if key in who.places)

    @rule(number=any_place)
    def acknowledge(self, number):
        found = self._place(number)
        if found:
            _, key, place = found
            self.ledger.ack([key])
            place.waits = False

    # Events

    def _happen(self, person, kind, **fields):
        event = Event(event_id=f"e{next(self.names)}", customer_id=person.customer_id, type=kind, **fields)
        self.events.append(event)
        (verdict,) = self.ledger.take_events([event], self.now)
        assert verdict.status == ("erased" if person.erased else "accepted")

    @rule(who=people, channel=channels, ago=st.integers(0, 3_000))
    def another_system_sends(self, who, channel, ago):
        person = self._person(who)
        if person:
            at, name = self.now - ago * MINUTE, f"m{next(self.names)}"
            self._happen(person, "sent", occurred_at=at, channel=channel, message_id=name)
            message = Message(at=at, until=at, channel=channel, category=None, offer_id=None)
            person.foreign[name] = message

    @rule(number=any_place, ago=st.integers(0, 200))
    def the_sender_says_it_was_sent(self, number, ago):
        found = self._place(number)
        if found:
            person, key, _ = found
            at = self.now - ago * MINUTE
            self._happen(person, "sent", occurred_at=at, decision_id=key)
            person.went(key, at)

    @rule(number=any_place, kind=st.sampled_from(["delivered", "opened", "clicked"]))
    def a_reaction_comes(self, number, kind):
        """It proves that the message went, whether or not the sender asked; it never brings a freed place back."""
        found = self._place(number)
        if found:
            person, key, _ = found
            self._happen(person, kind, occurred_at=self.now, decision_id=key)
            person.hear(key, self.now)

    @precondition(lambda self: self.events)
    @rule(number=any_place)
    def an_event_comes_again(self, number):
        event = self.events[number % len(self.events)]
        erased = any(who.erased and who.customer_id == event.customer_id for who in self.people)
        (verdict,) = self.ledger.take_events([event], self.now)
        assert verdict.status == ("erased" if erased else "duplicate")

    # What people want

    @rule(who=people, channel=channels, status=st.sampled_from(["granted", "withdrawn"]))
    def consent_changes(self, who, channel, status):
        if person := self._person(who):
            self._say(person, channel, status)

    @rule(
        who=people,
        limit=st.sampled_from([None, None, 0, 1, 2]),
        hours=st.sampled_from([(None, None), (12, 16), (0, 24), (5, 5)]),
        off=st.sampled_from([(), ("sms",)]),
        pause=st.sampled_from([None, None, 30]),
    )
    def wishes_change(self, who, limit, hours, off, pause):
        if person := self._person(who):
            person.wish = Preference(
                customer_id=person.customer_id,
                max_per_week=limit,
                quiet_from=hours[0],
                quiet_until=hours[1],
                channels_off=off,
                pause_until=self.now + pause * HOUR if pause else None,
            )
            self.ledger.put_preference(person.wish)

    @rule(who=people, zone=st.sampled_from(ZONES))
    def the_customer_moves(self, who, zone):
        if person := self._person(who):
            person.zone = zone
            self.ledger.put_customers([person.customer()])

    @precondition(lambda self: len(self.requests) > 10 and not any(person.erased for person in self.people))
    @rule(who=people, late=st.booleans())
    def erase(self, who, late):
        if person := self._person(who):
            self.ledger.erase(person.customer_id, self.now)
            person.erased = True
            if late:
                self._happen(person, "sent", occurred_at=self.now, channel="email", message_id="late")

    # What must hold after every step

    def _rows(self, what):
        with self.engine.connect() as connection:
            return connection.execute(text(what)).all()

    @invariant()
    def states_places_and_outbox_agree_with_the_model(self):
        living = [who for who in self.people if not who.erased]
        places = {key: place for who in living for key, place in who.places.items()}
        states = {
            row[0]: row[1] for row in self._rows("SELECT decision_id, state FROM decision WHERE action = 'send'")
        }
        assert states == {key: place.state for key, place in places.items()}
        waiting = {row[0] for row in self._rows("SELECT decision_id FROM outbox")}
        assert waiting == {key for key, place in places.items() if place.waits}
        rows = self._rows("SELECT decision_id, message_id, at, state FROM pressure")
        held = [(row[0] or row[1], row[2]) for row in rows]
        counted = [(key, place.message) for key, place in places.items() if place.counts]
        counted += [(name, message) for who in living for name, message in who.foreign.items()]
        assert sorted(held) == sorted((key, _tick(message.at)) for key, message in counted)
        assert all((state == "reserved") == (states.get(key) == "reserved") for key, _, _, state in rows)

    @invariant()
    def what_deciding_sees_agrees_with_the_model(self):
        for person in self.people:
            known = self.ledger.states([person.customer_id], self.now)[person.customer_id]
            if person.erased:
                assert (known.known, known.pressure, known.consents) == (False, (), ())
                continue
            open_ = [
                (place.message.at, place.message.until)
                for place in person.places.values()
                if place.counts and not (place.state == "reserved" and place.message.until <= self.now)
            ]
            seen = sorted((each.at, each.until or each.at) for each in known.pressure)
            assert seen == sorted(open_ + [(each.at, each.until) for each in person.foreign.values()])
            assert known.preference == person.wish
            words = {(each.channel, each.purpose): each.status for each in known.consents}
            assert words == {key: person.consent(*key) for key in person.journal}


def _message(decision) -> Message:
    return Message(
        at=decision.send_at,
        until=decision.expires_at,
        channel=decision.channel,
        purpose=decision.purpose,
        category=decision.category,
        offer_id=decision.offer_id,
        campaign_id=decision.campaign_id,
    )


def _tick(moment) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def test_whatever_is_done_in_whatever_order_the_ledger_and_the_model_agree(database_urls):
    run_state_machine_as_test(
        lambda: Machine(database_urls()),
        settings=settings(
            max_examples=effort(12, times=25),
            stateful_step_count=80 if SOAKING else 40,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink] if SOAKING else [Phase.generate],  # to shrink takes minutes
        ),
    )
