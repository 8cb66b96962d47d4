"""Contextual bandits over what and where: arms are offer × channel and silence, the hour is everybody's best.

They learn from messages as the log shows them, a week after each: the order that followed pays, whether or not it
would have come anyway. Silence pays nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from benchmarks.world.rivals.features import OUTCOME_DAYS, features, lessons, weekly
from benchmarks.world.rivals.frequency import FirstCome
from benchmarks.world.rivals.journal import Journal
from benchmarks.world.rivals.scene import Answers, Scene, best_hour, picked, possible
from benchmarks.world.rivals.timing import BestGlobalHour
from simulation.arena.playing import Wanted
from simulation.calendar import DAY
from simulation.shop import CHANNELS, OFFERS

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from benchmarks.world.rivals.facts import Facts
    from benchmarks.world.rivals.features import Lessons
    from benchmarks.world.rivals.scene import Frequency
    from simulation.arena.playing import Asked

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

ARMS = len(OFFERS) * len(CHANNELS)
HOLD = ARMS
"""The arm of silence, after all others."""
_PAST = 150


class Learner(Protocol):
    """A package's bandit."""

    def learn(self, taught: Lessons, chance: Floats) -> None:
        """Learn from messages that were sent with ``chance`` (nan: nobody knows)."""
        ...

    def weigh(self, known: Floats, allowed: Flags, *, day: int, who: Ints) -> tuple[Floats, Floats]:
        """Return (people, arms + 1) what to choose the largest of, and each arm's chance; hold is the last arm."""
        ...


class Bandit:
    """Plays a learner. It ranks by how far the best message is above silence."""

    def __init__(self, facts: Facts, learner: Learner, *, frequency: Frequency | None = None) -> None:
        self._facts = facts
        self._learner = learner
        self._journal = Journal()
        self._timing = BestGlobalHour()
        self._frequency = frequency or FirstCome()
        self._chances: dict[int, Floats] = {}

    def hear(self, events: pa.Table, day: int) -> None:
        """Take the events, and learn from the messages whose week is over."""
        self._journal.hear(events)
        end = self._facts.calendar.midnight(day + 1 - OUTCOME_DAYS)
        if day >= 0:
            self._learn(lessons(self._journal, self._facts, end - DAY, end))
            return
        for week in weekly(self._journal, self._facts, end - _PAST * DAY, end):
            self._learn(week)

    def answers(self, asked: Asked) -> Answers:
        """Return every permitted answer."""
        scene = Scene.of(self._facts, self._journal, asked)
        row = possible(scene)
        arm, above, chance = self._pick(scene, row)
        self._remember(asked, row, chance)
        offer, channel = np.divmod(arm, len(CHANNELS))
        everybodys = np.zeros(scene.size, dtype=np.int64)
        hour = best_hour(scene, self._timing.prefer(scene, everybodys))
        may = self._frequency.keen(scene, scene.moments[hour], np.zeros(scene.size))
        wanted = Wanted(row, offer, channel, hour[row])
        return Answers(wanted, above, np.zeros(len(row)), (above > 0) & may[row])

    def _pick(self, scene: Scene, row: Ints) -> tuple[Ints, Floats, Floats]:
        """Return the best message for each of ``row``, how far it is above silence, and its chance."""
        who = scene.asked.who[row]
        known = features(self._journal, self._facts, scene.now)[who]
        reachable = np.tile(scene.asked.reachable[row], len(OFFERS))
        allowed = np.hstack([reachable, np.ones((len(row), 1), dtype=np.bool_)])
        liked, chance = self._learner.weigh(known, allowed, day=scene.asked.day, who=who)
        arm: Ints = np.where(reachable, liked[:, :HOLD], -np.inf).argmax(axis=1)
        return arm, picked(liked, arm) - liked[:, HOLD], picked(chance, arm)

    def choose(self, asked: Asked) -> Wanted:
        """Return those of the answers that are to go."""
        found = self.answers(asked)
        return found.only(found.keen)

    def _remember(self, asked: Asked, row: Ints, chance: Floats) -> None:
        """Keep the chance of what was picked, for the day its outcome is known."""
        self._chances[asked.day] = np.full(self._facts.size, np.nan)
        self._chances[asked.day][asked.who[row]] = chance

    def _learn(self, taught: Lessons) -> None:
        if len(taught):
            self._learner.learn(taught, self._chances_of(taught))

    def _chances_of(self, taught: Lessons) -> Floats:
        """Return with which chance each message was picked: at the customer's last question up to its day."""
        found = np.full(len(taught), np.nan)
        days = self._facts.calendar.day_of(taught.at)
        for asked, chance in self._chances.items():
            found = np.where((days >= asked) & ~np.isnan(chance[taught.who]), chance[taught.who], found)
        return found
