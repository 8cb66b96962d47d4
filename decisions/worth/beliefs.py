"""What is believed before counts say better: declared, each with what it means."""

from __future__ import annotations

from dataclasses import dataclass

from features.vocabulary import PRESSURE_HALF_LIFE_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Beliefs:
    """Declared numbers. Those by channel stand in the order of the tally's channels."""

    attention: tuple[float, ...]
    """By channel: P(seen) of a message to a rested person."""
    loss: tuple[float, ...]
    """By channel: P(one message loses the channel), to a rested person."""
    attention_strength: float = 500.0
    """The messages that a channel's ``attention`` weighs, where being seen does not show."""
    attention_shape: float = 1.3
    """How alike people are in attention where no channel shows who sees (:mod:`decisions.worth.shrinking`)."""
    conversion: float = 0.06
    """Orders attributed to a message that is seen,"""
    conversion_strength: float = 50.0
    """and how many messages seen that weighs."""
    anyway: float = 0.025
    """Of those, orders that would have come anyway, of a customer who orders at the mean rate; √rate of others."""
    offer_strength: float = 150.0
    """The messages seen that the mean of all offers weighs against one offer's own."""
    least_lift: float = 0.15
    """The share of an offer's attributed orders that are taken as caused, at least."""
    person_shape: float = 5.0
    """How alike people are in what messages move them to,"""
    pair_shape: float = 0.6
    """and how alike one person's offers are."""
    drop: float = 0.1
    """The relative loss of attention by each unit of pressure: exp(−drop · pressure)."""
    half_life_days: float = PRESSURE_HALF_LIFE_DAYS
    """The time in which a message's pressure halves, in the tally as well."""
    loss_strength: float = 1000.0
    """The messages that a channel's ``loss`` weighs."""
    loss_growth: float = 1.3
    """The factor on ``loss`` for each unit of pressure."""
    churn_cost: float = 0.005
    """Money lost with customers driven off, by one message at one unit of pressure, at the mean spend."""
    reach_days: float = 120.0
    """How far ahead a lost channel's gains count,"""
    reach_share: float = 0.6
    """and which share of them other channels could not have had."""
    yearly_churn: float = 0.25
    """Who stops being a customer within a year, unprovoked."""
