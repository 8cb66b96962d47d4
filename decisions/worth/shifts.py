"""Whether things turned lately: channels seen less or more than before, offers that lead to fewer or more orders.

What is counted over years is an average over years. Each moment a whole number of weeks ago may be one since which
levels differ; or there is none. Those hypotheses are averaged by their posterior probability (Bayesian model
averaging over one change point; Barry & Hartigan 1993 for the product of partitions), so that levels move as far
as the last weeks tell and chance moves them little. People keep what tells them apart: it is levels that turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from decisions.worth.shrinking import log_chances

if TYPE_CHECKING:
    from decisions.worth.attention import Attention
    from decisions.worth.model import Personal

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WEEKS = 26
"""How far back messages are looked at."""
_TURNED = 0.02
"""P(something turned within that time), before anything is counted."""
_ALIKE = 4.0
"""How alike a level is to the one before it turned, as a shape of gamma factors: ±50%."""
_OWN = 20.0
"""The events that an expectation weighs against a level's own counts."""
_TELLING = 5.0
"""Events to be expected before a moment, for the level before it to be known at all."""
_NEVER = 1e-12
"""Nothing is expected to be rarer: a logarithm of nothing has no value."""
_COMMON = 10.0
"""The orders that one offer's expectation weighs, where it is told what all offers have in common."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Shift:
    """What the last weeks' levels are to those of all the time: factors of 1 where nothing turned."""

    attention: Floats
    """(channels,): of P(seen)."""
    lift: Floats
    """(offers,): of extra orders per message seen, relative to the middle offer."""
    chance: float = 0.0
    """P(something turned)."""
    weeks: int = 0
    """How long ago that most likely was."""

    @classmethod
    def none(cls, channels: int, offers: int) -> Self:
        """Return that nothing turned."""
        return cls(attention=np.ones(channels), lift=np.ones(offers))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Sent:
    """Messages of the last :data:`WEEKS`, one entry each, and what came of them."""

    who: Ints
    """Rows of the people,"""
    channel: Ints
    offer: Ints
    weeks: Ints
    """whole weeks since each was sent;"""
    exposed: Floats
    """the share of its reactions that has arrived, times what wear leaves; 0 where it bounced;"""
    shows: NDArray[np.bool_]
    """whether it shows who saw it,"""
    seen: Floats
    """who did,"""
    clicked: Floats
    ordered: Floats
    silent: NDArray[np.bool_]
    """and whether its receiver gave no sign of life since."""

    def chances(self, personal: Personal) -> Floats:
        """Return each one's chance of having been seen: what shows, and what is expected elsewhere."""
        return np.where(self.shows, self.seen, self.likely(personal))

    def likely(self, personal: Personal) -> Floats:
        """Return the chance of each to have been seen as it is expected of its receiver, who may be gone."""
        likely = personal.attention[self.who, self.channel] * self.exposed
        return likely * np.where(self.silent, personal.alive[self.who], 1.0)


def shift(sent: Sent, personal: Personal, attention: Attention) -> Shift:
    """Return what turned, of messages that by ``personal`` and ``attention`` were expected to do as before.

    A message to somebody who may be no customer any more is expected to do as much less. An offer's orders are
    held against what the middle offer's did: a season in which people order more turns no offer.
    """
    channels, offers = len(attention.level), personal.lift.shape[1]
    if not len(sent.who):
        return Shift.none(channels, offers)
    likely = sent.likely(personal)
    orders = personal.lift[sent.who, sent.offer] + personal.anyway[sent.who]
    clicks = attention.click[sent.channel] * sent.exposed
    signs = np.where(sent.shows, sent.seen, sent.clicked + sent.ordered)
    expected = np.where(sent.shows, likely, likely * orders + clicks)
    seen = np.where(sent.shows, sent.seen, likely)
    looks = [_weekly(each, sent.weeks, sent.channel, channels) for each in (signs, expected)]
    buys = [_weekly(each, sent.weeks, sent.offer, offers) for each in (sent.ordered, seen * orders)]
    came, hoped = (np.hstack(both) for both in zip(looks, buys, strict=True))
    factors, chance, weeks = turned(came, hoped, np.arange(channels + offers) >= channels)
    return Shift(attention=factors[:channels], lift=factors[channels:], chance=chance, weeks=weeks)


def turned(events: Floats, expected: Floats, together: NDArray[np.bool_]) -> tuple[Floats, float, int]:
    """Return by level what it is now to what it was over all weeks; P(they turned); how many weeks ago.

    ``events`` and ``expected`` are (weeks, levels), the latest week first. Events are Poisson, levels are
    independent but for the moment at which they turn; those ``together`` turn where they leave the middle one.
    """
    weeks, total, mean = len(events), events.sum(axis=0), expected.sum(axis=0)
    whole = (total + _OWN) / (mean + _OWN)
    odds, factors = [np.log1p(-_TURNED)], [np.ones_like(whole)]
    for since in range(1, weeks):
        late, hoped = events[:since].sum(axis=0), expected[:since].sum(axis=0)
        early, before = total - late, mean - hoped
        level = (early + _OWN) / (before + _OWN)
        hoped = hoped * np.where(together, _middle(late[together], (hoped * level)[together]), 1.0)
        told = before > _TELLING
        same, other = early + _OWN, 1 / (1 / (early + _OWN) + 1 / _ALIKE)
        mean_now = np.maximum(hoped * level, _NEVER)
        ratio = log_chances(late, mean_now, other) - log_chances(late, mean_now, same)
        odds.append(np.log(_TURNED / (weeks - 1)) + float(ratio[told].sum()))
        now = level * (_ALIKE + late) / (_ALIKE + hoped * level) / whole
        factors.append(np.where(told, now, 1.0))
    weight = np.exp(np.array(odds) - max(odds))
    weight /= weight.sum()
    likeliest = int(weight[1:].argmax()) + 1 if weeks > 1 else 0
    return weight @ np.stack(factors), float(1 - weight[0]), likeliest


def _middle(events: Floats, expected: Floats) -> float:
    """Return the median of what came to what was expected, each weighing what was expected; 1 of nothing."""
    if expected.sum() <= 0:
        return 1.0
    ratio = (events + _COMMON) / (expected + _COMMON)
    order = np.argsort(ratio, kind="stable")
    below = np.cumsum(expected[order]) - expected[order] / 2
    return float(np.interp(expected.sum() / 2, below, ratio[order]))


def _weekly(values: Floats, weeks: Ints, item: Ints, items: int) -> Floats:
    """Return sums by (week, item), the latest week first."""
    length = int(weeks.max()) + 1
    found = np.bincount(weeks * items + item, values, minlength=length * items)
    return np.asarray(found, dtype=np.float64).reshape(length, items)
