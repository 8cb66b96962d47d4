"""Messages that could go, drawn at random, with what a player expects of them and what is true of them.

Of messages that a policy chose, those it overrates are too many: the slope of their truth on its V says as much of
its choice as of its values. So candidates are drawn as the rules leave them, whatever the player would send.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.world.expectations import slope
from benchmarks.world.rivals.facts import chance
from pipelines.simulating.records import Pairs
from simulation.calendar import HOUR
from simulation.messages import Messages

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from benchmarks.world.player.playing import Player
    from simulation.arena.playing import Asked, Wanted
    from simulation.world import World

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

SHARE = 0.2
"""Of all questions, those of which a candidate is drawn."""


class Candidates:
    """Plays as ``player`` does, in the ``world`` it is given, and draws a candidate beside some questions.

    Offer, permitted channel and free hour are drawn evenly. V is the player's at the question; the truth is the
    expected net of the message at its own moment, under the pressure left by what was sent before the question.
    """

    def __init__(self, player: Player, world: World, seed: int) -> None:
        self._player, self._world, self._seed = player, world, seed
        self._pairs: list[Pairs] = []

    def hear(self, events: pa.Table, day: int) -> None:
        """Let the player hear."""
        self._player.hear(events, day)

    def choose(self, asked: Asked) -> Wanted:
        """Draw candidates, and let the player answer."""
        drawn = self._drawn(asked)
        expected = self._player.expect(drawn)
        self._pairs.append(Pairs(channel=drawn.channel, expected=expected, true=_truth(self._world, drawn)))
        return self._player.choose(asked)

    def slopes(self) -> dict[str, dict[str, float | None]]:
        """Return by channel the slope of the truth on V over all candidates (:func:`..expectations.slope`)."""
        return slope(Pairs.joined(self._pairs))

    def _drawn(self, asked: Asked) -> Messages:
        world = self._world
        drawn = chance(self._seed, "candidate", asked.day).random((world.state.size, 4))[asked.who]
        able = asked.free.any(axis=1) & asked.reachable.any(axis=1) & (drawn[:, 0] < SHARE)
        hour, channel = _one_of(asked.free, drawn[:, 1]), _one_of(asked.reachable, drawn[:, 2])
        offer = (drawn[:, 3] * len(world.people.shop.offers)).astype(np.int64)
        at = world.calendar.midnight(asked.day) + hour * HOUR + HOUR // 2
        return Messages.of(asked.who[able], offer[able], channel[able], at[able])


def _one_of(flags: Flags, drawn: Floats) -> Ints:
    """Return in each row the place of one flag, by a number in [0, 1); 0 where there is none."""
    place: Ints = (flags.cumsum(axis=1) > (drawn * flags.sum(axis=1)).astype(np.int64)[:, None]).argmax(axis=1)
    return place


def _truth(world: World, messages: Messages) -> Floats:
    """Return the expected net of each message (of one turn); to who is no customer it only costs."""
    net, day = np.zeros(len(messages)), world.calendar.day_of(messages.sent_at)
    for each in np.unique(day):
        rows = np.flatnonzero(day == each)
        _, euros = world.expected(messages.take(rows))
        net[rows] = np.where(world.state.active[messages.customer[rows]], euros.net, -euros.cost)
    return net
