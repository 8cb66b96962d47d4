"""How much of the lift that counts claim is true, by what randomised sends showed.

Orders attributed to messages hold what would have come anyway, and a channel may claim more of them than another.
What draws showed of all orders, sent against held, corrects that: for everything together, by channel, and by pair
of offer and channel, each as far as its own draws are worth more than what is known of its kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from measures.estimate import Estimate

Grade = Literal["ratio", "declared"]
"""How the true share of a lift is known: by a ratio to randomised sends, or not at all."""

BELIEF = Estimate(mean=1.0, error=0.7)
"""The ratio before any draw: the counts' lift is right to within a factor of two."""
_EVIDENT = 0.5
"""A ratio is evident where draws leave less than this share of the belief's variance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratios:
    """``overall`` holds where nothing nearer does, ``channels`` and ``pairs`` (``"offer|channel"``) for theirs."""

    overall: Estimate = BELIEF
    channels: Mapping[str, Estimate] = field(default_factory=dict)
    pairs: Mapping[str, Estimate] = field(default_factory=dict)

    def of(self, offer: str, channel: str) -> Estimate:
        """Return the ratio of a pair, or of its channel, or of everything: the nearest that is known."""
        pair = self.pairs.get(f"{offer}|{channel}")
        return pair or self.channels.get(channel, self.overall)

    def grade(self, offer: str, channel: str) -> Grade:
        """Return ``ratio`` where draws told most of what can be doubted of a pair's lift, else ``declared``."""
        known = self.of(offer, channel)
        return "ratio" if known.error**2 < _EVIDENT * BELIEF.error**2 else "declared"

    def factor(self, offer: str, channel: str) -> float:
        """Return what a pair's lift is multiplied by: its ratio where that is evident, else nothing is changed.

        A few hundred draws move the mean of the belief by chance, and a lift that is too high is paid in messages.
        """
        return self.of(offer, channel).mean if self.grade(offer, channel) == "ratio" else BELIEF.mean

    def as_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, facts: Any) -> Self:
        """Read what :meth:`as_json` wrote."""
        return cls(
            overall=Estimate(**facts["overall"]),
            channels={name: Estimate(**each) for name, each in facts["channels"].items()},
            pairs={name: Estimate(**each) for name, each in facts["pairs"].items()},
        )
