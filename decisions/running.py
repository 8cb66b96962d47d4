"""The candidates in the running: each with its best moment in every block of hours, the best eight in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from decisions.draws import uniform
from decisions.localtime import HOUR
from decisions.slots import BLOCKS, Hours, hours, moments
from decisions.value import Surface, surface

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from decisions.eligibility import Candidate, Situation
    from decisions.records import Keys, ValueParts


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One moment for one candidate: the best of its block."""

    block: str
    send_at: int
    slot: int
    value: float
    parts: ValueParts


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """A candidate with its options, the best first; never none."""

    candidate: Candidate
    options: tuple[Option, ...]

    @property
    def name(self) -> str:
        """The pair ``offer|channel``."""
        return self.candidate.name

    @property
    def value(self) -> float:
        """The value of its best option."""
        return self.options[0].value


def runners(situation: Situation, candidates: Sequence[Candidate], keys: Keys) -> tuple[Runner, ...]:
    """Return the candidates in the running, the best first; of equal ones the first by name.

    Marketing may go in any block; other purposes have one option, their first permitted moment.
    """
    if not candidates:
        return ()
    start, end = situation.span
    grid = hours(situation.zones[0], start // HOUR * HOUR, -(-end // HOUR) * HOUR)
    times = _times(situation, candidates, grid, keys)
    worth = surface(
        candidates,
        times,
        grid,
        scores=situation.scores,
        messages=np.sort([message.at.timestamp() for message in situation.state.pressure]),
        prices=situation.budgets.prices,
    )
    best = _best_of_blocks(worth, grid)
    rows = (_runner(candidate, row, best[row], times, grid, worth) for row, candidate in enumerate(candidates))
    order = _by_value if situation.marketing else _by_time
    return tuple(sorted(rows, key=order)[: situation.policy.exploration.options])


def _by_value(runner: Runner) -> tuple[float, str]:
    return -runner.value, runner.name


def _by_time(runner: Runner) -> tuple[int, float, str]:
    return runner.options[0].send_at, -runner.value, runner.name


def _times(situation: Situation, candidates: Sequence[Candidate], grid: Hours, keys: Keys) -> NDArray[np.int64]:
    """Return each candidate's moment in each hour; candidates with the same permitted time share the work."""
    least = situation.policy.least_window_minutes * 60
    place = uniform(keys.exploration, "minute", situation.ask.customer_id)
    known: dict[object, NDArray[np.int64]] = {}
    for permitted in dict.fromkeys(candidate.permitted for candidate in candidates):
        if situation.marketing:
            known[permitted] = moments(grid, permitted, least=least, place=place)
        else:
            known[permitted] = _first(grid, permitted[0][0])
    return np.stack([known[candidate.permitted] for candidate in candidates])


def _first(grid: Hours, moment: int) -> NDArray[np.int64]:
    times = np.full(grid.start.size, -1, dtype=np.int64)
    times[np.searchsorted(grid.start, moment, "right") - 1] = moment
    return times


def _best_of_blocks(worth: Surface, grid: Hours) -> NDArray[np.int64]:
    """Return the hour of the best moment of each candidate (rows) in each block, the earliest of equal ones."""
    padded = np.pad(worth.total, ((0, 0), (0, 1)), constant_values=-np.inf)
    place = padded[:, grid.members].argmax(axis=2)
    return np.take_along_axis(grid.members[None], place[:, :, None], axis=2)[:, :, 0]


def _runner(  # noqa: PLR0913, PLR0917 - the matrices of one decision, cut into records
    candidate: Candidate,
    row: int,
    best: NDArray[np.int64],
    times: NDArray[np.int64],
    grid: Hours,
    worth: Surface,
) -> Runner:
    found = [
        Option(
            block=BLOCKS[block],
            send_at=int(times[row, hour]),
            slot=int(grid.slot[hour]),
            value=float(worth.total[row, hour]),
            parts=worth.parts(row, hour),
        )
        for block, hour in enumerate(best.tolist())
        if hour < grid.start.size and times[row, hour] >= 0
    ]
    return Runner(candidate=candidate, options=tuple(sorted(found, key=lambda each: -each.value)))
