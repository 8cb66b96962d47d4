"""The candidates in the running: each with its best moment in every block of hours, the best eight in all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from decisions.choosing.value import Lane, Moments, Worth, lane, read_moments, terms, worths
from decisions.draws import uniform
from decisions.eligibility import Candidate
from decisions.timing.localtime import DAY, HOUR
from decisions.timing.slots import BLOCKS, HOURS_OF_BLOCK, Hours, hours, moments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


@dataclass(frozen=True, kw_only=True, eq=False)
class Runner:
    """A candidate in the running. Its options are worked out where they are asked for: most are not."""

    candidate: Candidate
    worth: Worth
    grid: Hours
    drawn: float
    """In [0, 1): which of a block's hours it is where they are equally good."""

    @property
    def name(self) -> str:
        """The pair ``offer|channel``."""
        return self.candidate.name

    @property
    def value(self) -> float:
        """The value of its best option."""
        return self.worth.best

    @cached_property
    def options(self) -> tuple[Option, ...]:
        """The best hour of each block, one drawn of those alike on its first day; the best first, never none."""
        total, times = self.worth.total.tolist(), self.worth.lane.times.tolist()
        best = [self._best(members, total) if members else None for members in self.grid.members]
        options = [
            Option(
                block=block,
                hour=hour,
                send_at=times[hour],
                slot=int(self.grid.slot[hour]),
                value=total[hour],
            )
            for block, hour in zip(BLOCKS, best, strict=True)
            if hour is not None and times[hour] >= 0
        ]
        return tuple(sorted(options, key=lambda option: -option.value))

    def _best(self, members: Sequence[int], total: Sequence[float]) -> int:
        top = max(members, key=total.__getitem__)
        alike = [hour for hour in members if top <= hour < top + HOURS_OF_BLOCK and total[hour] == total[top]]
        return alike[int(self.drawn * len(alike))]

    def parts(self, option: Option) -> ValueParts:
        """Return what the value of one of its options is made of."""
        return self.worth.parts(option.hour)


def runners(situation: Situation, candidates: Sequence[Candidate], keys: Keys) -> tuple[Runner, ...]:
    """Return the candidates in the running, the best first; of equal ones the first by name.

    Marketing may go in any block and the best value comes first. Other purposes have one option, their first
    permitted moment, and the earliest comes first. Where a clock says that a message is due, it goes within a day
    of the first moment at which any may: whoever waits longer for a better hour pays with messages.
    """
    start, end = situation.span
    grid = hours(situation.zones[0], start // HOUR * HOUR, -(-end // HOUR) * HOUR)
    lanes = _Lanes(situation, grid, keys, until=_until(situation, candidates))
    valued = [each for each in _valued(situation, candidates, lanes) if each[1].best > -inf]
    rank = _by_value if situation.marketing else _by_time
    first = sorted(valued, key=rank)[: situation.policy.exploration.options]
    drawn = _drawn(situation, keys)
    return tuple(Runner(candidate=candidate, worth=each, grid=grid, drawn=drawn) for candidate, each in first)


def _until(situation: Situation, candidates: Sequence[Candidate]) -> float:
    """Return the second before which a message must go."""
    if situation.pace is None or not candidates:
        return inf
    return min(each.permitted[0][0] for each in candidates) + DAY


def _drawn(situation: Situation, keys: Keys) -> float:
    """Return where among equally good hours of a block a message goes: the first, as before there was a clock."""
    if situation.pace is None:
        return 0.0
    return uniform(keys.exploration, "hour", situation.ask.request_id, situation.ask.customer_id)


def _valued(
    situation: Situation, candidates: Sequence[Candidate], lanes: _Lanes
) -> Iterator[tuple[Candidate, Worth]]:
    """Yield each candidate with its worth, those of one lane together."""
    for (channel, permitted), group in _by_lane(candidates).items():
        sent = [terms(each.offer, channel, scores=situation.scores, budgets=situation.budgets) for each in group]
        yield from zip(group, worths(lanes.of(channel, permitted), sent), strict=True)


def _by_lane(candidates: Sequence[Candidate]) -> dict[tuple[str, Spans], list[Candidate]]:
    groups: dict[tuple[str, Spans], list[Candidate]] = {}
    for each in candidates:
        groups.setdefault((each.channel, each.permitted), []).append(each)
    return groups


def _by_value(pair: tuple[Candidate, Worth]) -> tuple[float, str]:
    candidate, found = pair
    return -found.best, candidate.name


def _by_time(pair: tuple[Candidate, Worth]) -> tuple[int, float, str]:
    candidate, _ = pair
    return candidate.permitted[0][0], *_by_value(pair)


class _Lanes:
    """The lanes of one decision; what they share is worked out once."""

    def __init__(self, situation: Situation, grid: Hours, keys: Keys, *, until: float) -> None:
        self._situation = situation
        self._until = until
        self._grid = grid
        self._place = uniform(keys.exploration, "minute", situation.ask.customer_id)
        self._messages = np.sort([message.at.timestamp() for message in situation.state.pressure])
        self._times: dict[Spans, Moments] = {}

    def of(self, channel: str, permitted: Spans) -> Lane:
        """Return what candidates on ``channel`` with ``permitted`` time share."""
        if permitted not in self._times:
            found = read_moments(self._moments(permitted), self._grid, self._messages)
            self._times[permitted] = found if self._situation.pace is None else found.level_at_first()
        return lane(self._times[permitted], channel=channel, scores=self._situation.scores)

    def _moments(self, permitted: Spans) -> NDArray[np.int64]:
        if self._situation.marketing:
            least = self._situation.policy.least_window_minutes * 60
            times = moments(self._grid, permitted, least=least, place=self._place)
            return np.where(times < self._until, times, -1)
        first = permitted[0][0]
        times = np.full(self._grid.start.size, -1, dtype=np.int64)
        times[np.searchsorted(self._grid.start, first, "right") - 1] = first
        return times
