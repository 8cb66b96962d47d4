"""A number and its standard error: what is passed on where an interval alone would lose the precision."""

from __future__ import annotations

from dataclasses import dataclass

_Z = 1.96


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean with its standard error; of a belief, its standard deviation."""

    mean: float
    error: float

    @property
    def interval(self) -> tuple[float, float]:
        """The central 95%."""
        return self.mean - _Z * self.error, self.mean + _Z * self.error

    def meeting(self, other: Estimate) -> Estimate:
        """Return both together, each by its precision; what has no error leaves nothing to the other."""
        if self.error == 0 or other.error == 0:
            return self if self.error == 0 else other
        weight, theirs = self.error**-2.0, other.error**-2.0
        mean = (weight * self.mean + theirs * other.mean) / (weight + theirs)
        return Estimate(mean=mean, error=(weight + theirs) ** -0.5)
