"""What a company has without Kairos: silence, static rules, the best of rivals' rules put together.

A static rule treats everybody alike. Which one is used says how honest it is as a floor: tuned in another world of
the same family (nobody knows the family of a shop), tuned once for all families, read off the world's own history,
or the best of all of them *after* looking at the world that is scored, which no shop can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.world.rivals import Facts
from benchmarks.world.rivals.journal import Journal
from benchmarks.world.tuning import COMPOSITE, factories
from simulation.facts import customers
from simulation.oracles import Static
from simulation.shop import CHANNELS, MARGIN_RATE, OFFERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from benchmarks.world.stage import Stage
    from benchmarks.world.units import Record
    from simulation.arena.playing import Played

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

STATIC = "best_static"
FOR_ALL, OF_HISTORY, AFTER_LOOKING = "static_for_all", "static_of_history", "static_after_looking"
WEEKLY = 7
"""Days between the messages of the rule that is read off history."""
_LEAST = 100
"""Messages of a kind below which history says nothing of it."""


def composite(stage: Stage, tuned: Record, *, days: int | None = None) -> Played:
    """Play the composite as it was tuned in another world of the family."""
    made = factories(tuned)[COMPOSITE](Facts.of(stage.world), stage.unit.seed, cap=tuned["caps"][COMPOSITE])
    return stage.play(made, days=days)


def static(stage: Stage, rule: Static, *, days: int | None = None) -> Played:
    """Play a static rule in the world of ``stage``."""
    return stage.play(rule.strategy(customers(stage.world), stage.world.calendar), days=days)


def statics(stage: Stage, tuned: Record, candidates: Sequence[Static], for_all: Static) -> Mapping[str, Played]:
    """Play the static rules: that of the family, the one for all, the world's own, and the best after looking.

    The last is the best in this very world of all those and of ``candidates``, silence among them.
    """
    named = {STATIC: Static(**tuned["static"]), FOR_ALL: for_all, OF_HISTORY: of_history(stage)}
    rules = dict.fromkeys([Static(), *named.values(), *candidates])
    played = {rule: static(stage, rule) for rule in rules}
    best = max(played.values(), key=lambda each: stage.score(each).total)
    return {**{name: played[rule] for name, rule in named.items()}, AFTER_LOOKING: best}


def of_history(stage: Stage) -> Static:
    """Return the rule that a shop reads off its own log: no more than counts, and taken at their word.

    The offer and channel whose messages brought most margin each (less incentives and send cost) in orders that
    name them, at the hour whose messages were opened most, once a week; silence where none brought anything.
    """
    facts, journal = Facts.of(stage.world), Journal()
    journal.hear(stage.past)
    sent, orders = journal.of("sent"), journal.of("converted")
    shape = (len(CHANNELS), len(OFFERS))
    place = np.ravel_multi_index((sent.channel, sent.offer), shape)
    count = np.bincount(place, minlength=np.prod(shape)).reshape(shape)
    won = np.zeros(shape)
    np.add.at(won, (orders.channel, orders.offer), MARGIN_RATE * orders.value - facts.incentive[orders.offer])
    each = np.where(count >= _LEAST, won / np.maximum(count, 1), 0.0) - facts.cost[:, None]
    if each.max() <= 0:
        return Static()
    channel, offer = np.unravel_index(int(each.argmax()), shape)
    hour = _hour(facts.slot(sent.who, sent.at) % 24, sent.followed_by(journal.human("opened")))
    return Static(offer=int(offer), channel=int(channel), hour=hour, every_days=WEEKLY)


def _hour(hour: Ints, opened: Flags) -> int:
    """Return the local hour whose messages were opened most, of hours with enough of them."""
    sent = np.bincount(hour, minlength=24)
    share = np.bincount(hour, opened, minlength=24) / np.maximum(sent, 1)
    return int(np.where(sent >= _LEAST, share, -1.0).argmax())
