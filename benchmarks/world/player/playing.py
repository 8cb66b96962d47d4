"""The choice: each one's best offer, channel and hour, when the next message is due."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.world.player.counting import Counting
from benchmarks.world.rivals.facts import chance
from decisions.worth.beliefs import Beliefs
from decisions.worth.cadence import cadence
from decisions.worth.dayparts import HOURS, hourly
from decisions.worth.model import WorthModel
from decisions.worth.shifts import shift
from simulation.arena.playing import Wanted
from simulation.calendar import HOUR
from simulation.shop import OFFERS

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from benchmarks.world.rivals.facts import Facts
    from decisions.worth.cadence import Cadence
    from simulation.arena.playing import Asked
    from simulation.messages import Messages

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

BELIEFS = Beliefs(attention=(0.18, 0.12, 0.30), loss=(0.002, 0.002, 0.002))
"""The beliefs of `examples/simulated_shop/policy.yaml`; the rest as declared for everybody."""
OFF = {"priors_high": 2.0, "priors_low": 0.5}
"""By family: the factor on what is declared of attention, losses and orders."""


def declared(family: str) -> Beliefs:
    """Return what Kairos believes in worlds of ``family``: the same but where wrong beliefs are the point."""
    off = OFF.get(family, 1.0)
    return replace(
        BELIEFS,
        attention=tuple(off * each for each in BELIEFS.attention),
        loss=tuple(off * each for each in BELIEFS.loss),
        conversion=off * BELIEFS.conversion,
        anyway=off * BELIEFS.anyway,
    )


_CLOSE = 1e-9
"""What pressures differ by that are equal but for rounding."""


class Player:
    """Sends what the value model says.

    Everybody has a best channel with a best interval on it (:mod:`decisions.worth.cadence`); a message is due as
    soon as pressure is down to what that interval would meet. It goes in the best hour of the day that follows,
    of equally good hours in one that is drawn. ``refresh_days`` is how often everybody's numbers are learned anew.
    """

    def __init__(self, facts: Facts, seed: int, *, beliefs: Beliefs = BELIEFS, refresh_days: int = 1) -> None:
        self._facts, self._seed, self._beliefs = facts, seed, beliefs
        self._refresh_days = refresh_days
        self._counting = Counting(facts, beliefs.half_life_days)
        self._model: WorthModel | None = None
        self._hourly = np.ones((len(OFFERS), HOURS))

    def hear(self, events: pa.Table, day: int) -> None:
        """Take the events, and learn when it is time to."""
        counting = self._counting
        counting.hear(events)
        now = self._facts.calendar.midnight(day + 1)
        tally, life = counting.tally(now), counting.life(now)
        learns = self._model is None or (day + 1) % self._refresh_days == 0
        if self._model is None or learns:
            self._model = WorthModel.learn(tally, life, self._beliefs, lost=counting.lost, sent=counting.sent())
        self._personal = self._model.personal(tally, life)
        if learns:
            self._hourly = self._learned_hours(self._model, now)
            lately = counting.sent_lately(self._model.watched, self._beliefs.drop, now)
            turned = shift(lately, self._personal, self._model.attention)
            self._model, self._personal = replace(self._model, shift=turned), self._personal.turned(turned)

    def _learned_hours(self, model: WorthModel, now: int) -> Floats:
        sends, shape = self._counting.sends, (len(OFFERS), HOURS)
        place = np.ravel_multi_index((sends.offer, sends.hour), shape)
        chances = self._counting.seen(self._personal.attention, model.watched, now)
        both = (sends.flag("ordered").astype(np.float64), chances)
        ordered, seen = (np.bincount(place, each, shape[0] * shape[1]).reshape(shape) for each in both)
        return hourly(np.asarray(ordered, dtype=np.float64), np.asarray(seen, dtype=np.float64))

    def choose(self, asked: Asked) -> Wanted:
        """Answer the questions of one day."""
        who, facts = asked.who, self._facts
        moments = facts.calendar.midnight(asked.day) + np.arange(asked.free.shape[1]) * HOUR + HOUR // 2
        clock = facts.slot(who[:, None], np.broadcast_to(moments, asked.free.shape)) % HOURS
        offer, worth = self._best_offers(who, clock)
        channel, pressure, rate = self._channels(who, asked, np.where(asked.free, worth, -np.inf).max(axis=1))
        met = self._counting.pressure.at(who[:, None], moments[None, :])
        due = asked.free & (met <= pressure[:, None] + _CLOSE)
        hour = self._hours(who, due, worth, asked.day)
        row = np.flatnonzero((rate > 0) & due.any(axis=1))
        at = (row, hour[row])
        return Wanted(row, offer[at], channel[row], hour[row])

    def expect(self, messages: Messages) -> Floats:
        """Return V of ``messages`` as believed now, apart from what a lost channel costs.

        They need not be what it would send. What is planned and not sent yet weighs on nobody.
        """
        beliefs, facts, who = self._beliefs, self._facts, messages.customer
        personal = self._personal.of(who)
        met = self._counting.pressure.at(who, messages.sent_at)
        seen = personal.attention[np.arange(len(who)), messages.channel] * np.exp(-beliefs.drop * met)
        hour = facts.slot(who, messages.sent_at) % HOURS
        gain = personal.gain_if_seen(facts.margin, facts.incentive, self._hourly.T[hour])
        driven_off = beliefs.churn_cost * personal.spend * met
        value: Floats = (
            seen * gain[np.arange(len(who)), messages.offer] - facts.cost[messages.channel] - driven_off
        )
        return value

    def _best_offers(self, who: Ints, clock: Ints) -> tuple[Ints, Floats]:
        """Return the best offer at each hour and what it earns if seen: (people, hours)."""
        personal, facts = self._personal.of(who), self._facts
        at = [personal.gain_if_seen(facts.margin, facts.incentive, each) for each in self._hourly.T]
        gain = np.stack(at, axis=2)
        best = gain.argmax(axis=1)
        top = np.take_along_axis(gain, best[:, None, :], axis=1)[:, 0]
        return np.take_along_axis(best, clock, axis=1), np.take_along_axis(top, clock, axis=1)

    def _channels(self, who: Ints, asked: Asked, gain: Floats) -> tuple[Ints, Floats, Floats]:
        """Return each one's best channel, at which pressure a message there is due, and what it earns a day."""
        assert self._model is not None
        seen = np.where(np.isfinite(gain), gain, 0.0)
        found: Cadence = cadence(
            self._personal.attention[who] * seen[:, None],
            cost=self._facts.cost,
            loss=self._model.loss,
            spend=self._personal.spend[who],
            beliefs=self._beliefs,
        )
        rate = np.where(asked.reachable, found.rate, -np.inf)
        best, rows = rate.argmax(axis=1), np.arange(len(who))
        return best, found.pressure[rows, best], rate[rows, best]

    def _hours(self, who: Ints, due: NDArray[np.bool_], worth: Floats, day: int) -> Ints:
        """Return the best hour within a day from the first that is due; of equal ones one that is drawn.

        A draw belongs to its customer: who else is asked about changes nobody's hour.
        """
        soon = due & (np.arange(due.shape[1]) < due.argmax(axis=1)[:, None] + HOURS)
        drawn = chance(self._seed, "hour", day).random((self._facts.size, due.shape[1]))[who]
        liked = np.where(soon, worth, -np.inf)
        best = soon & (liked >= liked.max(axis=1, keepdims=True) - 1e-12)
        hour: Ints = np.where(best, drawn, -1.0).argmax(axis=1)
        return hour
