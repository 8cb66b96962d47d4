"""Whatever is asked of the ledger in whatever order, states and places agree with a model beside it."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decisions.ledger.storage.codec import micros, moment
from pipelines.recount import Rules, recount
from pipelines.recount.windows import crowded
from tests.worlds.ledger import HOUR, NOW, consent, event, opened, record, send

CHANNELS = ("email", "sms")
OPENING = NOW + HOUR
CLOSING = NOW + 7 * HOUR
FREED = {"released", "withdrawn", "expired"}
_people = itertools.count()
_relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

deeds = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), st.sampled_from(CHANNELS)),
        st.tuples(st.sampled_from(("confirm", "release", "sent")), st.integers(0, 5)),
        st.tuples(st.just("withdraw"), st.sampled_from(CHANNELS)),
        st.tuples(st.just("expire"), st.none()),
    ),
    max_size=25,
)


@pytest.fixture(scope="module")
def url(database_urls):
    return database_urls()


@pytest.fixture(scope="module")
def ledger(url):
    with opened(url) as ledger:
        yield ledger


class Model:
    """One customer, done by hand: what each decision's state must be, and which messages count."""

    def __init__(self, ledger, customer_id):
        self.ledger, self.customer_id = ledger, customer_id
        self.now, self.closed = OPENING, set()
        self.states, self.channels, self.counting = {}, {}, set()
        ledger.append_consents([consent(customer_id=customer_id, channel=each) for each in CHANNELS], NOW)

    def do(self, deed, what):
        if deed in {"confirm", "release", "sent"}:
            what = next(itertools.islice(self.states, what, None), None)
            if what is None:
                return
        getattr(self, deed)(what)

    def reserve(self, channel):
        if channel not in self.closed:  # deciding sees the withdrawal, and never asks for a place
            decision = record(self.ledger, send(self.customer_id, channel=channel))
            self.states[decision.decision_id], self.channels[decision.decision_id] = "reserved", channel
            self.counting.add(decision.decision_id)

    def confirm(self, key):
        verdict = self.ledger.confirm(key, self.now)
        allowed = self.states[key] == "reserved" and self.now < CLOSING
        assert (verdict.status == "confirmed") == allowed
        self._end(key, "confirmed" if allowed else "expired")

    def release(self, key):
        self.ledger.release(key, self.now)
        self._end(key, "released")

    def sent(self, key):
        self.ledger.take_events([event("sent", self.customer_id, at=self.now, decision_id=key)], self.now)
        self._end(key, "confirmed")
        self.counting.add(key)

    def withdraw(self, channel):
        self.closed.add(channel)
        self.ledger.append_consents(
            [consent("withdrawn", self.customer_id, channel=channel, at=self.now)], self.now
        )
        for key in self._open(channel):
            self._end(key, "withdrawn")

    def expire(self, _):
        self.now = CLOSING
        self.ledger.expire(self.now)
        for key in self._open():
            self._end(key, "expired")

    def _open(self, channel=None):
        return [
            key for key, now in self.states.items() if now == "reserved" and channel in (None, self.channels[key])
        ]

    def _end(self, key, state):
        if self.states[key] == "reserved":
            self.states[key] = state
            if state in FREED:
                self.counting.discard(key)


@given(deeds)
@_relaxed
def test_states_and_places_agree_with_a_model_after_any_deeds(ledger, deeds):
    model = Model(ledger, f"c{next(_people)}")
    for deed, what in deeds:
        model.do(deed, what)
    assert {key: ledger.decision(key).state for key in model.states} == model.states
    pressure = ledger.states([model.customer_id], NOW)[model.customer_id].pressure
    assert {each.decision_id for each in pressure} == model.counting
    assert len(pressure) == len(model.counting)


def test_the_recount_finds_no_broken_promise_after_all_of_these_deeds(ledger, url):
    counts = recount(url, Rules.of({})).counts
    assert (counts["whole"], counts["once"], counts["window"], counts["consent"]) == (0, 0, 0, 0)


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # Hypothesis adds the zone
def test_a_moment_survives_to_the_microsecond(when):
    assert moment(micros(when)) == when


@given(st.integers(0, 200), st.lists(st.integers(0, 200), max_size=12), st.integers(0, 4), st.integers(1, 60))
def test_the_recounts_windows_agree_with_trying_every_window(at, times, limit, length):
    def held(start):
        return sum(start <= each < start + length for each in (*times, at))

    overrun = any(held(start) > limit for start in range(at - length + 1, at + 1))
    second = timedelta(seconds=1) // timedelta(microseconds=1)
    assert crowded(at * second, [each * second for each in times], limit=limit, seconds=length) == overrun
