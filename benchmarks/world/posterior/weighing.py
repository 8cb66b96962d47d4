"""How likely each possible person is to be each real one, given what that one did: importance sampling.

Possible people are drawn from the prior, so that their weights are likelihoods (Kahn & Marshall 1953), normalised.
What is independent of everything else (baskets) or only says who is still there is reckoned apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulation.calendar import DAY
from simulation.shop import CATEGORIES, MARGIN_RATE, ORDER_MARGIN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.world.player.counting import Counting
    from benchmarks.world.posterior.prior import Prior
    from benchmarks.world.rivals.facts import Facts
    from benchmarks.world.rivals.journal import Events
    from decisions.worth.life import Life
    from simulation.family import Family

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]
    Ints = NDArray[np.int64]

SETTLED = 8
"""Days after which a message is looked at for the last time."""
_BASKETS = 81


class Weighing:
    """Keeps log-likelihoods of (real people, possible people); messages of one age are read once."""

    def __init__(self, prior: Prior, facts: Facts) -> None:
        self._prior, self._facts = prior, facts
        self._settled = np.zeros((facts.size, prior.view.state.size), dtype=np.float32)
        self._read = 0
        self._bought = np.zeros((facts.size, len(CATEGORIES)))

    def hear(self, bought: Events) -> None:
        """Count what was bought by category."""
        rows = bought.category >= 0
        np.add.at(self._bought, (bought.who[rows], bought.category[rows]), 1)

    def weights(self, counting: Counting, life: Life, alive: Doubles, now: int) -> Floats:
        """Return P(each possible person | what each real one did by ``now``): rows sum to 1."""
        sends, last = counting.sends, now - life.silent_days * DAY
        there = np.where(sends.at <= last[sends.who], 1.0, alive[sends.who])
        old = int(np.searchsorted(sends.at, now - SETTLED * DAY)) if len(sends) else 0
        for number, rows in self._by_day(counting, np.arange(self._read, old)):
            full = there[rows] * self._prior.ripe(np.full(len(rows), SETTLED))
            _add(self._settled, sends.who[rows], self._of(counting, rows, full, number))
        self._read = max(self._read, old)
        found = self._settled.copy()
        for number, rows in self._by_day(counting, np.arange(self._read, len(sends))):
            by_now = there[rows] * self._prior.ripe((now - sends.at[rows]) / DAY)
            _add(found, sends.who[rows], self._of(counting, rows, by_now, number))
        found += self._life(life, alive, now)
        weights = np.exp(found - found.max(axis=1, keepdims=True))
        normal: Floats = weights / weights.sum(axis=1, keepdims=True)
        return normal

    def _by_day(self, counting: Counting, rows: Ints) -> list[tuple[int, Ints]]:
        """Return ``rows`` by the day they went out on; what bounced was seen by nobody."""
        rows = rows[~counting.sends.flag("bounced")[rows]]
        day = self._facts.calendar.day_of(counting.sends.at[rows])
        return [(int(each), rows[day == each]) for each in np.unique(day)]

    def _of(self, counting: Counting, rows: Ints, there: Doubles, day: int) -> Floats:
        sends = counting.sends
        slot = self._facts.slot(sends.who[rows], sends.at[rows])
        return self._prior.likelihood(sends, rows, slot, there, day)

    def _life(self, life: Life, alive: Doubles, now: int) -> Floats:
        """Return log P(orders of one's own accord), and what was bought where that tells of effects."""
        family, people = self._prior.family, self._prior.people(-1)
        today = int(self._facts.calendar.day_of(np.array([now]))[0])
        days = life.days - (1 - alive) * life.silent_days + _in_season(family, today)
        found = life.orders[:, None] * np.log(people.orders) - days[:, None] * people.orders
        if family.effect.carried:
            found += self._bought @ np.log(np.maximum(people.taste.T, 1e-9))
        return found.astype(np.float32)


def _in_season(family: Family, today: int) -> float:
    """Return how many more ordinary days the days in season so far are worth."""
    peak = family.peak
    return 0.0 if peak is None else (peak.orders - 1) * float(np.clip(today - peak.day, 0, peak.days))


def _add(total: Floats, who: Ints, values: Floats) -> None:
    """Add ``values`` (rows of ``who``, perhaps several of one) to ``total``."""
    order = np.argsort(who, kind="stable")
    people, begin = np.unique(who[order], return_index=True)
    if len(people):
        total[people] += np.add.reduceat(values[order], begin, axis=0)


def baskets(life: Life, spread: float) -> Doubles:
    """Return each one's expected basket, relative to the mean, given how many orders came to how much.

    Orders spread evenly from half to one and a half times the basket: their sum is taken as normal. The prior is
    log-normal with mean 1, on a grid.
    """
    deviations = np.linspace(-4, 4, _BASKETS)
    basket = np.exp(spread * deviations - spread**2 / 2)
    orders = np.maximum(life.orders, 0)[:, None]
    mean, variance = orders * basket, np.maximum(orders, 1e-9) * basket**2 / 12
    revenue = life.revenue[:, None] * MARGIN_RATE / ORDER_MARGIN
    fits = np.where(orders > 0, -((revenue - mean) ** 2) / (2 * variance) - 0.5 * np.log(variance), 0.0)
    logged = fits - deviations**2 / 2
    weight = np.exp(logged - logged.max(axis=1, keepdims=True))
    expected: Doubles = (weight * basket).sum(axis=1) / weight.sum(axis=1)
    return expected
