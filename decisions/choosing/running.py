"""The candidates in the running: each with its best moment in every block of hours, the best eight in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from decisions.choosing.value import Lane, Moments, Worth, lane, read_moments, worth
from decisions.draws import uniform
from decisions.eligibility import Candidate
from decisions.timing.localtime import HOUR
from decisions.timing.slots import BLOCKS, Hours, hours, moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from decisions.eligibility import Situation
    from decisions.records import Keys, ValueParts
    from decisions.timing.spans import Spans


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One moment for one candidate: the best of its block."""

    block: str
    hour: int
    send_at: int
    slot: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Runner:
    """A candidate with its options, the best first; never none."""

    candidate: Candidate
    options: tuple[Option, ...]
    worth: Worth

    @property
    def name(self) -> str:
        """The pair ``offer|channel``."""
        return self.candidate.name

    @property
    def value(self) -> float:
        """The value of its best option."""
        return self.options[0].value

    def parts(self, option: Option) -> ValueParts:
        """Return what the value of one of its options is made of."""
        return self.worth.parts(option.hour)


def runners(situation: Situation, candidates: Sequence[Candidate], keys: Keys) -> tuple[Runner, ...]:
    """Return the candidates in the running, the best first; of equal ones the first by name.

    Marketing may go in any block and the best value comes first. Other purposes have one option, their first
    permitted moment, and the earliest comes first.
    """
    start, end = situation.span
    grid = hours(situation.zones[0], start // HOUR * HOUR, -(-end // HOUR) * HOUR)
    worths = _worths(situation, candidates, _Lanes(situation, grid, keys))
    rank = _by_value if situation.marketing else _by_time
    first = sorted(zip(candidates, worths, strict=True), key=rank)[: situation.policy.exploration.options]
    return tuple(_runner(candidate, each, grid) for candidate, each in first)


def _worths(situation: Situation, candidates: Sequence[Candidate], lanes: _Lanes) -> list[Worth]:
    return [
        worth(
            lanes.of(each.channel, each.permitted),
            each.offer,
            each.channel,
            scores=situation.scores,
            budgets=situation.budgets,
        )
        for each in candidates
    ]


def _by_value(pair: tuple[Candidate, Worth]) -> tuple[float, str]:
    candidate, found = pair
    return -float(found.total.max()), candidate.name


def _by_time(pair: tuple[Candidate, Worth]) -> tuple[int, float, str]:
    candidate, _ = pair
    return candidate.permitted[0][0], *_by_value(pair)


class _Lanes:
    """The lanes of one decision, each worked out once."""

    def __init__(self, situation: Situation, grid: Hours, keys: Keys) -> None:
        self._situation = situation
        self._grid = grid
        self._place = uniform(keys.exploration, "minute", situation.ask.customer_id)
        self._messages = np.sort([message.at.timestamp() for message in situation.state.pressure])
        self._times: dict[Spans, Moments] = {}
        self._lanes: dict[tuple[str, Spans], Lane] = {}

    def of(self, channel: str, permitted: Spans) -> Lane:
        """Return what candidates on ``channel`` with ``permitted`` time share."""
        if (channel, permitted) not in self._lanes:
            if permitted not in self._times:
                self._times[permitted] = read_moments(self._moments(permitted), self._grid, self._messages)
            times = self._times[permitted]
            self._lanes[channel, permitted] = lane(times, channel=channel, scores=self._situation.scores)
        return self._lanes[channel, permitted]

    def _moments(self, permitted: Spans) -> NDArray[np.int64]:
        if self._situation.marketing:
            least = self._situation.policy.least_window_minutes * 60
            return moments(self._grid, permitted, least=least, place=self._place)
        first = permitted[0][0]
        times = np.full(self._grid.start.size, -1, dtype=np.int64)
        times[np.searchsorted(self._grid.start, first, "right") - 1] = first
        return times


def _runner(candidate: Candidate, found: Worth, grid: Hours) -> Runner:
    """Find the best hour of each block, the earliest of equal ones."""
    padded = np.append(found.total, -np.inf)[grid.members]
    places = padded.argmax(axis=1)
    options = [
        Option(
            block=BLOCKS[row],
            hour=hour,
            send_at=int(found.lane.times[hour]),
            slot=int(grid.slot[hour]),
            value=float(padded[row, place]),
        )
        for row, place in enumerate(places.tolist())
        if (hour := int(grid.members[row, place])) < grid.start.size and found.lane.times[hour] >= 0
    ]
    best_first = sorted(options, key=lambda option: -option.value)
    return Runner(candidate=candidate, options=tuple(best_first), worth=found)
