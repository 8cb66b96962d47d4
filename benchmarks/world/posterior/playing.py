"""The oracle's choice: each one's best offer, channel and hour in expectation, at the interval that earns most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from benchmarks.world.player.counting import Counting
from benchmarks.world.posterior.prior import Prior
from benchmarks.world.posterior.weighing import Weighing, baskets
from benchmarks.world.rivals.facts import Facts
from benchmarks.world.rivals.journal import Events
from decisions.worth.life import Peers
from simulation.arena.playing import Wanted
from simulation.calendar import HOUR
from simulation.shop import CHANNELS, OFFERS

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from simulation.arena.playing import Asked
    from simulation.family import Family
    from simulation.people.population import Population
    from simulation.world import World

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]
    Ints = NDArray[np.int64]

POSSIBLE = 2048
"""Possible people; some hundreds of them weigh in on most, some tens on whom much is known of."""
REFRESH_DAYS = 7
_HOURS = 48
"""Hours of a weekday, then of a day of the weekend."""
_INTERVALS = np.array([3.0, 3.5, 4, 5, 6, 7, 8, 10, 12, 14, 17, 21, 28, 42, 60, 90])
"""Days between messages that are weighed up."""
_CLOSE = 1e-9


class Posterior:
    """Plans on posterior means: the best interval on the best channel, as Kairos's values are planned on.

    Expectations are of whole products (seen, moved, margin), not products of expectations. It does not experiment
    in order to learn, and an interval is a rule of thumb: a policy that one could attain, not proven the best of
    those. What a lost channel costs is what it would have earned in the days left to the play. (Tried in
    one world: adding its worth after the play in the hand that the score counts with. It earned .280, not .347.)
    """

    def __init__(self, family: Family, facts: Facts, seed: int, *, until: int, possible: int = POSSIBLE) -> None:
        self._facts, self._until = facts, until
        self._prior = Prior.of(family, possible, seed)
        self._counting = Counting(facts, family.wear.half_life_days)
        self._weighing = Weighing(self._prior, facts)
        self._regime: Population | None = None

    @classmethod
    def of(cls, world: World, seed: int, *, until: int) -> Self:
        """Return it for ``world``, of which it is told the family and public facts; it plays to day ``until``."""
        return cls(world.family, Facts.of(world), seed, until=until)

    def hear(self, events: pa.Table, day: int) -> None:
        """Take the events, and think anew when it is time to."""
        self._counting.hear(events)
        read = Events.read(events)
        self._weighing.hear(read.take(events["type"].to_numpy() == "purchased"))
        regime = self._prior.people(day + 1)
        if (day + 1) % REFRESH_DAYS == 0 or regime is not self._regime:
            self._regime = regime
            self._think(day + 1)

    def choose(self, asked: Asked) -> Wanted:
        """Answer the questions of one day."""
        who, facts = asked.who, self._facts
        moments = facts.calendar.midnight(asked.day) + np.arange(asked.free.shape[1]) * HOUR + HOUR // 2
        at = _hour_of(facts.slot(who[:, None], np.broadcast_to(moments, asked.free.shape)))
        worth = np.take_along_axis(self._top[who], at[:, None, :], axis=2)
        gain = np.where(asked.free[:, None, :], worth, 0.0).max(axis=2)
        rate, pressure = self._pace(who, gain, asked)
        channel, rows = rate.argmax(axis=1), np.arange(len(who))
        met = self._counting.pressure.at(who[:, None], moments[None, :])
        due = asked.free & (met <= pressure[rows, channel][:, None] + _CLOSE)
        soon = due & (np.arange(due.shape[1]) < due.argmax(axis=1)[:, None] + 24)
        hour = np.where(soon, worth[rows, channel], -np.inf).argmax(axis=1)
        row = np.flatnonzero((rate.max(axis=1) > 0) & due.any(axis=1))
        offer = self._offer[who[row], channel[row], at[row, hour[row]]]
        return Wanted(row, offer, channel[row], hour[row])

    def _pace(self, who: Ints, gain: Doubles, asked: Asked) -> tuple[Doubles, Doubles]:
        """Return by (people, channels) what the best interval earns a day, and the pressure it meets."""
        people = self._prior.people(asked.day)
        attention = self._prior.family.attention
        return pace(
            np.where(asked.reachable, gain, 0.0),
            cost=self._facts.cost,
            loss=people.left.mean(axis=0) + attention.complained + attention.hard_bounce,
            growth=attention.growth,
            worn=float(people.worn.mean()),
            half_life=self._prior.family.wear.half_life_days,
            driven=float(people.pushed.mean()) * self._life[who],
            left=self._until - asked.day,
        )

    def _think(self, day: int) -> None:
        """Weigh possible people, and work out what messages of the days to come earn in expectation."""
        counting, now, family = self._counting, self._facts.calendar.midnight(day), self._prior.family
        life, people = counting.life(now), self._prior.people(-1)
        alive = Peers.of(life).alive(life, family.life.yearly_churn)
        self.weights = self._weighing.weights(counting, life, alive, now)
        basket = alive * baskets(life, family.life.basket_spread)
        self._life = basket * (self.weights @ _f32(people.life_value / people.basket))
        margin, incentive = self._gains(self.weights, day)
        gain = basket[:, None, None, None] * margin - alive[:, None, None, None] * incentive
        self._offer, self._top = gain.argmax(axis=2), gain.max(axis=2)

    def _gains(self, weights: Floats, day: int) -> tuple[Floats, Floats]:
        """Return expected margin at the mean basket, and incentive, of a message to a rested customer.

        Both are (people, channels, offers, hours).
        """
        prior, attention, shop = self._prior, self._prior.family.attention, self._prior.people(day).shop
        offer, hour = (
            each.ravel() for each in np.meshgrid(np.arange(len(OFFERS)), np.arange(_HOURS), indexing="ij")
        )
        moves = prior.moves(day, offer, hour % 24)
        margin = moves * np.where(moves >= 0, shop.margins[offer][:, None], shop.order_margin)
        incentive = prior.redeems(day, offer, np.maximum(moves, 0)) * shop.incentives[offer][:, None]
        looks, shape = _by_hour(prior.looks(day))[hour], (len(weights), len(OFFERS), _HOURS)
        expected = []
        for channel in range(len(CHANNELS)):
            seen = prior.seen(day, np.full(len(hour), channel), looks, np.zeros(len(hour)))
            seen *= np.float32(1 - attention.hard_bounce - attention.soft_bounce)
            expected.append([(weights @ _f32(seen * each).T).reshape(shape) for each in (margin, incentive)])
        margins, incentives = zip(*expected, strict=True)
        return np.stack(margins, axis=1), np.stack(incentives, axis=1)


def pace(  # noqa: PLR0913 - a plan is made of all of these
    gain: Doubles,
    *,
    cost: Doubles,
    loss: Doubles,
    growth: float,
    worn: float,
    half_life: float,
    driven: Doubles,
    left: int,
) -> tuple[Doubles, Doubles]:
    """Return by (people, channels) what the best interval earns a day, and the pressure such messages meet.

    ``gain`` is what a message earns a rested person, (people, channels), ``driven`` what it costs each in
    customers driven off by unit of pressure. A lost channel costs what it earns more than the next best does in
    the days that are ``left``.
    """
    decay = 0.5 ** (_INTERVALS / half_life)
    pressure = decay / (1 - decay)
    earned = gain[:, :, None] * np.exp(-worn * pressure) - cost[:, None] - driven[:, None, None] * pressure
    best = np.maximum(0.0, (earned / _INTERVALS).max(axis=2))
    ranked = np.sort(best, axis=1)
    other = np.where(best == ranked[:, -1:], ranked[:, -2:-1], ranked[:, -1:])
    price = left * np.maximum(0.0, best - other)
    rate = (earned - np.minimum(0.5, loss[:, None] * growth**pressure) * price[:, :, None]) / _INTERVALS
    top = rate.argmax(axis=2)
    return rate.max(axis=2), pressure[top]


def _by_hour(looks: Floats) -> Floats:
    """Return (hours, people) of a weekday and of the weekend from (hours of the week, people)."""
    week = looks.reshape(7, 24, -1)
    return np.concatenate([week[:5].mean(axis=0), week[5:].mean(axis=0)])


def _hour_of(slot: Ints) -> Ints:
    """Return the place of each hour of the week among the hours of a weekday and of the weekend."""
    return slot % 24 + 24 * (slot // 24 >= 5)  # noqa: PLR2004 - Saturday


def _f32(values: NDArray[np.generic]) -> Floats:
    return values.astype(np.float32)
