"""What is believed before there are data: declared in the policy, in view, and named wherever it is used."""

from __future__ import annotations

from pydantic import Field

from features.contracts.words import Channel, Contract


class ChannelPriors(Contract):
    """Beliefs about one channel.

    ``engage`` P(engage | one message) and the pseudo-sends it weighs; ``conversion`` P(convert | engaged);
    ``beta`` the exponent of the send-time effect ``m = exp(beta · log rhythm)`` (published effects of 2–12%
    mean small values); ``open_delay_hours`` between arrival and reaction; ``hazard`` the probability that one
    message loses the channel at no pressure, times ``hazard_growth`` for each further message in seven days.
    """

    engage: float = Field(default=0.03, gt=0, lt=1)
    engage_strength: float = Field(default=50.0, gt=0)
    conversion: float = Field(default=0.1, ge=0, le=1)
    beta: float = Field(default=0.1, ge=0, le=1)
    beta_sd: float = Field(default=0.05, gt=0)
    open_delay_hours: float = Field(default=2.0, ge=0)
    hazard: float = Field(default=0.002, ge=0, lt=1)
    hazard_growth: float = Field(default=1.3, ge=1)
    reach_share: float = Field(default=0.05, ge=0, le=1)


class Priors(Contract):
    """Beliefs per channel and across them.

    ``incremental_share`` is the share of conversions after a reaction that the message caused; ``recovery_days``
    the time in which fatigue halves; ``response_drop`` the relative loss of response by each further message in
    seven days; ``yearly_margin`` what a customer of whom nothing is known brings in a year; ``gross_margin`` the
    share of revenue that is margin, to turn spend into remaining value; ``discount`` the yearly discount rate.
    """

    channels: dict[Channel, ChannelPriors] = Field(default_factory=dict)
    default: ChannelPriors = ChannelPriors()
    incremental_share: float = Field(default=0.3, ge=0, le=1)
    recovery_days: float = Field(default=7.0, gt=0)
    response_drop: float = Field(default=0.1, ge=0, lt=1)
    yearly_margin: float = Field(default=50.0, ge=0)
    gross_margin: float = Field(default=0.25, gt=0, le=1)
    discount: float = Field(default=0.1, ge=0)

    def of(self, channel: str) -> ChannelPriors:
        """Return the beliefs about ``channel``, or the default where it has none of its own."""
        return self.channels.get(channel, self.default)
