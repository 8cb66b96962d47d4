"""From checked draws to the ratios a value model is corrected by: of everything, of a channel, of a pair.

A ratio is told for each source and pair. Behind them stands one ratio of everything, to which a channel, a pair
and a source from elsewhere add something of their own (a mixed model): each is shrunk by how much its kind
differs. What holds here is what the ledger's own draws say as far as they say anything; trials lend what they
have in common.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from decisions.worth.ratios import BELIEF, Ratios
from measures.estimate import Estimate
from measures.random_effects import effects, spread
from training.evidence.checks import check
from training.evidence.ratio import ratio

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from training.evidence.sample import Floats, Sample

LEDGER = "ledger"
BETWEEN_SOURCES = 0.2
"""How much a trial's ratio is believed to differ from ours (standard deviation), before several tell,"""
BETWEEN_CHANNELS = 0.3
"""channels from each other,"""
BETWEEN_PAIRS = 0.2
"""and offers on one channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """``ratios`` for the model; ``sources`` what each says by itself; ``aside`` those that cannot be believed."""

    ratios: Ratios = field(default_factory=Ratios)
    sources: Mapping[str, Estimate] = field(default_factory=dict)
    draws: int = 0
    held: int = 0
    aside: Mapping[str, str] = field(default_factory=dict)


Part = tuple[str, str]
"""What adds to a ratio: of which kind it is, and its name."""
_ALL: Part = ("all", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    """The ratio of one pair by one source."""

    source: str
    pair: str
    known: Estimate

    @property
    def channel(self) -> str:
        return self.pair.rpartition("|")[2]

    @property
    def parts(self) -> tuple[Part, ...]:
        """What sums up to it. The ledger's draws are of here: they need no allowance for being from elsewhere."""
        elsewhere = () if self.source == LEDGER else (("source", self.source),)
        return (_ALL, *elsewhere, ("channel", self.channel), ("pair", self.pair))


def weigh(sample: Sample) -> Evidence:
    """Return what ``sample`` says, after its sources are checked."""
    checked = check(sample)
    return replace(weighed(checked.sample), aside=checked.aside)


def weighed(sample: Sample) -> Evidence:
    """Return what ``sample`` says whose sources are what they say."""
    parts = dict(sample.by_source())
    whole = {name: found for name, part in parts.items() if (found := ratio(part))}
    cells = [cell for name, found in whole.items() for cell in _cells(name, parts[name], found.inflation)]
    if not cells:
        return Evidence()
    return Evidence(
        ratios=_ratios(cells),
        sources={name: found.estimate for name, found in whole.items()},
        draws=sample.size,
        held=int((~sample.sent).sum()),
    )


def _cells(source: str, part: Sample, inflation: float) -> Iterator[_Cell]:
    """Give the ratio of each pair; its error is as many times the counting error as that of the whole source.

    An error of its own would be smaller wherever, by chance, less came: weighed by it, ratios come out too low.
    """
    for pair, rows in part.by_pair():
        if found := ratio(rows):
            yield _Cell(
                source=source, pair=pair, known=Estimate(mean=found.mean, error=found.counting * inflation)
            )


def _ratios(cells: Sequence[_Cell]) -> Ratios:
    parts = sorted({part for cell in cells for part in cell.parts})
    doubt = {"all": BELIEF.error, **_spreads(cells)}
    found = effects(
        np.array([cell.known.mean for cell in cells]),
        np.array([cell.known.error for cell in cells]),
        np.stack([_row(parts, cell.parts) for cell in cells]),
        belief=_row(parts, (_ALL,)) * BELIEF.mean,
        doubt=np.array([doubt[kind] for kind, _ in parts]),
    )
    channels = sorted({cell.channel for cell in cells})
    here = {cell.pair: tuple(part for part in cell.parts if part[0] != "source") for cell in cells}
    return Ratios(
        overall=found.of(_row(parts, (_ALL,))),
        channels={name: found.of(_row(parts, (_ALL, ("channel", name)))) for name in channels},
        pairs={pair: found.of(_row(parts, here[pair])) for pair in sorted(here)},
    )


def _row(parts: Sequence[Part], chosen: Sequence[Part]) -> Floats:
    return np.array([float(part in chosen) for part in parts])


def _spreads(cells: Sequence[_Cell]) -> dict[str, float]:
    """Return how much sources, channels and pairs differ, by kind."""
    kinds = (("source", BETWEEN_SOURCES), ("channel", BETWEEN_CHANNELS), ("pair", BETWEEN_PAIRS))
    return {kind: _spread([(getattr(cell, kind), cell.known) for cell in cells], usual) for kind, usual in kinds}


def _spread(told: Sequence[tuple[str, Estimate]], declared: float) -> float:
    """Return the standard deviation between what is ``told`` of each name, all of a name together."""
    together = dict[str, Estimate]()
    for name, known in told:
        together[name] = known.meeting(together[name]) if name in together else known
    means = np.array([each.mean for each in together.values()])
    errors = np.array([each.error for each in together.values()])
    return spread(means, errors, declared=declared)
