"""The attainable oracle: the best hand that plays by the log alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from simulation.arena.playing import channels, moments_of, numbers
from simulation.calendar import Calendar
from simulation.draws import Draws
from simulation.horizon import FIRST
from simulation.messages import Messages
from simulation.oracles.amortised import Amortised, believed, told
from simulation.oracles.plan import Hereafter, Plan, Terms
from simulation.oracles.strategies import Chooser
from simulation.oracles.summaries import Summary
from simulation.people.population import people
from simulation.shop import ZONES
from simulation.state import State
from simulation.world import START, World

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from simulation.arena.opportunity import Opportunity
    from simulation.arena.playing import Asked, Wanted

    Floats = NDArray[np.float64]


class Attainable:
    """Plans like :class:`simulation.oracles.Planning`, but on what can be known of each person.

    It is told the family's parameters (a change of regime among them) and what Kairos can observe: customers,
    their contacts, and the log as it arrives. In place of traits it takes their posterior means given the log
    (:mod:`simulation.oracles.amortised`), refreshed every ``refresh_days``. Planning on means and not on the
    whole posterior, it does not experiment in order to learn: it is a policy one could attain, not proven the
    best of those.

    It plans up to day ``until``, the day after the last of its play. Where that is the day at which the score
    asks what the state left behind is worth in the reference hand, so does it
    (:mod:`simulation.oracles.hereafter`); elsewhere nothing is worth anything from then on.
    """

    def __init__(
        self,
        amortised: Amortised,
        customers: pa.Table,
        opportunity: Opportunity,
        *,
        until: int = FIRST,
        refresh_days: int = 30,
    ) -> None:
        self._amortised = amortised
        self._opportunity = opportunity
        self._until = until
        self._refresh_days = refresh_days
        self._summary = Summary(customers, Calendar(START, ZONES))
        zone = self._summary.zone
        self._prior = replace(
            people(amortised.family, Draws("believed", 0), customers.num_rows),
            zone=np.maximum(0, zone),
            zone_known=zone >= 0,
            consent=self._summary.consent,
        )
        self._state = State.fresh(self._prior)
        self._chooser: Chooser | None = None

    def hear(self, events: pa.Table, day: int) -> None:
        """Take what arrived, and think anew when it is time to."""
        self._summary.hear(events, day)
        sent = events.filter(pc.equal(events["type"], "sent"))
        nothing = np.zeros(len(sent), dtype=np.int64)
        half_life = self._amortised.family.wear.half_life_days
        for batch in Messages.of(numbers(sent), nothing, channels(sent), moments_of(sent)).by_turn():
            self._state.pressed(batch, half_life)
        if (day + 1) % self._refresh_days == 0:
            self._think(day + 1)

    def choose(self, asked: Asked) -> Wanted:
        """Answer the questions of one day."""
        assert self._chooser is not None  # the past is heard first
        self._state.reachable[asked.who] = asked.reachable
        return self._chooser.choose(asked)

    def _think(self, day: int) -> None:
        """Estimate everybody's traits and plan from ``day``."""
        means = self._amortised.means(told(self._summary, day - 1))
        # Draws decide nothing here: the believed world is only read.
        view = World(
            self._amortised.family, replace(self._prior, **believed(means)), Draws("believed", 0), history=0
        )
        terms = Terms(
            view=view,
            opportunity=self._opportunity,
            start=day,
            until=self._until,
            hereafter=self._hereafter(means),
        )
        self._chooser = Chooser(Plan.of(terms, self._state.reachable), self._state)

    def _hereafter(self, means: Mapping[str, Floats]) -> Hereafter | None:
        if self._until != FIRST:
            return None
        return Hereafter(self._amortised.hereafter, np.maximum(0, means["future"]))
