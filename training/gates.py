"""Who may decide: a model becomes ``@champion`` only by being better on later data, and beyond chance.

Better than its baseline, than the present champion and than the plainer scorers it comes with
(``Fitted.simpler``) means: the 95% paired bootstrap interval of the difference, drawn by customer, is above zero.
Other rivals bar the way only by being clearly better: nobody would use them instead; the reason says how it
stands. A gate on prediction says nothing about decisions; where the later data come from choices that were not
randomised, the verdict carries the model's caveat.

Where the model does not pass, the best of the plainer ones decides (:func:`plainer`): a rate that was measured
says more than one that is declared.

Counts shrunk to a declared prior (``Backtest.shrunk``) stand outside this: where they know little they say what is
declared. They decide unless the baseline is better beyond chance. Their champion bars no way: it is the same
estimator with fewer counts, and it has seen some of the later data by which a fit to the earlier is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from measures.bootstrap import paired_interval
from measures.outcome import Interval, NotComputable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.models import Backtest

LEVEL = 0.95
REPS = 1000
CHAMPION = "champion"
"""The name of the present champion among a backtest's scores,"""
DECLARED = "declared"
"""and of what the policy declares, where that can be scored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a model passed, and why. ``interval`` is of model against baseline, above zero where it wins."""

    passed: bool
    reason: str
    value: float
    baseline_value: float
    interval: tuple[float, float] | None
    others: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Duel:
    rival: str
    gain: Interval | NotComputable
    strict: bool
    bars: bool = True

    @property
    def won(self) -> bool:
        if not self.bars:
            return True
        if isinstance(self.gain, NotComputable):
            return False
        return self.gain.low > 0 if self.strict else self.gain.high >= 0

    @property
    def words(self) -> str:
        if isinstance(self.gain, NotComputable):
            return f"cannot be compared with {self.rival} ({self.gain.reason})"
        interval = f"{self.gain.estimate:+.4f}, {self.gain.low:+.4f} … {self.gain.high:+.4f}"
        if self.gain.low > 0:
            return f"better than {self.rival} ({interval})"
        return f"{'worse' if self.gain.high < 0 else 'not clearly better'} than {self.rival} ({interval})"


def judge(backtest: Backtest, *, seed: int, caveat: str | None = None, simpler: Sequence[str] = ()) -> Verdict:
    """Return the verdict on ``backtest``. A champion takes part where ``scores`` has one called ``champion``.

    ``simpler`` names the scores of plainer scorers, each of which the model must beat: a tie keeps the simpler.

    Raises:
        measures.outcome.NotComputableError: if the metric itself cannot be computed on the later data.
    """
    must = (backtest.baseline, *simpler, *([CHAMPION] if CHAMPION in backtest.scores else []))
    strict = [rival for rival in dict.fromkeys(must) if rival != backtest.model]
    duels = [_duel(backtest, rival, strict=not backtest.shrunk, seed=seed) for rival in strict]
    if backtest.shrunk:
        duels[1:] = [replace(duel, bars=False) for duel in duels[1:]]
    duels += [_duel(backtest, rival, strict=False, seed=seed) for rival in backtest.also_beat]
    against_baseline = duels[0].gain if backtest.baseline in strict else None
    return Verdict(
        passed=all(duel.won for duel in duels),
        reason="; ".join([*(duel.words for duel in duels), *([caveat] if caveat else [])]),
        value=_value(backtest, backtest.model),
        baseline_value=_value(backtest, backtest.baseline),
        interval=(against_baseline.low, against_baseline.high) if isinstance(against_baseline, Interval) else None,
        others={
            name: _value(backtest, name)
            for name in backtest.scores
            if name not in (backtest.model, backtest.baseline)
        },
    )


def plainer(backtest: Backtest, names: Sequence[str], *, seed: int) -> str | None:
    """Return which of ``names``, given from the plainest on, decides where the model itself does not; None: none.

    The plainest stands until a richer one is better beyond chance. It takes the place of a champion only by being
    better beyond chance, and stands back where what is declared is.
    """
    best: str | None = None
    for name in names:
        if best is None or _better(backtest, name, best, seed=seed):
            best = name
    if best is None or (DECLARED in backtest.scores and _better(backtest, DECLARED, best, seed=seed)):
        return None
    if CHAMPION in backtest.scores and not _better(backtest, best, CHAMPION, seed=seed):
        return None
    return best


def _better(backtest: Backtest, name: str, rival: str, *, seed: int) -> bool:
    return _duel(replace(backtest, model=name), rival, strict=True, seed=seed).won


def _duel(backtest: Backtest, rival: str, *, strict: bool, seed: int) -> _Duel:
    """Compare the model with ``rival`` on the same draws; the gain is above zero where the model is better."""
    own, other = backtest.scores[backtest.model], backtest.scores[rival]
    better, worse = (own, other) if backtest.direction == "higher" else (other, own)
    gain = paired_interval(
        backtest.statistic,
        backtest.truth,
        better,
        worse,
        seed=seed,
        clusters=backtest.clusters,
        reps=REPS,
        level=LEVEL,
    )
    return _Duel(rival=rival, gain=gain, strict=strict)


def _value(backtest: Backtest, name: str) -> float:
    return float(backtest.statistic(backtest.truth, backtest.scores[name]))
