"""What is believed before there are data: declared in the policy, in view, and named wherever it is used."""

from __future__ import annotations

from pydantic import Field

from features.contracts.words import Channel, Contract


class ChannelPriors(Contract):
    """Beliefs about one channel."""

    engage: float = Field(default=0.03, gt=0, lt=1)
    """P(engage | one message)."""
    engage_strength: float = Field(default=50.0, gt=0)
    """The pseudo-sends that ``engage`` weighs."""
    conversion: float = Field(default=0.1, ge=0, le=1)
    """P(convert | engaged)."""
    beta: float = Field(default=0.1, ge=0, le=1)
    """The exponent of the send-time effect ``m = exp(beta · log rhythm)``; published effects mean small values."""
    beta_sd: float = Field(default=0.05, gt=0)
    """How uncertain ``beta`` is (standard deviation)."""
    open_delay_hours: float = Field(default=2.0, ge=0)
    """Between arrival and reaction."""
    hazard: float = Field(default=0.002, ge=0, lt=1)
    """The probability that one message loses the channel, at no pressure."""
    hazard_growth: float = Field(default=1.3, ge=1)
    """The factor on ``hazard`` for each further message in seven days."""
    reach_share: float = Field(default=0.05, ge=0, le=1)
    """The share of a customer's remaining value that hangs on staying reachable on the channel."""


class Priors(Contract):
    """Beliefs per channel and across them."""

    channels: dict[Channel, ChannelPriors] = Field(default_factory=dict)
    """Beliefs about single channels."""
    default: ChannelPriors = ChannelPriors()
    """Beliefs about every other channel."""
    incremental_share: float = Field(default=0.3, ge=0, le=1)
    """The share of conversions after a reaction that the message caused."""
    anyway: float = Field(default=0.025, ge=0, lt=1)
    """Orders per message seen that name the message and would have come anyway, of who orders at the mean rate."""
    recovery_days: float = Field(default=7.0, gt=0)
    """The time in which fatigue halves."""
    response_drop: float = Field(default=0.1, ge=0, lt=1)
    """The relative loss of response by each further message in seven days."""
    yearly_margin: float = Field(default=50.0, ge=0)
    """What a customer of whom nothing is known brings in a year."""
    gross_margin: float = Field(default=0.25, gt=0, le=1)
    """The share of revenue that is margin, to turn spend into remaining value."""
    discount: float = Field(default=0.1, ge=0)
    """The yearly discount rate."""

    def of(self, channel: str) -> ChannelPriors:
        """Return the beliefs about ``channel``, or the default where it has none of its own."""
        return self.channels.get(channel, self.default)
