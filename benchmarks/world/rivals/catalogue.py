"""Every rival by name: rules by axis, and complete policies as they are commonly set up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from benchmarks.world.rivals.bandit import Bandit
from benchmarks.world.rivals.channel import MostUsed, OpenRatio
from benchmarks.world.rivals.frequency import Capped, FirstCome
from benchmarks.world.rivals.mautic import Mautic
from benchmarks.world.rivals.offer import BestSingle, Thompson
from benchmarks.world.rivals.packages import MabWiser, VowpalWabbit
from benchmarks.world.rivals.response import ResponseModel
from benchmarks.world.rivals.stack import Stack
from benchmarks.world.rivals.timing import BestGlobalHour, RandomHour, RawBestHour, Soonest, adobe, airship

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.world.rivals.bandit import Learner
    from benchmarks.world.rivals.facts import Facts
    from benchmarks.world.rivals.scene import ChannelRule, Frequency, OfferRule, Rival, Timing

TIMING: Mapping[str, Callable[[Facts, int], Timing]] = {
    "soonest": lambda facts, seed: Soonest(),  # noqa: ARG005 - all factories are called alike
    "best_global_hour": lambda facts, seed: BestGlobalHour(),  # noqa: ARG005
    "random_hour": lambda facts, seed: RandomHour(seed),  # noqa: ARG005
    "raw_best_hour": lambda facts, seed: RawBestHour(),  # noqa: ARG005
    "mautic": lambda facts, seed: Mautic(),  # noqa: ARG005
    "adobe": lambda facts, seed: adobe(seed),  # noqa: ARG005
    "airship": lambda facts, seed: airship(),  # noqa: ARG005
}
CHANNEL: Mapping[str, Callable[[Facts, int], ChannelRule]] = {
    "open_ratio": lambda facts, seed: OpenRatio(),  # noqa: ARG005
    "most_used": lambda facts, seed: MostUsed(),  # noqa: ARG005
}
OFFER: Mapping[str, Callable[[Facts, int], OfferRule]] = {
    "response_model": lambda facts, seed: ResponseModel(seed),  # noqa: ARG005
    "best_single": lambda facts, seed: BestSingle(),  # noqa: ARG005
    "thompson": lambda facts, seed: Thompson(seed),  # noqa: ARG005
}
FREQUENCY: Mapping[str, Callable[[Facts, int], Frequency]] = {
    "first_come": lambda facts, seed: FirstCome(),  # noqa: ARG005
}
AXES: Mapping[str, Mapping[str, Callable[[Facts, int], Any]]] = {
    "timing": TIMING,
    "channel": CHANNEL,
    "offer": OFFER,
    "frequency": FREQUENCY,
}
"""Axis → rival's name → what makes its rule from facts and seed; a fresh one for every play.

The axes are keywords of :class:`~benchmarks.world.rivals.twin.Twin`.
"""
_UNSWAPPED = {"soonest", "most_used", "random_hour", "mautic", "adobe", "airship"}
SWAPS = {
    axis: {name: rule for name, rule in rules.items() if name not in _UNSWAPPED} for axis, rules in AXES.items()
}
"""What is swapped into Kairos: all but what tools do that have no rule for the axis.

Timing is worth some two cents a customer, so two of its rules stand for it: everybody's best hour and each one's
raw best one. The others play in the whole policies they are from, and the composite may take them.
"""


class Factory(Protocol):
    """Makes a complete policy; with ``cap`` it sends at most so many messages in any 14 days of its own accord."""

    def __call__(self, facts: Facts, seed: int, *, cap: int | None = None) -> Rival:
        """Return a fresh one."""
        ...


def composite(facts: Facts, seed: int, *, timing: str, channel: str, offer: str, cap: int | None = None) -> Stack:
    """Return the rules of these names together, with at most ``cap`` messages in 14 days.

    Raises:
        KeyError: for a name that its axis has not.
    """
    return Stack(
        facts,
        timing=TIMING[timing](facts, seed),
        channel=CHANNEL[channel](facts, seed),
        offer=OFFER[offer](facts, seed),
        frequency=_capped(cap),
    )


def _capped(cap: int | None) -> Frequency:
    return FirstCome() if cap is None else Capped(cap)


def _stack(timing: str, channel: str, offer: str) -> Factory:
    def build(facts: Facts, seed: int, *, cap: int | None = None) -> Rival:
        return composite(facts, seed, timing=timing, channel=channel, offer=offer, cap=cap)

    return build


def _bandit(learner: Callable[[int], Learner]) -> Factory:
    def build(facts: Facts, seed: int, *, cap: int | None = None) -> Rival:
        return Bandit(facts, learner(seed), frequency=_capped(cap))

    return build


WHOLE: Mapping[str, Factory] = {
    "first_come": _stack("soonest", "most_used", "best_single"),
    "mautic": _stack("mautic", "most_used", "best_single"),
    "adobe": _stack("adobe", "open_ratio", "response_model"),
    "airship": _stack("airship", "open_ratio", "best_single"),
    "response_model": _stack("best_global_hour", "open_ratio", "response_model"),
    "thompson": _stack("best_global_hour", "open_ratio", "thompson"),
    "mabwiser": _bandit(MabWiser),
    "vowpal_wabbit": _bandit(VowpalWabbit),
}
"""Complete policies, each with its own timing, channel, offer and volume: whenever allowed, unless capped.

Rules that are of one axis alone (a random hour, everybody's or the raw best one) are swapped into Kairos, and the
composite may take them.
"""

CAPS = (0, 1, 2, 3, 4)
"""The caps in 14 days that everybody is tuned over; 0 is silence, and the rules leave room for 4."""


def tune_cap(value: Callable[[Factory, int], float], factory: Factory, *, grid: tuple[int, ...] = CAPS) -> int:
    """Return the cap in ``grid`` for which ``value(factory, cap)`` is largest, the smallest of equal ones."""
    return max(grid, key=lambda cap: (value(factory, cap), -cap))
