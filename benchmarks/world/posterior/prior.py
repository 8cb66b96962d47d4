"""People as they may be: draws from the family's own population, and what each of them would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from simulation.draws import Draws
from simulation.people.population import people
from simulation.people.rhythm import waiting
from simulation.response import daypart
from simulation.shop import CHANNELS
from simulation.world import World

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.world.player.sends import Sends
    from simulation.family import Family
    from simulation.people.population import Population

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]
    Ints = NDArray[np.int64]

_LEAST = np.float32(1e-12)


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """So many possible people; arrays over them run along the last axis."""

    view: World

    @classmethod
    def of(cls, family: Family, size: int, seed: int) -> Self:
        """Draw them. The view is only read: nobody lives in it."""
        draws = Draws(f"posterior of {family.name}", seed)
        return cls(World(family, people(family, draws, size), draws, history=0))

    @property
    def family(self) -> Family:
        """The family they are drawn from."""
        return self.view.family

    def people(self, day: int) -> Population:
        """Return them as they are on ``day``."""
        return self.view.people_on(day)

    def looks(self, day: int) -> Floats:
        """Return by (hours of the week, people) the factor of the hour on attention on ``day``."""
        people, attending = self.people(day), self.view.attending_on(day)
        mix = people.habits(day, self.family.rhythm.drift_days, np.arange(people.size))
        looks: Floats = (1 - attending.pull + attending.pull * (mix @ attending.ahead).T).astype(np.float32)
        return looks

    def ripe(self, days: Doubles) -> Doubles:
        """Return the share of looks that fall into so many ``days`` after a message."""
        below = np.r_[0.0, np.cumsum(waiting(self.family.attention))]
        return np.interp(days * 24, np.arange(len(below)), below)

    def likelihood(self, sends: Sends, rows: Ints, slot: Ints, there: Doubles, day: int) -> Floats:
        """Return log P(what came of each message | each possible person): (messages, people).

        All ``rows`` of ``sends`` went out on ``day``, at an hour ``slot`` of the local week. ``there`` is the
        chance that whoever gets it is a customer and would have looked by now.
        """
        seen = self.seen(day, sends.channel[rows], self.looks(day)[slot], sends.pressure[rows])
        seen *= _f32(there)[:, None]
        told, silent = self._told(_kinds(sends, rows, slot), day)
        chance: Floats = np.log(np.maximum(_LEAST, seen * (told - silent) + silent))
        return chance

    def seen(self, day: int, channel: Ints, looks: Floats, pressure: Doubles) -> Floats:
        """Return P(a message is seen), (messages, people), given how each possible person ``looks`` then."""
        people = self.people(day)
        strength = _f32(people.seen.T)[channel] * looks
        strength *= np.exp(-_f32(people.worn) * _f32(pressure)[:, None])
        chance: Floats = 1 - np.exp(-strength)
        return chance

    def moves(self, day: int, offer: Ints, slot: Ints) -> Doubles:
        """Return extra orders per message seen, (messages, people); negative where an offer puts off."""
        people = self.people(day)
        lift = people.lift.T[offer]
        return np.where(lift > 0, lift * daypart(self.family.effect.daypart, offer, slot)[:, None], lift)

    def redeems(self, day: int, offer: Ints, won: Doubles) -> Doubles:
        """Return orders per message seen that redeem it, ``won`` or coming anyway, (messages, people)."""
        redeems: Doubles = won + (1 - won) * self.people(day).redeem.T[offer]
        return redeems

    def _told(self, kinds: Ints, day: int) -> tuple[Floats, Floats]:
        """Return P(what the log tells | seen) and P(it | not seen), (messages, people), by their ``kinds``.

        Worked out once for every kind there is: messages are many, kinds are few.
        """
        each, of = np.unique(kinds, axis=0, return_inverse=True)
        channel, offer, hour = each[:, :3].T
        ordered, clicked, opened, shows = (flags[:, None] > 0 for flags in each[:, 3:].T)
        people, noise = self.people(day), self.family.noise
        chance = noise.claimed * -np.expm1(-people.orders * noise.claim_days)
        won = np.maximum(self.moves(day, offer, hour), 0)
        named = 1 - (1 - (1 - noise.unclaimed) * self.redeems(day, offer, won)) * (1 - chance)
        click = people.click.T[channel]
        click = np.where(ordered, np.maximum(click, self.family.attention.ordered), click)
        shown = np.where(opened | clicked | ~shows, 1.0, noise.lost)
        told = shown * np.where(ordered, named, 1 - named) * np.where(clicked, click, 1 - click)
        silent = ~(opened | clicked) * np.where(ordered, chance, 1 - chance)
        return _f32(told)[of.ravel()], _f32(silent)[of.ravel()]


def _kinds(sends: Sends, rows: Ints, slot: Ints) -> Ints:
    """Return what tells messages apart, one row each: channel, offer, hour, flags.

    The last flag says whether an open would show: of mail whose opens no proxy hides.
    """
    shows = (sends.channel[rows] == CHANNELS.index("email")) & ~sends.flag("hidden")[rows]
    flags = [sends.flag(kind)[rows] for kind in ("ordered", "clicked", "opened")]
    return np.column_stack([sends.channel[rows], sends.offer[rows], slot % 24, *flags, shows]).astype(np.int64)


def _f32(values: NDArray[np.generic]) -> Floats:
    return values.astype(np.float32)
