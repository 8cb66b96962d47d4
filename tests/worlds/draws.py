"""What the draws of a decision can come to: every outcome with its probability, and bands for many seeded draws."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from contextlib import ExitStack, contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING
from unittest import mock

from scipy.stats import binom

from decisions import draws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from decisions.records import Decision

Action = tuple[str, ...]


def action_of(decision: Decision) -> Action:
    """What was done, as the propensity sees it: hold, or what, where, in which block, in whose place."""
    if decision.action == "hold":
        return ("hold",)
    block = next(stage.chosen for stage in decision.stages if stage.name == "slot_block")
    return ("send", str(decision.offer_id), str(decision.channel), block, decision.displaces or "")


@contextmanager
def drawing(points: Mapping[str, float]) -> Iterator[None]:
    """Let the draws of the named stages fall on ``points``; all others stay as they are."""

    def uniform(key: bytes, *words: str) -> float:
        return points[words[0]] if words[0] in points else draws.uniform(key, *words)

    rooms = [
        module
        for name, module in list(sys.modules.items())
        if name.startswith("decisions.choosing") and hasattr(module, "uniform")
    ]
    with ExitStack() as patches:
        for room in rooms:
            patches.enter_context(mock.patch.object(room, "uniform", uniform))
        yield


def outcomes(
    decide: Callable[[], Decision], points: Mapping[str, float] | None = None, chance: float = 1.0
) -> Iterator[tuple[Decision, float]]:
    """Every way the stages can fall out, with its probability: the tree of all draws, walked to its leaves."""
    points = points or {}
    with drawing(points):
        decision = decide()
    stage = next((each for each in decision.stages if each.name not in points), None)
    if stage is None:
        yield decision, chance
        return
    for below, probability in zip(accumulate(stage.probabilities), stage.probabilities, strict=True):
        if probability > 0:
            yield from outcomes(decide, {**points, stage.name: below - probability / 2}, chance * probability)


def chances(leaves: Iterable[tuple[Decision, float]]) -> dict[Action, float]:
    """The true probability of each action, summed over every way to it."""
    found: defaultdict[Action, float] = defaultdict(float)
    for decision, probability in leaves:
        found[action_of(decision)] += probability
    return dict(found)


def outside(drawn: Counter[Action], propensity: Mapping[Action, float], *, error: float = 1e-4) -> list[Action]:
    """Actions whose mean of 1{a}/π(a) leaves the band in which all of them lie together but for ``error``.

    The number of draws of one action is binomial, so that the band is exact; Bonferroni makes it simultaneous.
    """
    total, share = drawn.total(), error / len(propensity)
    found = [action for action in drawn if action not in propensity]
    for action, probability in propensity.items():
        chance = min(probability, 1.0)
        low, high = binom.ppf(share / 2, total, chance), binom.ppf(1 - share / 2, total, chance)
        if not low <= drawn[action] <= high:
            found.append(action)
    return found
