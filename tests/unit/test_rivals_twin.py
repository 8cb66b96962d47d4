"""Kairos's twin in the arena decides what Kairos itself decides."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from benchmarks.world.rivals import Twin
from benchmarks.world.rivals.channel import MostUsed
from benchmarks.world.rivals.frequency import FirstCome
from benchmarks.world.rivals.mautic import Mautic
from benchmarks.world.rivals.offer import BestSingle
from decisions.catalogue import Catalogue
from decisions.records import Scores
from simulation.arena.opportunity import Opportunity
from simulation.arena.playing import Asked
from simulation.calendar import DAY, HOUR
from simulation.shop import CHANNELS, OFFERS, ZONES
from tests.worlds import deciding
from tests.worlds import rivals as worlds

SIZE = 60
BERLIN, _, NEW_YORK, KOLKATA = range(len(ZONES))
HALF = 0.509
"""The middle of an hour, whether its last minute is permitted or not; where clocks go by half hours it is full."""
RULES = {
    "quiet_hours": [{"from_hour": 21, "until_hour": 8}],
    "caps": [{"limit": 2, "window": "7d"}],
    "min_gap_hours": 24,
    "least_window_minutes": 1,
}


def random_scores(seed: int) -> list[Scores]:
    """What models may say: some of everything is worth sending, some is not."""
    drawn = np.random.default_rng(seed)

    def table(size: int, scale: float) -> dict[str, tuple[float, ...]]:
        return {channel: tuple((scale * drawn.random(size)).tolist()) for channel in CHANNELS}

    def scores(who: int) -> Scores:
        pairs = [f"{offer.offer_id}|{channel}" for offer in OFFERS for channel in CHANNELS]
        return Scores(
            customer_id=f"c{who}",
            engage=dict.fromkeys(CHANNELS, 0.1),
            multiplier=table(168, 2.0),
            tau=dict(zip(pairs, drawn.normal(0.05, 0.1, len(pairs)).tolist(), strict=True)),
            redeem={
                **{offer.offer_id: float(0.03 * drawn.random()) for offer in OFFERS},
                **{pair: float(0.03 * drawn.random()) for pair in pairs[::2]},
            },
            hourly={offer.offer_id: tuple((2 * drawn.random(24)).tolist()) for offer in OFFERS[1:]},
            hazard=table(4, 0.002),
            response_loss=table(3, 0.02),
            reachable_value=dict.fromkeys(CHANNELS, 20.0),
        )

    return [scores(who) for who in range(SIZE)]


def random_past(seed: int, *, late: float = 0.0) -> tuple[Any, Any]:
    """Up to three messages each, ``late`` after full hours of the last days: how many hours ago, and as a log."""
    drawn = np.random.default_rng(seed)
    back = [drawn.choice(np.arange(1, 9 * 24), drawn.integers(0, 4), replace=False) - late for _ in range(SIZE)]
    events = [
        worlds.event("sent", who, -1, 24 - float(hours), channel="email", message_id=f"m{who}.{hours}")
        for who, hours_back in enumerate(back)
        for hours in hours_back
    ]
    return back, worlds.log(events)


def asked(facts: Any, back: Any, *, seed: int) -> Asked:
    """What the arena's own rules leave of three days."""
    rules, midnight = Opportunity(), facts.calendar.midnight(0)
    moments = rules.moments(facts.calendar, 0)
    recent = np.full((SIZE, 4), -(10**12))
    for who, hours in enumerate(back):
        recent[who, : len(hours)] = midnight - hours * HOUR
    hour = facts.calendar.local(facts.zone[:, None], moments[None, :]) // HOUR % 24
    free = (hour >= 8) & (hour < 21) & rules.rested(recent, moments)
    reachable = np.random.default_rng(seed).random((SIZE, len(CHANNELS))) < 0.7
    return Asked(0, np.arange(SIZE), free, reachable)


def really_decided(question: Asked, scores: list[Scores], facts: Any, back: Any, who: int) -> Any:
    """What ``decide()`` says of one customer."""
    midnight = facts.calendar.midnight(0)
    person = deciding.customer(time_zone=ZONES[facts.zone[who]])
    consents = tuple(
        deciding.consent(channel) for place, channel in enumerate(CHANNELS) if question.reachable[who, place]
    )
    sent = tuple(
        deciding.sent(datetime.fromtimestamp(midnight - int(hours * HOUR), UTC))
        for hours in sorted(back[who])[::-1]
    )
    return deciding.answer(
        deciding.policy(**RULES),
        Catalogue(offers=OFFERS),
        known=deciding.state(who=person, consents=consents, pressure=sent),
        worth=Scores(**{**_fields(scores[who]), "customer_id": deciding.CUSTOMER}),
        now=datetime.fromtimestamp(midnight, UTC),
        horizon_hours=72,
    )


def _fields(scores: Scores) -> dict[str, Any]:
    return {name: getattr(scores, name) for name in Scores.__dataclass_fields__}


@pytest.mark.parametrize(("seed", "zone", "minute"), [(1, BERLIN, HALF), (2, KOLKATA, 0.0), (3, NEW_YORK, HALF)])
def test_the_twin_chooses_what_decide_chooses(monkeypatch, seed, zone, minute):
    monkeypatch.setattr("decisions.choosing.running.uniform", lambda *_: minute)
    facts, scores = worlds.facts(SIZE, zone=zone), random_scores(seed)
    # Where clocks go by half hours, so do the gaps: no hour of the arena is free in part.
    back, past = random_past(seed, late=0.5 if zone == KOLKATA else 0.0)
    question = asked(facts, back, seed=seed)
    twin = Twin({0: scores}, facts)
    twin.hear(past, -1)
    wanted = twin.choose(question)
    twins = {
        int(who): (OFFERS[offer].offer_id, CHANNELS[channel], int(hour))
        for who, offer, channel, hour in zip(wanted.row, wanted.offer, wanted.channel, wanted.hour, strict=True)
    }
    kairos = {}
    for who in range(SIZE):
        decision = really_decided(question, scores, facts, back, who)
        if decision.action == "send":
            at = int(decision.send_at.timestamp()) - facts.calendar.midnight(0)
            kairos[who] = (decision.offer_id, decision.channel, at // HOUR)
    assert kairos == twins
    assert SIZE / 3 < len(twins) < SIZE


def test_the_twin_values_what_decide_values(monkeypatch):
    monkeypatch.setattr("decisions.choosing.running.uniform", lambda *_: HALF)
    facts, scores = worlds.facts(SIZE), random_scores(4)
    back, past = random_past(4)
    question = asked(facts, back, seed=4)
    twin = Twin({0: scores}, facts)
    twin.hear(past, -1)
    found = twin.answers(question)
    for row, score, keen in zip(found.wanted.row, found.score, found.keen, strict=True):
        if keen:
            decision = really_decided(question, scores, facts, back, int(row))
            assert decision.expected_value.total == pytest.approx(score, abs=1e-9)


def plain(**changes: Any) -> Twin:
    return Twin({0: random_scores(5)}, worlds.facts(SIZE), **changes)


def test_the_latest_page_not_after_today_holds():
    pages = {0: random_scores(1), 7: random_scores(2)}
    twin = Twin(pages, worlds.facts(SIZE))
    first, last = twin.page(6), twin.page(7)
    assert (first.tau != last.tau).any()
    assert (twin.page(20).tau == last.tau).all()
    assert (twin.page(3).tau == first.tau).all()


def test_a_day_before_the_first_page_is_refused():
    with pytest.raises(ValueError, match="pages begin on day 3"):
        Twin({3: random_scores(1)}, worlds.facts(SIZE)).page(2)


def test_whoever_has_no_scores_gets_nothing():
    twin = Twin({0: random_scores(1)[:10]}, worlds.facts(SIZE))
    assert twin.answers(worlds.asked(SIZE)).wanted.row.max() < 10


def test_a_rivals_timing_alone_decides_the_hour():
    question, rule = worlds.asked(SIZE, free=worlds.awake(SIZE)), Mautic()
    twin = plain(timing=rule)
    twin.hear(worlds.log(), -1)
    hours = twin.answers(question).wanted.hour
    assert (hours == 9).all()


def test_a_rivals_channel_alone_decides_the_channel():
    twin = plain(channel=MostUsed())
    twin.hear(worlds.log([worlds.message(who, -3, channel="push") for who in range(SIZE)]), -1)
    assert (twin.answers(worlds.asked(SIZE)).wanted.channel == CHANNELS.index("push")).all()


def test_a_rivals_offer_alone_decides_the_offer():
    twin = plain(offer=BestSingle())
    twin.hear(worlds.log(worlds.message(0, -3, "converted", offer=2)), -1)
    assert (twin.answers(worlds.asked(SIZE)).wanted.offer == 2).all()


def test_a_rivals_frequency_sends_what_kairos_would_keep_and_ignores_fatigue():
    kairos, rival = plain(), plain(frequency=FirstCome())
    crowd = worlds.log([worlds.message(who, -day) for who in range(SIZE) for day in (1, 2)])
    for each in (kairos, rival):
        each.hear(crowd, -1)
    one_hour = np.zeros((SIZE, worlds.HOURS), dtype=np.bool_)
    one_hour[:, 12] = True
    reachable = np.arange(len(CHANNELS))[None, :].repeat(SIZE, axis=0) == CHANNELS.index("sms")
    question = Asked(0, np.arange(SIZE), one_hour, reachable)
    assert len(kairos.choose(question).row) < SIZE
    assert len(rival.choose(question).row) == SIZE
    assert (rival.answers(question).score > kairos.answers(question).score).all()


def test_a_message_of_exactly_seven_days_ago_no_longer_counts():
    seen = worlds.scene(worlds.event("sent", 0, -7, 0.5, channel="email"))
    counted = seen.messages(np.broadcast_to(seen.moments, seen.slot.shape), 7)
    assert counted[0, 0] == 0
    assert seen.moments[0] - 7 * DAY == seen.facts.calendar.midnight(-7) + HOUR // 2
