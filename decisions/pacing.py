"""How often to write to a customer: the best interval of the channel that earns most, explored by a keyed draw."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from decisions.draws import uniform
from decisions.eligibility.standing import about_channel
from decisions.records import Pace
from features.vocabulary import DAYS_A_WEEK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from decisions.eligibility import Situation
    from decisions.policy_parts import Frequency
    from decisions.records import Keys
    from features.contracts import Offer

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def pace_of(situation: Situation, offers: Sequence[Offer], keys: Keys) -> Pace | None:
    """Return how often to write to the customer; None where that is not asked, or nothing says.

    It is the best interval of the channel that earns most a day at its own, of those on which the customer may be
    written to with ``offers``: the customer has one clock, whatever the message. Where none earns anything the
    interval is the longest, and the number of messages a week 0.
    """
    rule, cadence = situation.policy.frequency, situation.scores.cadence
    if not (situation.marketing and rule.enabled and cadence):
        return None
    channels = sorted({channel for offer in offers for channel in offer.channels} & cadence.keys())
    free = [each for each in channels if not any(about_channel(situation, each))]
    if not free:
        return None
    best = max(free, key=lambda channel: cadence[channel][1])
    days, earned = cadence[best]
    multiplier, probability, period = tempo(situation.ask.customer_id, rule, situation.now, keys)
    interval = days * multiplier
    weekly = DAYS_A_WEEK / interval if earned > 0 else 0.0
    return Pace(
        channel=best, days=interval, weekly=weekly, multiplier=multiplier, probability=probability, period=period
    )


def tempo(customer_id: str, rule: Frequency, now: datetime, keys: Keys) -> tuple[float, float, date]:
    """Return a customer's multiplier in the period of ``now``, its probability, and the period's first day.

    Half of ``explore_share`` each is written to ``factor`` times less and more often; all others at their best.
    """
    number = (now - _EPOCH).days // rule.period_days
    period = (_EPOCH + timedelta(days=number * rule.period_days)).date()
    drawn = uniform(keys.exploration, "frequency", str(rule.period_days), period.isoformat(), customer_id)
    half = rule.explore_share / 2
    if drawn < half:
        return rule.factor, half, period
    if drawn < 2 * half:
        return 1 / rule.factor, half, period
    return 1.0, 1.0 - 2 * half, period
