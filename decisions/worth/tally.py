"""What messages did, counted by person, channel and offer."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from decisions.worth.beliefs import Beliefs

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Tally:
    """Arrays of (people, channels, offers); a message counts at most once in each.

    A message is *hidden* where a machine (a mail proxy) opened it: whether a person did cannot be known. An
    exposure is a message that did not bounce, by the share of its reactions that have arrived by now; *pressed*
    sums the pressure each exposure met (messages before it, each halving with time), so that the wear can be
    believed differently without counting anew.
    """

    exposed: Floats
    """Exposures that are not hidden,"""
    pressed: Floats
    """the pressure they met,"""
    hidden: Floats
    """those that are,"""
    hidden_pressed: Floats
    """and theirs."""
    opened: Floats
    """Opened by a person; of what is not hidden."""
    seen: Floats
    """Opened, clicked or followed by an order; of what is not hidden."""
    clicked: Floats
    hidden_clicked: Floats
    ordered: Floats
    """Followed by an order that names the message; of what is not hidden."""
    hidden_ordered: Floats

    def __post_init__(self) -> None:
        """Refuse arrays that are not of one shape.

        Raises:
            ValueError: for such arrays.
        """
        shapes = {getattr(self, each.name).shape for each in fields(self)}
        if len(shapes) > 1 or any(len(shape) != len(("people", "channels", "offers")) for shape in shapes):
            raise ValueError(f"a tally is of (people, channels, offers) throughout, not {sorted(shapes)}")

    @classmethod
    def empty(cls, people: int, channels: int, offers: int) -> Tally:
        """Return a tally of no messages."""
        return cls(**{each.name: np.zeros((people, channels, offers)) for each in fields(cls)})

    def of(self, who: NDArray[np.int64]) -> Tally:
        """Return the rows of ``who``."""
        return Tally(**{each.name: getattr(self, each.name)[who] for each in fields(self)})

    @property
    def watched(self) -> NDArray[np.bool_]:
        """(channels,): whether the channel tells who opened: anybody ever did, as far as is known."""
        watched: NDArray[np.bool_] = self.opened.sum(axis=(0, 2)) > 0
        return watched

    def weighed(self, beliefs: Beliefs, watched: NDArray[np.bool_]) -> Weighed:
        """Return the tally in full-attention messages, apart by whether being seen shows."""
        plain = _worn(self.exposed, self.pressed, beliefs)
        hidden = _worn(self.hidden, self.hidden_pressed, beliefs)
        shows = watched[:, None]
        return Weighed(
            watched=np.where(shows, plain, 0.0),
            seen=np.where(shows, self.seen, 0.0),
            closed=hidden + np.where(shows, 0.0, plain),
            clicked=self.hidden_clicked + np.where(shows, 0.0, self.clicked),
            closed_ordered=self.hidden_ordered + np.where(shows, 0.0, self.ordered),
            ordered=self.ordered + self.hidden_ordered,
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Weighed:
    """A tally in messages met with full attention: (people, channels, offers)."""

    watched: Floats
    """Messages of which it shows whether they were seen,"""
    seen: Floats
    """and those that were."""
    closed: Floats
    """Messages of which it does not show; what tells are"""
    clicked: Floats
    """clicks"""
    closed_ordered: Floats
    """and orders."""
    ordered: Floats
    """All orders."""


def _worn(exposures: Floats, pressed: Floats, beliefs: Beliefs) -> Floats:
    """Return exposures, each by what wear leaves of it at their mean pressure: e · exp(−drop · p / e)."""
    mean = np.divide(pressed, exposures, out=np.zeros_like(pressed), where=exposures > 0)
    worn: Floats = exposures * np.exp(-beliefs.drop * mean)
    return worn
