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
from simulation.calendar import DAY
from simulation.playing import Wanted
from simulation.shop import CHANNELS, OFFERS

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from benchmarks.world.rivals.facts import Facts
    from benchmarks.world.rivals.features import Lessons
    from benchmarks.world.rivals.scene import Frequency
    from simulation.playing import Asked

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
        known = features(self._journal, self._facts, scene.now)[asked.who]
        allowed = np.hstack([np.tile(asked.reachable, len(OFFERS)), np.ones((scene.size, 1), dtype=np.bool_)])
        liked, chance = self._learner.weigh(known, allowed, day=asked.day, who=asked.who)
        liked = np.where(allowed, liked, -np.inf)
        arm = liked[:, :HOLD].argmax(axis=1)
        best, silence = picked(liked, arm), liked[:, HOLD]
        self._remember(asked, picked(chance, arm))
        hour = best_hour(scene, self._timing.prefer(scene, arm % len(CHANNELS)))
        keen = (best > silence) & self._frequency.keen(scene, scene.moments[hour], best)
        row = possible(scene)
        wanted = Wanted(row, (arm // len(CHANNELS))[row], (arm % len(CHANNELS))[row], hour[row])
        return Answers(wanted, (best - silence)[row], np.zeros(len(row)), keen[row])

    def choose(self, asked: Asked) -> Wanted:
        """Return those of the answers that are to go."""
        found = self.answers(asked)
        return found.only(found.keen)

    def _remember(self, asked: Asked, chance: Floats) -> None:
        """Keep the chance of what was picked, for the day its outcome is known."""
        self._chances[asked.day] = np.full(self._facts.size, np.nan)
        self._chances[asked.day][asked.who] = chance

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
