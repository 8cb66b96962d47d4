"""What Kairos's own models said of everybody at one refresh, as arrays over customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from simulation.calendar import WEEK_HOURS
from simulation.shop import CHANNELS, OFFERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from decisions.records import Scores

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_DAY = 24
_PAIRS = tuple(f"{offer.offer_id}|{channel}" for offer in OFFERS for channel in CHANNELS)


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """Numbers of :class:`decisions.records.Scores`; nan where a customer has no score, who then gets nothing.

    ``tau`` is (customers, offers, channels), ``multiplier`` (customers, channels, 168), ``redeem`` (customers,
    offers, channels), ``loss`` (customers, channels, levels): euros lost to fatigue at each number of messages in
    seven days; ``hourly`` (customers, offers, 24): the factor on tau at each local hour.
    """

    tau: Floats
    multiplier: Floats
    redeem: Floats
    loss: Floats
    hourly: Floats

    @classmethod
    def of(cls, scores: Sequence[Scores], size: int) -> Self:
        """Arrange ``scores``, in whatever order, by customer number."""
        number = np.array([int(each.customer_id[1:]) for each in scores])
        wide = len(CHANNELS)
        reach = _table(_named(each.reachable_value, CHANNELS, 0.0) for each in scores)
        losses = reach[:, :, None] * _levels([each.hazard for each in scores])
        response = _levels([each.response_loss for each in scores])
        levels = max(losses.shape[2], response.shape[2])
        tau = _table(_named(each.tau, _PAIRS, np.nan) for each in scores).reshape(len(scores), -1, wide)
        redeem = _table(_redeems(each.redeem) for each in scores).reshape(len(scores), -1, wide)
        flat = (1.0,) * WEEK_HOURS
        curves = np.array([[each.multiplier.get(channel, flat) for channel in CHANNELS] for each in scores])
        return cls(
            tau=_placed(tau, number, size),
            multiplier=_placed(curves, number, size),
            redeem=_placed(redeem, number, size),
            loss=_placed(_widened(losses, levels) + _widened(response, levels), number, size),
            hourly=_placed(np.array([_hours(each.hourly) for each in scores]), number, size),
        )


def _named(part: Mapping[str, float], names: Sequence[str], otherwise: float) -> list[float]:
    return [part.get(name, otherwise) for name in names]


def _redeems(redeem: Mapping[str, float]) -> list[float]:
    """Return P(redeem | sent) by offer and channel: the pair's own where it is known, else the offer's."""
    return [redeem.get(pair, redeem.get(pair.rpartition("|")[0], 0.0)) for pair in _PAIRS]


def _hours(hourly: Mapping[str, Sequence[float]]) -> list[Sequence[float]]:
    return [hourly.get(offer.offer_id, (1.0,) * _DAY) for offer in OFFERS]


def _table(rows: Iterable[list[float]]) -> Floats:
    return np.array(list(rows), dtype=np.float64)


def _levels(parts: Sequence[Mapping[str, Sequence[float]]]) -> Floats:
    """Return (rows, channels, levels), the last level standing for all above."""
    rows = [[part.get(channel) or (0.0,) for channel in CHANNELS] for part in parts]
    most = max((len(each) for row in rows for each in row), default=1)
    return np.array([[[*each, *[each[-1]] * (most - len(each))] for each in row] for row in rows])


def _widened(table: Floats, levels: int) -> Floats:
    return np.pad(table, ((0, 0), (0, 0), (0, levels - table.shape[2])), mode="edge")


def _placed(part: Floats, number: Ints, size: int) -> Floats:
    whole = np.full((size, *part.shape[1:]), np.nan)
    whole[number] = part
    return whole


def read_curve(curves: Floats, slot: Ints, passed: Floats) -> Floats:
    """Return (people, curves, hours): curves read between the middles of their slots.

    ``curves`` is (people, curves, 168) of hours of the week, or 24 of the day; ``slot`` and ``passed``, the share
    of it that is gone, (people, hours).
    """
    step = passed < 0.5  # noqa: PLR2004 - before the middle the slot before still counts
    wide = curves.shape[2]
    first = ((slot - step) % wide)[:, None, :]
    here = np.take_along_axis(curves, first, axis=2)
    there = np.take_along_axis(curves, (first + 1) % wide, axis=2)
    between: Floats = here + (passed - 0.5 + step)[:, None, :] * (there - here)
    return between
