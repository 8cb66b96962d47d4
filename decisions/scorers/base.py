"""What every scorer is, what it is asked with, and what the six of them answer.

A scorer answers for a whole frame in one call. Its answers are arrays with one row a customer, in the frame's
order; an array with a single row says the same of everybody, so that a prior costs nothing per customer. A scorer
that was never fitted *is* the prior (``Scorer.prior(why)``): same class, same answers, with a note that says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from decisions.priors import Priors
from decisions.worth.news import News
from features.contracts import Offer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


Kind = Literal["send_time", "channel", "churn", "offer", "worth", "fatigue"]
KINDS: tuple[Kind, ...] = ("send_time", "channel", "churn", "offer", "worth", "fatigue")

FloatArray = NDArray[np.float64]

UNTRAINED = "prior"
"""The version of a scorer that was never fitted."""

LEVELS = 8
"""Pressure levels of hazard and response loss: 0 … 6 messages in the last seven days, and 7 or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What scorers are asked with: the feature frame, the offers and channels in question, the declared beliefs.

    ``channels`` is sorted and covers every channel of ``offers``. ``cold`` marks customers without any feature.
    ``news`` is what the frame's tally does not know yet, where anything is.
    """

    frame: pa.Table
    offers: tuple[Offer, ...]
    channels: tuple[str, ...]
    priors: Priors
    cold: NDArray[np.bool_]
    news: News | None = None

    @property
    def size(self) -> int:
        """How many customers are asked about."""
        return int(self.frame.num_rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """``multiplier`` by channel: (n or 1, 168) over local hours, averaging 1 over the training data's sends."""

    multiplier: Mapping[str, FloatArray]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Engagement:
    """``probability`` P(engage within the horizon | sent) by channel: (n or 1,)."""

    probability: Mapping[str, FloatArray]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """``tau`` by ``"offer|channel"`` and ``redeem`` by offer: (n or 1,), as in :class:`decisions.records.Scores`.

    ``incremental`` is false where no randomised send stands behind ``tau``; ``measured`` are the pairs whose tau
    is the effect that randomised sends showed.
    """

    tau: Mapping[str, FloatArray]
    redeem: Mapping[str, FloatArray]
    incremental: bool = False
    notes: tuple[str, ...] = ()
    measured: frozenset[str] = frozenset()
    hourly: Mapping[str, FloatArray] = field(default_factory=dict)
    """By offer: (1, 24), the factor on ``tau`` at each local hour."""
    cadence: Mapping[str, FloatArray] = field(default_factory=dict)
    """By channel: (n, 2), the best days between messages, and what they earn a day."""
    evidence: Mapping[str, FloatArray] = field(default_factory=dict)
    """By pair: (n, 3), the customer's own messages, those seen, and orders that name them."""

    def counting(self, counted: Counted) -> Effect:
        """Return the effect with what was ``counted`` in place of what is declared or only a ratio.

        P(redeem) is then known by pair, too; an offer's own stays beside it.
        """
        taken = {pair: tau for pair, tau in counted.tau.items() if pair not in self.measured}
        superseded = tuple(f"prior:offer:{pair}:" for pair in taken)
        redeem = {pair: chance for pair, chance in counted.redeem.items() if pair in taken}
        kept = tuple(note for note in self.notes if not note.startswith(superseded))
        measured = tuple(f"offer:{pair}:measured" for pair in sorted(self.measured)) if taken else ()
        return replace(
            self,
            tau={**self.tau, **taken},
            redeem={**self.redeem, **redeem},
            incremental=self._all_are_incremental(taken, counted.by_ratio),
            notes=(*kept, *measured, *counted.notes, *counted.notes_of_ratios(taken)),
            hourly=counted.hourly,
            cadence=counted.cadence,
            evidence=counted.evidence,
        )

    def _all_are_incremental(self, taken: Mapping[str, FloatArray], by_ratio: frozenset[str]) -> bool:
        """Tell whether randomised sends stand behind every pair, ``taken`` from counts or not."""
        others = self.incremental or self.tau.keys() <= self.measured | taken.keys()
        return others and taken.keys() <= by_ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What counts say by ``"offer|channel"``, (n,) each: ``tau`` as of :class:`Effect`, ``redeem`` P(redeem).

    Pairs of which nothing was learned are missing. ``hourly``, ``cadence`` and ``evidence`` are those of
    :class:`Effect`.
    """

    tau: Mapping[str, FloatArray]
    redeem: Mapping[str, FloatArray]
    hourly: Mapping[str, FloatArray] = field(default_factory=dict)
    cadence: Mapping[str, FloatArray] = field(default_factory=dict)
    evidence: Mapping[str, FloatArray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    by_ratio: frozenset[str] = frozenset()
    """Pairs whose tau is corrected by what randomised sends showed of all orders."""

    def notes_of_ratios(self, taken: Mapping[str, FloatArray]) -> tuple[str, ...]:
        """Return a note for each pair of ``taken`` that randomised sends corrected."""
        return tuple(f"worth:{pair}:ratio" for pair in sorted(self.by_ratio & taken.keys()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Weariness:
    """``hazard`` and ``response_loss`` by channel: (n or 1, LEVELS), by messages in the last seven days."""

    hazard: Mapping[str, FloatArray]
    response_loss: Mapping[str, FloatArray]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """``churn`` P(no activity in the next N days), NaN: unknown; ``reachable`` margin by channel: (n or 1,)."""

    churn: FloatArray
    reachable: Mapping[str, FloatArray]
    notes: tuple[str, ...] = ()


class Scorer(Protocol):
    """What all six have in common. ``version`` is the artefact's content hash, or ``prior``."""

    kind: ClassVar[Kind]

    @property
    def version(self) -> str:
        """Which artefact this is."""
        ...

    def save(self, directory: Path) -> None:
        """Write the artefact (see :mod:`decisions.scorers.artefact`)."""
        ...

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what ``save`` wrote; the loaded scorer answers exactly as the saved one."""
        ...

    @classmethod
    def prior(cls, why: str) -> Self:
        """Return the scorer of no data; ``why`` (``no_labels``, ``no_champion`` …) ends its notes."""
        ...


class SendTimeScorer(Scorer, Protocol):
    """How engagement changes over the local week."""

    def predict(self, batch: Batch) -> Timing:
        """Answer for every channel of the batch."""
        ...


class ChannelScorer(Scorer, Protocol):
    """P(engage) per channel."""

    def predict(self, batch: Batch) -> Engagement:
        """Answer for every channel of the batch."""
        ...


class ChurnScorer(Scorer, Protocol):
    """P(churn) and what staying reachable is worth."""

    def predict(self, batch: Batch) -> Lifetime:
        """Answer for every channel of the batch."""
        ...


class OfferScorer(Scorer, Protocol):
    """What an offer adds, compared with no message."""

    def predict(self, batch: Batch, engagement: Engagement) -> Effect:
        """Answer for every offer × channel of the batch."""
        ...


class WorthScorer(Scorer, Protocol):
    """What a message adds, counted."""

    def predict(self, batch: Batch) -> Counted:
        """Answer for every offer × channel of the batch that was learned."""
        ...


class FatigueScorer(Scorer, Protocol):
    """What one more message costs in reach and in later response."""

    def predict(self, batch: Batch, effect: Effect) -> Weariness:
        """Answer for every channel of the batch."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorers:
    """The six scorers in use. Any of them may be the prior."""

    send_time: SendTimeScorer
    channel: ChannelScorer
    churn: ChurnScorer
    offer: OfferScorer
    worth: WorthScorer
    fatigue: FatigueScorer
    labels: Mapping[str, str] = field(default_factory=dict)
    """What to call a version in the record, by kind (``kairos-churn/3``); by default the content hash."""

    @property
    def versions(self) -> dict[str, str]:
        """The version of each kind, as a decision's record names it."""
        own: dict[str, str] = {kind: getattr(self, kind).version for kind in KINDS}
        return {**own, **self.labels}


def matrix(frame: pa.Table, names: Sequence[str]) -> FloatArray:
    """Return the columns called ``names``, in that order, as (n, len(names)) doubles; null is NaN.

    LightGBM matches columns by position, in silence: every matrix a model sees is built here, by name.

    Raises:
        ValueError: naming the columns the frame does not have.
    """
    missing = [name for name in names if name not in frame.column_names]
    if missing:
        raise ValueError(
            f"the feature frame lacks {missing!r}: build the features with the vocabulary the model was trained on"
        )
    columns = [pc.cast(frame[name], pa.float64()).to_numpy(zero_copy_only=False) for name in names]
    return np.column_stack(columns) if columns else np.empty((frame.num_rows, 0))


def array_matrix(frame: pa.Table, name: str, width: int) -> FloatArray:
    """Return the list column ``name`` as (n, width) doubles: a null list, or null in it, is NaN.

    Raises:
        ValueError: if the column is missing or a list has another length than ``width``.
    """
    if name not in frame.column_names:
        raise ValueError(f"the feature frame lacks the array {name!r}: build the features with this vocabulary")
    out = np.full((frame.num_rows, width), np.nan)
    column = frame[name].combine_chunks()
    present = pc.is_valid(column).to_numpy(zero_copy_only=False)
    flat = pc.cast(pc.list_flatten(column), pa.float64()).to_numpy(zero_copy_only=False)
    if flat.size != present.sum() * width:
        raise ValueError(f"{name!r} holds lists that are not {width} long: it was built with another vocabulary")
    out[present] = flat.reshape(-1, width)
    return out


def same_for_all(value: float) -> FloatArray:
    """Return ``value`` as the one row that stands for everybody."""
    return np.array([value], dtype=np.float64)
