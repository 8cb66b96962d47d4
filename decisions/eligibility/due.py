"""When a next message is due: each customer's best interval, by a clock that runs on pressure.

Pressure at a moment is the sum, over the customer's messages of any kind, of half to the power of the weeks
between, whichever comes first; a message that was withheld at random counts as sent, so that it costs one message.
Messages one best interval apart all meet the same pressure: one is due where it meets no more than that.
"""

from __future__ import annotations

from itertools import accumulate, pairwise
from math import ceil, floor, log2, sqrt
from typing import TYPE_CHECKING

import numpy as np

from decisions.eligibility.codes import Code
from decisions.eligibility.situation import Block
from decisions.timing.localtime import DAY
from decisions.timing.spans import end_of, union
from decisions.worth.cadence import steady_pressure
from features.vocabulary import PRESSURE_HALF_LIFE_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from decisions.eligibility.situation import Situation
    from decisions.records import Pace
    from decisions.timing.spans import Span, Spans

_HALF_LIFE = PRESSURE_HALF_LIFE_DAYS * DAY
_FORGOTTEN = 13 * _HALF_LIFE
"""What is further off weighs less than a part in eight thousand, and is left out."""
_ROUNDING = 1e-9


def not_due(situation: Situation) -> Iterator[Block]:
    """Yield the moments at which one more message comes before the customer's interval is over."""
    if situation.pace is None:
        return
    if spans := pressed(_messages(situation), _most(situation.pace)):
        yield Block(code=Code.NOT_DUE, spans=spans, detail=f"{situation.pace.days:.3g}d")


def next_due(situation: Situation, after: int) -> int | None:
    """Return when a message is due after one at ``after`` (UTC seconds); None where nothing says how often."""
    if situation.pace is None:
        return None
    spans = pressed([*_messages(situation), float(after)], _most(situation.pace))
    return end_of(spans, after) or after


def _most(pace: Pace) -> float:
    return float(steady_pressure(np.array(pace.days), PRESSURE_HALF_LIFE_DAYS)) + _ROUNDING


def _messages(situation: Situation) -> list[float]:
    """Return the moments of all messages that weigh anything within the horizon, in no order."""
    state, (start, end) = situation.state, situation.span
    moments = [each.at.timestamp() for each in state.pressure] + [each.timestamp() for each in state.withheld]
    return [each for each in moments if start - _FORGOTTEN < each < end + _FORGOTTEN]


def pressed(moments: Sequence[float], most: float) -> Spans:
    """Return when messages at ``moments`` (UTC seconds) press by more than ``most``, in whole seconds."""
    if not moments:
        return ()
    ordered = sorted(moments)
    before = _summed(ordered)
    after = [*reversed(_summed([-each for each in reversed(ordered)]))]
    first, last = ordered[0] - _worn(after[0] / most), ordered[-1] + _worn(before[-1] / most)
    spans = [(first, ordered[0]), (ordered[-1], last)]
    for (left, behind), (right, ahead) in pairwise(
        (moment, (rising, falling)) for moment, rising, falling in zip(ordered, before, after, strict=True)
    ):
        spans += _between(left, right, behind[0], ahead[1], most)
    return union(_seconds(*each) for each in spans)


def _summed(ordered: Sequence[float]) -> list[float]:
    """Return the pressure at each moment by the messages up to it, itself among them."""
    gaps = [0.0, *(right - left for left, right in pairwise(ordered))]
    return list(accumulate(gaps, lambda sum_, gap: sum_ * _left(gap) + 1.0, initial=0.0))[1:]


def _between(left: float, right: float, behind: float, ahead: float, most: float) -> Iterator[tuple[float, float]]:
    """Yield when pressure is above ``most`` between two messages next to each other.

    With u = 2^(−t / half-life), t from ``left`` on, and c = 2^(−(right − left) / half-life), it is
    behind · u + ahead · c / u: no more than ``most`` between the roots of a quadratic, nowhere where it has none.
    """
    coming = ahead * _left(right - left)
    root = most * most - 4 * behind * coming
    if root < 0:
        yield left, right
        return
    low, high = ((most + sign * sqrt(root)) / (2 * behind) for sign in (-1.0, 1.0))
    yield left, min(right, left + _worn(1 / high))
    yield max(left, left + _worn(1 / low)), right


def _left(seconds: float) -> float:
    return float(0.5 ** (seconds / _HALF_LIFE))


def _worn(ratio: float) -> float:
    """Return the time in which pressure falls by ``ratio``; 0 where it need not."""
    return _HALF_LIFE * max(0.0, log2(ratio))


def _seconds(start: float, end: float) -> Span:
    return (floor(start), ceil(end)) if start < end else (0, 0)
